"""``boneage dicomweb``: assess the images of a study in a DICOMweb archive."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.options import IN_FILE, calibration_option, parsed_by, weights_option
from boneage.apps.cli.output import echo
from boneage.inference.assessor import Assessor
from boneage.reports.wording import bone_age_text, finding_sentence

if TYPE_CHECKING:
    from boneage.apps.dicom_node.dicomweb_study import StudyResult

UID = re.compile(r"(?=.{1,64}\Z)[0-9]+(\.[0-9]+)*")


def _parse_uid(text: str) -> str:
    if not UID.fullmatch(text):
        raise click.BadParameter(f"{text!r} is not a UID: digits and dots, up to 64")
    return text


_uid = parsed_by(_parse_uid)


@click.command()
@click.option("--url", required=True, help="URL of the archive, such as https://pacs/dicom-web.")
@click.option(
    "--study", required=True, metavar="UID", callback=_uid, help="The Study Instance UID."
)
@click.option("--series", metavar="UID", callback=_uid, help="Only the images of this series.")
@click.option("--token-file", type=IN_FILE, help="File with a bearer token.")
@click.option("--basic-file", type=IN_FILE, help="File with user:password.")
@click.option("--ca", type=IN_FILE, help="The CA certificate of the archive, in PEM.")
@click.option("--dry-run", is_flag=True, help="Assess the images, store nothing.")
@click.option("--again", is_flag=True, help="Also assess images that have results already.")
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
    """Assess the images of a study in a DICOMweb archive, and store the results in the study.

    For each image the picture (secondary capture) and the measurements
    (structured report) are stored; images that have both are skipped. Sex and
    birth date are those that the image states.

    Exit status: 0 when every image has its results; 1 when some have not, or
    the archive did not list or store all (they are named); 2 when the archive
    cannot be reached.

    \b
    boneage dicomweb --url https://pacs/dicom-web --study 1.2.3 --token-file token
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import requests  # noqa: F401, PLC0415  needs the extra: reported first

    from boneage.apps.dicom_node.dicomweb_http import authentication  # noqa: PLC0415
    from boneage.apps.dicom_node.dicomweb_study import Archive, assess_study  # noqa: PLC0415

    if token_file and basic_file:
        raise click.UsageError("give --token-file or --basic-file, not both")

    @cache
    def opened() -> Assessor:
        return Assessor(weights, calibration=calibration)

    archive = Archive(url, authentication(token_file, basic_file), ca)
    results = failed = 0
    for result in assess_study(archive, opened, study, series, again=again, dry_run=dry_run):
        results += 1
        failed += result.problem is not None
        echo(_line(result))
    if not results:
        echo("the study contains no image")
    if failed:
        raise click.exceptions.Exit(EXIT_FAILED)


def _line(result: StudyResult) -> str:
    parts = [f"{result.what}:"]
    if result.results is not None:
        assessment = result.results.assessment
        parts.append(f"{bone_age_text(assessment)} ({assessment.sex} standard);")
        parts += [f"{finding_sentence(finding)};" for finding in assessment.warnings]
    if result.stored:
        parts.append(f"stored {' and '.join(result.stored)}")
    if result.problem is not None:
        parts.append(("but " if result.stored else "") + result.problem)
    elif result.note is not None:
        parts.append(result.note)
    elif not result.stored:
        parts.append("nothing stored" if result.results else "has its results")
    return " ".join(parts)
