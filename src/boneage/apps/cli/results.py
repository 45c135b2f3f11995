"""``boneage assess --out``: a batch of any size into a folder, that survives a kill."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import click

from boneage.apps.cli.options import BatchOptions
from boneage.apps.cli.output import clear_line, echo, images, make_folder, report_left_out, sum_up
from boneage.apps.cli.program import EXIT_FAILED, cause_of, status_of
from boneage.batch.cases import Item, items_of, items_of_table
from boneage.batch.processes import Processes
from boneage.batch.results import ItemRow, Results
from boneage.batch.run import BatchSettings, Engine, run_batch
from boneage.domain.assessment import WeightsName
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex
from boneage.reading.folders import LeftOut
from boneage.storage.many import default_workers

SAY_FILMS, SAY_SECONDS = 1_000, 60.0
"""How often the progress is said where it goes into a file: whichever comes first."""
SHOW_SECONDS = 0.5
"""The same on a terminal."""
PACE_FILMS = 50
"""Assessed in this run, before it is said how long the rest takes."""


def settings_of(
    weights: Path | None,
    calibration: Path | None,
    level: float | None,
    sex: Sex | None,
    child: Child,
    *,
    force: bool,
) -> BatchSettings:
    """Gather what every image of a folder of results is assessed with.

    Raises
    ------
    click.UsageError
        When more is said of the child than holds for every one.
    """
    if child != Child(centre=child.centre):
        raise click.UsageError(
            "with --out, ages, dates and heights come from the images or the columns of --table"
        )
    return BatchSettings(
        weights=str(weights.resolve()) if weights else None,
        calibration=str(calibration.resolve()) if calibration else None,
        level=level,
        sex=sex,
        force=force,
        centre=child.centre,
    )


def assess_into(
    out: Path,
    into: BatchOptions,
    settings: BatchSettings,
    films: Sequence[Path],
    table: Path | None,
) -> None:
    """Assess images, or those of a table, into a folder.

    Raises
    ------
    click.exceptions.Exit
        When some images were refused or failed.
    """
    assessor = settings.assessor()
    settings = replace(settings, weights_sha256=assessor.weights.name.sha256)
    recipe = settings.recipe(assessor) | _source(films, table) | {"format": into.suffix}
    if into.suffix == ".parquet":
        import pyarrow  # noqa: F401, PLC0415  an extra; said before the work begins

    def items(left_out: LeftOut | None = None) -> Iterator[Item]:
        return items_of_table(table) if table else items_of(films, left_out)

    engine, left_out = _engine(into, out, settings), LeftOut()
    total = sum(1 for _ in items(left_out))  # tells early, too, what is wrong with a table
    report_left_out(left_out)
    make_folder(out, "--out")
    with Results(out, recipe, into.suffix) as results:
        try:
            with PaceReport(total) as pace:
                run_batch(items(), engine, results, pace.step)
        except KeyboardInterrupt as error:
            echo(f"{cause_of(error)}; the same command resumes from here", err=True)
            raise click.exceptions.Exit(status_of(error)) from None
        _finish(results, assessor.weights.name)


def _finish(results: Results, weights: WeightsName) -> None:
    counts = results.counts()
    sum_up(counts.read, counts.refused, counts.failed, weights)
    echo(f"Rows: {results.folder / 'ages'} and {results.folder / 'failures'}")
    if counts.images > counts.read:
        raise click.exceptions.Exit(EXIT_FAILED)


def _source(films: Sequence[Path], table: Path | None) -> dict[str, Any]:
    """Say which images a folder is for; a table by its content, for a row is known by its line."""
    if table is None:
        return {"films": sorted(os.path.abspath(film) for film in films)}  # noqa: PTH100
    with table.open("rb") as file:
        return {"table sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _engine(into: BatchOptions, out: Path, settings: BatchSettings) -> Engine:
    if into.engine == "ray":
        from boneage.batch.ray_data import RayData  # noqa: PLC0415  an extra

        return RayData(settings, out, into.workers)
    return Processes(settings, into.workers or default_workers())


class PaceReport:
    """Says on stderr how many images are done, how fast, and how long the rest will take."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.read_now = total, 0, 0
        self._live = sys.stderr.isatty()
        self._start = self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            clear_line()
        if self.done:
            self._say(end=True)

    def step(self, answered: ItemRow | None) -> None:
        """One more image is done, now or (None) in an earlier run."""
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
        text = f"{self.done} of {images(self.total)}"
        seconds = time.monotonic() - self._start
        if self.read_now > 1 and seconds > 0:
            pace = (self.read_now - 1) / seconds
            text += f", {pace:.2f} images/s"
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
