"""What goes through a batch: cases with a key of their own, and their rows."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from boneage.batch.cases import stream_cases, stream_table
from boneage.domain.assessment import Case, Failure
from boneage.reading.folders import LeftOut
from boneage.reports.table import Row
from boneage.storage.printable import file_label

KEY_BYTES = 16


@dataclass(frozen=True)
class Item:
    """A case on its way to a row."""

    key: bytes
    """Tells it from every other case of the same batch, in this run and the next."""
    film: str
    """What the row calls the film."""
    case: Case | Failure
    source_row: int | None = None
    """Line of the table of cases; None where films were named, or found in a folder."""


@dataclass(frozen=True)
class Answered:
    """An item's row: of the table of ages, or of the table of failures."""

    key: bytes
    read: bool
    row: Row


def items_of(paths: Sequence[Path], left_out: LeftOut | None = None) -> Iterator[Item]:
    """Stream the films of paths and folders; a film is known by its whole path.

    What else a folder holds is noted in ``left_out``.

    Raises
    ------
    DataError
        When a folder holds no films, as soon as it was walked.
    """
    for case in stream_cases(paths, left_out):
        whole = os.path.abspath(case.film)  # noqa: PTH100  no link is followed
        yield Item(_key("film", os.fsencode(whole)), file_label(case.film), case)


def items_of_table(table: Path) -> Iterator[Item]:
    """Stream the rows of a table of cases; a row is known by its line.

    Raises
    ------
    DataError
        See :func:`boneage.batch.cases.stream_table`.
    """
    for line, case in stream_table(table):
        yield Item(_key("row", str(line).encode()), file_label(case.film), case, line)


def _key(kind: str, content: bytes) -> bytes:
    return hashlib.blake2b(
        content, digest_size=KEY_BYTES, person=kind.encode(), usedforsecurity=False
    ).digest()
