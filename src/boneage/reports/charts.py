"""What the charts of a child show, whatever they are drawn with: bone age, height, SDS.

Marks differ by shape and lines by dashes as well as by colour, so that a chart can be read in grey.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boneage.clinical.course import Course, VisitFindings
from boneage.clinical.growth import NORMAL_SDS, GrowthChart
from boneage.i18n.words import Words
from boneage.reports.clinical_wording import CENTRES, CHILDREN, sds_number
from boneage.reports.wording import EN, standard_text

YEARS_SHOWN = (0, 20)
MARGIN_YEARS = 3
"""Shown before the first visit and after the last one."""
YEAR_STEP = 2
PERCENTILES = (3, 10, 25, 50, 75, 90, 97)
PERCENTILE_SDS = (-1.881, -1.282, -0.674, 0.0, 0.674, 1.282, 1.881)
"""Of a normal distribution."""
CURVE_MONTHS = 3
CM_STEP = 10
LEAST_SDS = 3.0
"""Shown to either side of 0."""

BONE_AGE, HEIGHT, SDS = "bone-age", "height", "sds"
"""Names of the charts of a child."""

Place = tuple[float, float]


@dataclass(frozen=True)
class Axis:
    """What an axis shows, in its own unit."""

    label: str
    low: float
    high: float
    step: float

    @property
    def ticks(self) -> list[float]:
        """The values that are written."""
        count = round((self.high - self.low) / self.step)
        return [self.low + number * self.step for number in range(count + 1)]


@dataclass(frozen=True)
class Line:
    """A line through points: ``middle``, ``limit`` (dashed) or ``path`` (between visits)."""

    kind: str
    points: tuple[Place, ...]
    label: str = ""
    """Written at its end."""


@dataclass(frozen=True)
class Mark:
    """A value: a ``point`` (disc), or a ``second`` one (open square); with its interval."""

    kind: str
    at: Place
    interval: Place | None = None
    """Low and high."""


@dataclass(frozen=True)
class Chart:
    """A chart: ages in years to the right, something else upwards."""

    title: str
    description: str
    """For those who cannot see it."""
    x: Axis
    y: Axis
    note: str
    """Written below the title."""
    band: tuple[Place, ...] = ()
    """The outline of an area."""
    lines: tuple[Line, ...] = ()
    arrows: tuple[tuple[Place, Place], ...] = ()
    marks: tuple[Mark, ...] = ()


def course_charts(course: Course, words: Words = EN) -> dict[str, Chart]:
    """The charts that there are of a child: of the bone age, of the height, of the SDS."""
    made = {
        BONE_AGE: bone_age_chart(course.growth_chart, words),
        HEIGHT: height_chart(course, words),
        SDS: sds_chart(course, words),
    }
    return {name: chart for name, chart in made.items() if chart is not None}


def bone_age_chart(chart: GrowthChart, words: Words = EN) -> Chart:
    """Bone age against chronological age, over the ±2 SD band of the reference."""
    _ = words.gettext
    points = [(p.chronological_age_months, p.bone_age_months) for p in chart.points]
    years = _years([months for point in points for months in point])
    band = [*zip(chart.ages, chart.high, strict=True)]
    band += reversed([*zip(chart.ages, chart.low, strict=True)])
    told = [
        _("at {age} a bone age of {bone_age}").format(age=words.age(age), bone_age=words.age(bone))
        for age, bone in points
    ]
    centre = _(CENTRES[chart.centre])
    explained = _("The band is ±2 SD around the {centre}: {table}.").format(
        centre=centre, table=_(chart.table)
    )
    return Chart(
        title=_("Bone age by {standard}").format(standard=standard_text(chart.sex, words)),
        description=f"{_listed(told, words)} {explained}",
        x=Axis(_("Chronological age, years"), *years, YEAR_STEP),
        y=Axis(_("Bone age, years"), *years, YEAR_STEP),
        note=_("band: ±2 SD around the {centre}").format(centre=centre),
        band=_in_years(band, both=True),
        lines=(
            Line("middle", _in_years(zip(chart.ages, chart.middle, strict=True), both=True)),
            Line("path", _in_years(points, both=True)),
        ),
        marks=tuple(
            Mark(
                "point",
                (p.chronological_age_months / 12, p.bone_age_months / 12),
                None
                if p.interval_low_months is None or p.interval_high_months is None
                else (p.interval_low_months / 12, p.interval_high_months / 12),
            )
            for p in chart.points
        ),
    )


def height_chart(course: Course, words: Words = EN) -> Chart | None:
    """Height with percentiles, at the chronological age and at the bone age; None without one."""
    _ = words.gettext
    measured = [
        (age, found.visit.reported_bone_age_months, found.visit.height_cm)
        for age, found in _aged(course)
        if found.visit.height_cm is not None
    ]
    if not measured:
        return None
    ages = [months for age, bone, _cm in measured for months in (age, bone) if months is not None]
    years = _years(ages)
    curves: list[Line] = []
    for percentile, sds in zip(PERCENTILES, PERCENTILE_SDS, strict=True):
        months = range(years[0] * 12, years[1] * 12 + 1, CURVE_MONTHS)
        found = [(m, course.height_reference.height_cm(sds, m, course.sex)) for m in months]
        points = [(m, cm) for m, cm in found if cm is not None]
        kind = "middle" if sds == 0 else "limit"
        curves.append(Line(kind, _in_years(points), f"P{percentile}"))
    heights = [cm for *_ages, cm in measured] + [cm for one in curves for _x, cm in one.points]
    low = CM_STEP * math.floor(min(heights) / CM_STEP)
    high = CM_STEP * math.ceil(max(heights) / CM_STEP)
    by_age = [(age / 12, cm) for age, _bone, cm in measured]
    by_bone_age = [(bone / 12, cm) for _age, bone, cm in measured if bone is not None]
    told = [
        _("{height} cm at {age}").format(height=words.number(cm), age=words.age(age))
        for age, _bone, cm in measured
    ]
    name = course.height_reference.name
    return Chart(
        title=_("Height of {children}, percentiles of {reference}").format(
            children=_(CHILDREN[course.sex]), reference=name
        ),
        description=_listed(told, words),
        x=Axis(_("Age, years"), *years, YEAR_STEP),
        y=Axis(_("Height, cm"), low, high, CM_STEP),
        note=_("disc: at the age; square: at the bone age"),
        lines=(*curves, Line("path", tuple(by_age))),
        arrows=tuple(
            ((age / 12, cm), (bone / 12, cm)) for age, bone, cm in measured if bone is not None
        ),
        marks=(
            *(Mark("second", place) for place in by_bone_age),
            *(Mark("point", place) for place in by_age),
        ),
    )


def sds_chart(course: Course, words: Words = EN) -> Chart | None:
    """The SDS of bone age and height over the age; None where neither is known."""
    _ = words.gettext
    bone_ages = [(age, found.growth.sds) for age, found in _aged(course) if found.growth]
    heights = [
        (age, found.height.for_age.sds)
        for age, found in _aged(course)
        if found.height and found.height.for_age
    ]
    known = [
        [(age / 12, sds) for age, sds in points if sds is not None]
        for points in (bone_ages, heights)
    ]
    if not any(known):
        return None
    everything = known[0] + known[1]
    low, high = years = _years([12 * age for age, _sds in everything])
    most = float(max(LEAST_SDS, *(math.ceil(abs(sds)) for _age, sds in everything)))
    told = [
        _("at {age} {what} {sds} SDS").format(
            age=words.age(12 * age), what=what, sds=sds_number(sds, words)
        )
        for what, points in zip((_("bone age"), _("height")), known, strict=True)
        for age, sds in points
    ]
    return Chart(
        title=_("SDS of bone age and height"),
        description=_listed(told, words),
        x=Axis(_("Chronological age, years"), *years, YEAR_STEP),
        y=Axis("SDS", -most, most, 1),
        note=_("disc: bone age; square: height; band: ±2 SD"),
        band=((low, -NORMAL_SDS), (low, NORMAL_SDS), (high, NORMAL_SDS), (high, -NORMAL_SDS)),
        lines=(
            Line("middle", ((low, 0.0), (high, 0.0))),
            *(Line("path", tuple(points)) for points in known),
        ),
        marks=(
            *(Mark("second", place) for place in known[1]),
            *(Mark("point", place) for place in known[0]),
        ),
    )


def _aged(course: Course) -> Iterator[tuple[float, VisitFindings]]:
    for found in course.visits:
        if found.visit.chronological_age_months is not None:
            yield found.visit.chronological_age_months, found


def _listed(told: Sequence[str], words: Words) -> str:
    """Values in words, for those who cannot see a chart."""
    return words.gettext("Visits: {values}.").format(
        values="; ".join(told) or words.gettext("none")
    )


def _in_years(points: Iterable[Place], *, both: bool = False) -> tuple[Place, ...]:
    return tuple((x / 12, y / 12 if both else y) for x, y in points)


def _years(months: Sequence[float]) -> tuple[int, int]:
    """The first and the last year that are shown, both even; without values, all."""
    if not months:
        return YEARS_SHOWN
    first = int(min(months) / 12) - MARGIN_YEARS
    last = int(max(months) / 12) + 1 + MARGIN_YEARS
    return max(0, first - first % 2), last + last % 2
