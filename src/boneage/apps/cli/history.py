"""``boneage history``: saved assessments of children, under pseudonyms."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage.apps.cli import Failed, options
from boneage.apps.cli.options import OUT_FILE
from boneage.apps.cli.output import echo, open_output
from boneage.clinical import stature
from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.course import Course, course_of
from boneage.domain.ages import parse_age
from boneage.domain.child import FIELDS
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ClinicVisit
from boneage.reports.child_files import course_record, file_for
from boneage.reports.child_record import read_children
from boneage.reports.course import course_lines
from boneage.reports.exports import ReportOptions
from boneage.storage.printable import printable

if TYPE_CHECKING:
    from boneage.history.store import History

location_argument = click.argument("location", metavar="FILE|URL")
pseudonym_argument = click.argument("pseudonym")


@click.group()
def history() -> None:
    """List, export and delete what 'boneage assess --history' saved.

    FILE is a SQLite file; a URL names another database, such as
    postgresql://user@host/database.
    """


@history.command("list")
@location_argument
def list_children(location: str) -> None:
    """List the children with saved assessments."""
    for person in _opened(location).people():
        many = "entry" if person.entries == 1 else "entries"
        echo(f"{person.pseudonym}  {person.sex}  {person.entries} {many}")


@history.command()
@location_argument
@pseudonym_argument
@options.sds_reference_option
@options.height_reference_option
def show(
    location: str, pseudonym: str, sds_reference: str | None, height_reference: str | None
) -> None:
    """Show the course of one child: its visits by chronological age, and contradictions."""
    for line in course_lines(_course(location, pseudonym, sds_reference, height_reference)):
        echo(line)


def _parsed(
    flag: str, name: str, metavar: str, parse: Callable[[str], Any], text: str
) -> Callable[[options.Command], options.Command]:
    callback = options.parsed_by(parse)
    return click.option(flag, name, metavar=metavar, callback=callback, help=text)


@history.command()
@location_argument
@pseudonym_argument
@click.option("--sex", required=True, metavar="male|female", callback=options.parse_sex)
@_parsed("--age", "age", "AGE", FIELDS["age"], "Chronological age: 11y4m, or months.")
@_parsed("--height-cm", "height_cm", "CM", FIELDS["height_cm"], "Standing height.")
@_parsed("--bone-age", "reader_months", "AGE", parse_age, "Bone age that a person read, likewise.")
@click.option(
    "--stage", "pubertal_stage", metavar="STAGE", help="Pubertal stage by Tanner: 3, or 'B3 PH2'."
)
@click.option("--treatment", metavar="TEXT", help="A note, such as 'growth hormone'; never a name.")
def add(location: str, pseudonym: str, sex: Sex, age: float | None, **values: Any) -> None:
    """Add a visit without an image, such as a height; FILE is made where it is missing."""
    visit = ClinicVisit(sex, chronological_age_months=age, **values)
    _opened(location, create=True).add(pseudonym, visit)
    echo(f"saved: a visit of {printable(pseudonym)}")


@history.command()
@location_argument
@pseudonym_argument
@click.option("--father-cm", type=float, metavar="CM", help="Standing height of the father.")
@click.option("--mother-cm", type=float, metavar="CM", help="Standing height of the mother.")
def parents(
    location: str, pseudonym: str, father_cm: float | None, mother_cm: float | None
) -> None:
    """Save the heights of a child's parents, for the target height."""
    if father_cm is None and mother_cm is None:
        raise click.UsageError("give --father-cm, --mother-cm or both")
    _opened(location).set_parents(pseudonym, father_cm=father_cm, mother_cm=mother_cm)
    echo(f"saved: the parents' heights of {printable(pseudonym)}")


@history.command("import")
@location_argument
@click.argument("file", type=options.IN_FILE)
def import_file(location: str, file: Path) -> None:
    """Import children from a CSV table or a FHIR Bundle; FILE is made where it is missing.

    A table has one row a visit: pseudonym, sex, and any of age (such as 11y4m) or
    chronological_age_months, bone_age (read by a person) or reader_months, bone_age_months (by
    the program), height_cm, pubertal_stage, treatment, father_cm and mother_cm. With a wrong row
    or an unknown column nothing is imported; a visit that is there already is not saved again.
    """
    children = read_children(file)
    count = _opened(location, create=True).add_children(children)
    there = sum(len(child.visits) for child in children) - count
    already = f"; {there} visits were there already" if there else ""
    echo(f"imported: {len(children)} children, {count} visits{already}")


@history.command()
@location_argument
@pseudonym_argument
@click.option(
    "--out",
    type=OUT_FILE,
    help="The follow-up report if it ends in .pdf, a chart of bone age if in .svg (.height.svg, "
    ".sds.svg: of these), a table if in .csv, a FHIR Bundle if in .fhir.json, else JSON.  "
    "[default: JSON on stdout]",
)
@options.paper_option
@options.language_option
@options.sds_reference_option
@options.height_reference_option
def export(
    location: str,
    pseudonym: str,
    out: Path | None,
    paper: str,
    language: str,
    sds_reference: str | None,
    height_reference: str | None,
) -> None:
    """Export all visits of one child."""
    course = _course(location, pseudonym, sds_reference, height_reference)
    if out is None:
        echo(json.dumps(course_record(course), indent=2))
        return
    content = file_for(out.name).content(course, ReportOptions(paper, language))
    with ExitStack() as stack:
        open_output(stack, out, "--out").write(content)


@history.command()
@location_argument
@pseudonym_argument
@click.option(
    "--entry", type=int, metavar="N", help="Delete only this entry (number as in 'show')."
)
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete(location: str, pseudonym: str, entry: int | None, yes: bool) -> None:
    """Delete a child with all entries, or one entry. This cannot be undone."""
    opened = _opened(location)
    opened.entries(pseudonym)  # an unknown pseudonym is an error, before the question
    what = f"entry {entry} of {pseudonym}" if entry else f"{pseudonym} with all entries"
    if not yes and not click.confirm(f"Delete {printable(what)} permanently?"):
        raise Failed("nothing was deleted")
    count = opened.delete(pseudonym, entry)
    echo(f"{count} {'entry' if count == 1 else 'entries'} deleted")


def _course(
    location: str, pseudonym: str, sds_reference: str | None, height_reference: str | None
) -> Course:
    bone_ages = bone_age_reference(sds_reference)
    heights = stature.height_reference(height_reference)
    return course_of(_opened(location).child(pseudonym), bone_ages=bone_ages, heights=heights)


def _opened(location: str, *, create: bool = False) -> History:
    from boneage.history.store import History  # noqa: PLC0415  needs the extra

    return History(location, create=create)
