"""``boneage analyse``: what a labelled data set holds, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli.options import out_option
from boneage.apps.cli.output import echo, make_folder
from boneage.datasets.films import load_films
from boneage.storage.printable import file_label, printable

NAMED = 20
"""Problems named on the terminal; ``problems.csv`` lists all."""


@click.command()
@click.argument("data", metavar="FOLDER", type=click.Path(exists=True, path_type=Path))
@out_option("Where the page, the figures and the tables go.")
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
    for problem in found.problems[:NAMED]:
        echo(f"left out {printable(file_label(str(problem)))}", err=True)
    if len(found.problems) > NAMED:
        more = f"and {len(found.problems) - NAMED:,} more, in {out / 'problems.csv'}"
        echo(more, err=True)
    echo("\n".join(report.findings(analysis)))
    echo(f"written: {page}")
