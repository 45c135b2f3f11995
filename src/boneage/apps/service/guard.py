"""What every request passes: its id, the host it was sent to, the log, and the last resort."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from boneage.apps.service.metrics import Metrics
from boneage.apps.service.problems import OUTCOMES, Problem, problem_of

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

logger = logging.getLogger("boneage.service")


class Guard:
    """Stands before the application.

    Parameters
    ----------
    app : ASGI application
    metrics : Metrics
    hosts : sequence of str, optional
        The host names that a request may be sent to; None: any.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, hosts: Sequence[str] | None) -> None:
        self.app, self.metrics = app, metrics
        self.hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start = time.perf_counter()
        request = Request(scope)
        given = request.headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        request.state.request_id = request_id
        request.state.outcome = None
        status = 500
        begun = False

        async def send_on(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": [*headers, *HEADERS]}
            await send(message)

        try:
            wrong = self._wrong_host(request)
            if wrong is not None:
                await wrong.response(request_id)(scope, receive, send_on)
            else:
                await self.app(scope, receive, send_on)
        except Exception as error:  # its text may quote the patient
            problem = problem_of(error)
            if not begun:
                await problem.response(request_id)(scope, receive, send_on)
        finally:
            self._note(request, scope, status, time.perf_counter() - start)

    def _wrong_host(self, request: Request) -> Problem | None:
        """Keep other people's pages, in a browser on this computer, out."""
        if self.hosts is None:
            return None
        host = _host_name(request.headers.get("host", ""))
        if host not in self.hosts:
            return Problem(421, "host", "the request was sent to another host name than this one")
        origin = request.headers.get("origin")
        if origin is not None and urlsplit_host(origin) not in self.hosts:
            return Problem(403, "origin", "pages of other origins may not ask this server")
        return None

    def _note(self, request: Request, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        action = getattr(route, "name", None) or "unknown"
        default = OUTCOMES.get(status, "good" if status < 400 else "invalid")
        outcome = request.state.outcome or ("failed" if status >= 500 else default)
        self.metrics.requests.labels(action, outcome).inc()
        self.metrics.seconds.labels("whole").observe(seconds)
        # Neither path nor query: an id opens its answer.
        logger.info(
            "%s %s %d %.3f s, request %s",
            scope["method"] if scope["method"] in METHODS else "?",
            action,
            status,
            seconds,
            request.state.request_id,
        )


METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


def urlsplit_host(origin: str) -> str | None:
    """The host of an origin; None where it has none, as ``null``."""
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def _host_name(header: str) -> str:
    """Take the port off a Host header."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", header)
    return match[1].strip("[]").lower() if match else ""
