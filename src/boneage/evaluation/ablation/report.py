"""What an ablation leaves behind: ``ablation.json``, two CSV files, a figure and a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.evaluation.ablation.ablation import Worth, measure_study
from boneage.evaluation.ablation.figure import draw_ablation
from boneage.evaluation.metrics import DRAWS, LEVEL, SEED, Estimate
from boneage.evaluation.page import Picture, Section, write_page
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_json, write_text
from boneage.training.ablation.outcomes import Study

"""Of ``ablation.json``."""
TABLE, CASES, RESULT, PAGE = "ablation.csv", "predictions.csv", "ablation.json", "ablation.html"
FIGURE = Path("figures") / "ablation.png"
TITLES = {
    "inputs": "Inputs of the fusion: its head trained anew on some of them",
    "networks": "Parts of the whole-hand network: trained anew on a short schedule",
    "backbones": "Backbones: each trained for the same processor time",
}
BACKBONES = "backbones"
HOW_TO_READ = """\
Each row is a variant of the method. All variants of a part were trained on the same films by the \
same schedule and read the same held-back films; they differ in what the row says. MAE is \
the mean absolute error, RMSE the root of the mean squared error, R² the share of the ages' \
variance that is explained. The difference is the variant's MAE minus the baseline's: above 0, the \
variant errs more, and what it lacks is worth something.

Intervals are 95 % percentile bootstraps over the held-back films; those of differences are \
paired, the same films drawn for both. Where an interval of a difference includes 0, these films \
do not tell the two apart. With so many differences, about one in twenty would exclude 0 by \
chance alone."""
REPORTED_ON = """\
This is a description, not a means of choosing: the films are the ones that the weights are \
reported on, and a part chosen by these figures would look better on them than it is."""


@dataclass(frozen=True)
class Setting:
    """What was ablated, on which films, and when."""

    run: str
    """The folder of the run, by its bare name."""
    profile: str
    data: str
    """The folder of films, by its bare name."""
    day: date


def write_ablation(folder: Path, studies: Sequence[Study], setting: Setting) -> dict[str, Any]:
    """Write everything into a folder, made when missing.

    Returns
    -------
    dict
        What ``ablation.json`` now holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    measured = [(study, measure_study(study)) for study in studies]
    table = _summarise(measured, setting)
    write_json(folder / RESULT, table)
    _write_rows(folder / TABLE, _table_rows(measured))
    _write_rows(folder / CASES, _case_rows(studies))
    draw_ablation(folder / FIGURE, measured)
    _write_page(folder, measured, setting)
    return table


def _summarise(
    measured: Sequence[tuple[Study, Sequence[Worth]]], setting: Setting
) -> dict[str, Any]:
    return {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": setting.day.isoformat(),
        "run": setting.run,
        "profile": setting.profile,
        "data": {"name": setting.data, "split": _splits(measured)},
        "interval": {"method": "paired bootstrap", "level": LEVEL, "draws": DRAWS, "seed": SEED},
        "studies": {
            study.name: {
                "films": len(study.films),
                "baseline": study.baseline,
                **study.facts,
                "variants": {worth.variant.name: _values(worth) for worth in worths},
            }
            for study, worths in measured
        },
    }


def _splits(measured: Sequence[tuple[Study, Sequence[Worth]]]) -> str:
    """Which films were read: backbones are compared by folds of the training films."""
    names = {"train" if study.name == BACKBONES else "validation" for study, _ in measured}
    return " and ".join(sorted(names))


def _values(worth: Worth) -> dict[str, Any]:
    values = asdict(worth)
    return {**values.pop("variant"), **values}


def _table_rows(measured: Sequence[tuple[Study, Sequence[Worth]]]) -> Iterable[Sequence[object]]:
    names = ("mae_months", "rmse_months", "r2", "difference_months")
    ends = ("", "_low", "_high")
    yield "study", "variant", "baseline", "seeds", "films", *(n + e for n in names for e in ends)
    for study, worths in measured:
        for worth in worths:
            name = worth.variant.name
            estimates = [getattr(worth, n) or Estimate(None) for n in names]
            numbers = [x for e in estimates for x in (e.value, e.low, e.high)]
            head = study.name, name, int(name == study.baseline), worth.seeds, len(study.films)
            yield *head, *("" if x is None else f"{x:.4f}" for x in numbers)


def _case_rows(studies: Sequence[Study]) -> Iterable[Sequence[object]]:
    yield "study", "variant", "seed", "case", "sex", "true_months", "predicted_months"
    for study in studies:
        for outcome in study.outcomes:
            for seed, months in enumerate(outcome.predicted_months):
                for film, age in zip(study.films, months, strict=True):
                    case = film.id, str(film.sex), f"{film.age_months:g}", f"{age:.2f}"
                    yield study.name, outcome.variant.name, seed, *case


def _write_rows(path: Path, rows: Iterable[Sequence[object]]) -> None:
    write_text(path, csv_text(rows))


def _write_page(
    folder: Path, measured: Sequence[tuple[Study, Sequence[Worth]]], setting: Setting
) -> None:
    alt = "Mean absolute error of every variant with its 95 % interval; the tables hold the figures"
    splits = _splits(measured)
    how = f"{HOW_TO_READ}\n\n{REPORTED_ON}" if "validation" in splits else HOW_TO_READ
    sections = [
        Section("How to read this", how),
        Section("All variants", pictures=[Picture(folder / FIGURE, alt)]),
        *(
            Section(TITLES[study.name], _how(study), _page_table(study, worths))
            for study, worths in measured
        ),
    ]
    lead = (
        f"Run {setting.run} (profile {setting.profile}), films {setting.data}, {splits}; "
        f"{setting.day.isoformat()}, boneage {__version__}."
    )
    write_page(folder / PAGE, "What each part of the method is worth", lead, sections)


def _how(study: Study) -> str:
    """How the variants of a study were trained."""
    facts = study.facts
    if study.name == "inputs":
        return f"""\
The fusion is a small dense head on what the trained networks saw of a film. The networks stayed \
as they are; for each row a head was trained on the named inputs alone, from {facts["seeds"]} \
seeds, for {facts["epochs"]} epochs on {facts["train_films"]:,} training films seen \
{facts["views"]} times each. A figure is the mean over the seeds of what each head scored by \
itself, not the score of their average; its interval covers the choice of films, not that of the \
seed. Each film is read once; the weights that ship may also read its mirror image and answer the \
mean.

What the networks saw holds nothing of the child's sex: a network meets the sex only in a head of \
its own, behind the features that the fusion takes. But the networks were trained with the sex \
known to those heads. To withhold the sex, a head was told the same sex of every child."""
    rows, columns = facts["input"]
    if study.name == BACKBONES:
        return f"""\
Each row is a whole-hand network with another backbone, trained for {facts["seconds"]:g} seconds \
of processor time in all, on as many films as its pace allows. The {facts["train_films"]:,} \
training films of useful resolution, at {rows} × {columns} pixels, are in {facts["folds"]} folds, \
and each fold was read by a network trained on the others. Optimiser, loss, learning rate and \
seed are those of the profile's last phase, for all of them alike. It says what a little time \
makes of each, not what they are worth once they are finished: slow networks, which see few films \
here, do better then."""
    return f"""\
A short schedule, to compare, not to compete: each network was trained from the same initial \
weights ({facts["start"]}) for {facts["epochs"]} epochs on the {facts["train_films"]:,} training \
films of useful resolution alone, at {rows} × {columns} pixels, with the optimiser, the loss and \
the seed of the profile. What a long training would make up for, or bring out, is not seen here.

The network is the one that looks at the whole hand, with one CBAM on the backbone's last feature \
map, and reads the age by itself, without regions or fusion. Each variant was trained once: the \
intervals cover the choice of films, not the luck of a training."""


def _page_table(study: Study, worths: Sequence[Worth]) -> list[list[str]]:
    header = ["Variant", "MAE, months", "difference, months", "RMSE, months", "R²"]
    trained = study.facts.get("trained", {})
    rows = [[*header, *(["parameters", "films a second", "films seen"] if trained else [])]]
    for worth in worths:
        variant = worth.variant
        label = ", ".join(part for part in (variant.label, variant.series) if part)
        difference = worth.difference_months
        is_baseline = variant.name == study.baseline
        rows.append(
            [
                label,
                with_interval(worth.mae_months),
                "baseline" if is_baseline or not difference else with_interval(difference, "+z.1f"),
                with_interval(worth.rmse_months),
                with_interval(worth.r2, ".2f"),
                *(_cost(trained[variant.name]) if trained else []),
            ]
        )
    return rows


def _cost(trained: Mapping[str, Any]) -> list[str]:
    """What training a backbone took: seconds are of processor time."""
    parameters = f"{trained['parameters'] / 1_000_000:.1f} M"
    return [parameters, f"{trained['films_per_second']:.1f}", f"{trained['films']:,}"]


def with_interval(estimate: Estimate, form: str = ".1f") -> str:
    """Say a figure with its interval, such as "8.4 (7.6–9.3)", or "+0.5 (-0.2 to +1.1)"."""
    if estimate.value is None:
        return "not defined"
    text = format(estimate.value, form)
    if estimate.low is None or estimate.high is None:
        return text
    between = " to " if form.startswith("+") else "–"  # a dash before a sign is hard to read
    return f"{text} ({format(estimate.low, form)}{between}{format(estimate.high, form)})"
