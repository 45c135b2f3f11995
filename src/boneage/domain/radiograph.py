"""A radiograph: its pixels, and what its file states about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property
from hashlib import sha256
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.findings import Finding
from boneage.domain.geometry import Box
from boneage.errors import SexError

Pixels: TypeAlias = npt.NDArray[np.float32]


class Sex(StrEnum):
    """The sex whose maturity standard is used."""

    MALE = "male"
    FEMALE = "female"

    @property
    def code(self) -> int:
        """The networks' code: 1 for male, 0 for female."""
        return int(self is Sex.MALE)

    @classmethod
    def parse(cls, text: str) -> Sex:
        """Read a sex as people and tables write it: male/m/1/true/boy or female/f/0/false/girl."""
        word = str(text).strip().lower()
        if word in {"male", "m", "1", "true", "boy"}:
            return cls.MALE
        if word in {"female", "f", "0", "false", "girl"}:
            return cls.FEMALE
        raise SexError(f"{text!r} is not a sex: give 'male' or 'female' (or m/f)")


SYNTHETIC = "Synthetic: drawn by boneage, nobody's hand"
"""What the files of drawn images say of themselves."""


@dataclass(frozen=True)
class ImageMetadata:
    """What a file states of its image; ``None`` where it states nothing.

    Never a name, an identifier or a free text: those are not read.
    """

    format: str
    """How the pixels were stored, e.g. ``"PNG"``, ``"DICOM (JPEG 2000 lossless)"``."""
    bits: int
    sex: Sex | None = None
    birth_date: date | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    chronological_age_months: float | None = None
    """From birth and study date; failing these, from the stated patient age."""
    laterality: str | None = None
    """``"L"`` or ``"R"``; ``"B"`` for both."""
    pixel_spacing_mm: tuple[float, float] | None = None
    """Row and column spacing."""
    body_part: str | None = None
    modality: str | None = None
    burned_in_annotation: bool | None = None
    synthetic: bool = False
    """Whether the file says that this program drew it."""
    in_colour: bool = False
    """Whether the image was coloured, as photographs are and radiographs are not."""
    findings: tuple[Finding, ...] = ()
    """What is odd about the metadata: several values, contradictory sides, an age of 0."""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One image, bone bright; EXIF orientation is applied.

    ``pixels`` has shape (height, width), float32, 0 (black) to 1 (white), at
    the resolution of the file.
    """

    pixels: Pixels
    metadata: ImageMetadata
    name: str = field(default="film")
    """The file's name without its folder."""
    pixel_aspect: float = 1.0
    """Height of a pixel over its width, as the file states it."""
    exposed: Box | None = None
    """In pixels: the rectangle inside a stated shutter, or inside padding whose value is far from
    all values of the image; None: there is neither."""
    notes: tuple[Finding, ...] = ()
    """What was corrected, or found odd, when the file was decoded."""

    @property
    def field(self) -> Box:
        """The exposed rectangle; all of the image where none is stated."""
        return self.exposed or Box(0, 0, self.height, self.width)

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of the pixels: identifies the image, but not the child."""
        return sha256(self.pixels.tobytes()).hexdigest()
