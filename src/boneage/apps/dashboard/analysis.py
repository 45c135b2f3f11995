"""One image analysed for the dashboard: the assessment, and pictures that explain it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.uploads import UploadedImage
from boneage.domain.assessment import CARPAL, Assessment, Failure, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Radiograph
from boneage.imaging.preparing import placement, stretch
from boneage.imaging.regions import crop_box, mask_of
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import Manifest
from boneage.inference.networks import OnStep
from boneage.inference.session import Session, assess_case
from boneage.reports.panels import Rgb, as_grey, fitted

Mask: TypeAlias = npt.NDArray[np.bool_]
CROP_PX = 520
"""Longest side of a crop as the pages show it."""


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
    """Assess one image; with ``force`` also one that fails the quality check.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every image would fail.
    """
    session = assess_case(
        assessor,
        image.file(),
        sex=choice.sex,
        child=choice.child,
        force=force,
        on_step=on_step,
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
    """The mask blacked out in one step of the region detection, for an image of this size.

    Returns
    -------
    bool array
        Over the image as uploaded, in the shape of the heat maps.
    """
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
        pixels = grey[cut.min_row : cut.max_row, cut.min_col : cut.max_col]
        crops[detection.region] = fitted(as_grey(np.ascontiguousarray(pixels)), CROP_PX, CROP_PX)
    return crops
