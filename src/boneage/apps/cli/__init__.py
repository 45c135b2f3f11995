"""The command line. Each subcommand is a module, loaded only when it is used."""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Mapping
from importlib import import_module

import click

from boneage._version import __version__
from boneage.apps.cli.output import LogHandler
from boneage.apps.cli.program import EXIT_FAILED, EXIT_USAGE, Failed, Program, Unusable

__all__ = ["EXIT_FAILED", "EXIT_USAGE", "Failed", "Program", "Unusable", "main"]

COMMANDS: Mapping[str, str] = {
    "assess": "Read the bone age of films.",
    "dashboard": "Read films in the browser, on this computer alone.",
    "history": "See, export and delete what was kept of children.",
    "regions": "Find the regions of a folder of films and save them.",
    "synthetic": "Draw a hand film that is nobody's, to try things on.",
    "calibrate": "Fit the answers to a clinic's own labelled films.",
    "weights": "Say which weights answer, and what is known of them.",
    "train": "Train weights from labelled films.",
    "suitability": "Fit what judges films before they are read.",
    "analyse": "Say what a labelled data set holds, and what is wrong with it.",
    "evaluate": "Measure the weights on labelled films.",
    "stress": "Change films, and see how far the answers move.",
    "ablate": "Measure what each part of the method is worth.",
    "ruler": "Measure whether the attention finds the bones.",
    "serve": "Answer over HTTP, for other programs.",
    "node": "Take films from a DICOM archive, and send it the answers.",
    "dicomweb": "Read the films of a study in a DICOMweb archive.",
    "token": "Make a token for a program that asks the server.",
    "health": "Ask a server whether it is well.",
    "audit": "Check the audit log of a server.",
}
"""Each is the command of the same name in the module ``boneage.apps.cli.<name>``."""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(Program):
    """The subcommands of ``boneage``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order in which people meet them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Load a subcommand."""
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"boneage.apps.cli.{name}"), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without loading them all."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="boneage")
@click.option("--verbose", is_flag=True, help="Say on stderr what goes on, and where errors arise.")
def main(verbose: bool) -> None:
    """Bone age from a radiograph of a child's left hand.

    Supports, does not replace, a reader. Not a medical device.

    \b
    boneage assess hand.png --sex female
    boneage assess --table cases.csv --csv ages.csv
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    _set_up_logging(verbose=verbose)
    # Networks and films side by side keep the cores busy; OpenCV on all of them as well makes
    # no film faster, and takes a tenth more processor time. Read when OpenCV is imported.
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")


def _set_up_logging(*, verbose: bool) -> None:
    """Log to stderr: sentences, with tracebacks only when asked for.

    Other libraries stay silent: their warnings quote what films state of a
    patient.
    """
    handler = LogHandler(logging.DEBUG if verbose else logging.ERROR)
    if not verbose:
        handler.addFilter(_without_traceback)
    logger = logging.getLogger("boneage")
    logger.handlers[:] = [handler]
    if verbose:
        logger.setLevel(logging.DEBUG)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")


def _without_traceback(record: logging.LogRecord) -> bool:
    record.exc_info = None
    return True
