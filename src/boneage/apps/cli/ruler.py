"""``boneage ruler``: where the attention looks, against what people marked."""

from __future__ import annotations

from collections.abc import Sequence
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
    from boneage.evaluation.localization.files import RulerSetting
    from boneage.evaluation.localization.films import Copies
    from boneage.evaluation.localization.marks import Annotations
    from boneage.evaluation.localization.run import Ruled
    from boneage.inference.assessor import Assessor

JOURNAL = "ruler.jsonl"
REGIONS = "regions"


@click.command()
@data_option
@click.option(
    "--annotations",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where ossification_boxes.csv and hand_keypoints.csv are, instead of regions/ in --data.",
)
@click.option(
    "--films",
    "copies",
    type=click.Choice(["detailed", "squeezed", "all"]),
    default="all",
    show_default=True,
    help="Detailed copies of the films, squeezed ones, or of every film the better one.",
)
@split_option("all", "Which of the films to measure; no marks were ever trained on.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    metavar="N",
    help="Measure N films only, evenly spread over them.",
)
@workers_option
@out_option("Where the table, the figures and the page go.")
@weights_option
def ruler(
    data: Path,
    annotations: Path | None,
    copies: Copies,
    split: Split,
    limit: int | None,
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Measure where the attention looks, against bones that people marked.

    How much of the carpus lies in the carpal crop, how much of the metacarpals
    in the metacarpal crop, and how much else. Writes ruler.csv, a row a film
    and target, ruler.json, figures and ruler.html. Begun again after a stop,
    it goes on where it was.

    Exit status: 0 when every film was measured; 1 when some were not (they are
    named, and the others measured); 2 for wrong usage, unusable weights or
    a folder without marked films.
    """
    from boneage.datasets.films import load_films  # noqa: PLC0415
    from boneage.evaluation.localization import films as ruler_films  # noqa: PLC0415
    from boneage.evaluation.localization.files import setting_of  # noqa: PLC0415
    from boneage.evaluation.localization.marks import load_annotations  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415  the command line opens fast

    assessor = Assessor(weights, threads=1, calibration="")
    found = load_films(data).films
    folder = data if data.is_dir() else data.parent
    marks = load_annotations(annotations or folder / REGIONS, ruler_films.true_shape(found))
    unfit = ruler_films.unfit_copies(folder)
    films = ruler_films.films_to_measure(found, marks.marks, unfit, copies, split, limit)
    make_folder(out, "--out")
    setting = setting_of(assessor.weights.name, data, marks, unfit, copies, split, limit)
    measured, failures = _measure(assessor, films, marks, setting, workers, out)
    if not measured:
        echo(f"none of {len(films)} films could be measured; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    echo(_write(out, measured, failures, setting))
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)


def _measure(
    assessor: Assessor,
    films: Sequence[Film],
    marks: Annotations,
    setting: RulerSetting,
    workers: int | None,
    out: Path,
) -> tuple[list[Ruled], list[Failure]]:
    from boneage.domain.assessment import Failure  # noqa: PLC0415
    from boneage.evaluation.localization.run import rule_each  # noqa: PLC0415
    from boneage.storage.many import Journal, default_workers  # noqa: PLC0415

    measured: list[Ruled] = []
    failures: list[Failure] = []
    journal = Journal(out / JOURNAL, setting.recipe)
    with Progress(len(films)) as progress, journal:
        for result in rule_each(
            assessor,
            films,
            marks,
            workers=workers or default_workers(),
            done=journal.done,
            note=journal.add,
        ):
            if isinstance(result, Failure):
                failures.append(result)
                progress.fail(result)
            else:
                measured.append(result)
                progress.step()
    return measured, failures


def _write(
    out: Path, films: Sequence[Ruled], failures: Sequence[Failure], setting: RulerSetting
) -> str:
    """Write everything, forget the journal, and say what a person wants first."""
    from boneage.evaluation.localization.files import CSV, JSON, write_csv, write_summary  # noqa: PLC0415
    from boneage.evaluation.localization.page import PAGE, in_short, write_ruler_page  # noqa: PLC0415
    from boneage.evaluation.localization.summary import summarise  # noqa: PLC0415
    from boneage.evaluation.metrics import OVERALL  # noqa: PLC0415

    groups = summarise(films)
    write_csv(out / CSV, films)
    write_summary(out / JSON, films, failures, groups, setting)
    write_ruler_page(out, films, failures, groups, setting)
    (out / JOURNAL).unlink()
    tried = len(films) + len(failures)
    return "\n".join(
        [
            f"{len(films)} of {tried} films measured with {setting.weights.name}",
            *in_short(groups[OVERALL][OVERALL]).split("\n\n"),
            f"written: {out / PAGE}, {out / JSON}, {out / CSV}",
        ]
    )
