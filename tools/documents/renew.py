"""Bringing the documents up to the evidence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from boneage.errors import DataError
from boneage.storage.files import atomically
from tools.documents.blocks import with_numbers
from tools.documents.card import model_card
from tools.documents.evidence import EVIDENCE, Evidence, read_checkout
from tools.documents.failures import failures_folder

README, CARD = "README.md", "MODEL_CARD.md"
PAGES = ("docs/big-folders.md", "docs/node.md", "docs/suitability.md")
"""Other documents with marked blocks; a checkout may lack them."""


def renewed(root: Path) -> dict[str, str]:
    """Write the documents of a checkout anew, in memory.

    Returns
    -------
    dict
        The text of each document, by its name.

    Raises
    ------
    DataError
        When a document is missing or the evidence cannot be read.
    """
    evidence = read_checkout(root)
    readme = root / README
    if not readme.is_file():
        raise DataError(f"no {README} in {str(root)!r}; give the folder of a checkout")
    text = readme.read_text(encoding="utf-8")
    folder = root / EVIDENCE
    with _lacks_nothing():
        numbers = with_numbers(text, evidence)
        pages = {
            name: with_numbers((root / name).read_text(encoding="utf-8"), evidence)
            for name in PAGES
            if (root / name).is_file()
        }
    return {
        README: numbers,
        **pages,
        CARD: card_of(evidence, folder, failures_folder(folder), root),
    }


def renew(root: Path, *, write: bool = True) -> dict[str, bool]:
    """Bring the documents of a checkout up to its evidence.

    Returns
    -------
    dict
        For each document, whether it differed or was not there.

    Raises
    ------
    DataError
        As ``renewed``.
    """
    differed = {}
    for name, text in renewed(root).items():
        path = root / name
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        differed[name] = text != before
        if differed[name] and write:
            write_text(path, text)
    return differed


def card_of(evidence: Evidence, folder: Path, pictures: Path, document: Path) -> str:
    """Write a model card, in memory; see :func:`tools.documents.card.model_card`.

    Raises
    ------
    DataError
        When the evidence or the manifest lacks something.
    """
    with _lacks_nothing():
        return model_card(evidence, folder, pictures, document)


@contextmanager
def _lacks_nothing() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError) as error:
        raise DataError(f"the evidence or the manifest lacks something: {error!r}") from error


def write_text(path: Path, text: str) -> None:
    """Write a text, whole or not at all."""
    with atomically(path) as file:
        file.write(text.encode("utf-8"))
