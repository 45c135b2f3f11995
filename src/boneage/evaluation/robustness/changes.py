"""The perturbations of the robustness test, as may happen in clinical practice.

Each is one film in, one file out, the same for the same film. They stand in ``changes.csv``,
their sizes in words, too, so that a table of them needs no code.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from io import BytesIO
from typing import Any, TypeAlias

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
from boneage.imaging import perturbations
from boneage.imaging.perturbations import Grey, random_of
from boneage.storage.delimited import shipped_rows

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
    dataset.Modality = "CR"
    dataset.set_pixel_data(stored, "MONOCHROME1", WORD_BITS, generate_instance_uid=False)
    file = BytesIO()
    dataset.save_as(file, enforce_file_format=True)
    return file.getvalue()


def _words(grey: Grey) -> npt.NDArray[np.uint16]:
    return grey.astype(np.uint16) * (BYTE_TO_WORD if grey.dtype == np.uint8 else 1)


def _encoded(suffix: str, grey: npt.NDArray[Any], options: tuple[int, int]) -> bytes:
    return bytes(cv2.imencode(suffix, np.ascontiguousarray(grey), options)[1])


Apply: TypeAlias = Callable[[Grey, np.random.Generator], Grey]

QUALITY, FILE = "quality", "file"
KINDS = {
    "position": "Turned and mirrored",
    "exposure": "Brightness and contrast",
    QUALITY: "Image quality",
    "cut": "Cut off",
    "added": "Borders and markers",
    FILE: "Same picture, another file",
}
"""By kind, its heading for readers; in the order of every table and figure."""


@dataclass(frozen=True)
class Change:
    """One way to change a film."""

    name: str
    """For programs and options."""
    kind: str
    """One of ``KINDS``."""
    label: str
    """For rows of tables and figures."""
    words: str
    """What is done, with its size, for the reader."""
    apply: Apply = lambda grey, _: grey
    """From grey values, shape (height, width), and a generator to grey values."""
    encode: Callable[[Grey], bytes] = as_png

    def file_of(self, grey: Grey, film: str) -> bytes:
        """Change a film and write it as a file; chance is seeded by the film's id."""
        return self.encode(self.apply(grey, random_of(f"{self.name} {film}")))


def _change_of(row: Mapping[str, str]) -> Change:
    function = getattr(perturbations, row["function"]) if row["function"] else None
    sizes = tomllib.loads(f"sizes = {{{row['sizes']}}}")["sizes"]

    def apply(grey: Grey, random: np.random.Generator) -> Grey:
        chance = {"random": random} if function is perturbations.noisy else {}
        changed: Grey = function(grey, **sizes, **chance) if function else grey
        return changed

    encode = ENCODERS[row["file"]]
    return Change(row["name"], row["kind"], row["label"], row["words"], apply, encode)


ENCODERS: Mapping[str, Callable[[Grey], bytes]] = {
    "png": as_png,
    "png 16": as_deep_png,
    "jpeg 30": partial(as_jpeg, quality=30),
    "dicom": as_negative_dicom,
}
CHANGES = tuple(
    map(_change_of, shipped_rows(files("boneage.evaluation.robustness") / "changes.csv"))
)
"""All of them, those of a kind together."""


def chosen(names: Sequence[str] = ()) -> tuple[Change, ...]:
    """Choose changes by their names or kinds, else a DataError; no name chooses all."""
    known = {change.name for change in CHANGES} | set(KINDS)
    for name in names:
        if name not in known:
            listed = ", ".join([*KINDS, *(change.name for change in CHANGES)])
            raise DataError(f"no change is called {name!r}; kinds and names are {listed}")
    wanted = set(names) or known
    return tuple(c for c in CHANGES if c.name in wanted or c.kind in wanted)
