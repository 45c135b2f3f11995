"""What the commands that measure something on labelled radiographs share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.output import Progress, echo
from boneage.domain.assessment import Failure
from boneage.inference.assessor import Assessor

R = TypeVar("R")


def open_assessor(weights: Path | None) -> Assessor:
    """Load weights without a calibration, for several images in parallel: one thread each."""
    return Assessor(weights, threads=1, calibration="")


def with_progress(results: Iterable[R | Failure], total: int) -> Iterator[R | Failure]:
    """Yield results as they come, with a bar on a terminal; each failure is printed."""
    with Progress(total) as progress:
        for result in results:
            if isinstance(result, Failure):
                progress.fail(result)
            else:
                progress.step()
            yield result


def collect(
    results: Iterable[R | Failure], total: int, *, verb: str = "assessed", strict: bool = False
) -> tuple[list[R], list[Failure]]:
    """Collect results and failures, with a bar on a terminal; each failure is printed.

    The command ends where no radiograph gave a result, and with ``strict`` at the first failure.
    """
    found: list[R] = []
    failures: list[Failure] = []
    for result in with_progress(results, total):
        if not isinstance(result, Failure):
            found.append(result)
            continue
        failures.append(result)
        if strict:
            raise click.ClickException("stopped at the first radiograph that failed (--strict)")
    if not found:
        echo(f"none of {total} radiographs could be {verb}; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    return found, failures
