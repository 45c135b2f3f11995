"""Children over years: a made-up cohort, with the right values from the tables by hand."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import pytest

from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.course import Course, course_of
from boneage.domain.clinical_findings import Classification
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import AgeError, HeightError, HistoryError

GIRL, BOY = Sex.FEMALE, Sex.MALE


def child(
    sex: Sex, *visits: tuple[float, float | None, float | None], parents: tuple[float, float]
) -> ChildRecord:
    """Visits by age in months, bone age in months and height in cm; heights of father, mother."""
    return ChildRecord(
        "K",
        sex,
        tuple(
            ClinicVisit(sex, chronological_age_months=age, bone_age_months=bone, height_cm=height)
            for age, bone, height in visits
        ),
        *parents,
    )


COHORT: Mapping[str, ChildRecord] = {
    "normal girl": child(GIRL, (96.5, 98, 127.8), (108.5, 110, 133.0), parents=(178, 165)),
    "normal boy": child(
        BOY, (120, 122, 139), (132, 134, 144), (144, 146, 149.5), parents=(180, 167)
    ),
    "tall boy": child(BOY, (96.5, 102, 137.0), (108.5, 114, 143.0), parents=(195, 182)),
    "familial short girl": child(GIRL, (96.5, 94, 117), (108.5, 106, 122.0), parents=(162, 150)),
    "constitutional delay": child(BOY, (156.5, 126, 142), (168.5, 136, 147), parents=(178, 165)),
    "late girl": child(GIRL, (144, 120, 138), (156, 132, 143.0), parents=(175, 164)),
    "precocious puberty": child(GIRL, (84.5, 120, 131), (96.5, 138, 140.0), parents=(176, 163)),
    "precocious puberty, treated": child(
        GIRL, (84.5, 120, 131), (96.5, 126, 136.5), (108.5, 132, 141.5), parents=(176, 163)
    ),
    "precocious boy": child(BOY, (96.5, 132, 140), (108.5, 150, 149.0), parents=(177, 165)),
    "growth hormone deficiency, treated": child(
        BOY, (96.5, 66, 111), (108.5, 74, 114.5), (120.5, 92, 124.5), parents=(176, 164)
    ),
    "hypothyroid, treated": child(GIRL, (108.5, 72, 117), (120.5, 96, 126.0), parents=(174, 163)),
    "Turner-like": child(GIRL, (108.5, 102, 115), (120.5, 112, 119.0), parents=(180, 168)),
}


def course(name: str) -> Course:
    return course_of(COHORT[name])


def test_there_are_twelve_children() -> None:
    assert len(COHORT) == 12
    assert not any(course(name).findings for name in COHORT)


@pytest.mark.parametrize(
    ("name", "visit", "sds"),
    [  # (bone age − age) / SD of the Brush table, whose rows are quoted
        ("normal boy", 0, 2 / 9.79),
        ("normal boy", 2, 2 / 10.38),
        ("late girl", 0, -24 / 10.24),
    ],
)
def test_the_sds_of_bone_ages(name: str, visit: int, sds: float) -> None:
    growth = course(name).visits[visit].growth
    assert growth is not None
    assert growth.sds == pytest.approx(sds, abs=0.0051)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("normal girl", [Classification.NORMAL] * 2),
        ("normal boy", [Classification.NORMAL] * 3),
        ("tall boy", [Classification.NORMAL] * 2),
        ("familial short girl", [Classification.NORMAL] * 2),
        ("constitutional delay", [Classification.DELAYED] * 2),
        ("late girl", [Classification.DELAYED, Classification.DELAYED]),
        ("precocious puberty", [Classification.ADVANCED] * 2),
        ("precocious boy", [Classification.ADVANCED] * 2),
        ("growth hormone deficiency, treated", [Classification.DELAYED] * 3),
        ("Turner-like", [Classification.NORMAL] * 2),
    ],
)
def test_the_classification_at_each_visit(name: str, expected: list[Classification]) -> None:
    found = [visit.growth.classification for visit in course(name).visits if visit.growth]
    assert found == expected


@pytest.mark.parametrize(
    ("name", "visit", "row"),
    [  # height, and L, M, S of the row of the CDC's table
        ("normal girl", 0, (127.8, -0.079283065, 127.8262759, 0.045968169)),
        ("tall boy", 0, (137.0, 0.455267507, 128.1237104, 0.045127088)),
        ("constitutional delay", 0, (142, 0.816239713, 156.4098858, 0.050333444)),
        ("growth hormone deficiency, treated", 0, (111, 0.455267507, 128.1237104, 0.045127088)),
        ("Turner-like", 1, (119.0, 0.284748919, 138.2111552, 0.048704503)),
    ],
)
def test_the_sds_of_heights(name: str, visit: int, row: tuple[float, float, float, float]) -> None:
    height, power, median, spread = row
    expected = ((height / median) ** power - 1) / (power * spread)
    found = course(name).visits[visit].height
    assert found is not None
    assert found.for_age is not None
    assert found.for_age.sds == pytest.approx(expected, abs=0.0051)


@pytest.mark.parametrize(
    ("name", "speeds"),
    [
        ("normal boy", [None, 5.0, 5.5]),
        ("growth hormone deficiency, treated", [None, 3.5, 10.0]),
        ("hypothyroid, treated", [None, 9.0]),
        ("Turner-like", [None, 4.0]),
    ],
)
def test_height_velocity(name: str, speeds: list[float | None]) -> None:
    found = [v.velocity.cm_a_year if v.velocity else None for v in course(name).visits]
    assert found == speeds


@pytest.mark.parametrize(
    ("name", "height"),
    [
        ("normal boy", (180 + 167 + 13) / 2),
        ("normal girl", (178 + 165 - 13) / 2),
        ("Turner-like", (180 + 168 - 13) / 2),
    ],
)
def test_target_height(name: str, height: float) -> None:
    target = course(name).target
    assert target is not None
    assert target.cm == height
    assert (target.low_cm, target.high_cm) == (height - 8.5, height + 8.5)


@pytest.mark.parametrize(
    ("name", "visit", "height", "percent"),
    [  # rows of Bayley and Pinneau at 132 months: average boys, retarded girls, accelerated girls
        ("late girl", 1, 143.0, 91.8),
        ("precocious puberty, treated", 2, 141.5, 88.3),
    ],
)
def test_predicted_adult_height(name: str, visit: int, height: float, percent: float) -> None:
    found = course(name).visits[visit].adult_height
    assert found is not None
    assert found.predicted_cm == pytest.approx(height / percent * 100)


def test_treatment_shows_in_the_course() -> None:
    untreated, treated = course("precocious puberty"), course("precocious puberty, treated")
    assert _last(treated) > _last(untreated), "the predicted adult height rises"
    hormone = course("growth hormone deficiency, treated")
    heights = [v.height.for_age for v in hormone.visits if v.height]
    before, after = (found.sds if found else None for found in heights[1:])
    assert (after or 0) > (before or 0), "it catches up"


def _last(found: Course) -> float:
    prediction = found.visits[-1].adult_height
    assert prediction is not None
    assert prediction.predicted_cm is not None
    return prediction.predicted_cm


def test_visits_are_put_in_order_and_may_lack_anything() -> None:
    visits = (
        ClinicVisit(BOY, chronological_age_months=132.0, height_cm=144.0),
        ClinicVisit(BOY, bone_age_months=100.0),
        ClinicVisit(BOY, chronological_age_months=120.0, bone_age_months=122.0),
    )
    found = course_of(ChildRecord("K", BOY, visits))
    assert [v.visit.chronological_age_months for v in found.visits] == [120, 132, None]
    assert found.target is None
    without_height, without_bone_age, without_age = found.visits
    assert (without_height.height, without_height.adult_height) == (None, None)
    assert without_bone_age.growth is None
    assert without_bone_age.velocity is None, "the first height"
    assert without_bone_age.height is not None
    assert without_bone_age.height.for_bone_age is None
    assert without_age.growth is None


def test_a_short_interval_gives_no_velocity_unless_there_is_an_earlier_height() -> None:
    record = child(BOY, (120, None, 139), (123, None, 140), (127, None, 142.5), parents=(180, 167))
    first, short, year = course_of(record).visits
    assert first.velocity is None
    assert short.velocity is not None
    assert short.velocity.not_defined is not None
    assert short.velocity.not_defined.code == "short_interval"
    assert year.velocity is not None
    assert year.velocity.cm_a_year == pytest.approx(3.5 / (7 / 12), abs=0.05), "since 120 months"


def test_a_readers_own_bone_age_takes_the_place_of_the_estimate() -> None:
    visit = ClinicVisit(
        GIRL,
        chronological_age_months=144.0,
        bone_age_months=150.0,
        interval_low_months=130.0,
        interval_high_months=170.0,
        interval_level=0.9,
        reader_months=120.0,
    )
    (found,) = course_of(ChildRecord("K", GIRL, (visit,))).visits
    assert found.growth is not None
    assert found.growth.bone_age_months == 120.0
    assert found.growth.sds_low is None, "the interval is the estimate's"


def test_another_reference_is_stated() -> None:
    found = course_of(COHORT["late girl"], bone_ages=bone_age_reference("atlas"))
    growth = found.visits[0].growth
    assert growth is not None
    assert growth.sds == pytest.approx(-24 / 14.0, abs=0.0051)
    assert found.bone_age_reference.name == "Greulich and Pyle 1959, Tables V and VI"


def visit(age: float, bone_age: float, height: float = 140.0, reach: float = 0) -> ClinicVisit:
    found = ClinicVisit(
        BOY, chronological_age_months=age, bone_age_months=bone_age, height_cm=height
    )
    if not reach:
        return found
    low, high = bone_age - reach, bone_age + reach
    return replace(found, interval_low_months=low, interval_high_months=high, interval_level=0.9)


@pytest.mark.parametrize(
    ("visits", "codes"),
    [
        ((visit(120, 130), visit(132, 117)), ["bone_age_falls"]),  # by 13, without an interval
        ((visit(120, 130), visit(132, 119)), []),
        ((visit(120, 130, reach=15), visit(132, 112, reach=15)), []),  # √(15² + 15²) = 21.2
        ((visit(120, 130, reach=15), visit(132, 108, reach=15)), ["bone_age_falls"]),
        ((visit(120, 130, 141.1), visit(132, 140, 140.0)), ["height_falls"]),
        ((visit(120, 130, 141.0), visit(132, 140, 140.0)), []),
        ((visit(120, 130), visit(120, 143)), ["bone_ages_differ"]),
        ((visit(120, 143), visit(120, 130)), ["bone_ages_differ"]),
        ((visit(120, 130, 138.8), visit(120, 130, 140.0)), ["heights_differ"]),
        ((visit(120, 130), replace(visit(132, 140), sex=GIRL)), ["sex_changes"]),
        (
            (
                replace(visit(120, 130), image_sha256="ab"),
                replace(visit(132, 130), image_sha256="ab"),
            ),
            ["image_saved_twice"],
        ),
    ],
)
def test_contradictions_between_visits(visits: tuple[ClinicVisit, ...], codes: list[str]) -> None:
    found = course_of(ChildRecord("K", BOY, visits)).findings
    assert [finding.code for finding in found] == codes
    assert all(finding.message.endswith(".") for finding in found)


def test_the_fall_that_is_allowed_is_that_of_both_errors() -> None:
    (found,) = course_of(
        ChildRecord("K", BOY, (visit(120, 150, reach=9), visit(132, 130, reach=12)))
    ).findings
    assert found.limit == pytest.approx(math.hypot(9, 12))
    assert found.measured == 20


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"chronological_age_months": 900.0}, AgeError),
        ({"height_cm": 1.4}, HeightError),
        ({"reader_months": 300.0}, HistoryError),
        ({"pubertal_stage": "<script>"}, HistoryError),
        ({"treatment": "x" * 65}, HistoryError),
        ({"treatment": "a\nb"}, HistoryError),
    ],
)
def test_what_no_visit_can_have(values: dict[str, object], error: type[Exception]) -> None:
    with pytest.raises(error):
        ClinicVisit(BOY, **values)  # type: ignore[arg-type]
