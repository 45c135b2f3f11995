"""Uploaded files, read to images that can be shown, and the choices for them before analysis."""

from __future__ import annotations

import logging
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB
from boneage.domain.assessment import Finding
from boneage.domain.child import Child
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import FilmError
from boneage.imaging.preparing import stretch
from boneage.quality.checks import findings_of
from boneage.reading import read
from boneage.reading.accepted import DICOM, FORMATS, kind_of
from boneage.reading.source import NamedFile
from boneage.reports.panels import Rgb, as_grey, fitted
from boneage.synthetic.examples import EXAMPLES

SHOWN_PX = 1100
"""Longest side of an image as the pages show it."""
EXAMPLE = EXAMPLES[Sex.FEMALE]

ADVICE: Mapping[str, str] = {
    code: text.format(limit=UPLOAD_LIMIT_MB)
    for code, text in tomllib.loads(
        Path(__file__).with_name("advice.toml").read_text("utf-8")
    ).items()
}
"""The remedy for a :class:`~boneage.errors.FilmError` of each code."""
DEFAULT_ADVICE = f"Upload a {FORMATS} file of one radiograph."

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class UploadedImage:
    """An image that can be analysed; its full resolution is held as the bytes of its file only."""

    key: str
    """Unique in the visit, unlike the name."""
    name: str
    data: bytes
    metadata: ImageMetadata
    height: int
    width: int
    shown: Rgb
    """Stretched, and made to fit ``SHOWN_PX``."""

    def radiograph(self) -> Radiograph:
        """Decode the pixels once more, at full resolution."""
        return read(self.file())

    def file(self) -> BinaryIO:
        """Give the file as it was uploaded."""
        return NamedFile(self.data, self.name)

    @property
    def is_dicom(self) -> bool:
        """Whether it has a study that a DICOM result could join."""
        return kind_of(self.data) == DICOM

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings about the file, before a sex is chosen."""
        return findings_of(self.metadata, self.metadata.sex or Sex.FEMALE, ())

    def information(self) -> list[tuple[str, str]]:
        """The image information, as label and value."""
        metadata, age = self.metadata, self.metadata.chronological_age_months
        spacing = metadata.pixel_spacing_mm
        rows = [
            ("Sex", metadata.sex.value if metadata.sex else None),
            ("Age", f"{age / 12:.1f} years" if age is not None else None),
            ("Date of birth", metadata.birth_date.isoformat() if metadata.birth_date else None),
            ("Study date", metadata.study_date.isoformat() if metadata.study_date else None),
            ("Side", {"L": "left", "R": "right"}.get(metadata.laterality or "")),
            ("Body part", metadata.body_part.lower() if metadata.body_part else None),
            ("Format", f"{metadata.format}, {metadata.bits} bit"),
            ("Size", f"{self.width} × {self.height} pixels"),
            ("Pixel size", f"{spacing[1]:.3g} × {spacing[0]:.3g} mm" if spacing else None),
        ]
        return [(label, value) for label, value in rows if value is not None]


@dataclass(frozen=True)
class RejectedFile:
    """A file that cannot be analysed."""

    key: str
    name: str
    message: str
    advice: str


def read_upload(key: str, name: str, data: bytes) -> UploadedImage | RejectedFile:
    """Read an uploaded file; its kind is recognised by its content."""
    try:
        radiograph = read(NamedFile(data, name))
    except FilmError as error:
        return RejectedFile(key, name, f"{error}.", ADVICE.get(error.code, DEFAULT_ADVICE))
    except Exception as error:  # one bad file must not take the page down
        logger.exception("unexpected failure while a file was read")
        message = f"{name!r} cannot be read: unexpected {type(error).__name__}."
        return RejectedFile(key, name, message, DEFAULT_ADVICE)
    shown = fitted(as_grey(stretch(radiograph.pixels)), SHOWN_PX, SHOWN_PX)
    size = radiograph.height, radiograph.width
    return UploadedImage(key, radiograph.name, data, radiograph.metadata, *size, shown)


@dataclass(frozen=True)
class Choice:
    """The standard to assess an image by, and the child's age and height if known."""

    sex: Sex | None
    chronological_age_months: float | None = None
    problem: str = ""
    """Why the age given is invalid; empty: it is not."""
    height_cm: float | None = None
    """Current standing height."""

    @property
    def child(self) -> Child:
        """The child's data."""
        return Child(self.chronological_age_months, height_cm=self.height_cm)


def age_in_months(years: int | None, months: int | None) -> float | None:
    """Months from whole years and months; None when neither is given."""
    if years is None and months is None:
        return None
    return 12.0 * (years or 0) + (months or 0)


def sex_mismatch(image: UploadedImage, choice: Choice) -> str:
    """A warning where the image states the other sex; else empty."""
    stated = image.metadata.sex
    if stated is None or choice.sex is None or stated is choice.sex:
        return ""
    return (
        f"The file states {stated}, but {choice.sex} was chosen. "
        "The standards differ by sex: check which is right."
    )


def blocking_reason(
    images: Sequence[UploadedImage], choices: Mapping[str, Choice], weights_problem: str
) -> str:
    """Why the images cannot be analysed yet; empty when they can."""
    if weights_problem:
        return "No model is available."
    if not images:
        return "Add a radiograph first."
    without = [image for image in images if choices[image.key].sex is None]
    if without:
        return f"Choose the sex{_of(without, images)}."
    wrong = [image for image in images if choices[image.key].problem]
    if wrong:
        return f"Correct the age{_of(wrong, images)}."
    return ""


def _of(some: Sequence[UploadedImage], images: Sequence[UploadedImage]) -> str:
    if len(images) == 1:
        return ""
    others = len(some) - 1
    more = f" and {others} other{'s' * (others > 1)}" if others else ""
    return f" for {some[0].name}{more}"
