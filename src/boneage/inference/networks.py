"""The networks of one set of weights, run on views of an image: on it and its mirror image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import AGE_RANGE_MONTHS, RegionDetection
from boneage.domain.radiograph import Sex
from boneage.imaging.preparing import Canvas
from boneage.imaging.regions import crop, zoomed_crops
from boneage.inference.weights import MONTHS_SCALE, Weights

Outputs: TypeAlias = dict[str, npt.NDArray[np.float32]]
"""What a network gives, by name; the first axis is that of the views."""


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
    """Run the networks of the detected regions, in parallel where there are cores for it.

    A region without a network of its own is left out.
    """
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
    return {
        detection.region: _concatenated([next(outputs) for _ in crops])
        for detection, crops in zip(wanted, views, strict=True)
    }


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
    mean: npt.NDArray[np.float32] = feature.mean(axis=0).ravel()
    return mean


def _concatenated(outputs: Sequence[Outputs]) -> Outputs:
    """What a network gave for several images, as if for all at once."""
    return {name: np.concatenate([one[name] for one in outputs]) for name in outputs[0]}
