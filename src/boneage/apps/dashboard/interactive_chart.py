"""A chart of a child on the page: it zooms, moves, and says the value under the pointer.

The same :class:`~boneage.reports.charts.Chart` as in the SVG and the PDF, as a Vega-Lite
specification, which Streamlit draws with the library that it ships.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeAlias

from boneage.domain.reported import reported, years_and_months
from boneage.reports.charts import YEAR_STEP, Axis, Chart, Line, Mark, Place

Layer: TypeAlias = dict[str, Any]
HEIGHT_PX = 460
BLUE, ORANGE, GREY = "#2a78ab", "#d55e00", "#808a94"
LINES: dict[str, Layer] = {
    "middle": {"color": BLUE, "strokeWidth": 1.5},
    "limit": {"color": BLUE, "strokeWidth": 1, "strokeDash": [4, 3]},
    "path": {"color": ORANGE, "strokeWidth": 1.5, "opacity": 0.6},
}
MARKS: dict[str, Layer] = {
    "point": {"shape": "circle", "filled": True, "color": ORANGE, "size": 110},
    "second": {"shape": "square", "filled": False, "color": GREY, "size": 110},
}


def chart_spec(chart: Chart) -> Layer:
    """The Vega-Lite specification of a chart, with its data."""
    layers = list(_layers(chart))
    layers[0]["params"] = [{"name": "view", "select": "interval", "bind": "scales"}]
    return {
        "title": {"text": chart.title, "subtitle": chart.note, "anchor": "start"},
        "description": chart.description,
        "height": HEIGHT_PX,
        "layer": layers,
        "encoding": {"x": _axis(chart.x, "x"), "y": _axis(chart.y, "y")},
    }


def _layers(chart: Chart) -> Iterator[Layer]:
    frame = [{"x": chart.x.low, "y": chart.y.low}, {"x": chart.x.high, "y": chart.y.high}]
    yield {"data": {"values": frame}, "mark": {"type": "point", "opacity": 0}}
    if chart.band:
        outline = {"type": "line", "interpolate": "linear-closed", "strokeWidth": 0, "clip": True}
        filled = {**outline, "fill": BLUE, "fillOpacity": 0.18, "tooltip": None}
        yield _ordered(chart.band, filled)
    for line in chart.lines:
        yield _ordered(line.points, {"type": "line", "clip": True, **LINES[line.kind]})
    named = [line for line in chart.lines if line.label and line.points]
    if named:
        yield {
            "data": {"values": [_named(line) for line in named]},
            "mark": {"type": "text", "align": "left", "dx": 4, "color": BLUE},
            "encoding": {"text": {"field": "label"}},
        }
    if chart.arrows:
        yield _rules([{**_at(start), "x2": end[0], "y2": end[1]} for start, end in chart.arrows])
        yield {
            "data": {"values": [_head(start, end) for start, end in chart.arrows]},
            "mark": {"type": "point", "filled": True, "color": GREY, "size": 50},
            "encoding": {"shape": {"field": "head", "scale": None}},
        }
    ends = [
        {"x": mark.at[0], "y": mark.interval[0], "x2": mark.at[0], "y2": mark.interval[1]}
        for mark in chart.marks
        if mark.interval is not None
    ]
    if ends:
        yield _rules(ends, {"color": ORANGE, "strokeWidth": 2})
    for kind, looks in MARKS.items():
        marks = [mark for mark in chart.marks if mark.kind == kind]
        if marks:
            yield {
                "data": {"values": [_told(mark, chart) for mark in marks]},
                "mark": {"type": "point", "opacity": 1, "clip": True, **looks},
                "encoding": {
                    "tooltip": [
                        {"field": name, "type": "nominal", "title": axis.label}
                        for name, axis in (("across", chart.x), ("upwards", chart.y))
                    ]
                },
            }


def _axis(axis: Axis, field: str) -> Layer:
    scale = {"domain": [axis.low, axis.high], "nice": False, "zero": False}
    looks = {"values": axis.ticks, "title": axis.label}
    return {"field": field, "type": "quantitative", "scale": scale, "axis": looks}


def _ordered(points: tuple[Place, ...], mark: Layer) -> Layer:
    """Points joined as they follow each other, not by age."""
    values = [{**_at(place), "number": number} for number, place in enumerate(points)]
    order = {"field": "number", "type": "quantitative"}
    return {"data": {"values": values}, "mark": mark, "encoding": {"order": order}}


def _rules(values: list[Layer], looks: Layer | None = None) -> Layer:
    mark = {"type": "rule", "clip": True, **(looks or {"color": GREY})}
    ends = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
    return {"data": {"values": values}, "mark": mark, "encoding": ends}


def _at(place: Place) -> Layer:
    return {"x": place[0], "y": place[1]}


def _named(line: Line) -> Layer:
    return {**_at(line.points[-1]), "label": line.label}


def _head(start: Place, end: Place) -> Layer:
    """The head of an arrow, which lies flat: a height has two ages."""
    return {**_at(end), "head": "triangle-right" if end[0] >= start[0] else "triangle-left"}


def _told(mark: Mark, chart: Chart) -> Layer:
    """A mark with what is said of it under the pointer."""
    upwards = _written(chart.y, mark.at[1])
    if mark.interval is not None:
        low, high = (_written(chart.y, end) for end in mark.interval)
        upwards += f" ({low} – {high})"
    return {**_at(mark.at), "across": _written(chart.x, mark.at[0]), "upwards": upwards}


def _written(axis: Axis, value: float) -> str:
    """A value of an axis: years as years and months, anything else with a decimal."""
    return years_and_months(12 * value) if axis.step == YEAR_STEP else f"{reported(value):g}"
