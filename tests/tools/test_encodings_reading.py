"""The program's readers see the same image, in whichever way it was written."""

from __future__ import annotations

import pytest

from boneage import read
from boneage.errors import FilmError
from tests.tools.comparing import assert_same
from tools.encodings.registry import WAYS
from tools.encodings.ways import Grey, Way

NOT_YET = ("dicom_voi_lut_in_groups", "dicom_rle_ybr_full")
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
