"""The descriptions of requests and responses in the OpenAPI document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from boneage.apps.service.problems import MEDIA_TYPE, HttpProblem

Schema = dict[str, Any]

DESCRIBED: Schema = json.loads(Path(__file__).with_name("openapi.json").read_text("utf-8"))
"""The form, the record, problems and their statuses, and the operations that take an id."""
FORM: Schema = DESCRIBED["form"]
_FORM_BODY = FORM["requestBody"]["content"]["multipart/form-data"]["schema"]
FIELDS = tuple(_FORM_BODY["properties"])
"""Of the form: the image first."""
FILM = FIELDS[0]
JSON_TYPE = "application/json"
MAX_FIELD_BYTES: int = _FORM_BODY["properties"]["sex"]["maxLength"]
"""Of every field but the image."""


def errors(*statuses: int) -> dict[int | str, Schema]:
    """Describe the responses of these statuses, all of them problems."""
    return {status: _error(status) for status in (*statuses, 403, 421, 500)}


def _error(status: int) -> Schema:
    stated = DESCRIBED["errors"][str(status)]
    content: Schema = {"schema": DESCRIBED["problem"]}
    if "example" in stated:
        content["example"] = HttpProblem(status, *stated["example"]).content("5f0c6d")
    described: Schema = {"description": stated["description"], "content": {MEDIA_TYPE: content}}
    if status in {429, 503}:
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return described


def binary(media_type: str, text: str) -> dict[int | str, Schema]:
    """Describe a file as the response."""
    schema: Schema = {"type": "string", "format": "binary"}
    if media_type.endswith("json"):
        schema = {"type": "object"}
    return {200: {"description": text, "content": {media_type: {"schema": schema}}}}


def answer(status: int, text: str) -> dict[int | str, Schema]:
    """Describe the record as the response."""
    content = {JSON_TYPE: {"schema": DESCRIBED["answer"]}}
    described: Schema = {"description": text, "content": content}
    if status == 201:
        described["headers"] = {"Location": {"schema": {"type": "string"}}}
        parameters = {"answer_id": "$response.body#/id"}
        described["links"] = {
            name: {"operationId": name, "parameters": parameters}
            for name in DESCRIBED["operations_by_id"]
        }
    return {status: described}


def json_answer(status: int, text: str) -> dict[int | str, Schema]:
    """Describe a JSON object as the response."""
    content = {JSON_TYPE: {"schema": {"type": "object"}}}
    return {status: {"description": text, "content": content}}


def body(kinds: Mapping[str, Schema | type[msgspec.Struct]]) -> Schema:
    """Describe the body of a request, by its media types."""
    content = {
        media_type: {"schema": kind if isinstance(kind, dict) else _schema_of(kind)}
        for media_type, kind in kinds.items()
    }
    return {"requestBody": {"required": True, "content": content}}


def _schema_of(kind: type[msgspec.Struct]) -> Schema:
    _, parts = msgspec.json.schema_components([kind])
    schema: Schema = parts[kind.__name__]
    return schema
