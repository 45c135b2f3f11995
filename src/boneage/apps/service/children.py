"""The routes of the history: children over years, where the service was started with one.

Every token has access to every child of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from boneage.apps.audit_log import AuditEvent
from boneage.apps.service.openapi import JSON_TYPE, binary, body, errors, json_answer
from boneage.apps.service.problems import HttpProblem, problem_of
from boneage.apps.service.shared import Client, Service, Shared, route_name
from boneage.clinical.course import course_of
from boneage.domain.ages import checked_age, parse_age
from boneage.domain.child import HEIGHT_RANGE_CM
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ClinicVisit
from boneage.errors import DataError, NoChildError, VisitError
from boneage.history.entry import visit_of
from boneage.i18n.words import ENGLISH
from boneage.reports.child_files import CHILD_FILES, ChildFile, course_record
from boneage.reports.child_record import read_children
from boneage.reports.exports import PAPERS, ReportOptions
from boneage.reports.record import Record

if TYPE_CHECKING:
    from boneage.history.store import History

CHILDREN = "/v1/children"
Value = TypeVar("Value")
IMPORTED = {"text/csv": "visits.csv", "application/fhir+json": "visits.json"}
"""The forms of children that can be sent, by media type, and what errors call them."""
MAX_IMPORT_BYTES = 8 * 2**20
MAX_BODY_BYTES = 2**16
BODY_ERRORS = (400, 401, 408, 413, 415, 422, 503)


Centimetres = Annotated[float, msgspec.Meta(ge=HEIGHT_RANGE_CM[0], le=HEIGHT_RANGE_CM[1])]
Age = Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | float
"""Written as ``11y4m``, or in months."""


class VisitBody(msgspec.Struct, forbid_unknown_fields=True):
    """A visit as a client sends it."""

    sex: Literal["male", "female"] | None = None
    """May be left out where ``assessment`` states it."""
    assessment: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$")] | None = None
    """The id of a recent assessment, whose result is the visit's."""
    age: Age | None = None
    bone_age: Age | None = None
    """As a person read it."""
    height_cm: Centimetres | None = None
    pubertal_stage: str | None = None
    treatment: str | None = None


class ParentsBody(msgspec.Struct, forbid_unknown_fields=True):
    """The standing heights of a child's parents; one that is left out stays as it is."""

    father_cm: Centimetres | None = None
    mother_cm: Centimetres | None = None


Pseudonym = Annotated[str, Path(max_length=64, examples=["K17"])]
Language = Annotated[str, Query(pattern="^(en|de)$")]
Paper = Annotated[str, Query(pattern="^(a4|letter)$")]
children_router = APIRouter(prefix=CHILDREN, generate_unique_id_function=route_name)


@children_router.get("", name="children", responses=errors(401, 503))
async def children(service: Shared, _client: Client) -> dict[str, Any]:
    """List the children of the history."""
    people = await _using(service, lambda history: history.people())
    return {
        "children": [
            {"pseudonym": one.pseudonym, "sex": one.sex.value, "visits": one.entries}
            for one in people
        ]
    }


@children_router.post(
    "",
    name="import_children",
    status_code=201,
    response_class=JSONResponse,
    responses={**json_answer(201, "The children were imported."), **errors(*BODY_ERRORS)},
    openapi_extra=body(
        {"text/csv": {"type": "string"}, "application/fhir+json": {"type": "object"}}
    ),
)
async def import_children(request: Request, service: Shared, client: Client) -> JSONResponse:
    """Import children: a table with one row a visit, or the FHIR Bundle of one child."""
    name = IMPORTED.get(_media_type(request))
    if name is None:
        raise HttpProblem(415, "no_children", f"send one of {', '.join(IMPORTED)}")
    content = await _body(request, MAX_IMPORT_BYTES)

    def work(history: History) -> dict[str, int]:
        try:
            found = read_children(FilePath(name), content)
        except DataError as error:
            raise VisitError(str(error)) from None
        return {"children": len(found), "visits": history.add_children(found)}

    counts = await _using(service, work)
    await service.log(request, AuditEvent(client, "import_children", times=counts["visits"]))
    return JSONResponse(counts, 201)


@children_router.get(
    "/{pseudonym}",
    name="child",
    response_class=JSONResponse,
    responses={**json_answer(200, "The child with its visits."), **errors(401, 404, 503)},
)
async def child(
    request: Request, pseudonym: Pseudonym, service: Shared, client: Client
) -> JSONResponse:
    """Give a child: its visits, and what they say of growth."""
    record = await _record(service, pseudonym)
    await service.log(request, AuditEvent(client, "child"))
    return JSONResponse(record)


@children_router.delete(
    "/{pseudonym}",
    name="delete_child",
    status_code=204,
    response_class=Response,
    responses=errors(401, 404, 503),
)
async def delete_child(
    request: Request, pseudonym: Pseudonym, service: Shared, client: Client
) -> Response:
    """Delete a child with all its visits."""
    await _using(service, lambda history: history.delete(pseudonym))
    await service.log(request, AuditEvent(client, "delete_child"))
    return Response(status_code=204)


@children_router.post(
    "/{pseudonym}/visits",
    name="add_visit",
    status_code=201,
    response_class=JSONResponse,
    responses={**json_answer(201, "The child with the visit."), **errors(404, *BODY_ERRORS)},
    openapi_extra=body({JSON_TYPE: VisitBody}),
)
async def add_visit(
    request: Request, pseudonym: Pseudonym, service: Shared, client: Client
) -> JSONResponse:
    """Add a visit: measurements, the result of a recent assessment, or both."""
    sent = await _decoded(request, VisitBody)
    visit = _visit(sent, service, client)
    await _using(service, lambda history: history.add(pseudonym, visit))
    await service.log(request, AuditEvent(client, "add_visit", film=visit.image_sha256))
    return JSONResponse(await _record(service, pseudonym), 201)


@children_router.delete(
    "/{pseudonym}/visits/{number}",
    name="delete_visit",
    status_code=204,
    response_class=Response,
    responses=errors(401, 404, 503),
)
async def delete_visit(
    request: Request,
    pseudonym: Pseudonym,
    number: Annotated[int, Path(ge=1, le=2**31 - 1)],
    service: Shared,
    client: Client,
) -> Response:
    """Delete one visit, by its number."""
    await _using(service, lambda history: history.delete(pseudonym, number))
    await service.log(request, AuditEvent(client, "delete_visit"))
    return Response(status_code=204)


@children_router.put(
    "/{pseudonym}/parents",
    name="parents",
    response_class=JSONResponse,
    responses={**json_answer(200, "The child."), **errors(404, *BODY_ERRORS)},
    openapi_extra=body({JSON_TYPE: ParentsBody}),
)
async def parents(
    request: Request, pseudonym: Pseudonym, service: Shared, client: Client
) -> JSONResponse:
    """Save the heights of a child's parents, for the target height."""
    sent = await _decoded(request, ParentsBody)
    known = {"father_cm": sent.father_cm, "mother_cm": sent.mother_cm}
    await _using(service, lambda history: history.set_parents(pseudonym, **known))
    await service.log(request, AuditEvent(client, "parents"))
    return JSONResponse(await _record(service, pseudonym))


def _file_route(one: ChildFile) -> Callable[..., Awaitable[Response]]:
    async def give(
        request: Request,
        pseudonym: Pseudonym,
        service: Shared,
        client: Client,
        language: Language = ENGLISH,
        paper: Paper = PAPERS[0],
    ) -> Response:
        options = ReportOptions(paper, language)

        def work() -> bytes:
            try:
                return one.content(course_of(_history(service).child(pseudonym)), options)
            except Exception as error:
                raise problem_of(error) from None

        with service.queue.slot() as slot:
            content = await service.queue.run(slot, work)
        await service.log(request, AuditEvent(client, f"child/{one.name}"))
        headers = {"Content-Disposition": f'inline; filename="boneage-child{one.suffix}"'}
        return Response(content, media_type=one.media_type, headers=headers)

    return give


for _one in CHILD_FILES.values():
    if _one.media_type != JSON_TYPE:  # that is the child itself
        children_router.add_api_route(
            f"/{{pseudonym}}/{_one.name}",
            _file_route(_one),
            name=f"child/{_one.name.replace('-', '_')}",
            description=f"{_one.label}.",
            response_class=Response,
            responses=binary(_one.media_type, _one.label) | errors(401, 404, 422, 429, 501, 503),
        )


def _history(service: Service) -> History:
    if service.history is None:  # the routes are there only with one
        raise NoChildError("the service has no history")
    return service.history


async def _using(service: Service, work: Callable[[History], Value]) -> Value:
    """Work on the history in a thread: databases wait."""
    return await asyncio.to_thread(work, _history(service))


async def _record(service: Service, pseudonym: str) -> Record:
    return await _using(service, lambda history: course_record(course_of(history.child(pseudonym))))


def _visit(sent: VisitBody, service: Service, client: str) -> ClinicVisit:
    stated: dict[str, Any] = {
        "chronological_age_months": _age(sent.age),
        "reader_months": _age(sent.bone_age),
        "height_cm": sent.height_cm,
        "pubertal_stage": sent.pubertal_stage,
        "treatment": sent.treatment,
    }
    known = {name: value for name, value in stated.items() if value is not None}
    if sent.assessment is not None:
        recent = service.recent_assessment(sent.assessment, client)
        visit = visit_of(recent.assessment, recent.fingerprint)
        if sent.sex not in {None, visit.sex.value}:
            raise VisitError(f"the assessment was made as {visit.sex}, the visit states {sent.sex}")
        return replace(visit, **known)
    if sent.sex is None:
        raise VisitError("give the sex, or the id of an assessment")
    return ClinicVisit(Sex(sent.sex), **known)


def _age(stated: str | float | None) -> float | None:
    if stated is None:
        return None
    return parse_age(stated) if isinstance(stated, str) else checked_age(stated)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _decoded(request: Request, kind: type[Value]) -> Value:
    """Decode a JSON body; a problem of status 400, 413, 415 or 422 when it is not such a one."""
    if _media_type(request) != JSON_TYPE:
        raise HttpProblem(415, "no_json", f"send {JSON_TYPE}")
    try:
        return msgspec.json.decode(await _body(request, MAX_BODY_BYTES), type=kind)
    except msgspec.ValidationError as error:
        raise HttpProblem(422, "visit", f"the body is not valid: {error}") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise HttpProblem(400, "bad_json", "the body is not valid JSON") from None


async def _body(request: Request, limit: int) -> bytes:
    """Receive a body; a problem of status 413 when it is longer."""
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > limit:
            raise HttpProblem(413, "too_many_bytes", f"the request exceeds {limit // 1024} KiB")
    return bytes(content)
