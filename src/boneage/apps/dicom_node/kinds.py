"""Which objects a node takes, and which of them are its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

from pydicom import dcmread
from pydicom.uid import (
    ComprehensiveSRStorage,
    ComputedRadiographyImageStorage,
    DeflatedExplicitVRLittleEndian,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)

from boneage.errors import FilmError
from boneage.reading.dicom.reader import SYNTAXES
from boneage.reading.quiet import quiet
from boneage.reports.dicom.writing import PICTURE, REPORT

FILM_CLASSES = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
)
ANSWER_CLASSES: Mapping[str, str] = {
    PICTURE: SecondaryCaptureImageStorage,
    REPORT: ComprehensiveSRStorage,
}
"""Of each of the two files of an answer."""
FILM_SYNTAXES = [uid for uid in SYNTAXES if uid != DeflatedExplicitVRLittleEndian]
"""What can be read; a deflated object would be inflated before its size is known."""
MANUFACTURER = "boneage"
HEAD = ("SOPClassUID", "SOPInstanceUID", "Manufacturer")


@dataclass(frozen=True)
class Head:
    """What a DICOM file says it is."""

    sop_class: str
    sop_instance: str
    manufacturer: str

    @property
    def is_film(self) -> bool:
        """Whether it may be a film."""
        return self.sop_class in FILM_CLASSES

    @property
    def is_own(self) -> bool:
        """Whether it is an answer of this program: those are not read again."""
        return self.manufacturer == MANUFACTURER and self.sop_class in ANSWER_CLASSES.values()


def head_of(file: bytes) -> Head:
    """Read what a DICOM file says it is; a FilmError, ``"damaged"``, when it cannot be read."""
    try:
        with quiet():
            dataset = dcmread(BytesIO(file), stop_before_pixels=True, specific_tags=list(HEAD))
            return Head(*(str(dataset.get(keyword) or "").strip() for keyword in HEAD))
    except Exception as error:  # what it says may quote the patient
        raise FilmError("damaged", f"no data set can be read ({type(error).__name__})") from None
