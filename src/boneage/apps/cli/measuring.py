"""What the commands that measure something on labelled radiographs share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, TypeVar

import click

from boneage.apps.cli import EXIT_FAILED
from boneage.apps.cli.output import Progress, echo
from boneage.domain.assessment import Failure

if TYPE_CHECKING:
    from pathlib import Path

    from boneage.inference.assessor import Assessor

R = TypeVar("R")


def open_assessor(weights: Path | None) -> Assessor:
    """Load weights for many radiographs, without a clinic's calibration.

    One core each: more threads for each of several radiographs only fight for the cores.
    """
    from boneage.inference.assessor import Assessor as Loaded  # noqa: PLC0415  opens fast

    return Loaded(weights, threads=1, calibration="")


def count_workers(workers: int | None) -> int:
    """How many radiographs are read at a time: as wanted, or one for each processor core."""
    from boneage.storage.many import default_workers  # noqa: PLC0415

    return workers or default_workers()


def collected(
    results: Iterable[R | Failure], total: int, *, verb: str = "read", strict: bool = False
) -> tuple[list[R], list[Failure]]:
    """Take results as they come, with a bar on a terminal; each failure is named.

    The command ends where no radiograph gave a result, and with ``strict`` at the first failure.
    """
    found: list[R] = []
    failures: list[Failure] = []
    with Progress(total) as progress:
        for result in results:
            if not isinstance(result, Failure):
                found.append(result)
                progress.step()
                continue
            failures.append(result)
            progress.fail(result)
            if strict:
                raise click.ClickException(
                    "stopped at the first radiograph without an answer (--strict)"
                )
    if not found:
        echo(f"none of {total} radiographs could be {verb}; nothing written", err=True)
        raise click.exceptions.Exit(EXIT_FAILED)
    return found, failures
