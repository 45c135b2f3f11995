"""Configuring and starting Streamlit: on this computer only, without telemetry."""

from __future__ import annotations

import os
import socket
import threading
import time
import tomllib
import urllib.request
import webbrowser
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from boneage.history import HISTORY_VARIABLE
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.uncertainty.calibration import FILE_VARIABLE

ADDRESS = "127.0.0.1"
FIRST_PORT = 8501
PORTS_TRIED = 20
STARTING_SECONDS = 60
UPLOAD_LIMIT_MB = 100
"""An image of 60 megapixels in 16-bit grey, uncompressed, is 120 MB; compressed, or at the
resolution of other detectors, images are far smaller. Streamlit's settings repeat it."""


def options() -> dict[str, str]:
    """Read Streamlit's settings, by their full names."""
    settings = tomllib.loads(Path(__file__).with_name("streamlit.toml").read_text("utf-8"))
    return dict(_flat(settings))


def _flat(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value).lower() if isinstance(value, bool) else str(value)


def command(port: int) -> list[str]:
    """Give the arguments of ``streamlit`` that run the dashboard on a port."""
    flags = [part for name, value in options().items() for part in (f"--{name}", value)]
    app = str(Path(__file__).with_name("server.py"))
    return ["run", app, "--server.port", str(port), *flags]


def serve(
    port: int,
    weights: Path | None,
    *,
    calibration: Path | None = None,
    history: str | None = None,
    browser: bool,
) -> None:
    """Run the dashboard until it is interrupted; needs the extra ``boneage[dashboard]``."""
    from streamlit.web.cli import main  # noqa: PLC0415  an extra

    if weights is not None:
        os.environ[FOLDER_VARIABLE] = str(weights.resolve())
    if calibration is not None:
        os.environ[FILE_VARIABLE] = str(calibration.resolve())
    if history is not None:
        os.environ[HISTORY_VARIABLE] = history
    if browser:
        threading.Thread(target=_open_when_ready, args=(port,), daemon=True).start()
    main(command(port), standalone_mode=False)


def address_of(port: int) -> str:
    """The address of the dashboard."""
    return f"http://{ADDRESS}:{port}"


def free_port() -> int | None:
    """Find the first free port from 8501; None when all that are tried are taken."""
    ports = range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    return next((port for port in ports if is_free(port)), None)


def is_free(port: int) -> bool:
    """Whether a server can listen on a port."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((ADDRESS, port))
        except OSError:
            return False
    return True


def is_ready(port: int) -> bool:
    """Whether the dashboard responds."""
    try:
        url = f"{address_of(port)}/_stcore/health"
        with urllib.request.urlopen(url, timeout=2) as reply:  # noqa: S310  our own
            return bool(reply.status == 200)
    except OSError:
        return False


def _open_when_ready(port: int) -> None:
    deadline = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < deadline:
        if is_ready(port):
            webbrowser.open(address_of(port))
            return
        time.sleep(0.2)
