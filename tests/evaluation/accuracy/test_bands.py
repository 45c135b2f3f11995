from __future__ import annotations

import pytest

from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.agreement import (
    BANDS,
    in_bands,
    measure_bands,
    measure_bands_by_sex,
)
from tests.evaluation.conftest import reading


@pytest.mark.parametrize(
    ("months", "name"),
    [(0.5, "0-2"), (23.99, "0-2"), (24, "2-4"), (119.9, "8-10"), (120, "10-12"), (240, "18-20")],
)
def test_every_label_lies_in_one_band(months: float, name: str) -> None:
    assert [band.name for band in BANDS if band.holds(months)] == [name]


def test_bands_are_in_order_and_only_those_with_films() -> None:
    readings = [reading(str(n), Sex.MALE, n, n, carpal_found=True) for n in (200, 30, 40, 100)]
    found = {band.name: len(members) for band, members in in_bands(readings).items()}
    assert list(found.items()) == [("2-4", 2), ("8-10", 1), ("16-18", 1)]


def test_bands_of_a_sex_need_ten_films() -> None:
    girls = [reading(f"f{n}", Sex.FEMALE, 130, 130 + n, carpal_found=True) for n in range(10)]
    boys = [reading(f"m{n}", Sex.MALE, 130, 133, carpal_found=True) for n in range(9)]
    overall = measure_bands([*girls, *boys])
    assert {band.name: metrics.count for band, metrics in overall.items()} == {"10-12": 19}
    by_sex = measure_bands_by_sex([*girls, *boys])
    assert by_sex[Sex.MALE] == {}
    ((band, metrics),) = by_sex[Sex.FEMALE].items()
    assert (band.name, metrics.count, metrics.mae_months.value) == ("10-12", 10, 4.5)
