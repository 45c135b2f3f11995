"""Starting the service, on addresses where that is safe."""

from __future__ import annotations

import ipaddress
import logging
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from boneage.apps.service.settings import ServiceError

LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "::1")
CONNECTIONS = 200
"""At a time; uvicorn rejects more."""
KEEP_ALIVE_SECONDS = 5


def bind(host: str, port: int, *, authenticated: bool) -> socket.socket:
    """Open the socket; port 0 is any free one.

    Raises a `ServiceError` when the address is not one of this computer or is in use, or when
    other computers could send requests without tokens (``authenticated`` is false).
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ServiceError(
            f"{host!r} is not an address of this computer: {error.strerror}"
        ) from error
    if not authenticated and not is_loopback(str(address[0])):
        raise ServiceError(
            f"without tokens, every computer that reaches {host} could send images and fetch "
            "results: make one with 'boneage token NAME --tokens FILE' and give --tokens FILE, "
            "or leave out --host"
        )
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
    except OSError as error:
        opened.close()
        raise ServiceError(f"port {port} of {host} cannot be used: {error.strerror}") from error
    return opened


def is_loopback(address: str) -> bool:
    """Whether only this computer reaches an address."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback


def serve(
    app: ASGIApp, opened: socket.socket, seconds: float, report: Callable[[str], None]
) -> None:
    """Serve until the process is stopped; requests under way are completed."""
    logging.getLogger("boneage.service").setLevel(logging.INFO)
    host, port = opened.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    opened.listen(CONNECTIONS)  # before the report: clients wait instead of being refused
    report(f"boneage serve: http://{shown}:{port} (Ctrl+C to stop)")
    config = uvicorn.Config(
        app,
        access_log=False,  # it writes paths and queries
        log_config=None,
        log_level="error",
        limit_concurrency=CONNECTIONS,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(seconds)),
        server_header=False,
        proxy_headers=False,
        ws="none",
        http="h11",
    )
    uvicorn.Server(config).run(sockets=[opened])
