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

from boneage.apps.service.metrics import ServiceMetrics
from boneage.apps.service.problems import OUTCOMES, HttpProblem, problem_of

REQUEST_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
HEADERS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)

logger = logging.getLogger("boneage.service")


class ServiceMiddleware:
    """Stands before the application; a request may be sent to these host names, None: to any."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics, hosts: Sequence[str] | None) -> None:
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
            problem = self._wrong_host(request)
            if problem is not None:
                await problem.response(request_id)(scope, receive, send_on)
            else:
                await self.app(scope, receive, send_on)
        except Exception as error:  # its text may quote the patient
            problem = problem_of(error)
            if not begun:
                await problem.response(request_id)(scope, receive, send_on)
        finally:
            self._log(request, scope, status, time.perf_counter() - start)

    def _wrong_host(self, request: Request) -> HttpProblem | None:
        """Keep other people's pages, in a browser on this computer, out."""
        if self.hosts is None:
            return None
        host = _host_name(request.headers.get("host", ""))
        if host not in self.hosts:
            return HttpProblem(
                421, "host", "the request was sent to another host name than this one"
            )
        origin = request.headers.get("origin")
        if origin is not None and _host_of(origin) not in self.hosts:
            return HttpProblem(403, "origin", "pages of other origins may not ask this server")
        return None

    def _log(self, request: Request, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        action = getattr(route, "name", None) or "unknown"
        default = OUTCOMES.get(status, "good" if status < 400 else "invalid")
        outcome = request.state.outcome or ("failed" if status >= 500 else default)
        self.metrics.requests.labels(action, outcome).inc()
        self.metrics.seconds.labels("whole").observe(seconds)
        method = scope["method"] if scope["method"] in METHODS else "?"
        # Neither path nor query: an id opens its answer.
        logger.info(
            "%s %s %d %.3f s, request %s",
            *(method, action, status, seconds, request.state.request_id),
        )


def _host_of(origin: str) -> str | None:
    """Give the host of an origin; None where it has none, as ``null``."""
    try:
        return urlsplit(origin).hostname
    except ValueError:
        return None


def _host_name(header: str) -> str:
    """Take the port off a Host header."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", header)
    return match[1].strip("[]").lower() if match else ""
