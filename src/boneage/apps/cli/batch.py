"""What commands over many films share: progress, outputs, names."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import click

from boneage.apps.cli.output import clear_line, echo
from boneage.storage.files import atomically, reason_of
from boneage.storage.printable import printable

if TYPE_CHECKING:
    from boneage.domain.assessment import Failure, WeightsName
    from boneage.reading.folders import LeftOut


class Progress:
    """A bar on stderr for more than one film, and only on a terminal."""

    def __init__(self, total: int) -> None:
        self._bar: Any = None
        if total > 1 and sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label="films", file=sys.stderr)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, error, trace)

    def step(self, text: str = "", *, err: bool = False) -> None:
        """One film is done; say something about it above the bar."""
        if text:
            if self._bar is not None:
                clear_line()
            echo(text, err=err)
        if self._bar is not None:
            self._bar.update(1)

    def fail(self, failure: Failure) -> None:
        """One film has failed; say why."""
        self.step(f"{printable(failure.film)}: failed: {printable(failure.message)}", err=True)


def sum_up(
    read: int, refused: int, failed: int, weights: WeightsName, *, err: bool = False
) -> None:
    """Say at the end of many films what became of them."""
    from boneage.reports.wording import DISCLAIMER, weights_text  # noqa: PLC0415

    for line in (
        f"{read + refused + failed} films: {read} read, "
        + (f"{refused} refused, " if refused else "")
        + f"{failed} failed",
        f"Weights {weights_text(weights)}",
        DISCLAIMER,
    ):
        echo(line, err=err)


def report_left_out(left_out: LeftOut) -> None:
    """Say on standard error what a folder holds beside films; nothing where it holds none."""
    if str(left_out):
        echo(left_out, err=True)


def make_folder(path: Path, option: str) -> Path:
    """Make an output folder before the work begins; not being able to is wrong usage."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, option, reason_of(error)) from error
    if not os.access(path, os.W_OK):
        raise _unusable(path, option, "the folder is read-only")
    return path


def open_output(stack: ExitStack, path: Path, option: str, *, keep: bool = False) -> BinaryIO:
    """Open an output file before the work begins; not being able to is wrong usage.

    For ``keep`` see :func:`boneage.storage.files.atomically`.
    """
    try:
        return stack.enter_context(atomically(path, keep=keep))
    except OSError as error:
        raise _unusable(path, option, reason_of(error)) from error


def _unusable(path: Path, option: str, reason: str) -> click.BadParameter:
    return click.BadParameter(f"{str(path)!r} cannot be written: {reason}", param_hint=option)
