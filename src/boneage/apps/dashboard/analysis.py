"""One image analysed for the dashboard: the assessment, and pictures that explain it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from boneage.apps.dashboard.uploads import Choice, UploadedImage
from boneage.domain.assessment import CARPAL, Assessment, Failure, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Radiograph
from boneage.imaging.preparing import placement, stretch
from boneage.imaging.regions import crop_box, mask_of
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import Manifest
from boneage.inference.networks import OnStep
from boneage.inference.session import Session, assess_case
from boneage.reports.panels import HEAT_ALPHA, Rgb, as_grey, fitted, with_boxes, with_heat
from boneage.reports.wording import region_label

Mask: TypeAlias = npt.NDArray[np.bool_]
CROP_PX = 520
"""Longest side of a crop as the pages show it."""
JPEG_QUALITY = 92
THUMBNAIL_PX = 128
LABEL_PX = 26
"""On an image of ``SHOWN_PX``, which the page shows at about half its size."""
STEP_PX = 640
"""Longest side of the image in the picture of one step."""


@dataclass(frozen=True, eq=False)
class AnalysedImage:
    """The assessment of one image by the user's choices."""

    image: UploadedImage
    choice: Choice
    assessment: Assessment
    crops: Mapping[str, Rgb]
    """The input of each regional network, cut from the image at full resolution."""
    black: tuple[Mask, ...]
    """The mask blacked out in each step of the region detection."""

    def session(self) -> Session:
        """Decode the image again, for the exports."""
        return Session(self.assessment, self.image.radiograph(), self.image.data)


Outcome: TypeAlias = AnalysedImage | Failure


def analyse_image(
    assessor: Assessor,
    image: UploadedImage,
    choice: Choice,
    on_step: OnStep | None = None,
    *,
    force: bool = False,
) -> Outcome:
    """Assess one image, forced or not; a `WeightsError` when every image would fail."""
    session = assess_case(
        assessor, image.file(), sex=choice.sex, child=choice.child, force=force, on_step=on_step
    )
    if isinstance(session.outcome, Failure):
        return session.outcome
    found, radiograph, manifest = session.outcome, session.image, assessor.weights.manifest
    size = radiograph.height, radiograph.width
    black = tuple(
        blacked_out_mask(found.detections, step, size, manifest, found.orientation)
        for step in range(len(found.detections))
    )
    return AnalysedImage(image, choice, found, _crops(radiograph, found, manifest), black)


def blacked_out_mask(
    detections: Sequence[RegionDetection],
    step: int,
    size: tuple[int, int],
    manifest: Manifest,
    orientation: Orientation | None = None,
) -> Mask:
    """What one step blacks out, over an image of this size as uploaded, in the heat maps' shape."""
    canvas = manifest.networks["attention"].input
    if canvas is None:  # read_manifest has checked
        raise ValueError("the manifest states no input size for the attention network")
    oriented = orientation or Orientation.of_whole(*size)
    place = placement(*oriented.size, canvas, manifest.preparation.fit)
    black = np.zeros(canvas, dtype=bool)
    for detection in detections[:step]:
        extent = manifest.plan.carpal_mask if detection.region == CARPAL else "box"
        box = place.to_canvas(oriented.box_upright(detection.box), *oriented.size)
        black |= mask_of(box, canvas, extent)
    upright = black[place.top : place.top + place.height, place.left : place.left + place.width]
    return oriented.map_on_film(upright.astype(np.float32), size) > 0


def _crops(radiograph: Radiograph, assessment: Assessment, manifest: Manifest) -> Mapping[str, Rgb]:
    crops = {}
    oriented = assessment.orientation or Orientation.of_whole(radiograph.height, radiograph.width)
    grey = stretch(oriented.upright(radiograph.pixels))
    for detection in assessment.detections:
        cut = crop_box(oriented.box_upright(detection.box), manifest.plan, *oriented.size)
        crops[detection.region] = fitted(as_grey(grey[cut.slices]), CROP_PX, CROP_PX)
    return crops


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
    step, region = f"Step {number + 1}", f"{detection.region} {found}"
    alt = f"{step}: the radiograph{hidden}, under the heat map; {region}."
    return BrowserPicture(_jpeg(heat), alt, f"{step}{hidden}: {region}")


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
