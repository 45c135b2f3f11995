"""The pictures of an image and its assessment, with alternative texts."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from boneage.apps.dashboard.analysis import AnalysedImage
from boneage.apps.dashboard.uploads import UploadedImage
from boneage.domain.assessment import RegionDetection
from boneage.reports.panels import HEAT_ALPHA, fitted, with_boxes, with_heat
from boneage.reports.wording import region_label

JPEG_QUALITY = 92
THUMBNAIL_PX = 128
LABEL_PX = 26
"""On an image of ``SHOWN_PX``, which the page shows at about half its size."""
STEP_PX = 640
"""Longest side of the image in the picture of one step."""


@dataclass(frozen=True)
class BrowserPicture:
    """A picture for the browser."""

    jpeg: bytes
    alt: str
    caption: str


def of_image(image: UploadedImage) -> BrowserPicture:
    """The image as it was decoded."""
    size = f"{image.width} by {image.height} pixels"
    alt = f"The radiograph {image.name} as decoded: grey, bone bright, {size}."
    return BrowserPicture(_jpeg(Image.fromarray(image.shown)), alt, "Radiograph as decoded")


def of_regions(analysed: AnalysedImage, opacity: float = HEAT_ALPHA) -> BrowserPicture:
    """The radiograph with its heat map and the boxes of its regions."""
    image, detections = analysed.image, analysed.assessment.detections
    shown = image.shown
    if detections:
        together = np.maximum.reduce([detection.heat_map for detection in detections])
        shown = np.asarray(with_heat(shown, together, opacity))
    picture = with_boxes(shown, detections, (image.height, image.width), LABEL_PX)
    alt = (
        f"The radiograph {image.name} under its heat map ({100 * opacity:.0f} % opaque), "
        f"with {_box_texts(detections)}."
    )
    return BrowserPicture(_jpeg(picture), alt, "Regions, with the attention of all steps")


def of_step(analysed: AnalysedImage, number: int, opacity: float = HEAT_ALPHA) -> BrowserPicture:
    """The input of the attention network in one step, with its attention."""
    detection = analysed.assessment.detections[number]
    shown = fitted(analysed.image.shown, STEP_PX, STEP_PX)
    size = shown.shape[1], shown.shape[0]
    black = analysed.black[number].astype(np.uint8)
    shown[cv2.resize(black, size, interpolation=cv2.INTER_NEAREST) > 0] = 0
    heat = with_heat(shown, detection.heat_map, opacity)
    before = " and ".join(earlier.region for earlier in analysed.assessment.detections[:number])
    hidden = f", {before} blacked out" if before else ""
    found = "detected" if detection.attention_found else "not detected"
    region = f"{detection.region} {found}"
    alt = f"Step {number + 1}: the radiograph{hidden}, under the heat map; {region}."
    return BrowserPicture(
        _jpeg(heat), alt, f"Step {number + 1}{hidden}: {detection.region} {found}"
    )


def of_crop(analysed: AnalysedImage, detection: RegionDetection) -> BrowserPicture:
    """The input of one regional network."""
    alone = analysed.assessment.age_by_network.get(detection.region)
    estimate = f": {alone:.0f} months" if alone is not None else ""
    name = region_label(detection)
    alt = f"The {name} region cut from {analysed.image.name} at full resolution."
    jpeg = _jpeg(Image.fromarray(analysed.crops[detection.region]))
    return BrowserPicture(jpeg, alt, f"{name.capitalize()}{estimate}")


def thumbnail(image: UploadedImage) -> bytes:
    """A small picture of an image."""
    return _jpeg(Image.fromarray(fitted(image.shown, THUMBNAIL_PX, THUMBNAIL_PX)))


def thumbnail_url(image: UploadedImage) -> str:
    """A thumbnail as a data URL, for a table."""
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(image)).decode()}"


def _box_texts(detections: Sequence[RegionDetection]) -> str:
    boxes = (
        f"a box around the {region_label(detection)} region, rows {detection.box.min_row} "
        f"to {detection.box.max_row}, columns {detection.box.min_col} to {detection.box.max_col}"
        for detection in detections
    )
    return "; ".join(boxes) or "no regions"


def _jpeg(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()
