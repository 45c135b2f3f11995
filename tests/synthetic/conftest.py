"""Drawn films, shared: a film is frozen, and drawing one takes a moment."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from boneage.domain.radiograph import Sex
from boneage.synthetic import SyntheticFilm, draw

Draw = Callable[..., SyntheticFilm]


@pytest.fixture(scope="session")
def drawn() -> Draw:
    """Draw a film small enough for tests; asked again, it is the same film."""

    @cache
    def drawn(age_months: float, sex: Sex, rotation_degrees: float = 0.0) -> SyntheticFilm:
        return draw(age_months, sex, height=600, width=460, rotation_degrees=rotation_degrees)

    return drawn
