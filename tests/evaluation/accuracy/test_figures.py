from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from boneage.domain.assessment import Interval
from boneage.evaluation import plotting
from boneage.evaluation.accuracy import figures
from boneage.evaluation.accuracy.estimates import Validation
from boneage.evaluation.accuracy.evidence import summarise, title_of, write_report
from boneage.evaluation.report import Experiment


@pytest.fixture(autouse=True)
def _small_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plotting, "DPI", 30)


def with_intervals(validation: Validation, *levels: float) -> Validation:
    """Readings with an interval of ±40 months times its level, for each level."""
    readings = tuple(
        replace(
            r,
            intervals=tuple(
                Interval(r.predicted_months - 40 * x, r.predicted_months + 40 * x, x)
                for x in levels
            ),
        )
        for r in validation.readings
    )
    return replace(validation, readings=readings)


def test_a_page_with_intervals(
    tmp_path: Path, validation: Validation, experiment: Experiment
) -> None:
    stated = with_intervals(validation, 0.5, 0.9)
    table = summarise(stated, experiment)
    figures.draw_figures(tmp_path / "figures", stated.readings, title_of(table["data"], "w"))
    write_report(tmp_path, table)
    page = (tmp_path / "report.html").read_text()
    assert "<td>90 %</td><td>4</td><td>100 (51 to 100) %</td><td>72.0</td>" in page
    assert "1382" in page  # a label of no use is named
    assert "the file is cut off" in page
    assert experiment.weights.sha256 in page
    assert 'alt="How often the prediction intervals cover the labelled age"' in page


def test_the_calibration_curve_needs_several_levels(
    tmp_path: Path, validation: Validation, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[Any] = []
    monkeypatch.setattr(plotting, "save", lambda figure, _: drawn.append(figure))
    for levels in ((0.9,), (0.2, 0.5, 0.9)):
        stated = with_intervals(validation, *levels)
        figures.draw_calibration(tmp_path / "x.png", stated.readings, "drawn")
    one, several = drawn
    assert len(one.axes) == 1
    curve, bands = several.axes
    assert curve.get_title() == "observed against stated"
    observed = curve.containers[0].lines[0]
    assert list(observed.get_xdata()) == pytest.approx([20, 50, 90])
    assert list(observed.get_ydata()) == [75, 100, 100]  # errors 6, -3, 15, 0; ±8, ±20, ±36
    assert "90 %" in bands.get_title()


def test_a_scatter_states_what_it_shows(validation: Validation) -> None:
    panels = figures.scatters_of(validation.readings)
    assert list(panels) == ["whole hand alone", "carpal alone", "combined estimate"]
    axes = Figure().subplots()
    figures.scatter(axes, panels["carpal alone"], "carpal alone")
    assert axes.get_title().startswith("carpal alone\nmean absolute error 6.0 months, R² 0.9")
    drawn = axes.get_legend()
    assert drawn is not None
    legend = [text.get_text() for text in drawn.get_texts()]
    assert legend[:3] == ["female, n = 2", "male, n = 2", "predicted = true"]
    assert legend[3].startswith("regression: 0.8")
    assert axes.get_xlabel() == "true bone age (label), months"


def test_figures_are_the_same_every_time(tmp_path: Path, validation: Validation) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    for path in (one, two):
        figures.draw_bland_altman(path, validation.readings, "drawn")
    assert one.read_bytes() == two.read_bytes()
    with Image.open(one) as picture:
        assert min(picture.size) > 100
