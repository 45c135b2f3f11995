"""The middleware of every request: its id, the check of its host, the log, unexpected errors."""

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
    """Wraps the application; requests are accepted for these host names, None: for any."""

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics, hosts: Sequence[str] | None) -> None:
        self.app, self.metrics = app, metrics
        self.hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
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
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                message = {**message, "headers": [*headers, *HEADERS]}
            await send(message)

        try:
            problem = self._host_problem(request)
            if problem is not None:
                await problem.response(request_id)(scope, receive, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except Exception as error:  # its text may quote the patient
            problem = problem_of(error)
            if not started:
                await problem.response(request_id)(scope, receive, send_with_headers)
        finally:
            self._log(request, scope, status, time.perf_counter() - start)

    def _host_problem(self, request: Request) -> HttpProblem | None:
        """Reject requests that pages of other origins send through a browser on this computer."""
        if self.hosts is None:
            return None
        host = _host_name(request.headers.get("host", ""))
        if host not in self.hosts:
            return HttpProblem(
                421, "host", "the request was sent to a host name that is not accepted"
            )
        origin = request.headers.get("origin")
        if origin is not None and _host_of(origin) not in self.hosts:
            return HttpProblem(
                403, "origin", "requests from pages of other origins are not accepted"
            )
        return None

    def _log(self, request: Request, scope: Scope, status: int, seconds: float) -> None:
        route: Any = scope.get("route")
        action = getattr(route, "name", None) or "unknown"
        default = OUTCOMES.get(status, "good" if status < 400 else "invalid")
        outcome = request.state.outcome or ("failed" if status >= 500 else default)
        self.metrics.requests.labels(action, outcome).inc()
        self.metrics.seconds.labels("whole").observe(seconds)
        method = scope["method"] if scope["method"] in METHODS else "?"
        # Neither path nor query: an id gives access to its assessment.
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
    """The host of a Host header, without port."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?", header)
    return match[1].strip("[]").lower() if match else ""
