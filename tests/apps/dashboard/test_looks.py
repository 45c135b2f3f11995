"""The black of each look, as it was and as it is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pytest

from boneage.apps.dashboard.looks import blacked_out
from boneage.imaging.preparing import placement
from boneage.imaging.regions import find_regions
from boneage.inference.assessor import Assessor

EXTENTS = ("box", "box_to_lower_edge", "rows_to_lower_edge")
FILM_SIZES = ((480, 360), (300, 500), (97, 64))


@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("fit", ["pad", "squeeze"])
@pytest.mark.parametrize("film_size", FILM_SIZES)
def test_it_is_what_find_regions_blacked_out(
    assessor: Assessor,
    film_size: tuple[int, int],
    fit: Literal["pad", "squeeze"],
    extent: Literal["box", "box_to_lower_edge", "rows_to_lower_edge"],
) -> None:
    manifest = assessor.weights.manifest
    manifest = replace(
        manifest,
        plan=replace(manifest.plan, carpal_mask=extent),
        preparation=msgspec.structs.replace(manifest.preparation, fit=fit),
    )
    size = manifest.networks["attention"].input
    assert size is not None
    place = placement(*film_size, size, fit)
    rng = np.random.default_rng(3)
    seen: list[npt.NDArray[np.uint8]] = []

    def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        seen.append(canvases[0].copy())
        peak: npt.NDArray[np.float32] = rng.random((1, 12, 8)).astype(np.float32)
        return peak

    white: npt.NDArray[Any] = np.full((1, *size), 255, np.uint8)
    looks = find_regions(white, [place], [film_size], attend, manifest.plan)[0]
    for number, canvas in enumerate(seen):
        shown = blacked_out(looks, number, film_size, manifest)
        placed = canvas[place.top : place.top + place.height, place.left : place.left + place.width]
        np.testing.assert_array_equal(shown, placed == 0)
        assert shown.shape == looks[number].heat_map.shape
        assert bool(number) == bool(shown.any())
