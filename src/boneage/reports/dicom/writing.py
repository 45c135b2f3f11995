"""An assessment as DICOM files: its picture as a secondary capture, and a structured report."""

from __future__ import annotations

from io import BytesIO

from highdicom import UID
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from boneage._version import __version__
from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.errors import OutputError
from boneage.reading.quiet import quiet
from boneage.reports.dicom.source import UTF_8, SourceDataset
from boneage.reports.dicom.structured_report import SIDES, structured_report
from boneage.reports.panels import Rgb
from boneage.reports.picture import draw

PICTURE, REPORT = "picture", "report"
CAPTURE_SERIES = 9051
"""High, so that the series comes after those of the modality."""
SYNTHETIC = "SYN"
"""Made by a computer; PS3.3, C.8.6.1."""
BURNED_IN = ("YES", "NO")


def dicom_file(
    kind: str, assessment: Assessment, radiograph: Radiograph, source: SourceDataset
) -> bytes:
    """Write the ``"picture"`` as a secondary capture, or the ``"report"``.

    It is a new instance in a new series of the image's study, with its patient, also when the same
    image was written before. Raises an `OutputError` when the patient and study data of the image
    cannot be written as DICOM.
    """
    picture = draw(assessment, radiograph) if kind == PICTURE else None
    try:
        with quiet():
            if picture is not None:
                return _written(secondary_capture(picture, assessment, source))
            return _written(structured_report(assessment, source))
    except Exception as error:
        # Not chained: the libraries' messages may quote the patient.
        raise OutputError(
            f"the patient and study data of {radiograph.name!r} cannot be written as DICOM "
            f"({type(error).__name__})"
        ) from None


def secondary_capture(picture: Rgb, assessment: Assessment, source: SourceDataset) -> SCImage:
    """Put a drawn assessment into the study of its image, as a dataset of a new series."""
    image = SCImage.from_ref_dataset(
        ref_dataset=source,
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=UID(),
        series_number=CAPTURE_SERIES,
        series_description="Bone age, picture (boneage)",
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="boneage",
        manufacturer_model_name=assessment.weights.name,
        software_versions=__version__,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=UTF_8,
    )
    image.PatientOrientation = []  # a page of several pictures has none
    side = assessment.laterality
    image.Laterality = side if side in SIDES else ""  # empty: not known
    image.ConversionType = SYNTHETIC
    image.LossyImageCompression = "00"
    if source.get("LossyImageCompression") == "01":
        image.LossyImageCompression = "01"
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in source:
                image[keyword] = source[keyword]
    # Text burned into the image is on its picture too.
    if source.get("BurnedInAnnotation") in BURNED_IN:
        image.BurnedInAnnotation = source.BurnedInAnnotation
    image.SourceImageSequence = [_reference(source)]
    image.DerivationDescription = "Radiograph with regions, attention and bone age, by boneage"
    if source.comment is not None:
        image.ImageComments = source.comment
    return image


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item


def _written(dataset: Dataset) -> bytes:
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()
