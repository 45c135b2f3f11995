"""Images that are not to be analysed, as a catalogue lists them.

A folder with ``catalog.csv``: ``file, category, expected, source, group`` and
more columns, which are ignored. ``expected`` is ``refuse``, ``warn`` or
``accept-with-warning``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from boneage.errors import DataError
from boneage.quality.classifier import HAND

CATALOGUE = "catalog.csv"
COLUMNS = ("file", "category", "expected", "source", "group", "notes")
REFUSE = "refuse"
EXPECTED = (REFUSE, "warn", "accept-with-warning")
KINDS: Mapping[str, str] = {
    "chest": "chest",
    "other-limb": "limb",
    "other-modality": "modality",
    "photo": "photo",
    "drawing": "drawing",
}
"""What the quality check calls the categories; hands to be refused are ``part`` or ``several``."""
SEVERAL_WORDS = ("two hands", "several hands", "collage")
ADULTS = "hand-adult"
HANDS = (ADULTS, "right-or-mirrored")
"""Categories of whole hands, which are accepted."""


@dataclass(frozen=True)
class RefusalImage:
    """One image of the catalogue."""

    path: Path
    name: str
    category: str
    expected: str
    source: str
    group: str
    """Near-copies share it."""
    notes: str = ""

    @property
    def kind(self) -> str | None:
        """What the quality check is to call it; None where people would not agree."""
        if self.expected != REFUSE:
            return HAND if self.category in HANDS else None
        if self.category in KINDS:
            return KINDS[self.category]
        return "several" if any(word in self.notes for word in SEVERAL_WORDS) else "part"


def refusal_images(folder: Path) -> tuple[RefusalImage, ...]:
    """List the images of a catalogue."""
    path = folder / CATALOGUE
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"the catalogue {str(path)!r} cannot be read: {error}") from error
    images = []
    for number, row in enumerate(rows, start=2):
        missing = [column for column in COLUMNS[:-1] if not row.get(column)]
        if missing:
            raise DataError(f"line {number} of {str(path)!r} states no {missing[0]}")
        if row["expected"] not in EXPECTED:
            raise DataError(
                f"line {number} of {str(path)!r} expects {row['expected']!r}, not one of {EXPECTED}"
            )
        cells = (row[column] or "" for column in ("file", *COLUMNS[1:]))
        images.append(RefusalImage(folder / row["file"], *cells))
    if not images:
        raise DataError(f"the catalogue {str(path)!r} is empty")
    return tuple(images)
