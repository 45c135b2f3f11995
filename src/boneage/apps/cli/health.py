"""``boneage health``: whether a server is ready."""

from __future__ import annotations

from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

import click

from boneage.apps.cli import Failed
from boneage.apps.cli.output import echo
from boneage.storage.files import reason_of

SECONDS = 5.0


@click.command()
@click.argument("url", default="http://127.0.0.1:8080/readyz")
def health(url: str) -> None:
    """Check whether the server at URL, by default on this computer, is ready.

    Exit status: 0 when it is; 1 when it is not, or does not respond.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise click.BadParameter(f"{url!r} is not an http address", param_hint="URL")
    try:
        with build_opener(ProxyHandler({})).open(url, timeout=SECONDS) as response:
            response.read()
    except (URLError, OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        if isinstance(reason, OSError):
            reason = reason_of(reason)
        raise Failed(f"{url} is not ready: {reason}") from error
    echo("ready")
