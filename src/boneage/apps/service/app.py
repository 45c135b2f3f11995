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
from boneage.apps.audit_log import AuditLog, Event
from boneage.apps.service import openapi
from boneage.apps.service.answering import export_of, file_name, read_film, record_of
from boneage.apps.service.desk import Desk
from boneage.apps.service.form import drain, receive
from boneage.apps.service.guard import Guard
from boneage.apps.service.metrics import CONTENT_TYPE, Metrics
from boneage.apps.service.problems import Problem, problem_of
from boneage.apps.service.settings import Settings
from boneage.apps.service.store import Kept, RecentAnswers
from boneage.apps.service.strangers import Strangers
from boneage.apps.service.tokens import Tokens
from boneage.errors import BoneageError
from boneage.inference.assessor import Assessor
from boneage.reports.exports import FORMATS

SWEEP_SECONDS = 10.0
ANYBODY = "anybody"
"""Who asks where no tokens are needed."""

AnswerId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(HTTPBearer(auto_error=False))]


class Service:
    """What the routes share."""

    def __init__(self, assessor: Assessor, settings: Settings, tokens: Tokens | None) -> None:
        self.assessor, self.settings, self.tokens = assessor, settings, tokens
        self.metrics = Metrics()
        self.desk = Desk(settings.workers, settings.waiting, settings.seconds, self.metrics)
        self.recent = RecentAnswers(
            settings.kept_answers, settings.kept_bytes, settings.kept_minutes
        )
        self.metrics.kept.set_function(lambda: len(self.recent))
        self.log = AuditLog(settings.audit) if settings.audit else None
        self.strangers = Strangers()

    async def who(self, request: Request, given: Credentials) -> str:
        """Name who asks, by the token.

        Raises
        ------
        Problem
            401 when there is none, or one that is not known.
        """
        name = ANYBODY
        if self.tokens is not None:
            found = self.tokens.name_of(given.credentials) if given else None
            if found is None:
                times = self.strangers.to_be_noted()
                if times:
                    await self.note(request, Event("nobody", "ask", error="token", times=times))
                raise Problem(
                    401,
                    "token",
                    "give the token in the header 'Authorization: Bearer TOKEN'",
                    headers={"WWW-Authenticate": "Bearer"},
                )
            name = found
        return name

    async def note(self, request: Request, event: Event) -> None:
        """Write an event into the audit log, if there is one."""
        if self.log is None:
            return
        event = replace(event, request=request.state.request_id)
        await asyncio.to_thread(self.log.append, event)

    async def assess(self, request: Request, who: str) -> Kept:
        """Take a film and read it."""
        with self.desk.enter() as place:
            limit = self.settings.max_film_bytes
            with self.metrics.seconds.labels("receiving").time():
                try:
                    async with asyncio.timeout(self.settings.seconds):
                        film, wishes = await receive(request, limit)
                except TimeoutError:
                    raise _slow_upload() from None
            return await self.desk.do(place, lambda: read_film(self.assessor, film, wishes, who))

    async def export(
        self,
        request: Request,
        answer_id: str,
        who: str,
        name: str,
    ) -> Response:
        """Write an export of a recent answer."""
        kept, date = self.kept(answer_id, who), self.assessor.weights.manifest.date
        with self.desk.enter() as place:
            try:
                made = await self.desk.do(place, lambda: export_of(kept, name, date))
            except Problem:
                raise
            except Exception as error:
                raise problem_of(error) from None
        await self.note(request, self._event(kept, name))
        headers = {"Content-Disposition": f'inline; filename="{file_name(name, made)}"'}
        return Response(made.content, media_type=made.media_type, headers=headers)

    def kept(self, answer_id: str, who: str) -> Kept:
        """Give a recent answer.

        Raises
        ------
        Problem
            404 when there is none, or it is another's.
        """
        kept = self.recent.get(answer_id, who)
        if kept is None:
            raise _no_answer()
        return kept

    def _event(self, kept: Kept, action: str) -> Event:
        return Event(
            kept.owner,
            action,
            film=kept.fingerprint,
            answer_months=kept.assessment.age_months,
            verdict=kept.assessment.verdict.value,
            weights=kept.assessment.weights.sha256,
        )

    async def noted(self, request: Request, kept: Kept, action: str) -> None:
        """Write into the audit log what was answered."""
        await self.note(request, self._event(kept, action))


def make_app(assessor: Assessor, settings: Settings, tokens: Tokens | None) -> ASGIApp:
    """Build the application.

    Parameters
    ----------
    assessor : Assessor
        Open.
    settings : Settings
    tokens : Tokens, optional
        None: anybody may ask.
    """
    service = Service(assessor, settings, tokens)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        sweeping = asyncio.create_task(_sweep(service.recent))
        yield
        sweeping.cancel()
        with suppress(asyncio.CancelledError):
            await sweeping
        service.desk.close()

    app = FastAPI(
        title="boneage",
        version=__version__,
        description="Bone age from a radiograph of a child's left hand. Not a medical device.",
        openapi_url="/openapi.json",
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    _handle_errors(app, settings.max_film_bytes)
    _add_assessments(app, service)
    _add_exports(app, service)
    _add_operations(app, service)
    return Guard(app, service.metrics, settings.hosts)


def _add_assessments(app: FastAPI, service: Service) -> None:
    needed = Depends(service.who)

    @app.post(
        "/v1/assessments",
        name="assess",
        operation_id="assess",
        status_code=201,
        response_class=JSONResponse,
        responses={
            **openapi.answer(201, "The film was read."),
            **openapi.errors(400, 401, 408, 413, 415, 422, 429, 503),
        },
        openapi_extra=openapi.FORM,
    )
    async def assess(request: Request, who: str = needed) -> JSONResponse:
        """Read the bone age of one film."""
        try:
            kept = await service.assess(request, who)
        except (Problem, BoneageError) as error:
            problem = error if isinstance(error, Problem) else problem_of(error)
            await service.note(request, Event(who, "assess", error=problem.code))
            raise problem from None
        await service.noted(request, kept, "assess")
        service.recent.keep(kept)
        record = record_of(kept, service.recent.expires(kept))
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
    async def answer(request: Request, answer_id: AnswerId, who: str = needed) -> JSONResponse:
        """Give a recent answer again."""
        kept = service.kept(answer_id, who)
        await service.noted(request, kept, "answer")
        return JSONResponse(record_of(kept, service.recent.expires(kept)))

    @app.delete(
        "/v1/assessments/{answer_id}",
        name="delete",
        operation_id="delete",
        status_code=204,
        response_class=Response,
        responses=openapi.errors(401, 404, 503),
    )
    async def delete(request: Request, answer_id: AnswerId, who: str = needed) -> Response:
        """Let go of a recent answer and its film."""
        kept = service.kept(answer_id, who)
        await service.noted(request, kept, "delete")
        service.recent.delete(answer_id, who)
        return Response(status_code=204)


def _add_exports(app: FastAPI, service: Service) -> None:
    needed = Depends(service.who)

    def route(name: str) -> Callable[..., Awaitable[Response]]:
        async def write(request: Request, answer_id: AnswerId, who: str = needed) -> Response:
            return await service.export(request, answer_id, who, name)

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
    needed = Depends(service.who)

    @app.get("/v1/models", name="models", operation_id="models", responses=openapi.errors(401, 503))
    async def models(_who: str = needed) -> dict[str, Any]:
        """Say which weights answer."""
        return {"models": [_model(service.assessor)]}

    @app.get("/healthz", name="healthz", operation_id="healthz", responses=openapi.errors())
    async def healthz() -> dict[str, str]:
        """Say that the process lives."""
        return {"status": "alive"}

    @app.get("/readyz", name="readyz", operation_id="readyz", responses=openapi.errors(503))
    async def readyz() -> dict[str, str]:
        """Say whether a film would be taken: the weights are open, the queue is not full."""
        if service.desk.full:
            raise Problem(503, "busy", "the queue is full")
        return {"status": "ready"}

    @app.get(
        "/metrics",
        name="metrics",
        operation_id="metrics",
        response_class=Response,
        responses={**openapi.binary("text/plain", "For Prometheus."), **openapi.errors(401, 503)},
    )
    async def metrics(_who: str = needed) -> Response:
        """Give the counts of this process."""
        return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


def _handle_errors(app: FastAPI, max_bytes: int) -> None:
    async def problem(request: Request, error: Exception) -> Response:
        said = _as_problem(error)
        if said.status == 405:
            said.headers["Allow"] = ", ".join(_methods(app, request))
        request.state.outcome = said.outcome
        if request.method == "POST" and said.status in {401, 413, 415, 422, 429}:
            await drain(request, max_bytes)
        return said.response(request.state.request_id)

    for kind in (Problem, BoneageError, HTTPException):
        app.add_exception_handler(kind, problem)
    app.add_exception_handler(RequestValidationError, problem)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """Of every route of an address; Starlette names those of the first alone."""
    methods: set[str] = set()
    for route in app.routes:
        if isinstance(route, Route) and route.matches(request.scope)[0] is not Match.NONE:
            methods |= route.methods or set()
    return sorted(methods)


def _as_problem(error: Exception) -> Problem:
    if isinstance(error, Problem):
        return error
    if isinstance(error, BoneageError):
        return problem_of(error)
    if isinstance(error, HTTPException):
        codes: Mapping[int, tuple[str, str]] = {
            404: ("no_page", "there is nothing at this address"),
            405: ("method", "this address does not take that method"),
        }
        code, detail = codes.get(error.status_code, ("http", "the request cannot be answered"))
        return Problem(error.status_code, code, detail, headers=error.headers)
    return _no_answer()  # an id that is none


def _no_answer() -> Problem:
    return Problem(404, "no_answer", "there is no such answer, or no longer; send the film again")


def _slow_upload() -> Problem:
    # RFC 9110, 15.5.9: a server that waited long enough closes the connection.
    close = {"Connection": "close"}
    return Problem(408, "slow_upload", "the film did not arrive in time", headers=close)


def _model(assessor: Assessor) -> dict[str, Any]:
    name, calibration = assessor.weights.name, assessor.certainty.calibration
    return {
        "name": name.name,
        "profile": name.profile,
        "sha256": name.sha256,
        "date": assessor.weights.manifest.date,
        "interval": assessor.certainty.model is not None,
        "calibration": calibration
        and {
            "name": calibration.name,
            "date": calibration.date,
            "films": calibration.films,
            "sha256": calibration.sha256,
        },
        "boneage": __version__,
    }


async def _sweep(recent: RecentAnswers) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        recent.sweep()
