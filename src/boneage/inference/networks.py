"""The networks of one set of weights, run on views of an image: on it and its mirror image.

By the attention network, an image is brought upright and measured, and its regions are detected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import AGE_RANGE_MONTHS, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Radiograph, Sex
from boneage.imaging.collimation import analysed, exposed_field, turned_back, whole_image
from boneage.imaging.lead_marker import reduced
from boneage.imaging.preparing import (
    Canvas,
    Placement,
    normalise_contrast,
    placement,
    put_on_canvas,
)
from boneage.imaging.regions import crop, find_regions, mirror_mean, zoomed_crops
from boneage.inference.metal import metal_in, metal_likelihood
from boneage.inference.side import marker_in, side_of
from boneage.inference.weights import MONTHS_SCALE, Weights
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.quality.checks import ImageMeasures
from boneage.quality.classifier import is_better_turned, is_straighter, most_likely_orientation
from boneage.quality.image_quality import ImageQuality, quality_of
from boneage.quality.side import LeadMarker

Outputs: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""What a network gives, by name; the first axis is that of the views."""
OnStep: TypeAlias = Callable[[str], None]
"""Called with the name of each step when it begins."""


def views_of(weights: Weights, image: Canvas) -> list[Canvas]:
    """The image and, where the weights use both, its mirror image."""
    return [image, image[:, ::-1]] if weights.manifest.flip_average else [image]


def inputs_of(images: Sequence[Canvas], sex: Sex) -> dict[str, npt.NDArray[Any]]:
    """What a network takes: images of one size, and the sex for each."""
    stacked = np.stack(images)[..., np.newaxis].astype(np.float32)
    return {"film": stacked, "sex": np.full(len(stacked), sex.code, dtype=np.int32)}


def run_region_networks(
    weights: Weights, normalised: Canvas, detections: Sequence[RegionDetection], sex: Sex
) -> dict[str, Outputs]:
    """Run the networks of those detected regions that have one, in parallel if possible."""
    plan, preparation = weights.manifest.plan, weights.manifest.preparation

    def crops_of(detection: RegionDetection) -> list[Canvas]:
        size = weights.input_size(detection.region)
        edges = detection.edges or detection.box.edges
        if plan.zooms:
            return zoomed_crops(normalised, edges, plan, size, preparation)
        return views_of(weights, crop(normalised, edges, plan, size, preparation))

    wanted = [found for found in detections if found.region in weights.manifest.networks]
    views = weights.in_parallel(crops_of, wanted)
    outputs = iter(
        weights.run_each(
            (detection.region, inputs_of([view], sex))
            for detection, crops in zip(wanted, views, strict=True)
            for view in crops
        )
    )
    found = {}
    for detection, crops in zip(wanted, views, strict=True):
        each = [next(outputs) for _ in crops]
        together = {name: np.concatenate([one[name] for one in each]) for name in each[0]}
        found[detection.region] = together
    return found


def combined_estimate(
    weights: Weights, features: Mapping[str, npt.NDArray[np.float32]], sex: Sex
) -> float:
    """Run the fusion network on the regions' features, each (views, ...): months, 0 to 240."""
    taken = {region: features[region] for region in weights.manifest.fusion_inputs}
    count = max(map(len, taken.values()))
    # There may be more views of the regions than of the whole hand.
    inputs = {
        region: np.resize(feature, (count, *feature.shape[1:])) for region, feature in taken.items()
    }
    codes = np.full(count, sex.code, dtype=np.int32)
    age = mean_months(weights.run("fusion", {**inputs, "sex": codes})["age"])
    return float(np.clip(age, *AGE_RANGE_MONTHS))


def mean_months(scaled: npt.NDArray[np.float32]) -> float:
    """Average a network's ``age`` over the views, in months."""
    return float(np.mean(scaled)) * MONTHS_SCALE


def mean_feature(feature: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Average a feature over the views; shape (width,)."""
    return np.asarray(feature.mean(axis=0).ravel())


@dataclass(frozen=True, eq=False)
class FirstPass:
    """An image as it is analysed, and what the attention network gave for it."""

    image_size: tuple[int, int]
    """Height and width of the image as it came."""
    orientation: Orientation
    pixels: Pixels
    """Upright, without border, and not larger than the networks can make use of."""
    quality: Callable[[], ImageQuality]
    """Waits for the measures of ``pixels``."""
    normalised: Canvas
    """``pixels`` after contrast normalisation."""
    canvas: Canvas
    """``normalised`` at the size of the attention network."""
    place: Placement
    outputs: Outputs
    """Of the attention network, for ``canvas``."""
    measures: ImageMeasures | None = None
    """None where the weights have no quality check."""

    def detections_on_image(
        self, detections: tuple[RegionDetection, ...]
    ) -> tuple[RegionDetection, ...]:
        """Carry detections from ``normalised`` to the image as it came."""
        whole = Placement(0, 0, *self.normalised.shape)
        at_full_size = (
            replace(detection, box=whole.to_film(detection.box, *self.orientation.size))
            for detection in detections
        )
        return self.orientation.detections_on_film(tuple(at_full_size), self.image_size)


def first_pass(weights: Weights, radiograph: Radiograph, sex: Sex) -> FirstPass:
    """Bring an image upright and measure it, as far as the weights can judge one."""
    model = weights.quality_model
    image = whole_image(radiograph)
    orientation = exposed_field(radiograph, image)
    if model is None:
        return _oriented(weights, radiograph, orientation, sex, image)
    letters = weights.in_background(lambda: letters_in_a_row(image))
    marks = weights.in_background(lambda: _marks(image))
    found = _oriented(weights, radiograph, orientation, sex, image)
    judgement = model.classifier.judge(found.outputs["feature"])
    quarters, inverted = most_likely_orientation(judgement)
    if quarters or inverted:
        orientation = replace(orientation, quarters=quarters, inverted=inverted)
        turned = _oriented(weights, radiograph, orientation, sex)
        again = model.classifier.judge(turned.outputs["feature"])
        if is_better_turned(judgement, again, model.limits.orientation_certain):
            found, judgement = turned, again
    if abs(judgement.tilt_degrees) > model.limits.tilt_warned_degrees:
        orientation = turned_back(found.orientation, judgement.tilt_degrees, radiograph.pixels)
        turned = _oriented(weights, radiograph, orientation, sex)
        again = model.classifier.judge(turned.outputs["feature"])
        if is_straighter(judgement, again):
            found, judgement = turned, again
    marker, metal = marks()
    side = side_of(image, found.pixels, found.orientation, marker)
    measures = ImageMeasures(
        found.orientation,
        found.image_size,
        found.quality(),
        letters(),
        judgement,
        side,
        model.limits,
        metal_likelihood(1 - image) if found.orientation.inverted else metal,
    )
    return replace(found, measures=measures)


def _marks(image: Pixels) -> tuple[LeadMarker | None, float]:
    """The lead marker, and how likely there is metal."""
    grey = reduced(image)
    return marker_in(grey), metal_in(grey)


def _oriented(
    weights: Weights,
    radiograph: Radiograph,
    orientation: Orientation,
    sex: Sex,
    image: Pixels | None = None,
) -> FirstPass:
    pixels = analysed(radiograph, orientation, image)
    quality = weights.in_background(lambda: quality_of(radiograph, orientation, pixels))
    normalised = normalise_contrast(pixels, weights.manifest.preparation)
    canvas, place = _on_canvas(weights, normalised)
    outputs = _run(weights, canvas, sex)
    size = radiograph.height, radiograph.width
    return FirstPass(size, orientation, pixels, quality, normalised, canvas, place, outputs)


def detect_regions(
    weights: Weights, first: FirstPass, sex: Sex, on_step: OnStep
) -> tuple[RegionDetection, ...]:
    """Detect regions, in the pixels of ``first.normalised``; the first needs no more runs."""
    plan = weights.manifest.plan
    regions, ready = iter(plan.names), [first.outputs]

    def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        on_step(step_of(next(regions)))
        if ready:
            return _heat_map(ready.pop())
        return _heat_map(_run(weights, canvases[0], sex, outputs=("heat_map",)))

    canvases, sizes = first.canvas[np.newaxis], [first.normalised.shape]
    return find_regions(canvases, [first.place], sizes, attend, plan)[0]


def step_of(region: str) -> str:
    return f"detecting the {region} region"


def whole_hand_feature(weights: Weights, radiograph: Radiograph) -> npt.NDArray[np.float32]:
    """Give the feature of an image brought upright, shape (width,); it does not see the sex."""
    return mean_feature(first_pass(weights, radiograph, Sex.FEMALE).outputs["feature"])


def features_as_oriented(
    weights: Weights, radiograph: Radiograph, orientation: Orientation, *, mirror: bool = True
) -> npt.NDArray[np.float32]:
    """Give the features of an image in one orientation, and of its mirror image: (views, width)."""
    pixels = analysed(radiograph, orientation)
    canvas, _ = _on_canvas(weights, normalise_contrast(pixels, weights.manifest.preparation))
    feature = _run(weights, canvas, Sex.FEMALE, mirror=mirror)["feature"]
    return feature.reshape(len(feature), -1)


def _on_canvas(weights: Weights, normalised: Canvas) -> tuple[Canvas, Placement]:
    preparation, size = weights.manifest.preparation, weights.input_size("attention")
    place = placement(normalised.shape[0], normalised.shape[1], size, preparation.fit)
    return put_on_canvas(normalised, size, place, preparation), place


def _run(
    weights: Weights,
    canvas: Canvas,
    sex: Sex,
    *,
    mirror: bool = True,
    outputs: tuple[str, ...] | None = None,
) -> Outputs:
    views = views_of(weights, canvas) if mirror else [canvas]
    return weights.run("attention", inputs_of(views, sex), outputs)


def _heat_map(outputs: Outputs) -> npt.NDArray[np.float32]:
    """Average the heat map over the views; shape (1, rows, columns)."""
    raw = outputs["heat_map"]
    return mirror_mean(raw[:1], raw[-1:]) if len(raw) > 1 else raw
