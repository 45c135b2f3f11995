"""Commands that measure on labelled radiographs: ``analyse``, ``stress``, ``ruler``, ``ablate``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage.apps.cli import EXIT_FAILED, options
from boneage.apps.cli.measuring import collect, open_assessor
from boneage.apps.cli.output import echo, echo_written, make_folder
from boneage.datasets.films import load_films
from boneage.evaluation.cases import Split, films_of_split
from boneage.storage.parallel import Journal, default_workers
from boneage.storage.printable import file_label, printable

if TYPE_CHECKING:
    from boneage.evaluation.localization.cases import MarkedCopies

PROBLEMS_NAMED = 20
"""Problems of a data set named on the terminal; ``problems.csv`` lists all."""
STRESS_JOURNAL, RULER_JOURNAL = "stress.journal.jsonl", "ruler.jsonl"
REGIONS = "regions"
SHORT_SECONDS = 180.0
"""Four backbones in about ten minutes on two idle cores."""
SHORT_EPOCHS = 12
"""Six networks in about twenty minutes on two cores."""


@click.command()
@click.argument("data", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
@options.out_option("Where the page, the figures and the tables go.")
@click.option("--strict", is_flag=True, help="Stop at the first unusable label or radiograph.")
def analyse(data: Path, out: Path, strict: bool) -> None:
    """Analyse the labels of a FOLDER of radiographs: ages, sexes, splits, and what is wrong.

    FOLDER is in the layout of the RSNA challenge, or a CSV table with path,
    sex and boneage (months). Writes analysis.html (all results on one page),
    its figures (PNG) and tables (CSV), and analysis.json. Labels without
    radiograph, radiographs without label, duplicate ids, ages outside 0–240
    months and the like are listed, counted and left out.

    Exit status: 0; 2 for wrong usage, for data without usable radiographs, and with
    --strict for anything that is wrong.
    """
    from boneage.evaluation.data_analysis import report  # noqa: PLC0415  needs the extra
    from boneage.evaluation.data_analysis.analysis import analyse_in_full  # noqa: PLC0415

    found = load_films(data, strict=strict)
    make_folder(out, "--out")
    analysis = analyse_in_full(found, file_label(data.resolve().name))
    page = report.write_analysis(out, analysis)
    for problem in found.problems[:PROBLEMS_NAMED]:
        echo(f"left out {printable(file_label(str(problem)))}", err=True)
    if len(found.problems) > PROBLEMS_NAMED:
        more = f"and {len(found.problems) - PROBLEMS_NAMED:,} more, in {out / 'problems.csv'}"
        echo(more, err=True)
    echo("\n".join(report.findings(analysis)))
    echo(f"written: {page}")


@click.command()
@options.data_option
@options.split_option("validation", "Which of the radiographs to perturb.")
@options.limit_option("Use only the first N.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="A perturbation, or a kind of them, such as position; may be repeated. Default: all.",
)
@options.workers_option
@options.out_option("Where stress.json, stress.csv, stress.html and the figures go.")
@options.weights_option
def stress(
    data: Path,
    split: Split,
    limit: int | None,
    only: tuple[str, ...],
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Measure the robustness: perturb radiographs and see how far the bone age moves.

    Every radiograph is rotated, mirrored, brightened, blurred, cropped, given a
    border, saved in other formats, and assessed again: by how many months its
    bone age moves, and whether it is refused or warned about.

    An interrupted run resumes where it stopped, and one with more radiographs
    or perturbations measures only what is new; the journal is
    stress.journal.jsonl in --out.

    Exit status: 0 when every unchanged radiograph was assessed; 1 when some were not
    (they are named, and left out); 2 for wrong usage, unusable weights or
    data without labelled radiographs.
    """
    from boneage.evaluation.report import Experiment  # noqa: PLC0415  needs the extra, as below
    from boneage.evaluation.robustness import report  # noqa: PLC0415
    from boneage.evaluation.robustness.cases import change_films, recipe  # noqa: PLC0415
    from boneage.evaluation.robustness.changes import chosen  # noqa: PLC0415

    changes = chosen(only)
    assessor = open_assessor(weights)
    films = films_of_split(data, split)
    make_folder(out, "--out")
    with Journal(out / STRESS_JOURNAL, recipe(assessor, films)) as journal:
        taken = films[:limit]
        workers = workers or default_workers()
        results = change_films(assessor, taken, changes, journal, workers)
        found, failures = collect(results, len(taken))
    experiment = Experiment(assessor.weights.name, data.resolve().name, split, limit, date.today())
    test = report.RobustnessTest(experiment, changes, found, failures)
    report.write_report(out, test)
    echo(report.text_summary(test))
    echo_written(out, report.PAGE, report.SUMMARY, report.TABLE)
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)


@click.command()
@options.data_option
@click.option(
    "--annotations",
    type=options.IN_FOLDER,
    metavar="FOLDER",
    help="Where ossification_boxes.csv and hand_keypoints.csv are, instead of regions/ in --data.",
)
@click.option(
    "--films",
    "copies",
    type=click.Choice(["detailed", "squeezed", "all"]),
    default="all",
    show_default=True,
    help="Which copies: the detailed ones, the squeezed ones, or the better of each radiograph.",
)
@options.split_option("all", "Which of the radiographs to measure; no training used the marks.")
@options.limit_option("Measure only N radiographs, evenly spaced.")
@options.workers_option
@options.out_option("Where the table, the figures and the page go.")
@options.weights_option
def ruler(
    data: Path,
    annotations: Path | None,
    copies: MarkedCopies,
    split: Split,
    limit: int | None,
    workers: int | None,
    out: Path,
    weights: Path | None,
) -> None:
    """Measure the localization: detected regions against bones marked by people.

    How much of the carpus is in the carpal crop, how much of the metacarpals
    in the metacarpal crop, and how much else. Writes ruler.csv (a row for each
    radiograph and target), ruler.json, figures and ruler.html. An interrupted
    run resumes where it stopped.

    Exit status: 0 when every radiograph was measured; 1 when some were not (they are
    named, and the others measured); 2 for wrong usage, unusable weights or
    a folder without marked radiographs.
    """
    from boneage.evaluation.localization import cases, report  # noqa: PLC0415  needs the extra
    from boneage.evaluation.localization.marks import load_annotations  # noqa: PLC0415
    from boneage.evaluation.report import Experiment  # noqa: PLC0415

    assessor = open_assessor(weights)
    found = load_films(data).films
    folder = data if data.is_dir() else data.parent
    marks = load_annotations(annotations or folder / REGIONS, cases.true_shape(found))
    unfit = cases.unfit_copies(folder)
    films = cases.films_to_measure(found, marks.marks, unfit, copies, split, limit)
    if copies != cases.SQUEEZED:
        marks = marks.with_unfit(unfit)
    make_folder(out, "--out")
    experiment = Experiment(
        assessor.weights.name,
        data.resolve().name,
        split,
        limit,
        date.today(),
        {"films": copies, "marked": marks.sources},
    )
    with Journal(out / RULER_JOURNAL, report.recipe(experiment, marks)) as journal:
        workers = workers or default_workers()
        results = cases.measure_films(assessor, films, marks, journal, workers)
        measured, failures = collect(results, len(films), verb="measured")
    test = report.LocalizationTest(experiment, marks, measured, failures)
    report.write_report(out, test)
    (out / RULER_JOURNAL).unlink()
    echo(f"{len(measured)} of {len(films)} radiographs measured with {experiment.weights.name}")
    echo("\n".join(report.text_summary(test)))
    echo_written(out, report.PAGE, report.SUMMARY, report.TABLE)
    if failures:
        raise click.exceptions.Exit(EXIT_FAILED)


@click.command()
@click.option(
    "--run",
    "run_folder",
    required=True,
    type=options.IN_FOLDER,
    help="A completed run of boneage train; nothing is written there.",
)
@options.data_option
@click.option(
    "--profile",
    "profile_name",
    metavar="NAME|FILE",
    help="compact, convnext, reference, or a TOML file. [default: the run's own]",
)
@click.option(
    "--only",
    multiple=True,
    metavar="NAME",
    help="inputs, networks, backbones, or a single variant, compared with its baseline. May be "
    "repeated. Default: inputs and networks.",
)
@click.option(
    "--epochs",
    type=options.COUNT,
    default=SHORT_EPOCHS,
    show_default=True,
    metavar="N",
    help="Epochs for each retrained network.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=SHORT_SECONDS,
    show_default=True,
    metavar="S",
    help="Processor time for each backbone, in seconds.",
)
@options.limit_option("Train and measure on at most N radiographs of each split, as a trial.")
@options.initial_weights_option
@options.out_option("Where the results go; an interrupted command resumes from there.")
def ablate(run_folder: Path, data: Path, out: Path, **variants: Any) -> None:
    """Leave out one part of the method at a time and measure the held-out radiographs.

    inputs: retrains the fusion head on fewer inputs. networks: retrains the
    whole-hand network without CBAM, with other CLAHE and without the sex, on a
    short schedule. backbones: compares backbones trained equally long, on folds
    of the training radiographs; it uses only the profile of --run. Writes
    ablation.json, ablation.csv, predictions.csv, figures/ablation.png and
    ablation.html.

    Needs two extras; in the checkout: pip install ".[train,evaluate]".

    \b
    boneage ablate --run runs/mine --data rsna/ --only inputs --out ablation
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    from boneage.evaluation import ablation as report  # noqa: PLC0415  slow
    from boneage.training.ablation.ablation import ablate as train_variants  # noqa: PLC0415  Keras, slower

    make_folder(out, "--out")
    trained, studies = train_variants(run_folder, data, out, report=echo, **variants)
    names = run_folder.resolve().name, trained.name, data.resolve().name
    table = report.write_ablation(out, studies, report.AblationRun(*names, date.today()))
    echo(report.text_summary(table))
    echo(f"written: {out / report.PAGE}")
