from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from boneage.domain.radiograph import ImageMetadata, Radiograph
from boneage.errors import DataError
from boneage.evaluation.robustness.changes import (
    CHANGES,
    FILE,
    KINDS,
    Change,
    as_deep_png,
    as_jpeg,
    as_negative_dicom,
    as_png,
    chosen,
)
from boneage.imaging import perturbations as changed
from boneage.imaging.perturbations import Grey, grey_of, white_of
from boneage.imaging.preparing import stretch
from boneage.reading import read
from tests.conftest import drawn_hand

SHAPE = (300, 264)
LARGE = (560, 528)
"""A quarter of it can still be read."""


@pytest.fixture(scope="module", params=[np.uint8, np.uint16])
def grey(request: pytest.FixtureRequest) -> Grey:
    """A drawn film of 8 and of 16 bits."""
    values = drawn_hand(*SHAPE, top=62_000, floor=9_000)
    return (values >> 8).astype(np.uint8) if request.param is np.uint8 else values


@pytest.fixture(scope="module")
def large() -> Grey:
    return (drawn_hand(*LARGE, top=62_000, floor=9_000) >> 8).astype(np.uint8)


@pytest.fixture(scope="module")
def ramp() -> Grey:
    """Every value of 8 bits, once in each of 256 rows."""
    return np.tile(np.arange(256, dtype=np.uint8), (256, 1))


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.name)
def test_every_change_gives_another_file_of_a_film(change: Change, large: Grey) -> None:
    before = large.copy()
    content = change.file_of(large, "1377")
    assert read(content).pixels.std() > 0.01
    assert content == change.file_of(large, "1377")
    assert content != as_png(large)
    assert_array_equal(large, before)


def test_every_change_keeps_the_pixel_type(grey: Grey) -> None:
    for change in CHANGES:
        assert change.apply(grey, np.random.default_rng(0)).dtype == grey.dtype, change.name


def test_the_registry_is_in_order() -> None:
    assert len({change.name for change in CHANGES}) == len(CHANGES)
    assert len({change.label for change in CHANGES}) == len(CHANGES)
    assert [kind for kind, _ in groupby(CHANGES, lambda change: change.kind)] == list(KINDS)


def test_chance_follows_the_film(grey: Grey) -> None:
    (noise,) = chosen(["noise_slight"])
    assert noise.file_of(grey, "1") != noise.file_of(grey, "2")


def test_changes_are_chosen_by_name_and_kind() -> None:
    assert chosen() == CHANGES
    assert [c.name for c in chosen(["jpeg_30", FILE, "inverted"])] == [
        "inverted", "jpeg_30", "png_16_bit", "dicom_monochrome1",
    ]  # fmt: skip
    with pytest.raises(DataError, match=r"'spin'.*position.*rotate_plus_15"):
        chosen(["inverted", "spin"])


def test_quarter_turns_are_clockwise_and_exact(grey: Grey) -> None:
    turned = changed.quarter_turned(grey, 1)
    assert turned.shape == grey.shape[::-1]
    assert_array_equal(turned[:, -1], grey[0])  # the upper edge is now the right one
    assert_array_equal(changed.quarter_turned(turned, -1), grey)
    assert_array_equal(changed.turned(grey, 90), turned)
    assert_array_equal(changed.quarter_turned(grey, 2), changed.mirrored(changed.upside_down(grey)))


@pytest.mark.parametrize("degrees", [15, -15, 30, -30])
def test_turning_keeps_all_of_the_hand_on_black(degrees: int, grey: Grey) -> None:
    film = np.pad(grey[5:-5, 5:-5], 5)  # a black edge, or what it blends with is lost
    turned = changed.turned(film, degrees)
    assert turned.sum(dtype=float) == pytest.approx(film.sum(dtype=float), rel=2e-3)
    assert not turned[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    back = changed.turned(turned, -degrees).astype(float)
    rows, cols = ((outer - inner) // 2 for outer, inner in zip(back.shape, film.shape, strict=True))
    inside = back[rows : rows + film.shape[0], cols : cols + film.shape[1]]
    assert np.abs(inside - film)[20:-20, 20:-20].mean() < 0.01 * white_of(grey)


def test_to_turn_by_a_positive_angle_is_clockwise() -> None:
    film = np.zeros((200, 200), np.uint8)
    film[10:20, 95:105] = 255
    turned = changed.turned(film, 30)
    row, col = (places.mean() for places in np.nonzero(turned > 128))
    assert row < turned.shape[0] / 2
    assert col - turned.shape[1] / 2 == pytest.approx(85 * np.sin(np.radians(30)), abs=1)


def test_grey_values_are_clipped_and_rounded(ramp: Grey) -> None:
    def row(film: Grey) -> list[int]:
        return [int(film[0, place]) for place in (0, 100, 200, 255)]

    assert row(changed.brightened(ramp, 0.2)) == [51, 151, 251, 255]
    assert row(changed.brightened(ramp, -0.2)) == [0, 49, 149, 204]
    assert row(changed.contrasted(ramp, 0.5)) == [64, 114, 164, 191]
    assert row(changed.contrasted(ramp, 1.5)) == [0, 86, 236, 255]
    assert row(changed.gamma_changed(ramp, 2)) == [0, 39, 157, 255]
    assert row(changed.gamma_changed(ramp, 0.5)) == [0, 160, 226, 255]
    assert row(changed.inverted(ramp)) == [255, 155, 55, 0]


@pytest.mark.parametrize(
    ("function", "size"),
    [(changed.brightened, 0.1), (changed.contrasted, 0.5), (changed.gamma_changed, 2.0)],
)
def test_16_bits_change_as_8_do(function: Callable[..., Grey], size: float, ramp: Grey) -> None:
    deep = function(ramp.astype(np.uint16) * 257, size)
    assert deep.dtype == np.uint16
    assert_allclose(deep / 257, function(ramp, size), atol=0.51)


def test_blur_is_as_wide_as_it_states() -> None:
    film = np.zeros((401, 501), np.uint16)
    film[200, 250] = 60_000
    spread = changed.blurred(film, 0.01).astype(float)
    offsets = np.arange(401) - 200
    variance = (spread.sum(axis=1) * offsets**2).sum() / spread.sum()
    assert np.sqrt(variance) == pytest.approx(0.01 * 401, rel=0.05)
    level = np.full((50, 50), 7, np.uint8)
    assert_array_equal(changed.blurred(level, 0.05), level)


def test_noise_is_as_strong_as_it_states() -> None:
    for kind in (np.uint8, np.uint16):
        film = np.full((300, 300), np.iinfo(kind).max // 2, kind)
        noise = changed.noisy(film, 0.1, np.random.default_rng(3)) / white_of(film)
        assert noise.std() == pytest.approx(0.1, rel=0.02)
        assert noise.mean() == pytest.approx(0.5, abs=0.003)


def test_a_smaller_film_is_the_mean_of_its_blocks() -> None:
    film = np.random.default_rng(1).integers(0, 256, (8, 12), np.uint8)
    small = changed.shrunk(film, 0.25)
    assert small.shape == (2, 3)
    assert_allclose(small, film.reshape(2, 4, 3, 4).mean(axis=(1, 3)), atol=0.51)
    assert changed.shrunk(film, 0.01).shape == (1, 1)


def test_cropping_takes_off_what_it_states(ramp: Grey) -> None:
    film = ramp[:100, :200]
    assert_array_equal(changed.cropped(film, top=0.15), film[15:])
    assert_array_equal(changed.cropped(film, bottom=0.15), film[:85])
    every = changed.cropped(film, top=0.1, bottom=0.1, left=0.1, right=0.1)
    assert_array_equal(every, film[10:90, 20:180])


def test_borders_leave_the_film_whole(grey: Grey) -> None:
    height, width = grey.shape
    rows, cols = round(0.15 * height), round(0.15 * width)
    for level, value in ((0.0, 0), (1.0, white_of(grey))):
        film = changed.with_border(grey, 0.15, level)
        assert_array_equal(film[rows : rows + height, cols : cols + width], grey)
        assert (film[:rows] == value).all()
        assert (film[:, cols + width :] == value).all()


def test_a_collimator_is_bright_outside_and_keeps_the_middle(grey: Grey) -> None:
    height, width = grey.shape
    film = changed.collimated(grey, 0.12)
    rows, cols = (film.shape[0] - height) // 2, (film.shape[1] - width) // 2
    inner = slice(height // 8, -height // 8), slice(width // 8, -width // 8)
    whole = film[rows : rows + height, cols : cols + width]
    assert_array_equal(whole[inner], grey[inner])
    edge = np.concatenate([film[0], film[-1], film[:, 0], film[:, -1]])
    assert_allclose(edge / white_of(grey), 0.9, atol=0.01)


def test_a_marker_is_white_in_its_corner_alone(grey: Grey) -> None:
    for share in (0.06, 0.25):
        film = changed.marked(grey, share)
        rows, cols = np.nonzero(film != grey)
        assert (film[rows, cols] == white_of(grey)).all()
        assert np.ptp(rows) == pytest.approx(share * min(SHAPE) * 8 / 7, abs=4)
        assert max(rows.max(), cols.max()) < 0.35 * min(SHAPE)


def test_files_hold_the_same_greys(grey: Grey) -> None:
    shares = grey / np.float32(white_of(grey))
    for encode in (as_png, as_deep_png):
        assert_allclose(read(encode(grey)).pixels, shares, atol=1e-6)
    assert read(as_deep_png(grey)).metadata.bits == 16
    jpeg = read(as_jpeg(grey, 30))
    assert jpeg.metadata.format == "JPEG"
    assert 0 < np.abs(jpeg.pixels - shares).mean() < 0.02
    assert len(as_jpeg(grey, 30)) < len(as_jpeg(grey, 90))


def test_a_negative_dicom_is_read_as_a_positive(grey: Grey) -> None:
    film = read(as_negative_dicom(grey))
    assert film.metadata.bits == 16
    assert film.metadata.format.startswith("DICOM")
    assert (film.metadata.sex, film.metadata.birth_date, film.metadata.laterality) == (
        None,
        None,
        None,
    )
    shares = (grey / white_of(grey)).astype(np.float32)
    assert np.abs(stretch(film.pixels) - stretch(shares)).max() < 1e-4


@pytest.mark.parametrize(("bits", "kind"), [(1, np.uint8), (8, np.uint8), (12, np.uint16)])
def test_grey_values_have_the_bits_of_their_file(bits: int, kind: Any) -> None:
    pixels = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    grey = grey_of(Radiograph(pixels, ImageMetadata("PNG", bits)))
    assert grey.dtype == kind
    assert (grey.min(), grey.max()) == (0, np.iinfo(kind).max)
    assert_allclose(grey / np.iinfo(kind).max, pixels, atol=0.002)
