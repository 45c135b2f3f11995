"""The growth chart."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from boneage.clinical.growth import GrowthPoint, growth_chart
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.reports.growth_svg import description, growth_svg

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [GrowthPoint(132, 150, 140, 161), GrowthPoint(120, 126)]


@pytest.mark.parametrize("sex", Sex)
@pytest.mark.parametrize("centre", Centre)
def test_the_band_is_two_sd_wide_on_both_sides(sex: Sex, centre: Centre) -> None:
    chart = growth_chart(sex, POINTS, centre)
    at = chart.ages.index(120)
    sd = 9.79 if sex is Sex.MALE else 11.73
    middle = {Sex.MALE: 125.68, Sex.FEMALE: 125.66}[sex] if centre is Centre.BRUSH_MEAN else 120
    assert chart.middle[at] == middle
    assert chart.high[at] - chart.middle[at] == pytest.approx(2 * sd)
    assert chart.middle[at] - chart.low[at] == pytest.approx(2 * sd)
    assert [point.chronological_age_months for point in chart.points] == [120, 132]


def test_each_reading_is_a_mark_in_its_place() -> None:
    root = ET.fromstring(growth_svg(growth_chart(Sex.MALE, POINTS)))
    first, second = root.iter(f"{SVG}circle")
    assert float(first.get("cx", "")) < float(second.get("cx", ""))
    assert float(first.get("cy", "")) > float(second.get("cy", "")), "older bones lie higher"
    (interval,) = (line for line in root.iter(f"{SVG}line") if line.get("class") == "interval")
    low, high = float(interval.get("y1", "")), float(interval.get("y2", ""))
    assert high < float(second.get("cy", "")) < low
    assert interval.get("x1") == second.get("cx")


def test_it_has_a_description_in_words() -> None:
    text = description(growth_chart(Sex.MALE, POINTS))
    assert "at 10 years 0 months a bone age of 10 years 6 months; at 11 years" in text
    assert "The band is ±2 SD around the chronological age: Brush" in text
    assert "none" in description(growth_chart(Sex.MALE, []))


@pytest.mark.parametrize(
    "points", [[], [GrowthPoint(0, 0)], [GrowthPoint(300, 240), GrowthPoint(1, 2)]]
)
def test_odd_readings_have_a_chart(points: list[GrowthPoint]) -> None:
    root = ET.fromstring(growth_svg(growth_chart(Sex.FEMALE, points)))
    assert len(list(root.iter(f"{SVG}circle"))) == len(points)
    for mark in root.iter(f"{SVG}circle"):
        assert 0 <= float(mark.get("cx", "")) <= 720
        assert 0 <= float(mark.get("cy", "")) <= 520


def test_nothing_comes_from_elsewhere() -> None:
    svg = growth_svg(growth_chart(Sex.FEMALE, POINTS))
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in svg
