"""A growth chart as an SVG picture, drawn here: no library, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from boneage.clinical.growth import GrowthChart, GrowthPoint
from boneage.domain.assessment import years_and_months

WIDTH, HEIGHT = 720, 520
LEFT, RIGHT, TOP, BOTTOM = 62, 18, 44, 56
"""Margins for the words, in the picture's own units."""
YEARS_SHOWN = 20
TICK_YEARS = 2
MARGIN_YEARS = 3
"""Shown before the first reading and after the last one."""
POINT_RADIUS = 5

STYLE = """
.growth { color: #0b131b; font: 13px system-ui, sans-serif; }
.growth text { fill: currentColor; }
.growth .paper { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  .growth { color: #e4e9ee; }
  .growth .paper { fill: #0e1216; }
}
.growth .band { fill: #2a78ab; fill-opacity: .18; }
.growth .middle { stroke: #2a78ab; stroke-width: 1.5; fill: none; }
.growth .grid { stroke: currentColor; stroke-opacity: .15; }
.growth .path { stroke: #d55e00; stroke-width: 1.5; fill: none; stroke-opacity: .6; }
.growth .interval { stroke: #d55e00; stroke-width: 2; }
.growth .point { fill: #d55e00; }
"""


def growth_svg(chart: GrowthChart) -> str:
    """Draw the band, the readings with their intervals, and a word for screen readers.

    Returns
    -------
    str
        One ``<svg>`` element, dark where the reader prefers dark pages.
    """
    frame = _Frame.around(chart)
    band = [*zip(chart.ages, chart.high, strict=True)]
    band += reversed([*zip(chart.ages, chart.low, strict=True)])
    middle = [*zip(chart.ages, chart.middle, strict=True)]
    path = [(p.chronological_age_months, p.bone_age_months) for p in chart.points]
    parts = [
        f"<style>{STYLE}</style>",
        f"<title>{escape(_title(chart))}</title>",
        f"<desc>{escape(description(chart))}</desc>",
        f'<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>',
        f'<text x="{LEFT}" y="20" font-weight="600">{escape(_title(chart))}</text>',
        *frame.grid(),
        f'<clipPath id="growth-frame"><rect x="{LEFT}" y="{TOP}" width="{WIDTH - LEFT - RIGHT}" '
        f'height="{HEIGHT - TOP - BOTTOM}"/></clipPath><g clip-path="url(#growth-frame)">',
        f'<polygon class="band" points="{frame.places(band)}"/>',
        f'<polyline class="middle" points="{frame.places(middle)}"/>',
        f'<polyline class="path" points="{frame.places(path)}"/>',
        *(mark for point in chart.points for mark in frame.marks(point)),
        "</g>",
        *frame.words(chart),
    ]
    return (
        f'<svg class="growth" xmlns="http://www.w3.org/2000/svg" role="img" '
        f'width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">{"".join(parts)}</svg>'
    )


def description(chart: GrowthChart) -> str:
    """Describe the chart in words: each assessment, and what the band is."""
    texts = [
        f"at {years_and_months(p.chronological_age_months)} a bone age of "
        f"{years_and_months(p.bone_age_months)}"
        for p in chart.points
    ]
    readings = "; ".join(texts) or "none"
    return f"Assessments: {readings}. The band is ±2 SD around the {chart.centre}: {chart.table}."


def _title(chart: GrowthChart) -> str:
    return f"Bone age against chronological age, {chart.sex} standard"


class _Frame:
    """The years that are shown, and where they lie in the picture."""

    def __init__(self, first_year: int, last_year: int) -> None:
        self.first, self.last = 12.0 * first_year, 12.0 * last_year

    @classmethod
    def around(cls, chart: GrowthChart) -> _Frame:
        """Show the readings with some years on both sides; without readings, all."""
        values = [
            value
            for point in chart.points
            for value in (point.chronological_age_months, point.bone_age_months)
        ]
        if not values:
            return cls(0, YEARS_SHOWN)
        first = int(min(values) / 12) - MARGIN_YEARS
        last = int(max(values) / 12) + 1 + MARGIN_YEARS
        return cls(max(0, first - first % 2), last + last % 2)

    def x(self, months: float) -> float:
        """Of a chronological age."""
        return LEFT + (months - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, months: float) -> float:
        """Of a bone age."""
        share = (months - self.first) / (self.last - self.first)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)

    def places(self, points: Iterable[Sequence[float]]) -> str:
        """Points as SVG writes them."""
        return " ".join(f"{self.x(age):.1f},{self.y(bone):.1f}" for age, bone in points)

    def grid(self) -> Iterable[str]:
        """Lines and years every two years."""
        bottom, right = HEIGHT - BOTTOM, WIDTH - RIGHT
        for year in range(int(self.first // 12), int(self.last // 12) + 1, TICK_YEARS):
            x, y = self.x(12 * year), self.y(12 * year)
            yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{bottom}"/>'
            yield f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>'
            yield f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle">{year}</text>'
            yield f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{year}</text>'

    def marks(self, point: GrowthPoint) -> Iterable[str]:
        """A reading and its interval."""
        x = self.x(point.chronological_age_months)
        if point.interval_low_months is not None and point.interval_high_months is not None:
            low, high = self.y(point.interval_low_months), self.y(point.interval_high_months)
            yield (
                f'<line class="interval" x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"/>'
            )
        y = self.y(point.bone_age_months)
        yield f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="{POINT_RADIUS}"/>'

    def words(self, chart: GrowthChart) -> Iterable[str]:
        """What the axes and the band are."""
        middle = (TOP + HEIGHT - BOTTOM) / 2
        yield (
            f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 18}" text-anchor="middle">'
            "Chronological age, years</text>"
        )
        yield (
            f'<text x="16" y="{middle}" text-anchor="middle" '
            f'transform="rotate(-90 16 {middle})">Bone age, years</text>'
        )
        yield (
            f'<text x="{WIDTH - RIGHT - 8}" y="{HEIGHT - BOTTOM - 10}" text-anchor="end" '
            f'font-size="12">band: ±2 SD around the {escape(chart.centre)}</text>'
        )
