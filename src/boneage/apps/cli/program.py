"""A command line of subcommands: errors become sentences, signals end the work in order."""

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

from boneage.apps.cli.output import discard_output, echo, set_up_streams, show
from boneage.errors import BoneageError, FilmError, OutputError
from boneage.extras import what_to_install
from boneage.storage.files import reason_of

EXIT_FAILED, EXIT_USAGE = 1, 2
BROKEN_PIPE = 13
"""The number of SIGPIPE, which ends others that write to ``head``."""
NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
"""Ctrl-C; what batch systems and computers that shut down send; a terminal that closes."""
TOGETHER_SECONDS = 1.0
"""Signals sent with the first one, such as SIGHUP after SIGTERM, do not disturb the end."""
BY_SIGNAL = 128
"""A command that a signal ended has this and the signal's number as its exit status."""


class Failed(click.ClickException):
    """Something could not be done, in one sentence."""

    exit_code = EXIT_FAILED


class Unusable(click.ClickException):
    """What was given cannot be used; nothing was done."""

    exit_code = EXIT_USAGE


class CommandLine(click.Group):
    """A command line of subcommands, and the one place where an error becomes a sentence."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run a command line to its end; nothing that goes wrong ends in a traceback."""
        if not standalone_mode:
            return super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        try:
            with stopped_by_signals():
                set_up_streams()
                status = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except click.ClickException as error:
            show(error)
            status = error.exit_code
        except click.Abort as error:  # outside a command, or at a question
            echo("stopped", err=True)
            cause = error.__cause__
            status = status_of(cause) if isinstance(cause, KeyboardInterrupt) else EXIT_FAILED
        except OSError as error:  # of --help and --version
            discard_output()
            show(Failed(f"standard output cannot be written: {reason_of(error)}"))
            status = EXIT_FAILED
        sys.exit(status if isinstance(status, int) else 0)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand; what goes wrong becomes a sentence."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError as error:  # quietly, as others end whose reader has gone
            discard_output()
            raise click.exceptions.Exit(BY_SIGNAL + BROKEN_PIPE) from error
        except KeyboardInterrupt as error:
            echo(cause_of(error), err=True)
            raise click.exceptions.Exit(status_of(error)) from error
        except (FilmError, OutputError) as error:
            raise Failed(str(error)) from error
        except BoneageError as error:  # of the weights, a table, a profile
            raise Unusable(str(error)) from error
        except OSError as error:
            raise Failed(_sentence(error)) from error
        except ModuleNotFoundError as error:
            raise Unusable(what_to_install(error)) from error
        except Exception as error:
            logging.getLogger(__name__).debug("unexpected", exc_info=True)
            sentence = f"unexpected {type(error).__name__}: {error} (boneage --verbose says more)"
            raise Failed(sentence) from error


def _sentence(error: OSError) -> str:
    named = f": {str(error.filename)!r}" if error.filename else ""
    return f"{reason_of(error)}{named}"


class Stopped(KeyboardInterrupt):
    """Raised in the middle of the work by a signal that ends the process."""

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
        if first and now - first[0] < TOGETHER_SECONDS:
            return
        first[:] = [now]
        raise Stopped(number)

    earlier = {}
    for name in NAMES:
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


def status_of(stopped: KeyboardInterrupt) -> int:
    """Give the exit status of a command that was stopped, as shells do."""
    return BY_SIGNAL + _number(stopped)


def cause_of(stopped: KeyboardInterrupt) -> str:
    """Say what stopped a command: ``"stopped by SIGTERM"``."""
    number = _number(stopped)
    return "stopped" if number == signal.SIGINT else f"stopped by {signal.Signals(number).name}"


def _number(stopped: KeyboardInterrupt) -> int:
    return stopped.number if isinstance(stopped, Stopped) else signal.SIGINT
