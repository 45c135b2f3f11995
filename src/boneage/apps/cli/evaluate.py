"""``boneage evaluate``: how far the readings lie from the labels of a data set."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.options import (
    data_option,
    out_option,
    split_option,
    weights_option,
    workers_option,
)
from boneage.apps.cli.output import Progress, echo, make_folder
from boneage.storage.printable import printable

if TYPE_CHECKING:
    from boneage.datasets.films import Film
    from boneage.datasets.problems import Problem
    from boneage.evaluation.accuracy.comparison import Comparison, OtherReader
    from boneage.evaluation.accuracy.evidence import Setting
    from boneage.evaluation.accuracy.validation import Copies, Split, Validation
    from boneage.inference.assessor import Assessor

JOURNAL = "evaluate.journal.jsonl"
CURVES = "curves.png"
NAMED = 10
"""Unusable labels named on the terminal; ``metrics.json`` names them all."""


@click.command()
@data_option
@split_option("validation", "Which of the films to read.")
@click.option(
    "--copies",
    type=click.Choice(["detailed", "squeezed", "best"]),
    default="detailed",
    show_default=True,
    help="Films at half scale or better; the squeezed copies of a data set that has them, one of "
    "every id; or of each id the better.",
)
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Read the first N only.")
@click.option("--force", is_flag=True, help="Read films that the image quality check refuses, too.")
@out_option("Where report.html, metrics.json, cases.csv and the figures go.")
@weights_option
@workers_option
@click.option("--strict", is_flag=True, help="Stop at the first label, film or row of no use.")
@click.option(
    "--compare",
    "tables",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="CSV",
    help="Another reader's ages of the same films: columns case (or id) and predicted_months "
    "(or age_months, months, boneage). May be given several times.",
)
@click.option(
    "--compare-name",
    "names",
    multiple=True,
    metavar="NAME",
    help="What to call that reader; one for each --compare, in their order. Default: its file.",
)
@click.option(
    "--curves",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="DIR",
    help=f"A training run, or a copy of its logs: its {CURVES} go into the report.",
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
    """Read every labelled film of a data set and measure the errors.

    Writes report.html, one page of all that was measured; cases.csv, one row a
    film; metrics.json; and figures. Errors come overall, by sex, by two-year
    band and for each network alone, with 95 % bootstrap intervals. When it is
    stopped, the same command goes on where it was.

    Exit status: 0 when every film was read; 1 when some were not (they are
    named, and the others measured; with --strict, nothing is); 2 for wrong
    usage, unusable weights, or a data set or table that cannot be used.
    """
    for library in ("jinja2", "matplotlib", "scipy", "sklearn"):
        import_module(library)  # what is not installed is told before the films are read
    from boneage.datasets.films import load_films  # noqa: PLC0415
    from boneage.evaluation.accuracy.comparison import check_common  # noqa: PLC0415
    from boneage.evaluation.accuracy.evidence import Setting  # noqa: PLC0415
    from boneage.evaluation.accuracy.validation import choose  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415  the command line opens fast
    from boneage.storage.many import default_workers  # noqa: PLC0415

    others = _read_others(tables, names, strict=strict)
    pictures = _find_curves(curves)
    workers = workers or default_workers()
    assessor = Assessor(
        weights, threads=1, calibration=""
    )  # faster than all cores for one film, also alone
    found = load_films(data, strict=strict)
    films = choose(found, data, split, limit, copies)
    for other in others:
        check_common(other, [film.id for film in films])
    make_folder(out, "--out")
    _tell_problems(found.problems)
    name = data.resolve().name
    setting = Setting(
        assessor.weights.name, name, split, limit, date.today(), workers, copies, force
    )
    validation = _read(
        assessor, films, setting, out / JOURNAL, found.problems, strict=strict, force=force
    )
    _write(out, validation, setting, others, pictures)
    (out / JOURNAL).unlink()  # the next run measures anew: films and program may have changed
    if validation.failures:
        raise click.exceptions.Exit(EXIT_FAILED)


def _read_others(
    tables: Sequence[Path], names: Sequence[str], *, strict: bool
) -> list[OtherReader]:
    from boneage.evaluation.accuracy.comparison import read_other  # noqa: PLC0415

    if len(names) > len(tables):
        raise click.UsageError(f"{len(names)} --compare-name, but {len(tables)} --compare")
    given = [*names, *[None] * (len(tables) - len(names))]
    others = [
        read_other(table, name, strict=strict) for table, name in zip(tables, given, strict=True)
    ]
    for other in others:
        if sum(other.name == another.name for another in others) > 1:
            raise click.UsageError(f"two readers are called {other.name!r}; give --compare-name")
        for problem in other.problems[:NAMED]:
            echo(printable(problem), err=True)
        _tell_rest(len(other.problems), "rows", "comparison.json")
    return others


def _find_curves(folder: Path | None) -> dict[str, Path]:
    """The loss curves in a folder, by the name of their stage."""
    if folder is None:
        return {}
    found = {path.parent.relative_to(folder).as_posix(): path for path in folder.rglob(CURVES)}
    if not found:
        raise click.BadParameter(f"no {CURVES} in {str(folder)!r}", param_hint="--curves")
    return dict(sorted(found.items()))


def _tell_problems(problems: Sequence[Problem]) -> None:
    from boneage.datasets.problems import in_words  # noqa: PLC0415

    if not problems:
        return
    for problem in problems[:NAMED]:
        echo(printable(str(problem)), err=True)
    _tell_rest(len(problems), "labels or films", "metrics.json")
    echo(f"left out: {in_words(problems)}", err=True)


def _tell_rest(count: int, what: str, where: str) -> None:
    if count > NAMED:
        echo(f"... and {count - NAMED:,} more {what}; {where} will name them", err=True)


def _read(
    assessor: Assessor,
    films: Sequence[Film],
    setting: Setting,
    journal_path: Path,
    problems: Sequence[Problem],
    *,
    strict: bool,
    force: bool,
) -> Validation:
    """Read the films; what a journal holds is not read again."""
    from boneage._version import __version__  # noqa: PLC0415
    from boneage.domain.assessment import Failure  # noqa: PLC0415
    from boneage.evaluation.accuracy.validation import (  # noqa: PLC0415
        KEPT,
        collect,
        fingerprint,
        read_each,
    )
    from boneage.storage.many import Journal  # noqa: PLC0415

    recipe = {
        "boneage": __version__,
        "weights": setting.weights.sha256,
        "data": setting.data,
        "split": setting.split,
        "films": fingerprint(films),
        "kept": KEPT,
        "force": force,
    }
    answers = []
    with Journal(journal_path, recipe) as journal, Progress(len(films)) as progress:
        if journal.done:
            echo(f"{len(journal.done)} films were read before", err=True)
        for answer in read_each(
            assessor,
            films,
            workers=setting.workers,
            force=force,
            done=journal.done,
            note=journal.add,
        ):
            answers.append(answer)
            if not isinstance(answer, Failure):
                progress.step()
                continue
            progress.fail(answer)
            if strict:
                raise click.ClickException("stopped at the first film without an answer (--strict)")
    if not journal.done:
        journal_path.unlink()
        echo(f"none of {len(films)} films could be read; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    return collect(answers, problems)


def _write(
    out: Path,
    validation: Validation,
    setting: Setting,
    others: Sequence[OtherReader],
    curves: dict[str, Path],
) -> None:
    from boneage.evaluation.accuracy.comparison import compare  # noqa: PLC0415
    from boneage.evaluation.accuracy.comparison_report import (  # noqa: PLC0415
        COMPARISON,
        verdict,
        write_comparisons,
    )
    from boneage.evaluation.accuracy.evidence import write_evidence  # noqa: PLC0415
    from boneage.evaluation.accuracy.report import REPORT, write_report  # noqa: PLC0415
    from boneage.evaluation.accuracy.report_tables import summary  # noqa: PLC0415
    from boneage.evaluation.accuracy.validation_figures import draw_figures  # noqa: PLC0415

    readings, weights = validation.readings, setting.weights.name
    comparisons: list[Comparison] = [compare(readings, other) for other in others]
    table = write_evidence(out, validation, setting)
    write_comparisons(out / COMPARISON, comparisons, setting)
    echo(summary(table))
    for found in comparisons:
        echo(f"and {found.other.name}, {found.count} common films: {verdict(found, weights)}")
    figures = draw_figures(
        out / "figures", readings, setting.title, weights=weights, comparisons=comparisons
    )
    write_report(out / REPORT, table, figures, comparisons=comparisons, curves=curves)
    echo(f"written: {out / REPORT}, with metrics.json, cases.csv and figures beside it")
