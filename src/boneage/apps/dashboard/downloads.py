"""The answers of a visit as files: CSV, JSON, and the pictures in a zip."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from io import BytesIO
from pathlib import PurePath

from PIL import Image

from boneage.apps.dashboard.answers import Answer
from boneage.domain.assessment import Assessment, Failure
from boneage.reading.folders import PICTURE_SUFFIX
from boneage.reports.picture import draw
from boneage.reports.record import batch, record
from boneage.reports.table import row, write_table


def csv_of(answers: Sequence[Answer | Failure]) -> bytes:
    """The table that ``boneage assess --csv`` writes."""
    file = BytesIO()
    write_table(file, [row(_plain(answer)) for answer in answers])
    return file.getvalue()


def json_of(answers: Sequence[Answer | Failure]) -> bytes:
    """The document that ``boneage assess --json`` prints."""
    return batch([record(_plain(answer)) for answer in answers]).encode()


def pictures_of(answers: Sequence[Answer | Failure]) -> bytes:
    """The pictures that ``boneage assess --picture`` draws, in one zip archive."""
    file, taken = BytesIO(), set[str]()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNG is compressed already
        for answer in answers:
            if isinstance(answer, Failure):
                continue
            picture = Image.fromarray(draw(answer.assessment, answer.film.radiograph()))
            name = _free_name(PurePath(answer.film.name).stem or "film", taken)
            with archive.open(name, "w") as entry:
                picture.save(entry, "PNG")
    return file.getvalue()


def _plain(answer: Answer | Failure) -> Assessment | Failure:
    return answer if isinstance(answer, Failure) else answer.assessment


def _free_name(stem: str, taken: set[str]) -> str:
    name, number = f"{stem}{PICTURE_SUFFIX}", 1
    while name in taken:
        number += 1
        name = f"{stem}-{number}{PICTURE_SUFFIX}"
    taken.add(name)
    return name
