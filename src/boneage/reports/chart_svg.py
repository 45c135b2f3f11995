"""A chart as an SVG picture, drawn here: no library, nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from html import escape
from pathlib import Path

from boneage.reports.charts import Axis, Chart, Mark, Place

WIDTH, HEIGHT = 720, 520
LEFT, RIGHT, TOP, BOTTOM = 62, WIDTH - 34, 44, HEIGHT - 56
"""Of the frame, in the picture's own units."""
POINT_RADIUS = 5
ARROW = 6
"""Length of an arrow's head."""

STYLE = Path(__file__).with_name("chart.css").read_text("utf-8")


def chart_svg(chart: Chart) -> str:
    """Draw a chart, described for screen readers.

    One ``<svg>`` element, dark where the reader prefers dark pages.
    """
    frame = _Frame(chart.x, chart.y)
    title = escape(chart.title)
    width, height, half = RIGHT - LEFT, BOTTOM - TOP, (TOP + BOTTOM) / 2
    across = f'x="{(LEFT + RIGHT) / 2}" y="{HEIGHT - 18}" text-anchor="middle"'
    upwards = f'x="16" y="{half}" text-anchor="middle" transform="rotate(-90 16 {half})"'
    band = f'<polygon class="band" points="{frame.places(chart.band)}"/>' if chart.band else ""
    lines = "".join(
        f'<polyline class="{line.kind}" points="{frame.places(line.points)}"/>'
        for line in chart.lines
    )
    return f"""<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img"
 width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}">
<style>
{STYLE}</style><title>{title}</title><desc>{escape(chart.description)}</desc>
<rect class="paper" width="{WIDTH}" height="{HEIGHT}"/>
<text x="{LEFT}" y="20" font-weight="600">{title}</text>
{frame.grid()}
<clipPath id="chart-frame">
<rect x="{LEFT}" y="{TOP}" width="{width}" height="{height}"/></clipPath>
<g clip-path="url(#chart-frame)">
{band}{lines}{"".join(frame.arrow(*one) for one in chart.arrows)}
{"".join(map(frame.mark, chart.marks))}</g>
{"".join(frame.end(line.points[-1], line.label) for line in chart.lines if line.label)}
<text {across}>{escape(chart.x.label)}</text>
<text {upwards}>{escape(chart.y.label)}</text>
<text x="{LEFT}" y="{TOP - 7}" font-size="12">{escape(chart.note)}</text>
</svg>"""


@dataclass(frozen=True)
class _Frame:
    """Where values lie in the picture."""

    across: Axis
    upwards: Axis

    def x(self, value: float) -> float:
        return LEFT + _share(value, self.across) * (RIGHT - LEFT)

    def y(self, value: float) -> float:
        return BOTTOM - _share(value, self.upwards) * (BOTTOM - TOP)

    def places(self, points: Iterable[Place]) -> str:
        """Points as SVG writes them."""
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def grid(self) -> str:
        """Lines and values."""
        parts = []
        for value in self.across.ticks:
            x = f"{self.x(value):.1f}"
            parts += [
                f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP}" y2="{BOTTOM}"/>',
                f'<text x="{x}" y="{BOTTOM + 18}" text-anchor="middle">{value:g}</text>',
            ]
        for value in self.upwards.ticks:
            y = self.y(value)
            parts += [
                f'<line class="grid" x1="{LEFT}" x2="{RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>',
                f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>',
            ]
        return "".join(parts)

    def mark(self, mark: Mark) -> str:
        """A value and its interval."""
        x, y, r = self.x(mark.at[0]), self.y(mark.at[1]), POINT_RADIUS
        if mark.kind == "point":
            shape = f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="{r}"/>'
        else:
            corner = f'x="{x - r:.1f}" y="{y - r:.1f}" width="{2 * r}" height="{2 * r}"'
            shape = f'<rect class="second" {corner}/>'
        if mark.interval is None:
            return shape
        low, high = (self.y(value) for value in mark.interval)
        ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{low:.1f}" y2="{high:.1f}"'
        return f'<line class="interval" {ends}/>{shape}'

    def arrow(self, start: Place, end: Place) -> str:
        """A level arrow, from the mark at its start to the one at its end."""
        y, first, last = self.y(start[1]), self.x(start[0]), self.x(end[0])
        way = 1 if last > first else -1
        tip = last - way * POINT_RADIUS
        if abs(last - first) < 2 * POINT_RADIUS + ARROW:
            return ""
        back = tip - way * ARROW
        head = f"{tip:.1f},{y:.1f} {back:.1f},{y - ARROW / 2:.1f} {back:.1f},{y + ARROW / 2:.1f}"
        line = f'x1="{first:.1f}" x2="{tip:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
        return f'<line class="arrow" {line}/><polygon class="head" points="{head}"/>'

    def end(self, at: Place, label: str) -> str:
        """What a line is called, at its end."""
        place = f'x="{self.x(at[0]) + 3:.1f}" y="{self.y(at[1]) + 4:.1f}"'
        return f'<text {place} font-size="10">{escape(label)}</text>'


def _share(value: float, axis: Axis) -> float:
    return (value - axis.low) / (axis.high - axis.low)
