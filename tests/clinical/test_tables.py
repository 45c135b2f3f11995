"""The tables that ship are the reference's, number by number."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

import pytest

from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.tables import (
    BRUSH,
    CDC,
    CRITERIA,
    EVENTS,
    PERCENT,
    PLATES,
    PREDICTION_ERROR,
    TABLE_5_6,
    AgeCurve,
    first_plate,
    plate_ages,
    rows,
)
from boneage.domain.radiograph import Sex

REFERENCE = Path(__file__).parents[3] / "shared/reference"
COUNTS = {CRITERIA: 7, PERCENT: 251, PREDICTION_ERROR: 42, BRUSH: 47, PLATES: 58, EVENTS: 42}
COUNTS |= {CDC: 436, TABLE_5_6: 42}


def shipped() -> list[Path]:
    return [Path(str(file)) for file in (files("boneage.clinical") / "tables").iterdir()]


def test_every_table_that_ships_is_used_and_names_its_source() -> None:
    assert {path.name for path in shipped()} == COUNTS.keys()
    for path in shipped():
        head = [line for line in path.read_text("utf-8").splitlines() if line.startswith("#")]
        assert any("Source: " in line for line in head), path.name


@pytest.mark.parametrize("name", sorted(COUNTS.keys() - {CRITERIA}))
def test_the_shipped_table_is_the_reference(name: str) -> None:
    if not REFERENCE.is_dir():
        pytest.skip(f"the reference tables are not here ({REFERENCE})")
    with (REFERENCE / name).open(newline="", encoding="utf-8") as file:
        assert list(rows(name)) == list(csv.DictReader(file))


@pytest.mark.parametrize(("name", "count"), COUNTS.items())
def test_no_row_is_lost(name: str, count: int) -> None:
    assert len(rows(name)) == count


def test_a_curve_is_straight_between_its_rows_and_ends_with_them() -> None:
    curve = AgeCurve((12.0, 24.0), (2.0, 4.0))
    assert curve.at(12) == 2
    assert curve.at(15) == pytest.approx(2.5)
    assert curve.at(24) == 4
    assert curve.at(11.99) is None
    assert curve.at(24.01) is None
    assert curve.at(float("nan")) is None


def test_the_brush_table_by_hand() -> None:
    brush = bone_age_reference("brush")
    assert brush.mean is not None
    assert (brush.mean[Sex.MALE].at(120), brush.sd[Sex.MALE].at(120)) == (125.68, 9.79)
    assert brush.sd[Sex.FEMALE].at(186) == pytest.approx((9.23 + 7.31) / 2)
    assert (brush.sd[Sex.MALE].first_months, brush.sd[Sex.MALE].last_months) == (3, 204)
    assert (brush.sd[Sex.FEMALE].first_months, brush.sd[Sex.FEMALE].last_months) == (3, 192)


@pytest.mark.parametrize(("sex", "count", "last"), [(Sex.MALE, 31, 228), (Sex.FEMALE, 27, 216)])
def test_the_standards_rise(sex: Sex, count: int, last: float) -> None:
    ages = plate_ages(sex)
    assert len(ages) == count
    assert list(ages) == sorted(set(ages))
    assert (ages[0], ages[-1]) == (0, last)


def test_events_that_the_atlas_leaves_open_are_reported() -> None:
    assert first_plate("adductor pollicis sesamoid", "visible", Sex.FEMALE) == 132
    with pytest.raises(LookupError, match="no male standard is named for 'triquetrum'"):
        first_plate("triquetrum", "ossification centre visible", Sex.MALE)
    with pytest.raises(LookupError, match="'ulna'"):
        first_plate("ulna", "gone", Sex.FEMALE)
