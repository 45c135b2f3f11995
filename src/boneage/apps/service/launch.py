"""Starting the service, where it may be started."""

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
"""At a time; more are turned away by uvicorn itself."""
KEEP_ALIVE_SECONDS = 5


def bound(host: str, port: int, *, guarded: bool) -> socket.socket:
    """Open the socket; the port 0 is any that is free.

    Raises a `ServiceError` when the address is not one of this computer or is taken, or when
    other computers could ask and no tokens are needed (``guarded``).
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise ServiceError(
            f"{host!r} is not an address of this computer: {error.strerror}"
        ) from error
    if not guarded and not is_loopback(str(address[0])):
        raise ServiceError(
            f"without tokens, every computer that reaches {host} could send images and fetch "
            "answers: make one with 'boneage token NAME --tokens FILE' and give --tokens FILE, "
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
    """Answer until the process is told to end; requests under way are finished."""
    logging.getLogger("boneage.service").setLevel(logging.INFO)
    host, port = opened.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    opened.listen(CONNECTIONS)  # who asks once it is reported waits, and is not refused
    report(f"boneage serve: http://{shown}:{port} (Ctrl+C ends it)")
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
