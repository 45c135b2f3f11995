"""From an age and a sex to an image and the truth about it, and to its files.

Every file is marked as synthetic in all of its texts.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any, BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import DigitalXRayImageStorageForPresentation, ExplicitVRLittleEndian, generate_uid

from boneage.domain.ages import DAYS_PER_MONTH
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box
from boneage.domain.radiograph import SYNTHETIC, ImageMetadata, Radiograph, Sex
from boneage.errors import BoneageError
from boneage.storage.typed import shipped_toml
from boneage.synthetic.flesh import outline_flesh
from boneage.synthetic.maturity import HandGrowth
from boneage.synthetic.outlines import Outline, Projection, project_hand
from boneage.synthetic.rendering import render
from boneage.synthetic.skeleton import Skeleton, build_skeleton

HAND = "hand"
AGES_MONTHS = (1, 228)
"""The atlas ends at 228 months."""
SIDES_PX = (64, 4096)
"""A smaller image shows no bones; a larger one, nothing more."""
BITS = 12
NAME = "synthetic hand"
STUDY_DATE = date(2020, 1, 1)
"""Of every image drawn, so that the same image is the same file."""


class SyntheticError(BoneageError, ValueError):
    """An image that cannot be drawn."""


@dataclass(frozen=True, eq=False)
class SyntheticFilm:
    """A drawn image and what is true of it. Boxes and outlines are in its pixels."""

    radiograph: Radiograph
    age_months: float
    sex: Sex
    regions: Mapping[str, Box]
    """``"hand"`` (with its flesh, carpal bones to fingertips), ``"carpal"`` (where the
    eight carpal bones are or will be), ``"metacarpal"`` and ``"phalanx"``."""
    bones: Mapping[str, Box]
    """Of each bone that shows, with its epiphysis; as far as it is on the film."""
    outlines: Mapping[str, tuple[Outline, ...]]
    """Each bone's shaft and, where it shows, epiphysis: closed curves of (column,
    row), shape (points, 2). Those of the forearm run off the film."""


def draw(
    age_months: float,
    sex: Sex,
    *,
    height: int = 1500,
    width: int = 1150,
    rotation_degrees: float = 0.0,
    seed: int = 0,
    collimated: bool = False,
) -> SyntheticFilm:
    """Draw the image of a left hand, palm down, of this skeletal age, from 1 to 228 months.

    The image has 64 to 4096 pixels on each side; ``collimated``: with the black border of a
    collimator. It is turned clockwise; the whole hand stays on it. The seed, 0 or more, is that of
    the spread of the fingers, the texture and the noise: the same arguments draw the same image.
    SyntheticError for what is outside these ranges.
    """
    _check("age", age_months, *AGES_MONTHS, "months")
    _check("height", height, *SIDES_PX, "px")
    _check("width", width, *SIDES_PX, "px")
    _check("rotation", rotation_degrees, -360, 360, "degrees")
    _check("seed", seed, 0, 2**63, "")
    rng = np.random.default_rng(seed)
    growth = HandGrowth.at(age_months, sex)
    skeleton = build_skeleton(growth, rng)
    flesh = outline_flesh(skeleton)
    projection = project_hand(flesh, growth.hand_length_mm, height, width, rotation_degrees)
    bones = tuple(skeleton.bones.values())
    pixels = render(bones, flesh, projection, rng, collimated=collimated)
    metadata = ImageMetadata(
        format="synthetic",
        bits=BITS,
        sex=sex,
        laterality="L",
        pixel_spacing_mm=(projection.mm_per_px, projection.mm_per_px),
        body_part="HAND",
        modality="DX",
        burned_in_annotation=False,
        synthetic=True,
    )
    return SyntheticFilm(
        radiograph=Radiograph(pixels, metadata, NAME),
        age_months=age_months,
        sex=sex,
        regions=_boxes(projection, _regions(skeleton, flesh)),
        bones=_boxes(projection, {bone.name: bone.outlines for bone in bones}),
        outlines={bone.name: tuple(map(projection.to_px, bone.outlines)) for bone in bones},
    )


def _regions(skeleton: Skeleton, flesh: Outline) -> Mapping[str, Iterable[Outline]]:
    def of(kind: str) -> list[Outline]:
        return [o for name, bone in skeleton.bones.items() if kind in name for o in bone.outlines]

    return {
        HAND: [flesh[flesh[:, 1] >= skeleton.carpus[:, 1].min()]],
        CARPAL: [skeleton.carpus],
        METACARPAL: of("metacarpal"),
        PHALANX: of("phalanx"),
    }


def _boxes(projection: Projection, outlines: Mapping[str, Iterable[Outline]]) -> Mapping[str, Box]:
    boxes = {name: projection.box(*parts) for name, parts in outlines.items()}
    return {name: box for name, box in boxes.items() if box is not None}


def _check(name: str, value: float, least: float, most: float, unit: str) -> None:
    if not least <= value <= most:
        raise SyntheticError(
            f"{name} {value!r} cannot be drawn; give {least} to {most} {unit}".rstrip()
        )


def write_png(film: SyntheticFilm, file: BinaryIO) -> None:
    grey = np.rint(film.radiograph.pixels * 255).astype(np.uint8)
    words = PngInfo()
    words.add_text("Description", SYNTHETIC)
    Image.fromarray(grey).save(file, "PNG", pnginfo=words, optimize=True)


def write_regions(film: SyntheticFilm, name: str, file: BinaryIO) -> None:
    radiograph = film.radiograph
    truth = {
        "film": name,
        "description": SYNTHETIC,
        "age_months": film.age_months,
        "sex": film.sex,
        "film_height": radiograph.height,
        "film_width": radiograph.width,
        "regions": {region: asdict(box) for region, box in film.regions.items()},
        "bones": {bone: asdict(box) for bone, box in film.bones.items()},
    }
    file.write((json.dumps(truth, indent=2) + "\n").encode())


def write_dicom(film: SyntheticFilm, file: BinaryIO) -> None:
    """Write a 12-bit DICOM image; its dates give the age, and its UIDs follow from its pixels."""
    pixels = np.rint(film.radiograph.pixels * (2**BITS - 1)).astype("<u2")
    digest = hashlib.sha256(pixels.tobytes()).hexdigest()
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = generate_uid(entropy_srcs=["instance", digest])
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in _elements(film).items():
        setattr(dataset, keyword, value)
    dataset.SOPClassUID = meta.MediaStorageSOPClassUID
    dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    dataset.StudyInstanceUID = generate_uid(entropy_srcs=["study", digest])
    dataset.SeriesInstanceUID = generate_uid(entropy_srcs=["series", digest])
    dataset.PixelData = pixels.tobytes()
    dataset.save_as(file, enforce_file_format=True)


def _elements(film: SyntheticFilm) -> dict[str, Any]:
    """Give what the file states, by keyword; what is the same of every image is in a table."""
    born = STUDY_DATE - timedelta(days=round(film.age_months * DAYS_PER_MONTH))
    spacing = [f"{side:.6f}" for side in film.radiograph.metadata.pixel_spacing_mm or ()]
    return shipped_toml("boneage.synthetic", "dicom.toml") | {
        "PatientSex": "M" if film.sex is Sex.MALE else "F",
        "PatientBirthDate": born.strftime("%Y%m%d"),
        "PatientAge": f"{int(film.age_months):03d}M",
        "StudyDate": STUDY_DATE.strftime("%Y%m%d"),
        **dict.fromkeys(("SeriesDescription", "ImageComments"), SYNTHETIC),
        **dict.fromkeys(("ImagerPixelSpacing", "PixelSpacing"), spacing),
        **{"Rows": film.radiograph.height, "Columns": film.radiograph.width},
        **{"BitsAllocated": 16, "BitsStored": BITS, "HighBit": BITS - 1},
        **{"WindowCenter": 2 ** (BITS - 1), "WindowWidth": 2**BITS},
    }
