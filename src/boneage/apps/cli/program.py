"""A command line of subcommands: errors become messages, signals end the work in order."""

from __future__ import annotations

import logging
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

import click

from boneage.apps.cli.output import discard_output, echo, set_up_streams, show_error
from boneage.errors import BoneageError, FilmError, OutputError
from boneage.extras import what_to_install
from boneage.storage.files import reason_of

EXIT_FAILED, EXIT_USAGE = 1, 2
SIGPIPE = 13
"""The number of SIGPIPE, which ends a program whose output goes to ``head``."""
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")
"""Sent by Ctrl-C; by batch systems and shutdowns; by a terminal that closes."""
SAME_STOP_SECONDS = 1.0
"""Further signals within this time, such as SIGHUP after SIGTERM, are ignored."""
SIGNAL_STATUS = 128
"""Plus the signal's number: the exit status of a command that a signal ended."""


class Failed(click.ClickException):
    """The command failed; the message states the reason."""

    exit_code = EXIT_FAILED


class Unusable(click.ClickException):
    """The input cannot be used; nothing was done."""

    exit_code = EXIT_USAGE


class CommandLine(click.Group):
    """A command line of subcommands, and the one place where errors become messages."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line to its end; no error shows a traceback."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            with stopped_by_signals():
                set_up_streams()
                status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            show_error(error)
            status = error.exit_code
        except click.Abort as error:  # outside a command, or at a question
            echo("stopped", err=True)
            cause = error.__cause__
            status = exit_status(cause) if isinstance(cause, KeyboardInterrupt) else EXIT_FAILED
        except OSError as error:  # of --help and --version
            discard_output()
            show_error(Failed(f"standard output cannot be written: {reason_of(error)}"))
            status = EXIT_FAILED
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; errors become messages."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError as error:  # quietly, as others end whose reader has gone
            discard_output()
            raise click.exceptions.Exit(SIGNAL_STATUS + SIGPIPE) from error
        except KeyboardInterrupt as error:
            echo(stop_reason(error), err=True)
            raise click.exceptions.Exit(exit_status(error)) from error
        except (FilmError, OutputError) as error:
            raise Failed(str(error)) from error
        except BoneageError as error:  # of the weights, a table, a profile
            raise Unusable(str(error)) from error
        except OSError as error:
            named = f": {str(error.filename)!r}" if error.filename else ""
            raise Failed(f"{reason_of(error)}{named}") from error
        except ModuleNotFoundError as error:
            raise Unusable(what_to_install(error)) from error
        except Exception as error:
            logging.getLogger(__name__).debug("unexpected", exc_info=True)
            sentence = f"unexpected {type(error).__name__}: {error} (details: boneage --verbose)"
            raise Failed(sentence) from error


class Stopped(KeyboardInterrupt):
    """Raised during the work by a signal that ends the process."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


@contextmanager
def stopped_by_signals() -> Iterator[None]:
    """Raise :class:`Stopped` where a signal would have ended the process at once.

    A signal that is ignored, as SIGHUP under ``nohup``, stays ignored, and one that somebody
    else handles stays theirs.
    """
    first: list[float] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if first and now - first[0] < SAME_STOP_SECONDS:
            return
        first[:] = [now]
        raise Stopped(number)

    earlier = {}
    for name in SIGNALS:
        number = getattr(signal, name, None)  # no SIGHUP on Windows
        if number is None:
            continue
        handler = signal.getsignal(number)
        if handler in (signal.SIG_DFL, signal.default_int_handler):
            with suppress(ValueError):  # outside the main thread
                signal.signal(number, stop)
                earlier[number] = handler
    try:
        yield
    finally:
        for number, handler in earlier.items():
            if signal.getsignal(number) is stop:
                signal.signal(number, handler)


def exit_status(stopped: KeyboardInterrupt) -> int:
    """The exit status of a command that was stopped, as shells give it."""
    return SIGNAL_STATUS + getattr(stopped, "number", signal.SIGINT)


def stop_reason(stopped: KeyboardInterrupt) -> str:
    """What stopped a command: ``"stopped by SIGTERM"``."""
    number = getattr(stopped, "number", signal.SIGINT)
    return "stopped" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"
