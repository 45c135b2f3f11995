"""The program's readers see the same image, in whichever way it was written."""

from __future__ import annotations

import pytest

from boneage import read
from boneage.errors import FilmError
from tests.tools.comparing import assert_same
from tools.encodings.registry import WAYS
from tools.encodings.ways import Grey, Way

NOT_YET = (
    "dicom_high_bit",
    "dicom_left_aligned",
    "dicom_bits_stored",
    "dicom_unsigned",
    "dicom_signed",
    "dicom_padding_white",
    "dicom_padding_also_bone",
    "dicom_monochrome1_padding",
    "dicom_rescale_in_groups",
    "dicom_window_in",
    "dicom_voi_lut_in_groups",
    "dicom_rle_ybr_full",
    "dicom_jpeg_2000_signed_called",
    "dicom_jpeg_2000_unsigned",
    "dicom_pixel",
    "dicom_imager",
    "png_gamma",
    "png_density",
    "jpeg_density",
    "tiff_uint32",
    "tiff_bigtiff",
    "tiff_rgb_planar",
    "tiff_grey_alpha_16",
    "tiff_mask",
    "tiff_preview",
    "tiff_resolution",
)
"""Beginnings of the ways that the readers of issue 19 are still to mend; this list goes then."""


@pytest.mark.parametrize("way", WAYS.values(), ids=lambda way: way.name)
def test_the_reader_sees_the_image(way: Way, grey: Grey, request: pytest.FixtureRequest) -> None:
    if way.name.startswith(NOT_YET):
        request.applymarker(pytest.mark.xfail(reason="not mended yet"))
    try:
        film = read(way.write(grey))
    except FilmError:
        assert way.unreadable is not None
        return
    assert_same(film.pixels, film.pixel_aspect, grey, way)
