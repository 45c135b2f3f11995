"""An uploaded file, read to an image that can be shown, or rejected with the reason."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB
from boneage.domain.assessment import Finding
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import FilmError
from boneage.imaging.preparing import stretch
from boneage.quality.checks import findings_of
from boneage.reading import read
from boneage.reading.kinds import DICOM, FORMATS, kind_of
from boneage.reading.source import NamedFile
from boneage.reports.panels import Rgb, as_grey, fitted
from boneage.synthetic import draw
from boneage.synthetic.saving import write_dicom

SHOWN_PX = 1100
"""Longest side of an image as the pages show it."""
EXAMPLE_NAME = "synthetic_hand_girl_10y.dcm"

_EXPORT_AGAIN = "Export the image from its source again, and upload the new file."
_AS_PNG = "Export it as PNG or as uncompressed DICOM, and upload that."
_ONE_IMAGE = "Save the image of the left hand as a separate file, and upload that."
ADVICE: Mapping[str, str] = {
    "not_an_image": "Upload the radiograph itself.",
    "no_pixels": "Select the image of the study rather than its report or index.",
    "unsupported_format": _AS_PNG,
    "unsupported_compression": _AS_PNG,
    "unsupported_pixels": _AS_PNG,
    "colour": "Upload the grey original rather than a coloured copy.",
    "truncated": _EXPORT_AGAIN,
    "damaged": _EXPORT_AGAIN,
    "empty": _EXPORT_AGAIN,
    "unreadable": _EXPORT_AGAIN,
    "constant": "Check the file in a viewer: it is blank. Upload the radiograph itself.",
    "not_finite": _EXPORT_AGAIN,
    "several_frames": _ONE_IMAGE,
    "several_pages": _ONE_IMAGE,
    "animated": _ONE_IMAGE,
    "too_small": "Upload the image at its full size rather than a thumbnail of it.",
    "too_large": "Export the image at the size of its detector, or smaller.",
    "too_many_bytes": f"Export the image compressed, below {UPLOAD_LIMIT_MB} MB.",
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
        return kind_of(self.data, self.name) == DICOM

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


def example_file() -> bytes:
    """Draw the synthetic example, as a DICOM file that states its sex and dates."""
    file = BytesIO()
    write_dicom(draw(120, Sex.FEMALE), file)
    return file.getvalue()
