"""``boneage dashboard``: assessments in the browser, on this computer."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.cli import Unusable
from boneage.apps.cli.options import calibration_option, weights_option
from boneage.apps.cli.output import echo


@click.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="N",
    help="Port to listen on.  [default: the first free port from 8501]",
)
@click.option("--no-browser", is_flag=True, help="Print the address; do not open the browser.")
@click.option(
    "--history",
    metavar="FILE|URL",
    help="Offer to save assessments under pseudonyms, in a SQLite file or a database, and show "
    "growth charts. Without it nothing is saved.",
)
@weights_option
@calibration_option
def dashboard(
    port: int | None,
    no_browser: bool,
    history: str | None,
    weights: Path | None,
    calibration: Path | None,
) -> None:
    """Open the dashboard in the browser: drop radiographs in, see age and regions.

    It listens on this computer only, sends nothing anywhere and, without
    --history, saves nothing on disk. Ctrl+C ends it.

    Exit status: 0 when it was ended; 2 when it could not start.
    """
    from boneage.apps.dashboard.launch import address_of, free_port, is_free, serve  # noqa: PLC0415

    if history is not None:
        from boneage.history.store import History  # noqa: PLC0415  needs the extra

        History(history).close()  # an unusable history is reported now
    if port is not None and not is_free(port):
        raise Unusable(f"port {port} is taken; give another with --port, or leave it out")
    port = port or free_port()
    if port is None:
        raise Unusable("no port from 8501 to 8520 is free; give one with --port")
    saved = "nothing is saved" if history is None else "assessments are saved on request"
    echo(f"boneage dashboard: {address_of(port)} (Ctrl+C ends it; {saved})")
    serve(port, weights, calibration=calibration, history=history, browser=not no_browser)
