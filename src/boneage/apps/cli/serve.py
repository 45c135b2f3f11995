"""``boneage serve``: assessments over HTTP, for other programs."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, get_args

import click
import msgspec

from boneage.apps.cli.options import (
    OUT_FILE,
    Command,
    audit_option,
    calibration_option,
    weights_option,
)
from boneage.apps.cli.output import echo
from boneage.apps.service.settings import ServiceSettings


def _setting_options(command: Command) -> Command:
    """Add an option for each described setting of the service."""
    for field in reversed(msgspec.structs.fields(ServiceSettings)):
        kind, *constraints = get_args(field.type)
        if kind not in {int, float}:
            continue
        meta = constraints[0]
        least = meta.ge if meta.gt is None else meta.gt
        in_range = click.IntRange if kind is int else click.FloatRange
        command = click.option(
            f"--{field.name.replace('_', '-')}",
            type=in_range(least, meta.le, min_open=meta.gt is not None),
            default=field.default,
            show_default=True,
            help=meta.description,
        )(command)
    return command


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0: any free one.",
)
@click.option(
    "--tokens",
    type=OUT_FILE,
    metavar="FILE",
    help="The clients: names and sha256 of their tokens, see 'boneage token'. Required unless "
    "the host is loopback.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A host name that requests may use; may be repeated. [default: on loopback localhost, "
    "elsewhere any]",
)
@audit_option
@_setting_options
@weights_option
@calibration_option
def serve(
    host: str,
    port: int,
    tokens: Path | None,
    hosts: tuple[str, ...],
    weights: Path | None,
    calibration: Path | None,
    **options: Any,
) -> None:
    """Assess images over HTTP: POST one to /v1/assessments.

    /openapi.json describes the API. Nothing is written to the disk but the
    --audit log. Ctrl+C ends it.

    Exit status: 0 when it was stopped; 2 when it could not start.

    \b
    boneage serve
    boneage serve --host 0.0.0.0 --tokens tokens.txt --audit audit.jsonl
    curl -F film=@hand.png -F sex=female http://127.0.0.1:8080/v1/assessments
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import uvicorn  # noqa: F401, PLC0415  needs the extra: reported first

    from boneage.apps.service import launch  # noqa: PLC0415
    from boneage.apps.service.access import read_tokens  # noqa: PLC0415
    from boneage.apps.service.app import create_app  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415

    known = None if tokens is None else read_tokens(tokens)
    opened = launch.bind(host, port, authenticated=known is not None)
    allowed: tuple[str, ...] | None = hosts or None
    if launch.is_loopback(opened.getsockname()[0]):
        allowed = (*launch.LOOPBACK_HOSTS, *hosts)
    settings = ServiceSettings(hosts=allowed, **options)
    assessor = Assessor(weights, threads=settings.threads, calibration=calibration)
    assessor.weights.open_all()
    for handler in logging.getLogger("boneage").handlers:
        handler.setLevel(min(handler.level, logging.INFO))
    launch.serve(create_app(assessor, settings, known), opened, settings.seconds, echo)
