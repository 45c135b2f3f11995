"""A chart on a page: the same as in SVG, drawn with ReportLab."""

from __future__ import annotations

from reportlab.lib.colors import Color, HexColor
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable

from boneage.reports.charts import Axis, Chart, Place
from boneage.reports.pdf.page import BOLD, REGULAR, in_font, registered

INK, GRID = HexColor("#1a1a1c"), HexColor("#d6d6da")
REFERENCE, CHILD = HexColor("#2a78ab"), HexColor("#d55e00")
BAND = Color(42 / 255, 120 / 255, 171 / 255, alpha=0.18)
LEFT, RIGHT, TOP, BOTTOM = 30.0, 20.0, 24.0, 28.0
"""Margins around the frame, in points."""
TITLE, TEXT, SMALL = 8.5, 7.0, 5.5
RADIUS = 2.4
ARROW = 3.5


class ChartDrawing(Flowable):
    """A chart of a width and height in points."""

    def __init__(self, chart: Chart, width: float, height: float) -> None:
        super().__init__()
        self.chart, self.width, self.height = chart, width, height

    def draw(self) -> None:
        """Draw it on the canvas that ReportLab has set."""
        canvas, chart = self.canv, self.chart
        canvas.saveState()
        size = TITLE * min(1.0, self.width / _length(chart.title, TITLE))
        _write(canvas, chart.title, 0, self.height - TITLE, size, bold=True)
        _write(canvas, chart.note, LEFT, self.height - TOP + 4, SMALL + 1)
        self._grid(canvas)
        canvas.saveState()
        frame = canvas.beginPath()
        frame.rect(LEFT, BOTTOM, self.width - LEFT - RIGHT, self.height - TOP - BOTTOM)
        canvas.clipPath(frame, stroke=0)
        self._content(canvas)
        canvas.restoreState()
        for line in chart.lines:
            if line.label:
                x, y = self._place(line.points[-1])
                _write(canvas, line.label, x + 2, y - 2, SMALL)
        canvas.restoreState()

    def _grid(self, canvas: Canvas) -> None:
        right, top = self.width - RIGHT, self.height - TOP
        canvas.setStrokeColor(GRID)
        canvas.setLineWidth(0.4)
        for value in self.chart.x.ticks:
            x, _ = self._place((value, self.chart.y.low))
            canvas.line(x, BOTTOM, x, top)
            _write(canvas, f"{value:g}", x, BOTTOM - TEXT - 1, TEXT, align="middle")
        for value in self.chart.y.ticks:
            _, y = self._place((self.chart.x.low, value))
            canvas.line(LEFT, y, right, y)
            _write(canvas, f"{value:g}", LEFT - 3, y - TEXT / 3, TEXT, align="right")
        _write(canvas, self.chart.x.label, (LEFT + right) / 2, 5, TEXT, align="middle")
        canvas.saveState()
        canvas.translate(7, (BOTTOM + top) / 2)
        canvas.rotate(90)
        _write(canvas, self.chart.y.label, 0, 0, TEXT, align="middle")
        canvas.restoreState()

    def _content(self, canvas: Canvas) -> None:
        if self.chart.band:
            canvas.setFillColor(BAND)
            self._path(canvas, self.chart.band, fill=True)
        for line in self.chart.lines:
            canvas.setStrokeColor(CHILD if line.kind == "path" else REFERENCE)
            canvas.setLineWidth(0.5 if line.kind == "limit" else 0.9)
            canvas.setDash([2, 1.5] if line.kind == "limit" else [])
            self._path(canvas, line.points)
        canvas.setDash([])
        for start, end in self.chart.arrows:
            self._arrow(canvas, self._place(start), self._place(end))
        for mark in self.chart.marks:
            x, y = self._place(mark.at)
            if mark.interval is not None:
                canvas.setStrokeColor(CHILD)
                canvas.setLineWidth(1)
                low, high = (self._place((mark.at[0], end))[1] for end in mark.interval)
                canvas.line(x, low, x, high)
            if mark.kind == "point":
                canvas.setFillColor(CHILD)
                canvas.circle(x, y, RADIUS, stroke=0, fill=1)
            else:
                canvas.setStrokeColor(INK)
                canvas.setLineWidth(0.8)
                canvas.rect(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS, stroke=1, fill=0)

    def _path(self, canvas: Canvas, points: tuple[Place, ...], *, fill: bool = False) -> None:
        if len(points) < 2:
            return
        path = canvas.beginPath()
        path.moveTo(*self._place(points[0]))
        for point in points[1:]:
            path.lineTo(*self._place(point))
        canvas.drawPath(path, stroke=int(not fill), fill=int(fill))

    def _arrow(self, canvas: Canvas, start: Place, end: Place) -> None:
        way = 1 if end[0] > start[0] else -1
        if abs(end[0] - start[0]) < 2 * RADIUS + ARROW:
            return
        tip, y = end[0] - way * RADIUS, start[1]
        canvas.setStrokeColor(INK)
        canvas.setFillColor(INK)
        canvas.setLineWidth(0.6)
        canvas.line(start[0], y, tip, y)
        head = canvas.beginPath()
        head.moveTo(tip, y)
        head.lineTo(tip - way * ARROW, y - ARROW / 2)
        head.lineTo(tip - way * ARROW, y + ARROW / 2)
        head.close()
        canvas.drawPath(head, stroke=0, fill=1)

    def _place(self, point: Place) -> Place:
        across = LEFT + _share(point[0], self.chart.x) * (self.width - LEFT - RIGHT)
        upwards = BOTTOM + _share(point[1], self.chart.y) * (self.height - TOP - BOTTOM)
        return across, upwards


def _share(value: float, axis: Axis) -> float:
    return (value - axis.low) / (axis.high - axis.low)


def _write(
    canvas: Canvas,
    text: str,
    x: float,
    y: float,
    size: float,
    *,
    bold: bool = False,
    align: str = "left",
) -> None:
    canvas.setFont(registered(BOLD if bold else REGULAR).fontName, size)
    canvas.setFillColor(INK)
    draw = {
        "left": canvas.drawString,
        "middle": canvas.drawCentredString,
        "right": canvas.drawRightString,
    }[align]
    draw(x, y, in_font(text))


def _length(text: str, size: float) -> float:
    return float(stringWidth(in_font(text), registered(BOLD).fontName, size)) or 1.0
