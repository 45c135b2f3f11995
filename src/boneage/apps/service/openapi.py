"""What the OpenAPI document says of requests and answers."""

from __future__ import annotations

from typing import Any

from boneage.apps.service.problems import MEDIA_TYPE

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
    401: "No token, or one that is not known.",
    403: "A page of another origin asks.",
    404: "There is no such answer, or no longer.",
    413: "The request, or the film in it, is too large.",
    415: "It is no form.",
    421: "The request was sent to another host name.",
    422: "The film cannot be read or is refused, or a field has no value of its kind.",
    429: "The server is busy; Retry-After says when to ask again.",
    408: "The film did not arrive in time.",
    500: "The program erred.",
    501: "The server lacks a library for this.",
    503: "The server cannot answer now, or did not in time.",
}
EXAMPLES = {
    401: ("token", "give the token in the header 'Authorization: Bearer TOKEN'"),
    404: ("no_answer", "there is no such answer, or no longer; send the film again"),
    413: ("too_many_bytes", "the request is larger than 100 MiB, the most accepted"),
    422: ("sex", "'x' is not a sex: give 'male' or 'female' (or m/f)"),
    429: ("busy", "the server is busy; ask again in 2 seconds"),
    503: ("too_slow", "there was no answer within 60 seconds"),
}


def errors(*statuses: int) -> dict[int | str, Schema]:
    """Describe the answers of these statuses, all of them problems."""
    return {status: _error(status) for status in (*statuses, 403, 421, 500)}


def _error(status: int) -> Schema:
    content: Schema = {"schema": PROBLEM}
    if status in EXAMPLES:
        code, detail = EXAMPLES[status]
        content["example"] = {
            "type": f"urn:boneage:problem:{code}",
            "title": TEXTS[status],
            "status": status,
            "code": code,
            "detail": detail,
            "request_id": "5f0c6d",
        }
    described: Schema = {"description": TEXTS[status], "content": {MEDIA_TYPE: content}}
    if status in {429, 503}:
        described["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return described


def binary(media_type: str, text: str) -> dict[int | str, Schema]:
    """Describe a file as the answer."""
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


FOLLOWING = (
    *("answer", "delete", "picture", "report", "fhir"),
    *("dicom_picture", "dicom_report"),
)
"""The operations that take the id of an answer."""


def _link(operation: str) -> Schema:
    return {"operationId": operation, "parameters": {"answer_id": "$response.body#/id"}}


def answer(status: int, text: str) -> dict[int | str, Schema]:
    """Describe the record as the answer."""
    described: Schema = {"description": text, "content": {"application/json": {"schema": ANSWER}}}
    if status == 201:
        described["headers"] = {"Location": {"schema": {"type": "string"}}}
        described["links"] = {name: _link(name) for name in FOLLOWING}
    return {status: described}


def _text(text: str, *examples: str) -> Schema:
    schema: Schema = {"type": "string", "maxLength": 1024, "description": text}
    return schema | {"examples": list(examples)} if examples else schema


FORM: Schema = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["film"],
                    "additionalProperties": False,
                    "properties": {
                        "film": {
                            "type": "string",
                            "format": "binary",
                            "description": "PNG, JPEG, TIFF, WebP, BMP or DICOM, with a file name.",
                        },
                        "sex": _text("male or female; needed unless the film states it.", "female"),
                        "age": _text("Chronological age: 11y4m, or months.", "11y4m"),
                        "birth_date": _text("YYYY-MM-DD.", "2013-04-28"),
                        "study_date": _text("YYYY-MM-DD.", "2024-08-30"),
                        "height_cm": _text("Present standing height.", "142.5"),
                        "height_in": _text("The same in inches, in place of height_cm."),
                        "brush_mean": _text("true: centre the SDS on the Brush mean.", "false"),
                        "level": _text("Of the interval.", "0.9"),
                        "force": _text("true: read a film that is refused, too.", "false"),
                        "language": _text("Of the report: en or de.", "en"),
                        "paper": _text("Of the report: a4 or letter.", "a4"),
                        "pseudonym": _text("What report and FHIR call the child.", "K17"),
                    },
                },
                "example": {"sex": "female", "age": "11y4m"},
            }
        },
    }
}
