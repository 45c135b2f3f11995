"""The program's readers see the same image, in whichever way it was written."""

from __future__ import annotations

import pytest

from boneage import read
from boneage.errors import FilmError
from tests.tools.comparing import assert_same
from tools.encodings import WAYS
from tools.encodings.ways import Grey, Way


@pytest.mark.parametrize("way", WAYS.values(), ids=lambda way: way.name)
def test_the_reader_sees_the_image(way: Way, grey: Grey) -> None:
    try:
        film = read(way.write(grey))
    except FilmError:
        assert way.unreadable is not None
        return
    assert_same(film.pixels, film.pixel_aspect, grey, way)
