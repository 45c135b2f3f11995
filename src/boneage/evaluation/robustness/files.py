"""Grey values as the bytes of a film's file, for the way in which films are read."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import (
    ComputedRadiographyImageStorage,
    ExplicitVRLittleEndian,
    generate_uid,
)

from boneage.errors import DataError
from boneage.imaging.perturbations import Grey

BYTE_TO_WORD = 257
"""255 becomes 65,535."""
WORD_BITS = 16
FAST = (cv2.IMWRITE_PNG_COMPRESSION, 1)


def as_png(grey: Grey) -> bytes:
    """Write a PNG of the film's own 8 or 16 bits; nothing is lost."""
    return _encoded(".png", grey, FAST)


def as_deep_png(grey: Grey) -> bytes:
    """Write a PNG of 16 bits; of 8-bit values the same greys."""
    return _encoded(".png", _words(grey), FAST)


def as_jpeg(grey: Grey, quality: int) -> bytes:
    """Write a JPEG, of 8 bits as all are; ``quality`` as libjpeg counts it, 0 to 100."""
    bytes_of = grey if grey.dtype == np.uint8 else (grey >> 8).astype(np.uint8)
    return _encoded(".jpg", bytes_of, (cv2.IMWRITE_JPEG_QUALITY, quality))


def as_negative_dicom(grey: Grey) -> bytes:
    """Write a 16-bit DICOM image whose lowest value is white (MONOCHROME1).

    It states nothing of a patient; its identifiers follow from its pixels.
    """
    stored = (np.iinfo(np.uint16).max - _words(grey)).astype("<u2")
    digest = hashlib.sha256(stored.tobytes()).hexdigest()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = ComputedRadiographyImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["instance", digest])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.Modality, dataset.SamplesPerPixel, dataset.PixelRepresentation = "CR", 1, 0
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.Rows, dataset.Columns = stored.shape
    dataset.BitsAllocated = dataset.BitsStored = WORD_BITS
    dataset.HighBit = WORD_BITS - 1
    dataset.PixelData = stored.tobytes()
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _words(grey: Grey) -> npt.NDArray[np.uint16]:
    return grey.astype(np.uint16) * (BYTE_TO_WORD if grey.dtype == np.uint8 else 1)


def _encoded(suffix: str, grey: npt.NDArray[Any], options: tuple[int, int]) -> bytes:
    written, content = cv2.imencode(suffix, np.ascontiguousarray(grey), options)
    if not written:
        raise DataError(f"OpenCV cannot write a {suffix} of shape {grey.shape}")
    return bytes(content)
