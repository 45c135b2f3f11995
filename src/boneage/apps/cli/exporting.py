"""The exports of ``boneage assess``: picture, report, DICOM, FHIR."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import click

from boneage.apps.cli.options import Outputs
from boneage.apps.cli.output import make_folder
from boneage.errors import BoneageError
from boneage.inference.session import Session
from boneage.reports import exports
from boneage.reports.identity import Identity
from boneage.storage.files import is_stream, reason_of

EXPORTS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "--picture": ("picture", (exports.PICTURE,)),
    "--report": ("report", (exports.REPORT,)),
    "--dicom-out": ("DICOM", (exports.DICOM_PICTURE, exports.DICOM_REPORT)),
    "--fhir": ("FHIR", (exports.FHIR,)),
}
"""What each option writes: in a word, and the names of the formats."""
ONE_FILE = frozenset(("--report", "--fhir"))
"""Options that also accept a file name."""


def prepare_outputs(outputs: Outputs, *, many: bool) -> None:
    """Create the folders and check the extras before the work begins.

    Raises a `UsageError` when an output cannot be written, or is one file for many images; and a
    `ModuleNotFoundError` when an extra is not installed.
    """
    for option, path in outputs.paths.items():
        formats = [exports.FORMATS[name] for name in EXPORTS[option][1]]
        for one in formats:
            one.require()
        suffix = Path(formats[0].suffix).suffix
        named = path.suffix.lower() == suffix and not path.is_dir()
        if option not in ONE_FILE or not (named or is_stream(path)):
            make_folder(path, option)
        elif many:
            raise click.BadParameter(
                f"{str(path)!r} is one file, but there are several images; give a folder",
                param_hint=option,
            )
        elif not is_stream(path) and not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
            raise click.BadParameter(
                f"{str(path)!r} cannot be written: its folder does not exist or is read-only",
                param_hint=option,
            )


def write_exports(
    session: Session, outputs: Outputs, *, pseudonym: str | None, weights_date: str | None
) -> Iterator[tuple[str, str]]:
    """Write an image's exports; yield what could not be, and why. Its own pseudonym comes first."""
    paths = dict(outputs.paths)
    identity = Identity(pseudonym or outputs.pseudonym)
    if outputs.identify and paths.keys() != {"--picture"}:
        try:
            identity = exports.identity_in(session, identity.pseudonym)
        except (BoneageError, OSError) as error:
            yield "report, DICOM or FHIR", reason_of(error)
            paths = {option: path for option, path in paths.items() if option == "--picture"}
    options = exports.ReportOptions(outputs.paper, outputs.language, identity, weights_date)
    for option, path in paths.items():
        what, names = EXPORTS[option]
        try:
            for made in [exports.export(session, name, options) for name in names]:
                exports.save(made, session, path)
        except (BoneageError, OSError) as error:
            yield what, reason_of(error)
