"""A synthetic image as PNG or DICOM, marked as such in every text, and its truth as JSON."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from boneage.domain.ages import DAYS_PER_MONTH
from boneage.domain.radiograph import Sex
from boneage.synthetic.film import BITS, SyntheticFilm

WORDS = "Synthetic: drawn by boneage, nobody's hand"
STUDY_DATE = date(2020, 1, 1)
"""Of every image drawn, so that the same image is the same file."""


def write_png(film: SyntheticFilm, file: BinaryIO) -> None:
    """Write an image as an 8-bit grey PNG."""
    grey = np.rint(film.radiograph.pixels * 255).astype(np.uint8)
    words = PngInfo()
    words.add_text("Description", WORDS)
    Image.fromarray(grey).save(file, "PNG", pnginfo=words, optimize=True)


def write_regions(film: SyntheticFilm, name: str, file: BinaryIO) -> None:
    """Write the true boxes of an image as JSON."""
    radiograph = film.radiograph
    truth = {
        "film": name,
        "description": WORDS,
        "age_months": film.age_months,
        "sex": film.sex,
        "film_height": radiograph.height,
        "film_width": radiograph.width,
        "regions": {region: asdict(box) for region, box in film.regions.items()},
        "bones": {bone: asdict(box) for bone, box in film.bones.items()},
    }
    file.write((json.dumps(truth, indent=2) + "\n").encode())


def write_dicom(film: SyntheticFilm, file: BinaryIO) -> None:
    """Write an image as a 12-bit DICOM image for presentation.

    Its birth and study dates give the image's age; its identifiers follow from
    its pixels.
    """
    pixels = np.rint(film.radiograph.pixels * (2**BITS - 1)).astype("<u2")
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["instance", digest])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in {**_patient(film), **_image(film)}.items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", digest])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", digest])
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(file, enforce_file_format=True)


def _patient(film: SyntheticFilm) -> dict[str, Any]:
    born = STUDY_DATE - timedelta(days=round(film.age_months * DAYS_PER_MONTH))
    return {
        "PatientName": "SYNTHETIC^HAND",
        "PatientID": "SYNTHETIC",
        "PatientSex": "M" if film.sex is Sex.MALE else "F",
        "PatientBirthDate": born.strftime("%Y%m%d"),
        "PatientAge": f"{int(film.age_months):03d}M",
        "StudyDate": STUDY_DATE.strftime("%Y%m%d"),
        "StudyTime": "120000",
        "StudyID": "",
        "AccessionNumber": "",
        "ReferringPhysicianName": "",
        "StudyDescription": "SYNTHETIC",
        "SeriesDescription": WORDS,
        "SeriesNumber": 1,
        "InstanceNumber": 1,
        "Manufacturer": "boneage",
    }


def _image(film: SyntheticFilm) -> dict[str, Any]:
    radiograph = film.radiograph
    spacing = [f"{side:.6f}" for side in radiograph.metadata.pixel_spacing_mm or ()]
    return {
        "Modality": "DX",
        "ImageType": ["DERIVED", "PRIMARY"],
        "PresentationIntentType": "FOR PRESENTATION",
        "BodyPartExamined": "HAND",
        "ImageLaterality": "L",
        "ViewPosition": "PA",
        "BurnedInAnnotation": "YES",
        "ImageComments": WORDS,
        "ImagerPixelSpacing": spacing,
        "PixelSpacing": spacing,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": radiograph.height,
        "Columns": radiograph.width,
        "BitsAllocated": 16,
        "BitsStored": BITS,
        "HighBit": BITS - 1,
        "PixelRepresentation": 0,
        "PixelIntensityRelationship": "LOG",
        "PixelIntensityRelationshipSign": -1,
        "RescaleIntercept": 0,
        "RescaleSlope": 1,
        "RescaleType": "US",
        "PresentationLUTShape": "IDENTITY",
        "LossyImageCompression": "00",
        "WindowCenter": 2 ** (BITS - 1),
        "WindowWidth": 2**BITS,
    }
