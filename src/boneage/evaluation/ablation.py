"""What a part of the method is worth: variants without it, measured on the same films.

A variant may have been trained several times, from several seeds. Its figures are then the means
over the seeds: what one more training would give on average, not what the average of several
networks would. The 95 % intervals are percentile bootstraps over films with the resamples of
:mod:`boneage.evaluation.metrics`, the same for every seed and every variant, so that differences
are paired film by film. It leaves behind ``ablation.json``, two CSV files, a figure and a page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from matplotlib.axes import Axes

from boneage._version import __version__
from boneage.evaluation.metrics import Estimate, FitMetrics, Vector, checked, estimate, fit
from boneage.evaluation.plotting import ACCENT, BOTH, plot_estimates, saved_figure
from boneage.evaluation.report import FIGURES, interval_of, write_page, write_rows
from boneage.storage.files import EVIDENCE_FORMAT, write_json
from boneage.training.ablation.study import Study, Variant

TABLE, CASES, RESULT, PAGE = "ablation.csv", "predictions.csv", "ablation.json", "ablation.html"
TITLES = {
    "inputs": "Inputs of the fusion: its head trained anew on some of them",
    "networks": "Parts of the whole-hand network: trained anew on a short schedule",
    "backbones": "Backbones: each trained for the same processor time",
}

ROW_INCHES, MARGIN_INCHES = 0.42, 1.3
OFFSET = 0.17
"""Of two markers in one row, in rows."""
SMALL = 7.5


@dataclass(frozen=True)
class AblationRun:
    """What was ablated, on which films, and when."""

    run: str
    """The folder of the run, by its bare name."""
    profile: str
    data: str
    """The folder of films, by its bare name."""
    day: date


@dataclass(frozen=True)
class VariantMetrics(FitMetrics):
    """How near a variant's predictions come to the labels, means over its seeds."""

    variant: Variant
    seeds: int
    difference_months: Estimate | None
    """Its mean absolute error minus the baseline's: above 0, the part that it
    lacks helps. None for the baseline itself."""


Measured: TypeAlias = Sequence[tuple[Study, Sequence[VariantMetrics]]]


def measure_study(study: Study) -> tuple[VariantMetrics, ...]:
    """Measure every variant, and its difference from the baseline.

    A ValueError when the baseline is missing, or a variant has not read every film once a seed.
    """
    true = np.array([film.age_months for film in study.films])
    read = {o.variant.name: _checked(true, o.predicted_months) for o in study.outcomes}
    if study.baseline not in read:
        raise ValueError(f"no outcome of the baseline {study.baseline!r}")
    baselines = {name: () if name == study.baseline else read[study.baseline] for name in read}
    return tuple(
        _measure(variant, true, read[variant.name], baselines[variant.name])
        for variant in (outcome.variant for outcome in study.outcomes)
    )


def _checked(true: Vector, predicted: Vector) -> Vector:
    if predicted.ndim != 2 or not len(predicted):
        raise ValueError(f"predictions of shape {predicted.shape}; (seeds, radiographs) is needed")
    return np.stack([checked(true, row)[1] for row in predicted])


def _measure(
    variant: Variant, true: Vector, own: Vector, baseline: Sequence[Vector] | Vector
) -> VariantMetrics:
    def figures(drawn: Vector, *predicted: Vector) -> Vector:
        mean = _mean_fit(drawn, predicted[: len(own)])
        if not len(baseline):
            return mean
        return np.stack([*mean, mean[0] - _mean_fit(drawn, predicted[len(own) :])[0]])

    mae, rmse, r2, *difference = estimate(figures, true, *own, *baseline)
    return VariantMetrics(mae, rmse, r2, variant, len(own), difference[0] if difference else None)


def _mean_fit(true: Vector, predicted: Sequence[Vector]) -> Vector:
    """MAE, RMSE and R² of samples (films, draws), means over the seeds: shape (3, draws)."""
    return np.asarray(np.mean([fit(true, one) for one in predicted], axis=0))


def write_ablation(folder: Path, studies: Sequence[Study], run: AblationRun) -> dict[str, Any]:
    """Write everything into a folder, made when missing; gives what ``ablation.json`` holds."""
    measured = [(study, measure_study(study)) for study in studies]
    write_rows(folder / TABLE, _table_rows(measured))
    write_rows(folder / CASES, _case_rows(studies))
    table = _summarise(measured, run)
    write_json(folder / RESULT, table)
    draw_ablation(folder / FIGURES / "ablation.png", measured)
    write_page(folder / PAGE, "ablation", test=table, titles_of=TITLES)
    return table


def _summarise(measured: Measured, run: AblationRun) -> dict[str, Any]:
    # Which films were read: backbones are compared by folds of the training films.
    splits = {"train" if study.name == "backbones" else "validation" for study, _ in measured}
    return {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": run.day.isoformat(),
        "run": run.run,
        "profile": run.profile,
        "data": {"name": run.data, "split": " and ".join(sorted(splits))},
        "interval": interval_of("paired bootstrap"),
        "studies": {
            study.name: {
                "films": len(study.films),
                "baseline": study.baseline,
                **study.facts,
                "variants": {
                    metrics.variant.name: {**(values := asdict(metrics)).pop("variant"), **values}
                    for metrics in variants
                },
            }
            for study, variants in measured
        },
    }


def _table_rows(measured: Measured) -> Iterable[Sequence[object]]:
    names = ("mae_months", "rmse_months", "r2", "difference_months")
    ends = ("", "_low", "_high")
    yield "study", "variant", "baseline", "seeds", "films", *(n + e for n in names for e in ends)
    for study, variants in measured:
        for metrics in variants:
            name = metrics.variant.name
            estimates = [getattr(metrics, n) or Estimate(None) for n in names]
            numbers = [x for e in estimates for x in (e.value, e.low, e.high)]
            head = study.name, name, int(name == study.baseline), metrics.seeds, len(study.films)
            yield *head, *("" if x is None else f"{x:.4f}" for x in numbers)


def _case_rows(studies: Sequence[Study]) -> Iterable[Sequence[object]]:
    yield "study", "variant", "seed", "case", "sex", "true_months", "predicted_months"
    for study in studies:
        for outcome in study.outcomes:
            for seed, months in enumerate(outcome.predicted_months):
                for film, age in zip(study.films, months, strict=True):
                    case = film.id, str(film.sex), f"{film.age_months:g}", f"{age:.2f}"
                    yield study.name, outcome.variant.name, seed, *case


def text_summary(table: dict[str, Any]) -> str:
    """Give the error of every variant that ``ablation.json`` holds, for a terminal."""
    lines = []
    for name, study in table["studies"].items():
        lines.append(f"{name}: mean absolute error in months, n = {study['films']}")
        width = max(len(variant) for variant in study["variants"])
        for variant, values in study["variants"].items():
            mae, difference = values["mae_months"], values["difference_months"]
            compared = "baseline" if difference is None else f"{difference['value']:+.1f}"
            lines.append(f"  {variant:<{width}}  {mae['value']:5.1f}  {compared}")
    return "\n".join(lines)


def draw_ablation(path: Path, measured: Measured) -> None:
    """Draw a forest plot, the studies one below the other: a row a variant, with its interval."""
    rows = max(len({metrics.variant.label for metrics in variants}) for _, variants in measured)
    height = len(measured) * (MARGIN_INCHES + ROW_INCHES * rows)
    with saved_figure(path, len(measured), width=8.0, height=height) as (figure, axes):
        figure.set_layout_engine("constrained", h_pad=0.12)
        for place, (study, variants) in zip(axes, measured, strict=True):
            _draw(place, study, variants)
            place.set_title(TITLES.get(study.name, study.name), loc="left")


def _draw(axes: Axes, study: Study, variants: Sequence[VariantMetrics]) -> None:
    labels = list(dict.fromkeys(metrics.variant.label for metrics in variants))
    series = list(dict.fromkeys(metrics.variant.series for metrics in variants))
    for metrics in variants:
        rank = series.index(metrics.variant.series)
        row = labels.index(metrics.variant.label) + OFFSET * (2 * rank - len(series) + 1)
        _draw_one(axes, metrics, row, rank > 0, metrics.variant.name == study.baseline)
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.set_xlabel(f"mean absolute error, months, n = {len(study.films)} held-out radiographs")
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    # Drawn nowhere: what the markers and the lines mean.
    handles: list[Any] = []
    for rank, name in enumerate(series if len(series) > 1 else ()):
        handles += axes.plot([], [], "o", color=BOTH, mfc="white" if rank else BOTH, label=name)
    handles += axes.plot([], [], color=BOTH, label="95 % interval")
    handles += axes.plot([], [], "o--", color=ACCENT, linewidth=1, label="baseline")
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(1.0, 1.0), fontsize=SMALL)


def _draw_one(
    axes: Axes, metrics: VariantMetrics, row: float, hollow: bool, is_baseline: bool
) -> None:
    mae = metrics.mae_months
    if mae.value is None:
        return
    colour = ACCENT if is_baseline else BOTH
    if is_baseline:
        axes.axvline(mae.value, color=ACCENT, linestyle="--", linewidth=1, zorder=0.5)
    filling = "white" if hollow else colour
    plot_estimates(axes, [row], [mae], colour, "", horizontal=True, mfc=filling)
    end = mae.value if mae.high is None else mae.high
    style: dict[str, Any] = {"textcoords": "offset points", "va": "center", "fontsize": SMALL}
    axes.annotate(f"{mae.value:.1f}", (end, row), (4, 0), **style)
