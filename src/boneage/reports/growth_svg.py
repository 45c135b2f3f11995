"""A growth chart as an SVG picture, drawn here: no library, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from boneage.clinical.growth import GrowthChart, GrowthPoint
from boneage.domain.reported import years_and_months

WIDTH, HEIGHT = 720, 520
LEFT, RIGHT, TOP, BOTTOM = 62, WIDTH - 18, 44, HEIGHT - 56
"""Of the frame, in the picture's own units."""
YEARS_SHOWN = 20
TICK_YEARS = 2
MARGIN_YEARS = 3
"""Shown before the first assessment and after the last one."""
POINT_RADIUS = 5

STYLE = Path(__file__).with_name("growth.css").read_text("utf-8")


def growth_svg(chart: GrowthChart) -> str:
    """Draw the band and the assessments with their intervals, described for screen readers.

    One ``<svg>`` element, dark where the reader prefers dark pages.
    """
    frame = _Frame(*_years_shown(chart))
    band = [*zip(chart.ages, chart.high, strict=True)]
    band += reversed([*zip(chart.ages, chart.low, strict=True)])
    middle = [*zip(chart.ages, chart.middle, strict=True)]
    path = [(p.chronological_age_months, p.bone_age_months) for p in chart.points]
    title = escape(f"Bone age against chronological age, {chart.sex} standard")
    below = f"band: ±2 SD around the {escape(chart.centre)}"
    width, height, half = RIGHT - LEFT, BOTTOM - TOP, (TOP + BOTTOM) / 2
    across = f'x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 18}" text-anchor="middle"'
    upwards = f'x="16" y="{half}" text-anchor="middle" transform="rotate(-90 16 {half})"'
    return f"""<svg class="growth" xmlns="http://www.w3.org/2000/svg" role="img"
 width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">
<style>
{STYLE}</style><title>{title}</title><desc>{escape(description(chart))}</desc>
<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>
<text x="{LEFT}" y="20" font-weight="600">{title}</text>
{frame.grid()}
<clipPath id="growth-frame">
<rect x="{LEFT}" y="{TOP}" width="{width}" height="{height}"/></clipPath>
<g clip-path="url(#growth-frame)">
<polygon class="band" points="{frame.places(band)}"/>
<polyline class="middle" points="{frame.places(middle)}"/>
<polyline class="path" points="{frame.places(path)}"/>
{"".join(map(frame.mark, chart.points))}</g>
<text {across}>Chronological age, years</text>
<text {upwards}>Bone age, years</text>
<text x="{RIGHT - 8}" y="{BOTTOM - 10}" text-anchor="end" font-size="12">{below}</text>
</svg>"""


def description(chart: GrowthChart) -> str:
    """Describe the chart in words: each assessment, and what the band is."""
    texts = [
        f"at {years_and_months(p.chronological_age_months)} a bone age of "
        f"{years_and_months(p.bone_age_months)}"
        for p in chart.points
    ]
    points = "; ".join(texts) or "none"
    return f"Assessments: {points}. The band is ±2 SD around the {chart.centre}: {chart.table}."


def _years_shown(chart: GrowthChart) -> tuple[int, int]:
    """The first and the last year, both even; without assessments, all."""
    values = [
        value
        for point in chart.points
        for value in (point.chronological_age_months, point.bone_age_months)
    ]
    if not values:
        return 0, YEARS_SHOWN
    first = int(min(values) / 12) - MARGIN_YEARS
    last = int(max(values) / 12) + 1 + MARGIN_YEARS
    return max(0, first - first % 2), last + last % 2


@dataclass(frozen=True)
class _Frame:
    """Where the years that are shown lie in the picture."""

    first_year: int
    last_year: int

    def x(self, months: float) -> float:
        """Of a chronological age."""
        return LEFT + self._share(months) * (RIGHT - LEFT)

    def y(self, months: float) -> float:
        """Of a bone age."""
        return BOTTOM - self._share(months) * (BOTTOM - TOP)

    def _share(self, months: float) -> float:
        return (months / 12 - self.first_year) / (self.last_year - self.first_year)

    def places(self, points: Iterable[Sequence[float]]) -> str:
        """Points as SVG writes them."""
        return " ".join(f"{self.x(age):.1f},{self.y(bone):.1f}" for age, bone in points)

    def grid(self) -> str:
        """Lines and years every two years."""
        parts = []
        for year in range(self.first_year, self.last_year + 1, TICK_YEARS):
            x, y = f"{self.x(12 * year):.1f}", self.y(12 * year)
            parts += [
                f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{BOTTOM}"/>',
                f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
                f'<text x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{year}</text>',
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{year}</text>',
            ]
        return "".join(parts)

    def mark(self, point: GrowthPoint) -> str:
        """An assessment and its interval."""
        x, y = f"{self.x(point.chronological_age_months):.1f}", self.y(point.bone_age_months)
        circle = f'<circle class="point" cx="{x}" cy="{y:.1f}" r="{POINT_RADIUS}"/>'
        if point.interval_low_months is None or point.interval_high_months is None:
            return circle
        low, high = self.y(point.interval_low_months), self.y(point.interval_high_months)
        interval = f'x1="{x}" x2="{x}" y1="{low:.1f}" y2="{high:.1f}"'
        return f'<line class="interval" {interval}/>{circle}'
