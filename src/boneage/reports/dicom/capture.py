"""The picture of an answer as a DICOM secondary capture in the film's study."""

from __future__ import annotations

from highdicom import UID
from highdicom.sc import SCImage
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from boneage._version import __version__
from boneage.domain.assessment import Assessment
from boneage.reports.dicom.codes import SIDES
from boneage.reports.dicom.source import UTF_8, SourceDataset
from boneage.reports.panels import Rgb

SERIES_NUMBER = 9051
"""High, so that the series comes after those of the modality."""
SYNTHETIC = "SYN"
"""Made by a computer; PS3.3, C.8.6.1."""
BURNED_IN = ("YES", "NO")


def secondary_capture(picture: Rgb, answer: Assessment, source: SourceDataset) -> SCImage:
    """Put a drawn answer into the study of its film.

    Parameters
    ----------
    picture : uint8 array, shape (rows, columns, 3)
        RGB, as :func:`boneage.reports.picture.draw` gives it.
    answer : Assessment
    source : SourceDataset
        As :func:`boneage.reports.dicom.source.read_source` gives it.

    Returns
    -------
    SCImage
        A pydicom dataset, of a new series.
    """
    image = SCImage.from_ref_dataset(
        ref_dataset=source,
        pixel_array=picture,
        photometric_interpretation="RGB",
        bits_allocated=8,
        coordinate_system="PATIENT",
        patient_orientation=("L", "F"),
        series_instance_uid=UID(),
        series_number=SERIES_NUMBER,
        series_description="Bone age, picture (boneage)",
        sop_instance_uid=UID(),
        instance_number=1,
        manufacturer="boneage",
        manufacturer_model_name=answer.weights.name,
        software_versions=__version__,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=UTF_8,
    )
    image.PatientOrientation = []  # a page of several pictures has none
    side = answer.laterality
    image.Laterality = side if side in SIDES else ""  # empty: not known
    image.ConversionType = SYNTHETIC
    image.LossyImageCompression = "00"
    if source.get("LossyImageCompression") == "01":
        image.LossyImageCompression = "01"
        for keyword in ("LossyImageCompressionRatio", "LossyImageCompressionMethod"):
            if keyword in source:
                image[keyword] = source[keyword]
    # What was burnt into the film is on its picture too.
    if source.get("BurnedInAnnotation") in BURNED_IN:
        image.BurnedInAnnotation = source.BurnedInAnnotation
    image.SourceImageSequence = [_reference(source)]
    image.DerivationDescription = "The film with its regions, attention and bone age, by boneage"
    if source.remark is not None:
        image.ImageComments = source.remark
    return image


def _reference(source: Dataset) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = source.SOPClassUID
    item.ReferencedSOPInstanceUID = source.SOPInstanceUID
    return item
