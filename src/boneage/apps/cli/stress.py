"""``boneage stress``: the same films changed, and how far the answer moves."""

from __future__ import annotations

from datetime import date
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

if TYPE_CHECKING:
    from boneage.datasets.films import Film
    from boneage.domain.assessment import Failure
    from boneage.evaluation.accuracy.validation import Split
    from boneage.evaluation.robustness.changes import Change
    from boneage.evaluation.robustness.evidence import StressTest
    from boneage.evaluation.robustness.stress import Stressed
    from boneage.inference.assessor import Assessor

JOURNAL = "stress.journal.jsonl"


@click.command()
@data_option
@split_option("validation", "Which of the films to change.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Take the first N only.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="A change, or a kind of changes, such as position; may be given several times. "
    "Default: all.",
)
@workers_option
@out_option("Where stress.json, stress.csv, stress.html and the figures go.")
@weights_option
def stress(
    data: Path,
    split: Split,
    limit: int | None,
    only: tuple[str, ...],
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Change films and see how far the answers move.

    Every film is turned, mirrored, brightened, blurred, cropped, framed and
    saved in other ways, and read anew: by how many months its answer moves,
    and whether the program refuses it or warns.

    A run that was stopped goes on where it stopped, and one with more films
    or changes does only what is new: what is done lies in
    stress.journal.jsonl in --out.

    Exit status: 0 when every film was read unchanged; 1 when some were not
    (they are named, and left out); 2 for wrong usage, unusable weights or
    data without labelled films.
    """
    from boneage.domain.assessment import Failure  # noqa: PLC0415  the command line opens fast
    from boneage.evaluation.accuracy.validation import films_to_read  # noqa: PLC0415
    from boneage.evaluation.robustness.changes import chosen  # noqa: PLC0415
    from boneage.evaluation.robustness.evidence import (  # noqa: PLC0415
        Setting,
        stress_test,
        write_summary,
        write_table,
    )
    from boneage.evaluation.robustness.page import write_report  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415
    from boneage.storage.many import default_workers  # noqa: PLC0415

    changes = chosen(only)
    workers = workers or default_workers()
    # One core each: or the networks of several films fight for the cores.
    # More threads only get into each other's way.
    assessor = Assessor(weights, threads=1, calibration="")
    films = films_to_read(data, split)
    make_folder(out, "--out")
    results = _put_through(assessor, films, limit, changes, out / JOURNAL, workers)
    failed = sum(isinstance(result, Failure) for result in results)
    if failed == len(results):
        echo(f"none of {failed} films could be read; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    setting = Setting(assessor.weights.name, data.resolve().name, split, limit, date.today())
    test = stress_test(setting, changes, results)
    write_table(out / "stress.csv", test)
    write_summary(out / "stress.json", test)
    page = write_report(out, test)
    echo(summary(test))
    echo(f"written: {page}, {out / 'stress.json'}, {out / 'stress.csv'}")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)


def _put_through(
    assessor: Assessor,
    films: tuple[Film, ...],
    limit: int | None,
    changes: tuple[Change, ...],
    journal: Path,
    workers: int,
) -> list[Stressed | Failure]:
    from boneage.domain.assessment import Failure  # noqa: PLC0415
    from boneage.evaluation.robustness.stress import recipe, stress_films  # noqa: PLC0415
    from boneage.storage.many import Journal  # noqa: PLC0415

    taken = films[:limit]
    results = []
    with Journal(journal, recipe(assessor, films)) as noted, Progress(len(taken)) as progress:
        for result in stress_films(assessor, taken, changes, noted, workers):
            results.append(result)
            if isinstance(result, Failure):
                progress.fail(result)
            else:
                progress.step()
    return results


def summary(test: StressTest) -> str:
    """Say how far each change moves the answers, one line a change."""
    from boneage.evaluation.robustness.page import months, share  # noqa: PLC0415

    width = max(len(effect.label) for effect in test.effects)
    lines = [
        f"{len(test.films)} films under {len(test.effects)} changes, read with "
        f"{test.setting.weights.name}: mean change; share of films moved by more than 12 months; "
        "share of films so moved and neither refused nor warned about"
    ]
    lines += [
        f"{effect.label:<{width}}  {months(effect.mean_shift_months)} months; "
        f"{share(effect.changed_12)}; {share(effect.silent_of_all)}"
        for effect in test.effects
    ]
    return "\n".join(lines)
