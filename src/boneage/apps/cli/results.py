"""``boneage assess --out``: a batch of any size into a folder, that survives a kill."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.batch import make_folder, report_left_out, sum_up
from boneage.apps.cli.output import clear_line, echo
from boneage.apps.cli.stopping import cause_of, status_of

if TYPE_CHECKING:
    from boneage.batch.items import Answered, Item
    from boneage.batch.results import Results
    from boneage.batch.run import Engine
    from boneage.batch.settings import Settings
    from boneage.domain.assessment import WeightsName

SAY_FILMS, SAY_SECONDS = 1_000, 60.0
"""How often the progress is said where it goes into a file: whichever comes first."""
SHOW_SECONDS = 0.5
"""The same on a terminal."""
PACE_FILMS = 50
"""Read in this run, before it is said how long the rest takes."""


@dataclass(frozen=True)
class Big:
    """How a batch goes into a folder; ``out`` is None where it does not."""

    out: Path | None = None
    suffix: str = ".csv"
    workers: int | None = None
    engine: str = "processes"


def results_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about a folder of results, as one argument ``big``."""

    @wraps(command)
    def with_results(
        *arguments: Any,
        out: Path | None,
        table_format: str | None,
        workers: int | None,
        engine: str | None,
        **others: Any,
    ) -> Any:
        if out is None and (table_format or workers or engine):
            raise click.UsageError("--format, --workers and --engine need a folder: --out RESULTS")
        big = Big(out, f".{table_format or 'csv'}", workers, engine or "processes")
        return command(*arguments, big=big, **others)

    for option in reversed(OPTIONS):
        with_results = option(with_results)
    return with_results


OPTIONS = (
    click.option(
        "--out",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="For many films: write part files of rows into DIR/ages and DIR/failures, by several "
        "processes. The same command goes on where it was stopped or killed.",
    ),
    click.option(
        "--format",
        "table_format",
        type=click.Choice(["csv", "parquet"]),
        help="Of the part files.  [default: csv]",
    ),
    click.option(
        "--workers",
        type=click.IntRange(min=1),
        metavar="N",
        help="Processes that read films.  [default: one for each processor core]",
    ),
    click.option(
        "--engine",
        type=click.Choice(["processes", "ray"]),
        help="Read on this machine, or on a Ray cluster.  [default: processes]",
    ),
)


def assess_into(big: Big, settings: Settings, films: Sequence[Path], table: Path | None) -> None:
    """Read films, or those of a table, into a folder.

    Raises
    ------
    click.exceptions.Exit
        When some films were refused or failed.
    """
    from boneage.batch.items import items_of, items_of_table  # noqa: PLC0415
    from boneage.batch.results import Results  # noqa: PLC0415
    from boneage.batch.run import run_batch  # noqa: PLC0415
    from boneage.reading.folders import LeftOut  # noqa: PLC0415

    out = big.out
    if out is None:
        raise ValueError("no folder to write into")
    assessor = settings.assessor()
    settings = replace(settings, weights_sha256=assessor.weights.name.sha256)
    recipe = settings.recipe(assessor) | _source(films, table) | {"format": big.suffix}
    if big.suffix == ".parquet":
        import pyarrow  # noqa: F401, PLC0415  said before the work begins

    left_out = LeftOut()

    def items(left_out: LeftOut | None = None) -> Iterator[Item]:
        return items_of_table(table) if table else items_of(films, left_out)

    engine = _engine(big, out, settings)
    total = sum(1 for _ in items(left_out))  # tells early, too, what is wrong with a table
    report_left_out(left_out)
    make_folder(out, "--out")
    with Results(out, recipe, big.suffix) as results:
        try:
            with Pace(total) as pace:
                run_batch(items(), engine, results, pace.step)
        except KeyboardInterrupt as error:
            echo(f"{cause_of(error)}; the same command goes on from here", err=True)
            raise click.exceptions.Exit(status_of(error)) from None
        _finish(results, assessor.weights.name)


def _finish(results: Results, weights: WeightsName) -> None:
    counts = results.counts()
    sum_up(counts.read, counts.refused, counts.failed, weights)
    echo(f"Rows: {results.folder / 'ages'} and {results.folder / 'failures'}")
    if counts.films > counts.read:
        raise click.exceptions.Exit(EXIT_FAILED)


def _source(films: Sequence[Path], table: Path | None) -> dict[str, Any]:
    """Say which films a folder is for; a table by its content, for a row is known by its line."""
    if table is None:
        return {"films": sorted(os.path.abspath(film) for film in films)}  # noqa: PTH100
    with table.open("rb") as file:
        return {"table sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _engine(big: Big, out: Path, settings: Settings) -> Engine:
    if big.engine == "ray":
        from boneage.batch.ray_data import RayData  # noqa: PLC0415  needs the extra

        return RayData(settings, out, big.workers)
    from boneage.batch.processes import Processes  # noqa: PLC0415
    from boneage.storage.many import default_workers  # noqa: PLC0415

    return Processes(settings, big.workers or default_workers())


class Pace:
    """Says on stderr how many films are done, how fast, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.read_now = total, 0, 0
        self._live = sys.stderr.isatty()
        self._start = self._said = time.monotonic()

    def __enter__(self) -> Pace:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            clear_line()
        if self.done:
            self._say(end=True)

    def step(self, answered: Answered | None) -> None:
        """One more film is done, now or (None) in an earlier run."""
        self.done += 1
        now = time.monotonic()
        if answered is not None:
            self.read_now += 1
            if self.read_now == 1:
                self._start = now  # without the opening of the weights
        due = SHOW_SECONDS if self._live else SAY_SECONDS
        round_number = not self._live and self.done % SAY_FILMS == 0 and answered is not None
        if now - self._said >= due or round_number:
            self._said = now
            self._say()

    def _say(self, *, end: bool = False) -> None:
        text = f"{self.done} of {self.total} films"
        seconds = time.monotonic() - self._start
        if self.read_now > 1 and seconds > 0:
            pace = (self.read_now - 1) / seconds
            text += f", {pace:.2f} films/s"
            if not end and self.read_now >= PACE_FILMS:
                text += f", {_duration((self.total - self.done) / pace)} left"
        if self._live and not end:
            clear_line()
            echo(text, nl=False, err=True)
        else:
            echo(text, err=True)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{max(minutes, 1)} min"
