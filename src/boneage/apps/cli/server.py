"""The server, and what belongs to it: ``serve``, ``token``, ``health``, ``audit``."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, get_args
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click
import msgspec

from boneage.apps.audit_log import check_audit_log
from boneage.apps.cli import Failed, options
from boneage.apps.cli.output import echo
from boneage.apps.service.access import add_token, new_token, read_tokens
from boneage.apps.service.settings import ServiceSettings
from boneage.storage.files import reason_of

HEALTH_SECONDS = 5.0


def _setting_options(command: options.Command) -> options.Command:
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
    type=options.OUT_FILE,
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
@options.audit_option
@click.option(
    "--history",
    metavar="FILE|URL",
    help="Keep visits of children in this history, at /v1/children: every client sees all.",
)
@_setting_options
@options.weights_option
@options.calibration_option
def serve(
    host: str,
    port: int,
    tokens: Path | None,
    hosts: tuple[str, ...],
    weights: Path | None,
    calibration: Path | None,
    history: str | None,
    **limits: Any,
) -> None:
    """Assess images over HTTP: POST one to /v1/assessments.

    /docs describes the API. Nothing is written to the disk but the --audit log
    and the --history. Ctrl+C ends it.

    Exit status: 0 when it was stopped; 2 when it could not start.

    \b
    boneage serve
    boneage serve --host 0.0.0.0 --tokens tokens.txt --audit audit.jsonl
    curl -F film=@hand.png -F sex=female http://127.0.0.1:8080/v1/assessments
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    import uvicorn  # noqa: F401, PLC0415  needs the extra: reported first

    from boneage.apps.service import launch  # noqa: PLC0415
    from boneage.apps.service.app import create_app  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415

    known = None if tokens is None else read_tokens(tokens)
    kept = None
    if history is not None:
        from boneage.history.store import History  # noqa: PLC0415  needs the extra

        kept = History(history)
    opened = launch.bind(host, port, authenticated=known is not None)
    allowed: tuple[str, ...] | None = hosts or None
    if launch.is_loopback(opened.getsockname()[0]):
        allowed = (*launch.LOOPBACK_HOSTS, *hosts)
    settings = ServiceSettings(hosts=allowed, **limits)
    assessor = Assessor(weights, threads=settings.threads, calibration=calibration)
    assessor.weights.open_all()
    for handler in logging.getLogger("boneage").handlers:
        handler.setLevel(min(handler.level, logging.INFO))
    app = create_app(assessor, settings, known, kept)
    launch.serve(app, opened, settings.seconds, echo)


@click.command()
@click.argument("name")
@click.option(
    "--tokens", type=options.OUT_FILE, help="Add its line to this file. Default: print the line."
)
def token(name: str, tokens: Path | None) -> None:
    """Create a token for the client NAME, and show it this once.

    The file holds only its sha256. Whoever has the token has access; to revoke
    it, delete its line and restart the server.
    """
    if tokens is not None:
        echo(add_token(tokens, name))
        return
    made, line = new_token(name)
    echo(f"token: {made}")
    echo(f"line for the file of --tokens: {line}")


@click.command()
@click.argument("url", default="http://127.0.0.1:8080/readyz")
def health(url: str) -> None:
    """Check whether the server at URL, by default on this computer, is ready.

    Exit status: 0 when it is; 1 when it is not, or does not respond.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise click.BadParameter(f"{url!r} is not an http address", param_hint="URL")
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=HEALTH_SECONDS) as response:
            response.read()
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, OSError):
            reason = reason_of(reason)
        raise Failed(f"{url} is not ready: {reason}") from error
    echo("ready")


@click.command()
@click.argument("file", type=options.IN_FILE)
def audit(file: Path) -> None:
    """Check that no line of the audit log FILE was changed or removed.

    A truncated end shows only when the last hash is compared with one that was
    stored elsewhere.

    Exit status: 0 when all are intact; 1 when a line is not; 2 for a file that
    cannot be read.
    """
    checked = check_audit_log(file)
    if checked.invalid_line is not None:
        raise Failed(f"line {checked.invalid_line} is not intact: {checked.reason}")
    echo(f"{checked.intact_lines} lines, all intact; the last hash is {checked.last_hash}")
