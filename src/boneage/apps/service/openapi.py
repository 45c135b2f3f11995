"""The descriptions of requests and responses in the OpenAPI document."""

from __future__ import annotations

from typing import Any

from boneage.apps.service.form import FIELDS, FILM, MAX_FIELD_BYTES
from boneage.apps.service.problems import MEDIA_TYPE, HttpProblem

Schema = dict[str, Any]

PROBLEM: Schema = {
    "type": "object",
    "required": ["type", "title", "status", "code", "detail", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "description": "A stable short word for programs."},
        "detail": {"type": "string", "description": "One sentence for people."},
        "request_id": {"type": "string"},
        "findings": {"type": "array", "items": {"type": "object"}},
    },
}
TEXTS = {
    400: "The form cannot be read.",
    401: "No token, or an unknown one.",
    403: "The request comes from a page of another origin.",
    404: "There is no such assessment, or it has expired.",
    413: "The request, or the image in it, is too large.",
    415: "The body is not a multipart form.",
    421: "The request was sent to another host name.",
    422: "The image cannot be read or failed the quality check, or a field is invalid.",
    429: "The server is busy; try again after Retry-After seconds.",
    408: "The image did not arrive in time.",
    500: "Unexpected error of the server.",
    501: "The server lacks a library for this export.",
    503: "The server is not available, or gave no result in time.",
}
EXAMPLES = {
    401: ("token", "give the token in the header 'Authorization: Bearer TOKEN'"),
    404: ("no_answer", "there is no such assessment, or it has expired; send the image again"),
    413: ("too_many_bytes", "the request exceeds the limit of 100 MiB"),
    422: ("sex", "'x' is not a sex: give 'male' or 'female' (or m/f)"),
    429: ("busy", "the server is busy; try again in 2 seconds"),
    503: ("too_slow", "there was no result within 60 seconds"),
}


def errors(*statuses: int) -> dict[int | str, Schema]:
    """Describe the responses of these statuses, all of them problems."""
    return {status: _error(status) for status in (*statuses, 403, 421, 500)}


def _error(status: int) -> Schema:
    content: Schema = {"schema": PROBLEM}
    if status in EXAMPLES:
        content["example"] = HttpProblem(status, *EXAMPLES[status]).content("5f0c6d")
    described: Schema = {"description": TEXTS[status], "content": {MEDIA_TYPE: content}}
    if status in {429, 503}:
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return described


def binary(media_type: str, text: str) -> dict[int | str, Schema]:
    """Describe a file as the response."""
    schema: Schema = {"type": "string", "format": "binary"}
    if media_type.endswith("json"):
        schema = {"type": "object"}
    return {200: {"description": text, "content": {media_type: {"schema": schema}}}}


ANSWER: Schema = {
    "type": "object",
    "description": "The record of 'boneage assess --json', with id, expires and links.",
    "required": ["status", "verdict", "sex", "age_months", "id", "expires", "links"],
    "properties": {
        "status": {"const": "read"},
        "verdict": {"enum": ["accepted", "accepted with warnings", "refused"]},
        "sex": {"enum": ["male", "female"]},
        "age_months": {"type": "number", "minimum": 0, "maximum": 240},
        "id": {"type": "string"},
        "expires": {"type": "string", "format": "date-time"},
        "links": {"type": "object", "additionalProperties": {"type": "string"}},
    },
}


OPERATIONS_BY_ID = (
    "answer",
    "delete",
    "picture",
    "report",
    "fhir",
    "dicom_picture",
    "dicom_report",
)
"""The operations that take the id of an assessment."""


def _link(operation: str) -> Schema:
    return {"operationId": operation, "parameters": {"answer_id": "$response.body#/id"}}


def answer(status: int, text: str) -> dict[int | str, Schema]:
    """Describe the record as the response."""
    described: Schema = {"description": text, "content": {"application/json": {"schema": ANSWER}}}
    if status == 201:
        described["headers"] = {"Location": {"schema": {"type": "string"}}}
        described["links"] = {name: _link(name) for name in OPERATIONS_BY_ID}
    return {status: described}


def _field(text: str, *examples: str) -> Schema:
    schema: Schema = {"type": "string", "maxLength": MAX_FIELD_BYTES, "description": text}
    return schema | {"examples": list(examples)} if examples else schema


FORM: Schema = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": [FILM],
                    "additionalProperties": False,
                    "properties": {
                        FILM: {
                            "type": "string",
                            "format": "binary",
                            "description": "PNG, JPEG, TIFF, WebP, BMP or DICOM, with a file name.",
                        },
                        **{name: _field(*texts) for name, texts in FIELDS.items()},
                    },
                },
                "example": {"sex": "female", "age": "11y4m"},
            }
        },
    }
}
