"""What the routes of the service share."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from boneage.apps.audit_log import AuditEvent, AuditLog
from boneage.apps.service.access import Tokens, UnauthenticatedThrottle
from boneage.apps.service.form import receive_form
from boneage.apps.service.metrics import ServiceMetrics
from boneage.apps.service.problems import HttpProblem
from boneage.apps.service.recent import RecentAssessment, RecentAssessments, assess_upload
from boneage.apps.service.settings import MEBIBYTE, ServiceSettings
from boneage.apps.service.work_queue import WorkQueue
from boneage.inference.assessor import Assessor

if TYPE_CHECKING:
    from boneage.history.store import History

ANYBODY = "anybody"
"""Name of the client where no tokens are used."""


class Service:
    """The assessor, the queue, the logs, and the history where there is one."""

    def __init__(
        self,
        assessor: Assessor,
        settings: ServiceSettings,
        tokens: Tokens | None,
        history: History | None = None,
    ) -> None:
        self.assessor, self.settings, self.tokens = assessor, settings, tokens
        self.history = history
        self.metrics = ServiceMetrics()
        self.queue = WorkQueue(settings.workers, settings.waiting, settings.seconds, self.metrics)
        self.recent = RecentAssessments(
            settings.keep_answers, round(settings.keep_mib * MEBIBYTE), settings.keep_minutes
        )
        self.metrics.stored.set_function(lambda: len(self.recent))
        self.audit = AuditLog(settings.audit)
        self.throttle = UnauthenticatedThrottle()

    async def log(self, request: Request, event: AuditEvent) -> None:
        """Write an event into the audit log."""
        event = replace(event, request=request.state.request_id)
        await asyncio.to_thread(self.audit.append, event)

    async def log_assessment(self, request: Request, recent: RecentAssessment, action: str) -> None:
        """Write an assessment that is sent to a client into the audit log."""
        found = recent.fingerprint, recent.assessment
        await self.log(request, AuditEvent.of_assessment(recent.owner, action, *found))

    async def assess(self, request: Request, client: str) -> RecentAssessment:
        """Receive an image and assess it."""
        with self.queue.slot() as slot:
            with self.metrics.seconds.labels("receiving").time():
                try:
                    async with asyncio.timeout(self.settings.seconds):
                        upload, options = await receive_form(request, self.settings.max_bytes)
                except TimeoutError:
                    # RFC 9110, 15.5.9: the server closes the connection after a timeout.
                    close = {"Connection": "close"}
                    detail = "the image did not arrive in time"
                    raise HttpProblem(408, "slow_upload", detail, headers=close) from None
            return await self.queue.run(
                slot, lambda: assess_upload(self.assessor, upload, options, client)
            )

    def recent_assessment(self, answer_id: str, client: str) -> RecentAssessment:
        """Give a recent assessment; a problem of status 404 when the client has no such one."""
        recent = self.recent.get(answer_id, client)
        if recent is None:
            raise no_assessment()
        return recent


def no_assessment() -> HttpProblem:
    """The problem of an assessment that is not, or no longer, held."""
    detail = "there is no such assessment, or it has expired; send the image again"
    return HttpProblem(404, "no_answer", detail)


def service_of(request: Request) -> Service:
    """The service of a request's application."""
    service: Service = request.app.state.service
    return service


Shared = Annotated[Service, Depends(service_of)]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


async def authenticate(request: Request, service: Shared, given: Credentials) -> str:
    """Name the client by its token; a problem of status 401 when the token is unknown."""
    if service.tokens is None:
        return ANYBODY
    found = service.tokens.name_of(given.credentials) if given else None
    if found is None:
        times = service.throttle.to_be_logged()
        if times:
            await service.log(request, AuditEvent("nobody", "ask", error="token", times=times))
        detail = "give the token in the header 'Authorization: Bearer TOKEN'"
        raise HttpProblem(401, "token", detail, headers={"WWW-Authenticate": "Bearer"})
    return found


Client = Annotated[str, Depends(authenticate)]


def route_name(route: APIRoute) -> str:
    """The name of an operation in the OpenAPI document."""
    return route.name.replace("/", "_")
