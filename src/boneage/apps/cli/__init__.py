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
from boneage.apps.cli.program import EXIT_FAILED, EXIT_USAGE, CommandLine, Failed, Unusable

__all__ = ["EXIT_FAILED", "EXIT_USAGE", "CommandLine", "Failed", "Unusable", "main"]

COMMANDS: Mapping[str, str] = {
    "assess": "Assess the bone age of hand radiographs.",
    "dashboard": "Assess radiographs in the browser, on this computer only.",
    "history": "List, export and delete saved assessments of children.",
    "regions": "Detect the regions in a folder of radiographs and save them.",
    "synthetic": "Draw a synthetic hand radiograph for testing.",
    "calibrate": "Calibrate the estimates to a clinic's own labelled radiographs.",
    "reference": "Make a reference of the SDS from a clinic's own healthy children.",
    "weights": "Show which weights are used, with data and metrics.",
    "train": "Train weights on labelled radiographs.",
    "fit": "Fit quality check and prediction interval to weights.",
    "suitability": "Fit the image quality check alone.",
    "analyse": "Describe a labelled data set, and list its problems.",
    "evaluate": "Measure the accuracy of the weights on labelled radiographs.",
    "stress": "Measure the robustness of the weights to perturbed images.",
    "ablate": "Measure what each part of the method contributes.",
    "ruler": "Measure how well the attention localizes the bones.",
    "serve": "Serve assessments over HTTP, for other programs.",
    "node": "Receive images from a DICOM archive, and send it the results.",
    "dicomweb": "Assess the images of a study in a DICOMweb archive.",
    "token": "Create an access token for a client of the server.",
    "health": "Check the health of a server.",
    "audit": "Check the audit log of a server.",
}
"""Help by name."""
MODULES: Mapping[str, str] = {
    **dict.fromkeys(("analyse", "stress", "ruler", "ablate"), "experiments"),
    **dict.fromkeys(("serve", "token", "health", "audit"), "server"),
    **dict.fromkeys(("calibrate", "fit", "reference", "suitability"), "fitting"),
}
"""The module of a command in this package, where it has not the command's own name."""
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Commands(CommandLine):
    """The subcommands of ``boneage``."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order of the help."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Load a subcommand."""
        if name not in COMMANDS:
            return None
        module = import_module(f"boneage.apps.cli.{MODULES.get(name, name)}")
        command: click.Command = getattr(module, name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands without loading them all."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="boneage")
@click.option("--verbose", is_flag=True, help="Log each step, and tracebacks of errors, on stderr.")
def main(verbose: bool) -> None:
    """Bone age from a radiograph of a child's left hand.

    For research and education only. Not a medical device. Supports, but does
    not replace, a qualified reader.

    \b
    boneage assess hand.png --sex female
    boneage assess --table cases.csv --csv ages.csv
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    _set_up_logging(verbose=verbose)
    # Networks and images in parallel keep the cores busy already; threads of OpenCV only cost a
    # tenth more processor time. Read when OpenCV is imported.
    os.environ.setdefault("OPENCV_FOR_THREADS_NUM", "1")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # no notes of TensorFlow on the processor


def _set_up_logging(*, verbose: bool) -> None:
    """Log to stderr, with tracebacks only if verbose.

    Other libraries are silenced: their warnings may quote patient data.
    """
    logger = logging.getLogger("boneage")
    logger.handlers[:] = [LogHandler(verbose=verbose)]
    if verbose:
        logger.setLevel(logging.DEBUG)
    logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
    warnings.simplefilter("ignore")
