"""Show that a change of the code left every answer as it was.

    python -m tools.same_answers write DATA before.json      with the code as it was
    python -m tools.same_answers compare DATA before.json    with the code as it is

The held-out images of DATA (half scale) are analysed twice: by the command line, whose JSON is
stored, and by the library, whose ages are not rounded. ``--renamed OLD=NEW`` lets a key of
the JSON change its name. Exit status 1: something differs, and what is printed.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

import boneage
from boneage.datasets.films import load_films

TOLERANCE = 1e-6
"""Months, and of every other number."""
VOLATILE = ("seconds", "path")
"""Keys whose values no two runs share."""


def answers(data: Path) -> dict[str, Any]:
    """Analyse the held-out images; the JSON of the command line, and ages to the last digit."""
    films = sorted(load_films(data).select("detailed", "validation"), key=lambda film: film.path)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "cases.csv")
        with table.open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["path", "sex"])
            rows.writerows([str(film.path.resolve()), film.sex.value] for film in films)
        run = subprocess.run(
            [sys.executable, "-m", "boneage", "assess", "--table", str(table), "--json"],
            capture_output=True,
            text=True,
            check=False,
        )
    assessor = boneage.Assessor()
    exact: dict[str, list[float] | str] = {}
    for film in films:
        try:
            answer = assessor.assess(film.path, film.sex)
        except boneage.BoneageError as error:
            exact[film.id] = str(error)
        else:
            interval = answer.interval
            edges = [interval.low_months, interval.high_months] if interval else []
            exact[film.id] = [answer.age_months, *edges]
    return {"exact": exact, "json": json.loads(run.stdout)}


def differences(before: Any, now: Any, where: str = "") -> Iterator[str]:
    if isinstance(before, dict) and isinstance(now, dict):
        for key in before.keys() | now.keys():
            if key in VOLATILE:
                continue
            if (key in before) != (key in now):
                yield f"{where}/{key}: {'gone' if key in before else 'new'}"
            else:
                yield from differences(before[key], now[key], f"{where}/{key}")
    elif isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        for index, (old, new) in enumerate(zip(before, now, strict=True)):
            yield from differences(old, new, f"{where}/{index}")
    elif isinstance(before, int | float) and isinstance(now, int | float):
        if abs(before - now) > TOLERANCE:
            yield f"{where}: {before} is now {now}"
    elif before != now:
        yield f"{where}: {before!r} is now {now!r}"


def renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {names.get(key, key): renamed(item, names) for key, item in value.items()}
    return [renamed(item, names) for item in value] if isinstance(value, list) else value


@click.command(help=__doc__)
@click.argument("action", type=click.Choice(["write", "compare"]))
@click.argument("data", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--renamed", "names", multiple=True, metavar="OLD=NEW", help="A key's new name.")
def main(action: str, data: Path, file: Path, names: tuple[str, ...]) -> None:
    now = answers(data)
    if action == "write":
        file.write_text(json.dumps(now, indent=1) + "\n")
        print(f"{len(now['exact'])} answers written")
        return
    before = renamed(json.loads(file.read_text()), dict(name.split("=", 1) for name in names))
    found = sorted(differences(before, now))
    for line in found[:50]:
        print(line)
    print(f"{len(now['exact'])} images, {len(found)} differences")
    sys.exit(bool(found))


if __name__ == "__main__":
    main()
