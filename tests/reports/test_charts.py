"""The charts of a child."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from boneage.clinical.course import course_of
from boneage.clinical.growth import GrowthPoint, growth_chart
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.i18n.words import words_of
from boneage.reports.chart_svg import BOTTOM, LEFT, RIGHT, TOP, chart_svg
from boneage.reports.charts import bone_age_chart, height_chart, sds_chart
from tests.clinical.test_course import COHORT

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
    root = ET.fromstring(chart_svg(bone_age_chart(growth_chart(Sex.MALE, POINTS))))
    first, second = root.iter(f"{SVG}circle")
    assert float(first.get("cx", "")) < float(second.get("cx", ""))
    assert float(first.get("cy", "")) > float(second.get("cy", "")), "older bones lie higher"
    (interval,) = (line for line in root.iter(f"{SVG}line") if line.get("class") == "interval")
    low, high = float(interval.get("y1", "")), float(interval.get("y2", ""))
    assert high < float(second.get("cy", "")) < low
    assert interval.get("x1") == second.get("cx")


def test_it_has_a_description_in_words() -> None:
    text = bone_age_chart(growth_chart(Sex.MALE, POINTS)).description
    assert "at 10 years 0 months a bone age of 10 years 6 months; at 11 years" in text
    assert "The band is ±2 SD around the chronological age: Brush" in text
    assert "none" in bone_age_chart(growth_chart(Sex.MALE, [])).description


@pytest.mark.parametrize(
    "points", [[], [GrowthPoint(0, 0)], [GrowthPoint(300, 240), GrowthPoint(1, 2)]]
)
def test_odd_readings_have_a_chart(points: list[GrowthPoint]) -> None:
    root = ET.fromstring(chart_svg(bone_age_chart(growth_chart(Sex.FEMALE, points))))
    assert len(list(root.iter(f"{SVG}circle"))) == len(points)
    for mark in root.iter(f"{SVG}circle"):
        assert 0 <= float(mark.get("cx", "")) <= 720
        assert 0 <= float(mark.get("cy", "")) <= 520


def test_nothing_comes_from_elsewhere() -> None:
    svg = chart_svg(bone_age_chart(growth_chart(Sex.FEMALE, POINTS)))
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
    assert "<script" not in svg


COURSES = {name: course_of(record) for name, record in COHORT.items()}


@pytest.mark.parametrize("name", COURSES)
@pytest.mark.parametrize("language", ["en", "de"])
def test_every_child_has_charts_that_hold_what_was_measured(name: str, language: str) -> None:
    course, words = COURSES[name], words_of(language)
    for make in (height_chart, sds_chart):
        chart = make(course, words)
        assert chart is not None
        root = ET.fromstring(chart_svg(chart))
        discs, squares = root.iter(f"{SVG}circle"), root.iter(f"{SVG}rect")
        assert len(list(discs)) == len(course.visits)
        assert sum(one.get("class") == "second" for one in squares) == len(course.visits)
        for mark in root.iter(f"{SVG}circle"):
            assert LEFT <= float(mark.get("cx", "")) <= RIGHT
            assert TOP <= float(mark.get("cy", "")) <= BOTTOM
        assert chart.description.count(";") >= len(course.visits) - 1


def test_percentiles_lie_in_their_order_and_the_arrow_leads_to_the_bone_age() -> None:
    chart = height_chart(COURSES["precocious boy"])
    assert chart is not None
    curves = [line for line in chart.lines if line.label]
    assert [line.label for line in curves] == ["P3", "P10", "P25", "P50", "P75", "P90", "P97"]
    ends = [line.points[-1][1] for line in curves]
    assert ends == sorted(ends)
    at_ten = dict(curves[3].points)[10]
    assert at_ten == pytest.approx(138.6, abs=0.3), "the median of boys of 10 years, in cm"
    first = chart.arrows[0]
    assert first == ((96.5 / 12, 140.0), (132 / 12, 140.0))
    drawn = ET.fromstring(chart_svg(chart)).iter(f"{SVG}polygon")
    assert sum(one.get("class") == "head" for one in drawn) == 2


def test_nothing_known_gives_no_chart() -> None:
    course = course_of(ChildRecord("K", Sex.MALE, (ClinicVisit(Sex.MALE, height_cm=140.0),)))
    assert height_chart(course) is None
    assert sds_chart(course) is None
