"""``boneage dicomweb``: the films of a study in a DICOMweb archive, answered into it."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.cli import EXIT_FAILED
from boneage.cli.options import calibration_option, weights_option
from boneage.cli.output import echo

if TYPE_CHECKING:
    from boneage.assessor import Assessor
    from boneage.node.dicomweb import Told

UID = re.compile(r"[0-9]+(\.[0-9]+)*")
MAX_UID = 64


def _uid(_ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    if text is not None and (not UID.fullmatch(text) or len(text) > MAX_UID):
        raise click.BadParameter(f"{text!r} is no UID: digits and dots, up to 64", param=param)
    return text


FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option("--url", required=True, help="Of the archive, such as https://pacs/dicom-web.")
@click.option(
    "--study", required=True, metavar="UID", callback=_uid, help="The Study Instance UID."
)
@click.option("--series", metavar="UID", callback=_uid, help="Only the films of this series.")
@click.option("--token-file", type=FILE, metavar="FILE", help="Holds a bearer token.")
@click.option("--basic-file", type=FILE, metavar="FILE", help="Holds user:password.")
@click.option(
    "--ca", type=FILE, metavar="FILE", help="Who signed the archive's certificate, in PEM."
)
@click.option("--dry-run", is_flag=True, help="Read the films, store nothing.")
@click.option("--again", is_flag=True, help="Answer films that have answers, too.")
@weights_option
@calibration_option
def dicomweb(
    url: str,
    study: str,
    series: str | None,
    token_file: Path | None,
    basic_file: Path | None,
    ca: Path | None,
    dry_run: bool,
    again: bool,
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Read the films of a study in a DICOMweb archive, and answer into the study.

    Of each film the picture and the measurements are stored; films that have
    them are left alone. Sex and birth date are those that the film states.

    Exit status: 0 when every film has its answers; 1 when some have not (they
    are named); 2 when the archive cannot be asked.

    \b
    boneage dicomweb --url https://pacs/dicom-web --study 1.2.3 --token-file token
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import dicomweb_client  # noqa: F401, PLC0415  needs the extra: said first

    from boneage.node.dicomweb import Archive, answer_study, authentication  # noqa: PLC0415

    if token_file and basic_file:
        raise click.UsageError("give --token-file or --basic-file, not both")

    @cache
    def opened() -> Assessor:
        from boneage.assessor import Assessor  # noqa: PLC0415

        return Assessor(weights, calibration=calibration)

    archive = Archive(url, authentication(token_file, basic_file), ca)
    failed = 0
    films = 0
    for told in answer_study(archive, opened, study, series, again=again, dry_run=dry_run):
        films += 1
        failed += told.problem is not None
        echo(_line(told))
    if not films:
        echo("the study holds no film")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)


def _line(told: Told) -> str:
    from boneage.writing.text import sentence  # noqa: PLC0415

    parts = [f"film {told.film.instance}:"]
    if told.answer is not None:
        from boneage.assessment import years_and_months  # noqa: PLC0415

        assessment = told.answer.assessment
        parts.append(f"{years_and_months(assessment.age_months)} ({assessment.sex} standard);")
        parts += [f"{sentence(finding)};" for finding in assessment.warnings]
    if told.problem is not None:
        parts.append(told.problem)
    elif told.stored:
        parts.append(f"stored {' and '.join(told.stored)}")
    else:
        parts.append("nothing stored" if told.answer else "has its answers")
    return " ".join(parts)
