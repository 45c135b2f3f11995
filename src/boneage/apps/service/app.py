"""The routes of the service."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, FastAPI, Path, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp

from boneage._version import __version__
from boneage.apps.audit_log import AuditEvent
from boneage.apps.service.access import Tokens
from boneage.apps.service.children import children_router
from boneage.apps.service.form import drain
from boneage.apps.service.metrics import CONTENT_TYPE
from boneage.apps.service.middleware import ServiceMiddleware
from boneage.apps.service.openapi import FORM, answer, binary, errors
from boneage.apps.service.problems import HttpProblem, problem_of
from boneage.apps.service.recent import RecentAssessments
from boneage.apps.service.settings import ServiceSettings
from boneage.apps.service.shared import (
    Client,
    Service,
    Shared,
    no_assessment,
    route_name,
    service_of,
)
from boneage.errors import BoneageError
from boneage.inference.assessor import Assessor
from boneage.reports.exports import FORMATS
from boneage.reports.wording import DISCLAIMER

if TYPE_CHECKING:
    from boneage.history.store import History

SWEEP_SECONDS = 10.0


def create_app(
    assessor: Assessor,
    settings: ServiceSettings,
    tokens: Tokens | None,
    history: History | None = None,
) -> ASGIApp:
    """Build the application on an open assessor; without tokens anybody has access.

    With a history, it has the routes of children over years.
    """
    service = Service(assessor, settings, tokens, history)

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
    app.state.service = service
    app.include_router(router)
    if history is not None:
        app.include_router(children_router)
    for kind in (HttpProblem, BoneageError, HTTPException, RequestValidationError):
        app.add_exception_handler(kind, _respond)
    return ServiceMiddleware(app, service.metrics, settings.hosts)


async def _sweep(recent: RecentAssessments) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        recent.sweep()


AnswerId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
ASSESSMENTS = "/v1/assessments"
router = APIRouter(generate_unique_id_function=route_name)


@router.post(
    ASSESSMENTS,
    status_code=201,
    response_class=JSONResponse,
    responses={
        **answer(201, "The image was analysed."),
        **errors(400, 401, 408, 413, 415, 422, 429, 503),
    },
    openapi_extra=FORM,
)
async def assess(request: Request, service: Shared, client: Client) -> JSONResponse:
    """Assess the bone age of one radiograph."""
    try:
        recent = await service.assess(request, client)
    except (HttpProblem, BoneageError) as error:
        problem = _as_problem(error)
        await service.log(request, AuditEvent(client, "assess", error=problem.code))
        raise problem from None
    await service.log_assessment(request, recent, "assess")
    service.recent.add(recent)
    record = recent.record(service.recent.minutes)
    return JSONResponse(record, 201, {"Location": record["links"]["self"]})


@router.get(
    f"{ASSESSMENTS}/{{answer_id}}",
    name="answer",
    response_class=JSONResponse,
    responses={**answer(200, "The same record again."), **errors(401, 404, 503)},
)
async def recent_answer(
    request: Request, answer_id: AnswerId, service: Shared, client: Client
) -> JSONResponse:
    """Give a recent assessment again."""
    recent = service.recent_assessment(answer_id, client)
    await service.log_assessment(request, recent, "answer")
    return JSONResponse(recent.record(service.recent.minutes))


@router.delete(
    f"{ASSESSMENTS}/{{answer_id}}",
    status_code=204,
    response_class=Response,
    responses=errors(401, 404, 503),
)
async def delete(
    request: Request, answer_id: AnswerId, service: Shared, client: Client
) -> Response:
    """Delete a recent assessment and its image."""
    recent = service.recent_assessment(answer_id, client)
    await service.log_assessment(request, recent, "delete")
    service.recent.delete(recent)
    return Response(status_code=204)


def _exporter(name: str) -> Callable[..., Awaitable[Response]]:
    async def export(
        request: Request, answer_id: AnswerId, service: Shared, client: Client
    ) -> Response:
        recent = service.recent_assessment(answer_id, client)
        date = service.assessor.weights.manifest.date
        with service.queue.slot() as slot:
            try:
                exported = await service.queue.run(slot, lambda: recent.export(name, date))
            except HttpProblem:
                raise
            except Exception as error:
                raise problem_of(error) from None
        await service.log_assessment(request, recent, name)
        # A file name without anything of the child: boneage-report.dcm.
        part = name.partition("/")[2]
        file_name = f"boneage{'-' * bool(part)}{part}.{exported.suffix.rpartition('.')[2]}"
        headers = {"Content-Disposition": f'inline; filename="{file_name}"'}
        return Response(exported.content, media_type=exported.media_type, headers=headers)

    return export


for _one in FORMATS.values():
    router.add_api_route(
        f"{ASSESSMENTS}/{{answer_id}}/{_one.name}",
        _exporter(_one.name),
        name=_one.name,
        description=_one.text,
        response_class=Response,
        responses=binary(_one.media_type, _one.text) | errors(401, 404, 422, 429, 501, 503),
    )


@router.get("/v1/models", responses=errors(401, 503))
async def models(service: Shared, _client: Client) -> dict[str, Any]:
    """Describe the model."""
    name = service.assessor.weights.name
    predictor = service.assessor.interval_predictor
    calibration = predictor.calibration
    model = {
        "name": name.name,
        "profile": name.profile,
        "sha256": name.sha256,
        "date": service.assessor.weights.manifest.date,
        "interval": predictor.model is not None,
        "calibration": calibration
        and {key: getattr(calibration, key) for key in ("name", "date", "films", "sha256")},
        "boneage": __version__,
    }
    return {"models": [model]}


@router.get("/healthz", responses=errors())
async def healthz() -> dict[str, str]:
    """Liveness: the process responds."""
    return {"status": "alive"}


@router.get("/readyz", responses=errors(503))
async def readyz(service: Shared) -> dict[str, str]:
    """Readiness: the weights are loaded, and the queue is not full."""
    if service.queue.full:
        raise HttpProblem(503, "busy", "the queue is full")
    return {"status": "ready"}


@router.get(
    "/metrics",
    response_class=Response,
    responses=binary("text/plain", "For Prometheus.") | errors(401, 503),
)
async def metrics(service: Shared, _client: Client) -> Response:
    """Metrics of this process, for Prometheus."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def _respond(request: Request, error: Exception) -> Response:
    """Answer an error as a problem."""
    found = _as_problem(error)
    if found.status == 405:
        found.headers["Allow"] = ", ".join(_methods(request))
    request.state.outcome = found.outcome
    if request.method == "POST" and found.status in {401, 413, 415, 422, 429}:
        await drain(request, service_of(request).settings.max_bytes)
    return found.response(request.state.request_id)


def _methods(request: Request) -> list[str]:
    """The methods of all routes of an address; Starlette names those of the first only."""
    methods: set[str] = set()
    for route in request.app.routes:
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
    if isinstance(error, RequestValidationError) and any(
        one["loc"][0] == "query" for one in error.errors()
    ):
        found = error.errors()[0]
        detail = f"{found['loc'][-1]} in the address is not valid: {found['msg']}"
        return HttpProblem(422, "query", detail)
    return no_assessment()  # an invalid id
