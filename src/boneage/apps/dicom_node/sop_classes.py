"""Which objects a node accepts, and which of them are its own results."""

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
RESULT_CLASSES: Mapping[str, str] = {
    PICTURE: SecondaryCaptureImageStorage,
    REPORT: ComprehensiveSRStorage,
}
"""SOP classes of the two result files, by kind."""
FILM_SYNTAXES = [uid for uid in SYNTAXES if uid != DeflatedExplicitVRLittleEndian]
"""Those that can be decoded, but for deflated objects: inflated, they could be of any size."""
MANUFACTURER = "boneage"
HEADER_ELEMENTS = ("SOPClassUID", "SOPInstanceUID", "Manufacturer")


@dataclass(frozen=True)
class ObjectHeader:
    """The kind and identity of an object, as its DICOM file states them."""

    sop_class: str
    sop_instance: str
    manufacturer: str

    @property
    def is_film(self) -> bool:
        """Whether it may be a radiograph."""
        return self.sop_class in FILM_CLASSES

    @property
    def is_own(self) -> bool:
        """Whether it is a result of this program, which is not assessed."""
        return self.manufacturer == MANUFACTURER and self.sop_class in RESULT_CLASSES.values()


def read_header(file: bytes) -> ObjectHeader:
    """Read the header of a DICOM file; a FilmError, ``"damaged"``, when it cannot be read."""
    try:
        with quiet():
            dataset = dcmread(
                BytesIO(file), stop_before_pixels=True, specific_tags=list(HEADER_ELEMENTS)
            )
            return ObjectHeader(
                *(str(dataset.get(keyword) or "").strip() for keyword in HEADER_ELEMENTS)
            )
    except Exception as error:  # its message may quote the patient
        raise FilmError("damaged", f"no data set can be read ({type(error).__name__})") from None
