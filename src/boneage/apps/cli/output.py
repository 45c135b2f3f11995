"""What commands print and write: standard output, standard error, output files."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Self

import click

from boneage.storage.files import atomically, reason_of
from boneage.storage.printable import printable

if TYPE_CHECKING:
    from boneage.domain.assessment import Failure, WeightsName
    from boneage.reading.folders import LeftOut

LINE_CONTROLS = "\n\t"
"""Printed as they are: names in the text were made printable before."""


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Print a text; control characters are escaped.

    Raises a `ClickException` when standard output cannot be written, as when it goes to a full
    disk; a `BrokenPipeError` when nobody reads standard output any more, as after ``| head``.
    """
    try:
        click.echo(printable(str(text), keep=LINE_CONTROLS), err=err, nl=nl)
    except OSError as error:
        if err:
            return  # nobody reads it, and the work is not worse for it
        if error.errno == errno.EPIPE:
            raise
        discard_output()
        raise click.ClickException(
            f"standard output cannot be written: {reason_of(error)}"
        ) from error


def echo_written(folder: Path, *names: str) -> None:
    """Print which files of a folder were written."""
    echo(f"written: {', '.join(str(folder / name) for name in names)}")


def clear_line() -> None:
    """Clear the unfinished line on a terminal's standard error: a bar, a count."""
    with suppress(OSError):
        click.echo("\r\x1b[K", nl=False, err=True)


def discard_output() -> None:
    """Discard what is buffered for standard output: Python would fail to flush it at exit."""
    with suppress(OSError, ValueError, AttributeError):
        null_device = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null_device, sys.stdout.fileno())
        os.close(null_device)


def set_up_streams() -> None:
    """Refuse to work without standard output, and let no file take the place of a closed stream.

    Raises a `ClickException` when standard output is closed.
    """
    closed = sys.stdout is None
    with suppress(OSError):
        for stream in (0, 1, 2):
            try:
                os.fstat(stream)
            except OSError:  # the next file that is opened would be this stream
                null_device = os.open(os.devnull, os.O_RDWR)
                if null_device != stream:
                    os.dup2(null_device, stream)
                    os.close(null_device)
    if closed:
        raise click.ClickException(
            "standard output is closed; send it somewhere, such as to a file or to /dev/null"
        )
    for text in (sys.stdout, sys.stderr):
        if hasattr(text, "reconfigure"):
            text.reconfigure(errors="backslashreplace")  # a name that it cannot show is no reason


class LogHandler(logging.Handler):
    """Logs to standard error, a record a line; with tracebacks only if verbose."""

    def __init__(self, *, verbose: bool) -> None:
        super().__init__(logging.DEBUG if verbose else logging.ERROR)
        self.setFormatter(_Formatter())
        self._verbose = verbose

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record."""
        if not self._verbose:
            record.exc_info = None
        echo(self.format(record), err=True)


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        return printable(super().formatMessage(record))


def show_error(error: click.ClickException) -> None:
    """Print an error on standard error, as click does; the message is one line."""
    file = io.StringIO()
    error.show(file)
    text = file.getvalue()
    if error.message:
        text = text.replace(error.message, printable(error.message))
    echo(text, err=True, nl=False)


class Progress:
    """A bar on stderr for more than one image, and only on a terminal."""

    def __init__(self, total: int) -> None:
        self._bar: Any = None
        if total > 1 and sys.stderr.isatty():
            self._bar = click.progressbar(length=total, label="images", file=sys.stderr)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        if self._bar is not None:
            self._bar.__exit__(*error)

    def step(self, text: str = "", *, err: bool = False) -> None:
        """Count one image as done; print a text above the bar."""
        if text:
            if self._bar is not None:
                clear_line()
            echo(text, err=err)
        if self._bar is not None:
            self._bar.update(1)

    def fail(self, failure: Failure) -> None:
        """Count one image as failed; print why."""
        self.step(f"{printable(failure.film)}: failed: {printable(failure.message)}", err=True)


def images(count: int) -> str:
    """Count images in words: ``"1 image"``, ``"3 images"``."""
    return f"{count} image{'s' * (count != 1)}"


def print_summary(
    read: int, refused: int, failed: int, weights: WeightsName, *, err: bool = False
) -> None:
    """Print how many images were assessed, refused and failed."""
    from boneage.reports.wording import DISCLAIMER, weights_text  # noqa: PLC0415

    for line in (
        f"{images(read + refused + failed)}: {read} assessed, "
        + (f"{refused} refused, " if refused else "")
        + f"{failed} failed",
        f"Weights {weights_text(weights)}",
        DISCLAIMER,
    ):
        echo(line, err=err)


def report_left_out(left_out: LeftOut) -> None:
    """Print on standard error which files of a folder are not images."""
    if str(left_out):
        echo(left_out, err=True)


def make_folder(path: Path, option: str) -> Path:
    """Make an output folder before the work begins; failing to is wrong usage."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(path, option, reason_of(error)) from error
    if not os.access(path, os.W_OK):
        raise _unusable(path, option, "the folder is read-only")
    return path


def open_output(
    stack: ExitStack, path: Path, option: str, *, keep_partial: bool = False
) -> BinaryIO:
    """Open an output file before the work begins; failing to is wrong usage.

    For ``keep_partial`` see :func:`boneage.storage.files.atomically`.
    """
    try:
        return stack.enter_context(atomically(path, keep_partial=keep_partial))
    except OSError as error:
        raise _unusable(path, option, reason_of(error)) from error


def _unusable(path: Path, option: str, reason: str) -> click.BadParameter:
    return click.BadParameter(f"{str(path)!r} cannot be written: {reason}", param_hint=option)
