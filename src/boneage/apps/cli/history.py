"""``boneage history``: saved assessments of children, under pseudonyms."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from boneage.apps.cli import Failed
from boneage.apps.cli.options import OUT_FILE
from boneage.apps.cli.output import echo, open_output
from boneage.domain.reported import years_and_months
from boneage.history.entry import StoredAssessment, chart_of
from boneage.reports.growth_svg import growth_svg
from boneage.reports.wording import EN, sds_number, stored_classification
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
def show(location: str, pseudonym: str) -> None:
    """Show the entries of one child, by chronological age."""
    for entry in _opened(location).entries(pseudonym):
        echo(_line(entry))


@history.command()
@location_argument
@pseudonym_argument
@click.option(
    "--out",
    type=OUT_FILE,
    help="A growth chart if it ends in .svg, else JSON.  [default: JSON on stdout]",
)
def export(location: str, pseudonym: str, out: Path | None) -> None:
    """Export all entries of one child."""
    entries = _opened(location).entries(pseudonym)
    plain = {"pseudonym": pseudonym, "entries": [entry.to_dict() for entry in entries]}
    text = json.dumps(plain, indent=2, ensure_ascii=out is None)
    if out is None:
        echo(text)
        return
    if out.suffix.lower() == ".svg":
        text = growth_svg(chart_of(entries))
    with ExitStack() as stack:
        open_output(stack, out, "--out").write(f"{text}\n".encode())


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


def _opened(location: str) -> History:
    from boneage.history.store import History  # noqa: PLC0415  needs the extra

    return History(location, create=False)


def _line(entry: StoredAssessment) -> str:
    age = entry.chronological_age_months
    parts = [
        f"{entry.number}: at {'an unknown age' if age is None else years_and_months(age)}",
        f"bone age {years_and_months(entry.bone_age_months)} ({EN.months(entry.bone_age_months)})",
    ]
    if entry.sds is not None:
        parts.append(
            f"SDS {sds_number(entry.sds)} around the {entry.sds_centre}, "
            f"{stored_classification(entry.determination)}"
        )
    if entry.height_cm is not None:
        parts.append(f"height {EN.number(entry.height_cm)} cm")
    if entry.adult_height_cm is not None:
        parts.append(f"adult height {EN.number(entry.adult_height_cm)} cm")
    return ", ".join([*parts, f"weights {entry.weights}"])
