"""The films of one visit: an uploaded file becomes a film that can be shown, or a refusal."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import BinaryIO

from boneage.apps.dashboard.advice import OTHERWISE, advice_for
from boneage.domain.assessment import Finding
from boneage.domain.radiograph import Facts, Radiograph, Sex
from boneage.errors import FilmError
from boneage.imaging.preparing import stretch
from boneage.quality.suitability import findings_of
from boneage.reading import read
from boneage.reading.source import NamedFile
from boneage.reports.panels import Rgb, as_grey, fitted

SHOWN_PX = 1100
"""Longest side of a film as the pages show it."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Film:
    """A film that can be read. Its pixels are kept as the file's bytes alone."""

    key: str
    """Tells it from the other films of the visit, whatever their names."""
    name: str
    data: bytes
    facts: Facts
    height: int
    width: int
    shown: Rgb
    """Stretched, and made to fit ``SHOWN_PX``."""

    def radiograph(self) -> Radiograph:
        """Read the pixels once more, at full resolution."""
        return read(self.file())

    def file(self) -> BinaryIO:
        """Give the file as it was uploaded."""
        return NamedFile(self.data, self.name)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the file alone gives reason to say, before any sex is chosen."""
        return findings_of(self.facts, self.facts.sex or Sex.FEMALE, ())


@dataclass(frozen=True)
class Refusal:
    """A file that is no film that can be read."""

    key: str
    name: str
    message: str
    advice: str


def admit(key: str, name: str, data: bytes) -> Film | Refusal:
    """Validate an uploaded file by its content."""
    try:
        radiograph = read(NamedFile(data, name))
    except FilmError as error:
        return Refusal(key, name, f"{error}.", advice_for(error.code))
    except Exception as error:  # one bad file must not take the page down
        logger.exception("unexpected failure while a file was read")
        message = f"{name!r} cannot be read: unexpected {type(error).__name__}."
        return Refusal(key, name, message, OTHERWISE)
    shown = fitted(as_grey(stretch(radiograph.pixels)), SHOWN_PX, SHOWN_PX)
    height, width = radiograph.height, radiograph.width
    return Film(key, radiograph.name, data, radiograph.facts, height, width, shown)


def facts_in_words(film: Film) -> list[tuple[str, str]]:
    """List what a file says of its film, as label and value; only what it says."""
    facts = film.facts
    spacing = facts.pixel_spacing_mm
    age = facts.chronological_age_months
    rows = [
        ("Sex", facts.sex.value if facts.sex else None),
        ("Age", f"{age / 12:.1f} years" if age is not None else None),
        ("Birth date", facts.birth_date.isoformat() if facts.birth_date else None),
        ("Film date", facts.study_date.isoformat() if facts.study_date else None),
        ("Side", {"L": "left", "R": "right"}.get(facts.laterality or "")),
        ("Body part", facts.body_part.lower() if facts.body_part else None),
        ("Format", f"{facts.format}, {facts.bits} bit"),
        ("Size", f"{film.width} × {film.height} pixels"),
        ("Pixel", f"{spacing[1]:.3g} × {spacing[0]:.3g} mm" if spacing else None),
    ]
    return [(label, value) for label, value in rows if value is not None]
