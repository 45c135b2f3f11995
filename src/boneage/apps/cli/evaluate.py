"""``boneage evaluate``: the accuracy of the estimates on a labelled data set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import import_module
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage._version import __version__
from boneage.apps.cli import EXIT_FAILED, options
from boneage.apps.cli.measuring import collect, open_assessor
from boneage.apps.cli.output import echo, make_folder
from boneage.datasets.films import load_films
from boneage.datasets.labels import Problem, in_words
from boneage.evaluation.cases import Copies, Split, choose, fingerprint
from boneage.storage.parallel import Journal, default_workers
from boneage.storage.printable import printable

if TYPE_CHECKING:
    from boneage.evaluation.accuracy.comparison import OtherReader
    from boneage.evaluation.accuracy.estimates import Validation
    from boneage.evaluation.report import Experiment

JOURNAL = "evaluate.journal.jsonl"
CURVES = "curves.png"
NAMED = 10
"""Unusable labels named on the terminal; ``metrics.json`` names them all."""


@click.command()
@options.data_option
@options.split_option("validation", "Which of the radiographs to assess.")
@click.option(
    "--copies",
    type=click.Choice(["detailed", "squeezed", "best"]),
    default="detailed",
    show_default=True,
    help="Radiographs at half scale or better; the squeezed copies, where the data set has them; "
    "or the better copy of each.",
)
@options.limit_option("Use only the first N.")
@click.option("--force", is_flag=True, help="Assess images despite a failed quality check.")
@options.out_option("Where report.html, metrics.json, cases.csv and the figures go.")
@options.weights_option
@options.workers_option
@click.option("--strict", is_flag=True, help="Stop at the first unusable label, radiograph or row.")
@click.option(
    "--compare",
    "tables",
    multiple=True,
    type=options.IN_FILE,
    metavar="CSV",
    help="Another reader's ages of the same radiographs: columns case (or id) and predicted_months "
    "(or age_months, months, boneage). May be repeated.",
)
@click.option(
    "--compare-name",
    "names",
    multiple=True,
    metavar="NAME",
    help="That reader's name; one for each --compare, in the same order. Default: the file name.",
)
@click.option(
    "--curves",
    type=options.IN_FOLDER,
    help=f"A training run, or a copy of its logs, whose {CURVES} go into the report.",
)
def evaluate(
    data: Path,
    split: Split,
    copies: Copies,
    limit: int | None,
    force: bool,
    out: Path,
    weights: Path | None,
    workers: int | None,
    strict: bool,
    tables: tuple[Path, ...],
    names: tuple[str, ...],
    curves: Path | None,
) -> None:
    """Assess every labelled radiograph of a data set and measure the errors.

    Writes report.html (all results on one page), cases.csv (one row for each
    radiograph), metrics.json and figures. Errors are given overall, by sex, by
    two-year age band and for each network alone, with 95 % bootstrap intervals.
    An interrupted run resumes when the same command is given again.

    Exit status: 0 when every radiograph was assessed; 1 when some failed (they
    are named, and the others measured; with --strict, nothing is); 2 for wrong
    usage, or unusable weights, data sets or tables.
    """
    for library in ("jinja2", "matplotlib", "scipy", "sklearn"):
        import_module(library)  # a missing extra is reported before the images are read
    from boneage.evaluation.accuracy.comparison import check_common  # noqa: PLC0415
    from boneage.evaluation.accuracy.estimates import (  # noqa: PLC0415
        JOURNAL_FORM,
        Validation,
        assess_each,
    )
    from boneage.evaluation.report import Experiment  # noqa: PLC0415

    others = _read_others(tables, names, strict=strict)
    pictures = _find_curves(curves)
    workers = workers or default_workers()
    assessor = open_assessor(weights)
    found = load_films(data, strict=strict)
    films = choose(found, data, split, limit, copies)
    for other in others:
        check_common(other, [film.id for film in films])
    make_folder(out, "--out")
    _report_problems(found.problems)
    name = assessor.weights.name
    selection: dict[str, Any] = {"copies": copies} if copies != "detailed" else {}
    selection |= {"forced": True} if force else {}
    experiment = Experiment(name, data.resolve().name, split, limit, date.today(), selection)
    recipe = {
        "boneage": __version__,
        "weights": name.sha256,
        "data": experiment.data,
        "split": split,
        "films": fingerprint(films),
        "kept": JOURNAL_FORM,
        "force": force,
    }
    journal = Journal(out / JOURNAL, recipe)
    try:
        with journal:
            if journal.done:
                echo(f"{len(journal.done)} radiographs were assessed before", err=True)
            results = assess_each(assessor, films, journal, workers=workers, force=force)
            readings, failures = collect(results, len(films), strict=strict)
    except click.exceptions.Exit:  # none could be read
        journal.path.unlink()
        raise
    validation = Validation(tuple(readings), tuple(failures), found.problems)
    _write(out, validation, experiment, workers, others, pictures)
    journal.path.unlink()  # the next run measures anew: images and program may have changed
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)


def _read_others(
    tables: Sequence[Path], names: Sequence[str], *, strict: bool
) -> list[OtherReader]:
    from boneage.evaluation.accuracy.comparison import read_other  # noqa: PLC0415

    if len(names) > len(tables):
        raise click.UsageError(f"{len(names)} --compare-name, but {len(tables)} --compare")
    others = [read_other(table, name, strict=strict) for table, name in zip_longest(tables, names)]
    for other in others:
        if sum(other.name == another.name for another in others) > 1:
            raise click.UsageError(f"two readers are called {other.name!r}; give --compare-name")
        for problem in other.problems[:NAMED]:
            echo(printable(problem), err=True)
        _report_rest(len(other.problems), "rows", "comparison.json")
    return others


def _find_curves(folder: Path | None) -> dict[str, Path]:
    """The loss curves in a folder, by stage."""
    if folder is None:
        return {}
    found = {path.parent.relative_to(folder).as_posix(): path for path in folder.rglob(CURVES)}
    if not found:
        raise click.BadParameter(f"no {CURVES} in {str(folder)!r}", param_hint="--curves")
    return dict(sorted(found.items()))


def _report_problems(problems: Sequence[Problem]) -> None:
    if not problems:
        return
    for problem in problems[:NAMED]:
        echo(printable(str(problem)), err=True)
    _report_rest(len(problems), "labels or radiographs", "metrics.json")
    echo(f"left out: {in_words(problems)}", err=True)


def _report_rest(count: int, what: str, where: str) -> None:
    if count > NAMED:
        echo(f"... and {count - NAMED:,} more {what}; {where} lists them", err=True)


def _write(
    out: Path,
    validation: Validation,
    experiment: Experiment,
    workers: int,
    others: Sequence[OtherReader],
    curves: dict[str, Path],
) -> None:
    from boneage.evaluation.accuracy import comparison, evidence  # noqa: PLC0415
    from boneage.evaluation.accuracy.evidence import text_summary  # noqa: PLC0415
    from boneage.evaluation.accuracy.figures import draw_figures  # noqa: PLC0415

    name = experiment.weights.name
    compared = [comparison.compare(validation.readings, other) for other in others]
    conclusions = [comparison.conclusion(found, name) for found in compared]
    table = evidence.write_evidence(out, validation, experiment, workers)
    plain = comparison.write_comparisons(out / comparison.COMPARISON, compared, experiment)
    echo(text_summary(table))
    for found, conclusion in zip(compared, conclusions, strict=True):
        echo(f"and {found.other.name}, {found.count} common radiographs: {conclusion}")
    title = evidence.title_of(table["data"], name)
    readings = validation.readings
    draw_figures(out / "figures", readings, title, weights=name, comparisons=compared)
    comparisons = list(zip(plain, conclusions, strict=True))
    evidence.write_report(out, table, comparisons=comparisons, curves=curves)
    echo(f"written: {out / evidence.PAGE}, with metrics.json, cases.csv and figures beside it")
