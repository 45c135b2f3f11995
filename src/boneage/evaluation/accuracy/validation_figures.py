"""All the figures of an evaluation, drawn into one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from boneage.evaluation.accuracy.band_figures import draw_bands, draw_within
from boneage.evaluation.accuracy.comparison import Comparison
from boneage.evaluation.accuracy.comparison_figures import draw_comparison
from boneage.evaluation.accuracy.error_figures import (
    draw_bland_altman,
    draw_errors_by_age,
    draw_histograms,
)
from boneage.evaluation.accuracy.interval_figures import draw_calibration
from boneage.evaluation.accuracy.plots import Drawn
from boneage.evaluation.accuracy.scatter_figures import draw_scatters
from boneage.evaluation.accuracy.validation import Reading

Draw: TypeAlias = Callable[[Path, Sequence[Reading], str], None]

CALIBRATION = "interval-calibration"
_DRAW: Mapping[str, tuple[Draw, str]] = {
    "error-histograms": (draw_histograms, "Histograms of the errors: male, female, and both"),
    "error-by-age": (draw_errors_by_age, "Absolute error against age, with the 1.67-year line"),
    "bland-altman": (draw_bland_altman, "Bland–Altman plot with the limits of agreement"),
    "mae-by-band": (draw_bands, "Mean absolute error by two-year band, with intervals"),
    "within": (draw_within, "Share of films read within 6, 12 and 24 months, with intervals"),
    CALIBRATION: (draw_calibration, "How often the stated intervals hold the labelled age"),
}
_OWN = (*(f"{name}.png" for name in _DRAW), "scatter*.png", "comparison-*.png")


def draw_figures(
    folder: Path,
    readings: Sequence[Reading],
    title: str,
    *,
    weights: str = "",
    comparisons: Sequence[Comparison] = (),
) -> dict[str, Drawn]:
    """Draw every figure of the readings; figures of an earlier evaluation are removed.

    Parameters
    ----------
    folder : Path
        Made when missing.
    readings : sequence of Reading
        At least one.
    title : str
        Data, split and weights; every figure states it, with its n.
    weights : str
        What the comparisons call these readings.
    comparisons : sequence of Comparison

    Returns
    -------
    dict of Drawn
        By name, which is the file's without ``.png``. The calibration of
        intervals is there when the readings state any.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for pattern in _OWN:
        for old in folder.glob(pattern):
            old.unlink()
    with_count = f"{title}, n = {len(readings)}"
    drawn = draw_scatters(folder, readings, with_count)
    for name, (draw, alt) in _DRAW.items():
        if name == CALIBRATION and not any(reading.intervals for reading in readings):
            continue
        drawn[name] = Drawn(folder / f"{name}.png", alt)
        draw(drawn[name].path, readings, with_count)
    for number, found in enumerate(comparisons, 1):
        path = folder / f"comparison-{number}.png"
        draw_comparison(path, found, weights, title)
        drawn[path.stem] = Drawn(path, f"{weights} and {found.other.name} on the same films")
    return drawn
