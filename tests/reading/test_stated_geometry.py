"""Pixels that are not square, and shutters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from boneage import read
from boneage.domain.findings import Severity
from boneage.domain.geometry import Box
from tests.conftest import drawn_hand
from tests.reading.drawn import dataset, dicom, stretched, written

HAND = drawn_hand(480, 360, top=4_000, floor=100)
ROWS, COLUMNS = HAND.shape
OUTSIDE = 4_095
"""Brighter than the hand: it must set no range."""
RECTANGLE = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": 31,
    "ShutterRightVerticalEdge": 330,
    "ShutterUpperHorizontalEdge": 41,
    "ShutterLowerHorizontalEdge": 440,
}
GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
RECTANGLE_BOX = Box(40, 30, 440, 330)


def in_groups(macro: str, group: str, **elements: Any) -> Dataset:
    """A dataset that states something in its functional groups alone."""
    inner, outer, ds = Dataset(), Dataset(), dataset(HAND)
    for keyword, value in elements.items():
        setattr(inner, keyword, value)
    setattr(outer, macro, Sequence([inner]))
    setattr(ds, group, Sequence([outer]))
    return ds


@pytest.mark.parametrize(
    ("stated", "aspect"),
    [
        ({}, 1.0),
        ({"PixelSpacing": ["0.12", "0.1"]}, 1.2),
        ({"ImagerPixelSpacing": ["0.1", "0.125"]}, 0.8),
        ({"NominalScannedPixelSpacing": ["0.3", "0.2"]}, 1.5),
        ({"PixelAspectRatio": ["12", "10"]}, 1.2),
        ({"PixelSpacing": ["0.1005", "0.1"]}, 1.0),
        ({"PixelSpacing": ["10", "0.1"], "PixelAspectRatio": ["6", "5"]}, 1.2),
        ({"PixelSpacing": ["0", "0.1"]}, 1.0),
        ({"PixelSpacing": "0.1"}, 1.0),
        ({"PixelAspectRatio": ["1", "1"], "ImagerPixelSpacing": ["0.1", "0.1"]}, 1.0),
    ],
)
def test_pixel_aspect(stated: dict[str, Any], aspect: float) -> None:
    film = read(dicom(HAND, **stated))
    assert film.pixel_aspect == pytest.approx(aspect)
    assert not film.notes
    assert film.pixels.shape == HAND.shape  # in the pixels of the file


@pytest.mark.parametrize("other", ["ImagerPixelSpacing", "PixelAspectRatio"])
def test_a_contradiction_is_warned_of(other: str) -> None:
    film = read(dicom(HAND, 12, PixelSpacing=["0.12", "0.1"], **{other: ["1", "1"]}))
    assert film.pixel_aspect == pytest.approx(1.2)
    (note,) = film.notes
    assert (note.code, note.severity) == ("pixel_shape_contradictory", Severity.WARNING)
    assert other in note.message


@pytest.mark.parametrize("group", GROUPS)
def test_functional_groups(group: str) -> None:
    ds = in_groups("PixelMeasuresSequence", group, PixelSpacing=["0.12", "0.1"])
    assert read(written(ds)).pixel_aspect == pytest.approx(1.2)
    ds = in_groups("FrameVOILUTSequence", group, WindowCenter="1400", WindowWidth="2400")
    expected = read(dicom(HAND, WindowCenter="1400", WindowWidth="2400")).pixels
    np.testing.assert_array_equal(read(written(ds)).pixels, expected)
    assert not np.allclose(expected, stretched(HAND), atol=1e-3)
    macro = "PixelValueTransformationSequence"
    ds = in_groups(macro, group, RescaleSlope="-1", RescaleIntercept="5000")
    np.testing.assert_allclose(stretched(read(written(ds)).pixels), 1 - stretched(HAND), atol=1e-5)
    ds = in_groups("FrameDisplayShutterSequence", group, **RECTANGLE)
    assert read(written(ds)).exposed == RECTANGLE_BOX


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("group", GROUPS)
def test_a_voi_lut_of_functional_groups(group: str, hidden: bool) -> None:
    item = Dataset()
    item.add_new(0x00283002, "US", [4_096, 0, 12])
    entries = np.rint(4_095 * (np.arange(4_096) / 4_095) ** 2).astype("<u2")
    item.add_new(0x00283006, "OW", entries.tobytes())
    ds = in_groups("FrameVOILUTSequence", group, VOILUTSequence=Sequence([item]))
    if hidden:  # an empty sequence says nothing
        ds.VOILUTSequence = Sequence([])
    pixels = read(written(ds)).pixels
    np.testing.assert_allclose(stretched(pixels), stretched(entries[HAND]), rtol=0, atol=1e-3)
    del item.LUTData  # garbled
    ds = in_groups("FrameVOILUTSequence", group, VOILUTSequence=Sequence([item]))
    np.testing.assert_allclose(stretched(read(written(ds)).pixels), stretched(HAND), atol=1e-5)


def test_garbled_functional_groups_are_passed_over() -> None:
    ds = dataset(HAND)
    ds.add_new(0x52009229, "LO", "none")
    np.testing.assert_allclose(stretched(read(written(ds)).pixels), stretched(HAND), atol=1e-5)


def checked(shown: Any, box: Box, **stated: Any) -> None:
    pixels = np.where(shown, HAND, OUTSIDE).astype(np.uint16)
    film = read(dicom(pixels, **stated))
    found, expected = stretched(film.pixels[shown]), stretched(HAND[shown])
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)
    assert not film.pixels[~shown].any()
    assert film.exposed == box
    assert not film.notes


def inside_rectangle() -> Any:
    shown = np.zeros(HAND.shape, bool)
    shown[40:440, 30:330] = True
    return shown


def inside_circle(row: float, column: float, radius: float, aspect: float = 1) -> Any:
    rows, columns = np.mgrid[1 : ROWS + 1, 1 : COLUMNS + 1]
    return ((rows - row) * aspect) ** 2 + (columns - column) ** 2 <= radius**2


def test_a_rectangular_shutter() -> None:
    checked(inside_rectangle(), RECTANGLE_BOX, **RECTANGLE)


def test_a_shutter_of_an_inverted_image() -> None:
    shown = inside_rectangle()
    pixels = np.where(shown, 4_000 - HAND, 0).astype(np.uint16)
    film = read(dicom(pixels, 12, PhotometricInterpretation="MONOCHROME1", **RECTANGLE))
    assert not film.pixels[~shown].any()
    assert film.pixels[shown].max() > 0.9


def test_a_circular_shutter() -> None:
    circle = {"CenterOfCircularShutter": [240, 180], "RadiusOfCircularShutter": 150}
    box = Box(89, 29, 390, 330)
    checked(inside_circle(240, 180, 150), box, ShutterShape="CIRCULAR", **circle)


def test_a_circular_shutter_of_pixels_that_are_not_square() -> None:
    circle = {"CenterOfCircularShutter": [240, 180], "RadiusOfCircularShutter": 150}
    aspect = {"PixelSpacing": ["0.125", "0.1"]}
    shown = inside_circle(240, 180, 150, 1.25)
    box = Box(119, 29, 360, 330)
    checked(shown, box, ShutterShape="CIRCULAR", **circle, **aspect)


def test_a_polygonal_shutter() -> None:
    corners = [41, 31, 41, 330, 440, 330, 440, 31]
    polygon = {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": corners}
    checked(inside_rectangle(), RECTANGLE_BOX, **polygon)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_black_beside_the_image_in_a_circle_is_left_out(photometric: str) -> None:
    canvas = np.zeros((700, 640), np.uint16)
    canvas[110:590, 140:500] = HAND + 100
    rows, columns = np.mgrid[1:701, 1:641]
    canvas[(rows - 350) ** 2 + (columns - 320) ** 2 > 310**2] = OUTSIDE + 200
    inverse = photometric == "MONOCHROME1"
    stored = 8_191 - canvas if inverse else canvas
    circle = {"CenterOfCircularShutter": [350, 320], "RadiusOfCircularShutter": 310}
    elements = {"ShutterShape": "CIRCULAR", "PhotometricInterpretation": photometric}
    film = read(dicom(stored, 13, **elements, **circle))
    assert film.exposed == Box(110, 140, 590, 500)
    shown = film.pixels[110:590, 140:500]
    np.testing.assert_allclose(stretched(shown), stretched(HAND), rtol=0, atol=1e-5)


def test_shutters_together_show_what_all_show() -> None:
    circle = {"CenterOfCircularShutter": [240, 180], "RadiusOfCircularShutter": 170}
    both = RECTANGLE | circle | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    shown = inside_rectangle() & inside_circle(240, 180, 170)
    checked(shown, Box(69, 30, 410, 330), **both)


def test_a_shutter_around_the_whole_image_hides_nothing() -> None:
    edges = {"ShutterRightVerticalEdge": COLUMNS + 50, "ShutterLowerHorizontalEdge": ROWS}
    film = read(dicom(HAND, ShutterShape="RECTANGULAR", **edges))
    assert film.exposed is None
    np.testing.assert_allclose(stretched(film.pixels), stretched(HAND), rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    "stated",
    [
        RECTANGLE | {"ShutterLeftVerticalEdge": 340},
        RECTANGLE | {"ShutterLeftVerticalEdge": 5_000, "ShutterRightVerticalEdge": 6_000},
        RECTANGLE | {"ShutterLowerHorizontalEdge": 60},
        {"ShutterShape": "CIRCULAR"},
        {
            "ShutterShape": "CIRCULAR",
            "CenterOfCircularShutter": [-500, 180],
            "RadiusOfCircularShutter": 100,
        },
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 1, 5, 5]},
    ],
)
def test_a_shutter_that_leaves_next_to_nothing_is_not_applied(stated: dict[str, Any]) -> None:
    film = read(dicom(HAND, **stated))
    np.testing.assert_allclose(stretched(film.pixels), stretched(HAND), rtol=0, atol=1e-5)
    assert film.exposed is None
    assert [(note.code, note.severity) for note in film.notes] == [
        ("shutter_ignored", Severity.NOTE)
    ]


@pytest.mark.parametrize("shape", ["BITMAP", "NONSENSE"])
def test_other_shutters_are_not_applied(shape: str) -> None:
    film = read(dicom(HAND, ShutterShape=shape))
    assert film.exposed is None
    assert not film.notes
