"""``boneage serve``: the same readings over HTTP, for other programs."""

from __future__ import annotations

import logging
from pathlib import Path

import click

from boneage.apps.cli.options import calibration_option, weights_option
from boneage.apps.cli.output import echo


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="The port; 0: any that is free.",
)
@click.option(
    "--tokens",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Who may ask: names and sha256 of tokens ('boneage token'). Needed but on loopback.",
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A host name by which the server may be asked; again for more. [default: on loopback "
    "localhost, elsewhere any]",
)
@click.option(
    "--audit",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Append every answer to this log, without names; 'boneage audit' checks it.",
)
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Films read at a time.",
)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processor cores that one film may use.",
)
@click.option(
    "--waiting",
    type=click.IntRange(min=0),
    default=8,
    show_default=True,
    help="Requests that may wait beside those; more are told to come again.",
)
@click.option(
    "--max-mib",
    type=click.FloatRange(min=0, min_open=True, max=1024),
    default=100,
    show_default=True,
    help="The largest request.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(min=0, min_open=True),
    default=60,
    show_default=True,
    help="How long a film may take to arrive, and again to be read.",
)
@click.option(
    "--keep-answers",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="Recent answers kept in memory, for their documents.",
)
@click.option(
    "--keep-mib",
    type=click.FloatRange(min=0, min_open=True),
    default=256,
    show_default=True,
    help="The same in MiB of films.",
)
@click.option(
    "--keep-minutes",
    type=click.FloatRange(min=0, min_open=True),
    default=15,
    show_default=True,
    help="And how long.",
)
@weights_option
@calibration_option
def serve(
    host: str,
    port: int,
    tokens: Path | None,
    hosts: tuple[str, ...],
    audit: Path | None,
    workers: int,
    threads: int,
    waiting: int,
    max_mib: float,
    seconds: float,
    keep_answers: int,
    keep_mib: float,
    keep_minutes: float,
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Answer over HTTP: POST a film to /v1/assessments.

    /openapi.json describes it all. Nothing is kept on disk but the --audit
    log. Ctrl+C ends it.

    Exit status: 0 when it was ended; 2 when it could not start.

    \b
    boneage serve
    boneage serve --host 0.0.0.0 --tokens tokens.txt --audit audit.jsonl
    curl -F film=@hand.png -F sex=female http://127.0.0.1:8080/v1/assessments
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import uvicorn  # noqa: F401, PLC0415  needs the extra: said first

    from boneage.apps.service import launch  # noqa: PLC0415
    from boneage.apps.service.app import make_app  # noqa: PLC0415
    from boneage.apps.service.settings import MEBIBYTE, Settings  # noqa: PLC0415
    from boneage.apps.service.tokens import read_tokens  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415

    known = None if tokens is None else read_tokens(tokens)
    opened = launch.bound(host, port, guarded=known is not None)
    allowed: tuple[str, ...] | None = hosts or None
    if launch.is_loopback(opened.getsockname()[0]):
        allowed = (*launch.LOOPBACK_HOSTS, *hosts)
    settings = Settings(
        max_film_bytes=round(max_mib * MEBIBYTE),
        seconds=seconds,
        workers=workers,
        waiting=waiting,
        kept_answers=keep_answers,
        kept_bytes=round(keep_mib * MEBIBYTE),
        kept_minutes=keep_minutes,
        hosts=allowed,
        audit=audit,
    )
    assessor = Assessor(weights, threads=threads, calibration=calibration)
    assessor.weights.open_all()
    for handler in logging.getLogger("boneage").handlers:
        handler.setLevel(min(handler.level, logging.INFO))
    launch.serve(make_app(assessor, settings, known), opened, seconds, echo)
