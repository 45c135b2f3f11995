"""Detected regions as a COCO dataset, which annotation tools and detectors read.

The format: https://cocodataset.org/#format-data, "object detection".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box, WeightsName

CATEGORIES: Mapping[str, int] = {CARPAL: 1, METACARPAL: 2, PHALANX: 3}


@dataclass(frozen=True)
class AnnotatedRegion:
    """One region of an image."""

    region: str
    box: Box
    attention_found: bool


@dataclass(frozen=True)
class AnnotatedFilm:
    """One image of a folder and its regions."""

    path: str
    """Below the folder, with forward slashes."""
    height: int
    width: int
    regions: tuple[AnnotatedRegion, ...]


def coco(films: Iterable[AnnotatedFilm], weights: WeightsName) -> dict[str, Any]:
    """Describe images and their boxes as COCO does, for ``json.dumps``.

    A ``bbox`` is x, y, width, height in pixels of the original image. An annotation whose
    ``attributes`` state ``attention_found: false`` is an expected position, not a detection.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, film in enumerate(films, start=1):
        images.append(
            {"id": image_id, "file_name": film.path, "width": film.width, "height": film.height}
        )
        for found in film.regions:
            box = found.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": CATEGORIES[found.region],
                    "bbox": [box.min_col, box.min_row, box.width, box.height],
                    "area": box.area,
                    "segmentation": [],
                    "iscrowd": 0,
                    "attributes": {"attention_found": found.attention_found},
                }
            )
    return {
        "info": {
            "description": "Regions of hand radiographs, detected automatically",
            "version": f"boneage {__version__}, weights {weights.name} {weights.sha256}",
        },
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "hand"}
            for name, number in CATEGORIES.items()
        ],
    }
