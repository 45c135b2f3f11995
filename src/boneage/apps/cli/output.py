"""What commands say: the one place where text goes to standard output and standard error."""

from __future__ import annotations

import errno
import io
import logging
import os
import sys
from contextlib import suppress

import click

from boneage.storage.files import reason_of
from boneage.storage.printable import printable

KEPT = "\n\t"
"""Of a text of several lines; a name has none, for it was made printable where it was put in."""


def echo(text: object = "", *, err: bool = False, nl: bool = True) -> None:
    """Say something; what would drive the terminal is made harmless.

    Raises
    ------
    click.ClickException
        When standard output cannot be written, as when it goes to a full disk.
    BrokenPipeError
        When nobody reads standard output any more, as after ``| head``.
    """
    try:
        click.echo(printable(str(text), keep=KEPT), err=err, nl=nl)
    except OSError as error:
        if err:
            return  # nobody can be told, and the work is not worse for it
        if error.errno == errno.EPIPE:
            raise
        discard_output()
        raise click.ClickException(
            f"standard output cannot be written: {reason_of(error)}"
        ) from error


def clear_line() -> None:
    """Take away the unfinished line on a terminal's standard error: a bar, a count."""
    with suppress(OSError):
        click.echo("\r\x1b[K", nl=False, err=True)


def discard_output() -> None:
    """Let what waits for standard output go nowhere: Python would try, and fail, at its end."""
    with suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)


def set_up_streams() -> None:
    """Refuse to work without standard output, and let no file take the place of a closed stream.

    Raises
    ------
    click.ClickException
        When standard output is closed.
    """
    closed = sys.stdout is None
    with suppress(OSError):
        for stream in (0, 1, 2):
            try:
                os.fstat(stream)
            except OSError:  # the next file that is opened would be this stream
                nowhere = os.open(os.devnull, os.O_RDWR)
                if nowhere != stream:
                    os.dup2(nowhere, stream)
                    os.close(nowhere)
    if closed:
        raise click.ClickException(
            "standard output is closed; send it somewhere, such as to a file or to /dev/null"
        )
    for text in (sys.stdout, sys.stderr):
        if hasattr(text, "reconfigure"):
            text.reconfigure(errors="backslashreplace")  # a name that it cannot show is no reason


class LogHandler(logging.Handler):
    """Logs to standard error, a record a line."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.setFormatter(_Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record."""
        echo(self.format(record), err=True)


class _Formatter(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  logging's own name
        return printable(super().formatMessage(record))


def show(error: click.ClickException) -> None:
    """Say on standard error what went wrong, as click does; the message is one line."""
    text = io.StringIO()
    error.show(text)
    said = text.getvalue()
    if error.message:
        said = said.replace(error.message, printable(error.message))
    echo(said, err=True, nl=False)
