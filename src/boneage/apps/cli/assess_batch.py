"""``boneage assess --out``: a batch of any size into a folder, resumable after a kill."""

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

from boneage.apps.cli import output
from boneage.apps.cli.options import BatchOptions
from boneage.apps.cli.program import EXIT_FAILED, exit_status, stop_reason
from boneage.batch.cases import Item, items_of, items_of_table
from boneage.batch.processes import ProcessEngine
from boneage.batch.results import ItemRow, Results
from boneage.batch.run import BatchSettings, Engine, run_batch
from boneage.reading.folders import LeftOut
from boneage.storage.parallel import default_workers

LOG_IMAGES, LOG_SECONDS = 1_000, 60.0
"""How often progress is logged where stderr is not a terminal: whichever comes first."""
REFRESH_SECONDS = 0.5
"""How often it is refreshed on a terminal."""
ESTIMATE_IMAGES = 50
"""Assessed in this run before the remaining time is estimated."""


def assess_batch(
    out: Path,
    options: BatchOptions,
    settings: BatchSettings,
    films: Sequence[Path],
    table: Path | None,
) -> None:
    """Assess images, or those of a table, into a folder; an `Exit` when some have no result."""
    assessor = settings.assessor()
    settings = replace(settings, weights_sha256=assessor.weights.name.sha256)
    recipe = settings.recipe(assessor) | _source(films, table) | {"format": options.suffix}
    if options.suffix == ".parquet":
        import pyarrow  # noqa: F401, PLC0415  an extra; reported before the work begins

    def items(left_out: LeftOut | None = None) -> Iterator[Item]:
        return items_of_table(table) if table else items_of(films, left_out)

    engine: Engine = ProcessEngine(settings, options.workers or default_workers())
    if options.engine == "ray":
        from boneage.batch.ray_data import RayEngine  # noqa: PLC0415  an extra

        engine = RayEngine(settings, out, options.workers)
    left_out = LeftOut()
    total = sum(1 for _ in items(left_out))  # also reports early what is wrong with a table
    output.report_left_out(left_out)
    output.make_folder(out, "--out")
    with Results(out, recipe, options.suffix) as results:
        try:
            with BatchProgress(total) as pace:
                run_batch(items(), engine, results, pace.step)
        except KeyboardInterrupt as error:
            output.echo(f"{stop_reason(error)}; the same command resumes from here", err=True)
            raise click.exceptions.Exit(exit_status(error)) from None
        counts = results.counts()
    weights = assessor.weights.name
    output.print_summary(counts.read, counts.refused, counts.failed, weights)
    output.echo(f"Rows: {out / 'ages'} and {out / 'failures'}")
    if counts.images > counts.read:
        raise click.exceptions.Exit(EXIT_FAILED)


def _source(films: Sequence[Path], table: Path | None) -> dict[str, Any]:
    """Which images a folder is for; a table by its content, as rows are known by their line."""
    if table is None:
        return {"films": sorted(os.path.abspath(film) for film in films)}  # noqa: PTH100
    with table.open("rb") as file:
        return {"table sha256": hashlib.file_digest(file, "sha256").hexdigest()}


class BatchProgress:
    """Prints on stderr how many images are done, how fast, and the remaining time."""

    def __init__(self, total: int) -> None:
        self.total, self.done, self.done_now = total, 0, 0
        self._on_terminal = sys.stderr.isatty()
        self._start = self._printed = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._on_terminal:
            output.clear_line()
        if self.done:
            self._print(end=True)

    def step(self, row: ItemRow | None) -> None:
        """Count an image as done, now or (None) in an earlier run."""
        self.done += 1
        now = time.monotonic()
        if row is not None:
            self.done_now += 1
            if self.done_now == 1:
                self._start = now  # without the opening of the weights
        due = REFRESH_SECONDS if self._on_terminal else LOG_SECONDS
        round_number = not self._on_terminal and self.done % LOG_IMAGES == 0 and row is not None
        if now - self._printed >= due or round_number:
            self._printed = now
            self._print()

    def _print(self, *, end: bool = False) -> None:
        text = f"{self.done} of {output.images(self.total)}"
        seconds = time.monotonic() - self._start
        if self.done_now > 1 and seconds > 0:
            pace = (self.done_now - 1) / seconds
            text += f", {pace:.2f} images/s"
            if not end and self.done_now >= ESTIMATE_IMAGES:
                text += f", {_duration((self.total - self.done) / pace)} left"
        if self._on_terminal and not end:
            output.clear_line()
            output.echo(text, nl=False, err=True)
        else:
            output.echo(text, err=True)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02d} min" if hours else f"{max(minutes, 1)} min"
