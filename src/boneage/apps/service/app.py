"""The routes of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from boneage._version import __version__
from boneage.apps.audit_log import AuditEvent, AuditLog
from boneage.apps.service import openapi
from boneage.apps.service.access import Tokens, UnauthenticatedThrottle
from boneage.apps.service.assessing import (
    assess_upload,
    export_file_name,
    export_of,
    record_of,
)
from boneage.apps.service.form import drain, receive_form
from boneage.apps.service.metrics import CONTENT_TYPE, ServiceMetrics
from boneage.apps.service.middleware import ServiceMiddleware
from boneage.apps.service.problems import HttpProblem, problem_of
from boneage.apps.service.settings import MEBIBYTE, ServiceSettings
from boneage.apps.service.store import RecentAssessment, RecentAssessments
from boneage.apps.service.work_queue import WorkQueue
from boneage.errors import BoneageError
from boneage.inference.assessor import Assessor
from boneage.reports.exports import FORMATS
from boneage.reports.wording import DISCLAIMER

SWEEP_SECONDS = 10.0
ANYBODY = "anybody"
"""Name of the client where no tokens are used."""

AnswerId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Service:
    """What the routes share."""

    def __init__(
        self, assessor: Assessor, settings: ServiceSettings, tokens: Tokens | None
    ) -> None:
        self.assessor, self.settings, self.tokens = assessor, settings, tokens
        self.metrics = ServiceMetrics()
        self.queue = WorkQueue(settings.workers, settings.waiting, settings.seconds, self.metrics)
        self.recent = RecentAssessments(
            settings.keep_answers, round(settings.keep_mib * MEBIBYTE), settings.keep_minutes
        )
        self.metrics.stored.set_function(lambda: len(self.recent))
        self.audit = AuditLog(settings.audit)
        self.throttle = UnauthenticatedThrottle()

    async def authenticate(self, request: Request, given: Credentials) -> str:
        """Name the client by its token; a problem of status 401 when the token is unknown."""
        if self.tokens is None:
            return ANYBODY
        found = self.tokens.name_of(given.credentials) if given else None
        if found is None:
            times = self.throttle.to_be_logged()
            if times:
                await self.log(request, AuditEvent("nobody", "ask", error="token", times=times))
            raise HttpProblem(
                401,
                "token",
                "give the token in the header 'Authorization: Bearer TOKEN'",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return found

    async def log(self, request: Request, event: AuditEvent) -> None:
        """Write an event into the audit log."""
        event = replace(event, request=request.state.request_id)
        await asyncio.to_thread(self.audit.append, event)

    async def log_assessment(self, request: Request, recent: RecentAssessment, action: str) -> None:
        """Write an assessment that is sent to a client into the audit log."""
        await self.log(
            request,
            AuditEvent.of_assessment(recent.owner, action, recent.fingerprint, recent.assessment),
        )

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

    async def export(
        self,
        request: Request,
        answer_id: str,
        client: str,
        name: str,
    ) -> Response:
        """Write an export of a recent assessment."""
        recent, date = (
            self.recent_assessment(answer_id, client),
            self.assessor.weights.manifest.date,
        )
        with self.queue.slot() as slot:
            try:
                exported = await self.queue.run(slot, lambda: export_of(recent, name, date))
            except HttpProblem:
                raise
            except Exception as error:
                raise problem_of(error) from None
        await self.log_assessment(request, recent, name)
        headers = {"Content-Disposition": f'inline; filename="{export_file_name(name, exported)}"'}
        return Response(exported.content, media_type=exported.media_type, headers=headers)

    def recent_assessment(self, answer_id: str, client: str) -> RecentAssessment:
        """Give a recent assessment; a problem of status 404 when the client has no such one."""
        recent = self.recent.get(answer_id, client)
        if recent is None:
            raise _no_assessment()
        return recent


def create_app(assessor: Assessor, settings: ServiceSettings, tokens: Tokens | None) -> ASGIApp:
    """Build the application on an open assessor; without tokens anybody has access."""
    service = Service(assessor, settings, tokens)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(service.recent))
        yield
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        service.queue.close()

    app = FastAPI(
        title="boneage",
        version=__version__,
        description=f"Bone age from a radiograph of a child's left hand. {DISCLAIMER}",
        openapi_url="/openapi.json",
        docs_url=None,  # such pages load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    _handle_errors(app, settings.max_bytes)
    _add_assessments(app, service)
    _add_exports(app, service)
    _add_operations(app, service)
    return ServiceMiddleware(app, service.metrics, settings.hosts)


def _add_assessments(app: FastAPI, service: Service) -> None:
    authenticated = Depends(service.authenticate)

    @app.post(
        "/v1/assessments",
        name="assess",
        operation_id="assess",
        status_code=201,
        response_class=JSONResponse,
        responses={
            **openapi.answer(201, "The image was analysed."),
            **openapi.errors(400, 401, 408, 413, 415, 422, 429, 503),
        },
        openapi_extra=openapi.FORM,
    )
    async def assess(request: Request, client: str = authenticated) -> JSONResponse:
        """Assess the bone age of one radiograph."""
        try:
            recent = await service.assess(request, client)
        except (HttpProblem, BoneageError) as error:
            problem = _as_problem(error)
            await service.log(request, AuditEvent(client, "assess", error=problem.code))
            raise problem from None
        await service.log_assessment(request, recent, "assess")
        service.recent.add(recent)
        record = record_of(recent, service.recent.expires(recent))
        return JSONResponse(record, 201, {"Location": record["links"]["self"]})

    @app.get(
        "/v1/assessments/{answer_id}",
        name="answer",
        operation_id="answer",
        response_class=JSONResponse,
        responses={
            **openapi.answer(200, "The same record again."),
            **openapi.errors(401, 404, 503),
        },
    )
    async def answer(
        request: Request, answer_id: AnswerId, client: str = authenticated
    ) -> JSONResponse:
        """Give a recent assessment again."""
        recent = service.recent_assessment(answer_id, client)
        await service.log_assessment(request, recent, "answer")
        return JSONResponse(record_of(recent, service.recent.expires(recent)))

    @app.delete(
        "/v1/assessments/{answer_id}",
        name="delete",
        operation_id="delete",
        status_code=204,
        response_class=Response,
        responses=openapi.errors(401, 404, 503),
    )
    async def delete(
        request: Request, answer_id: AnswerId, client: str = authenticated
    ) -> Response:
        """Delete a recent assessment and its image."""
        recent = service.recent_assessment(answer_id, client)
        await service.log_assessment(request, recent, "delete")
        service.recent.delete(recent)
        return Response(status_code=204)


def _add_exports(app: FastAPI, service: Service) -> None:
    authenticated = Depends(service.authenticate)

    def route(name: str) -> Callable[..., Awaitable[Response]]:
        async def write(
            request: Request, answer_id: AnswerId, client: str = authenticated
        ) -> Response:
            return await service.export(request, answer_id, client, name)

        return write

    for one in FORMATS.values():
        app.add_api_route(
            f"/v1/assessments/{{answer_id}}/{one.name}",
            route(one.name),
            name=one.name,
            operation_id=one.name.replace("/", "_"),
            description=one.text,
            response_class=Response,
            responses={
                **openapi.binary(one.media_type, one.text),
                **openapi.errors(401, 404, 422, 429, 501, 503),
            },
        )


def _add_operations(app: FastAPI, service: Service) -> None:
    authenticated = Depends(service.authenticate)

    @app.get("/v1/models", name="models", operation_id="models", responses=openapi.errors(401, 503))
    async def models(_client: str = authenticated) -> dict[str, Any]:
        """Describe the model."""
        return {"models": [_model(service.assessor)]}

    @app.get("/healthz", name="healthz", operation_id="healthz", responses=openapi.errors())
    async def healthz() -> dict[str, str]:
        """Liveness: the process responds."""
        return {"status": "alive"}

    @app.get("/readyz", name="readyz", operation_id="readyz", responses=openapi.errors(503))
    async def readyz() -> dict[str, str]:
        """Readiness: the weights are loaded, and the queue is not full."""
        if service.queue.full:
            raise HttpProblem(503, "busy", "the queue is full")
        return {"status": "ready"}

    @app.get(
        "/metrics",
        name="metrics",
        operation_id="metrics",
        response_class=Response,
        responses={**openapi.binary("text/plain", "For Prometheus."), **openapi.errors(401, 503)},
    )
    async def metrics(_client: str = authenticated) -> Response:
        """Metrics of this process, for Prometheus."""
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _handle_errors(app: FastAPI, max_bytes: int) -> None:
    async def problem(request: Request, error: Exception) -> Response:
        found = _as_problem(error)
        if found.status == 405:
            found.headers["Allow"] = ", ".join(_methods(app, request))
        request.state.outcome = found.outcome
        if request.method == "POST" and found.status in {401, 413, 415, 422, 429}:
            await drain(request, max_bytes)
        return found.response(request.state.request_id)

    for kind in (HttpProblem, BoneageError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, problem)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """The methods of all routes of an address; Starlette names those of the first only."""
    methods: set[str] = set()
    for route in app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)


def _as_problem(error: Exception) -> HttpProblem:
    if isinstance(error, HttpProblem):
        return error
    if isinstance(error, BoneageError):
        return problem_of(error)
    if isinstance(error, HTTPException):
        codes: Mapping[int, tuple[str, str]] = {
            404: ("no_page", "nothing exists at this address"),
            405: ("method", "this address does not support the method"),
        }
        code, detail = codes.get(error.status_code, ("http", "the request cannot be handled"))
        return HttpProblem(error.status_code, code, detail, headers=error.headers)
    return _no_assessment()  # an invalid id


def _no_assessment() -> HttpProblem:
    detail = "there is no such assessment, or it has expired; send the image again"
    return HttpProblem(404, "no_answer", detail)


def _model(assessor: Assessor) -> dict[str, Any]:
    name, calibration = assessor.weights.name, assessor.interval_predictor.calibration
    return {
        "name": name.name,
        "profile": name.profile,
        "sha256": name.sha256,
        "date": assessor.weights.manifest.date,
        "interval": assessor.interval_predictor.model is not None,
        "calibration": calibration
        and {
            "name": calibration.name,
            "date": calibration.date,
            "films": calibration.films,
            "sha256": calibration.sha256,
        },
        "boneage": __version__,
    }


async def _sweep(recent: RecentAssessments) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        recent.sweep()
