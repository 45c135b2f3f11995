"""Errors as problem details (RFC 9457): application/problem+json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from boneage.domain.assessment import Failure, Finding, Verdict, verdict_on
from boneage.errors import BoneageError
from boneage.extras import extra_of
from boneage.inference.session import failure_of
from boneage.reports.record import finding_record

MEDIA_TYPE = "application/problem+json"
STATUSES: Mapping[str, int] = {
    "too_many_bytes": 413,
    "too_large": 413,
    "unexpected": 500,
    "no_child": 404,
}
"""By error code; 422 for all others."""


class HttpProblem(Exception):  # noqa: N818  the standard's word
    """An error response: a code for programs, a sentence, the findings of a refused image."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        findings: Sequence[Finding] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.findings, self.headers = tuple(findings), dict(headers or {})

    @property
    def outcome(self) -> str:
        """The outcome of the request, one of few words for the metrics."""
        if verdict_on(self.findings) is Verdict.REFUSED:
            return "refused"
        if self.code == "too_slow":
            return "too slow"
        return OUTCOMES.get(self.status, "invalid" if self.status < 500 else "failed")

    def content(self, request_id: str) -> dict[str, Any]:
        """The problem as plain JSON values."""
        plain: dict[str, Any] = {
            "type": f"urn:boneage:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "request_id": request_id,
        }
        if self.findings:
            plain["findings"] = [finding_record(finding) for finding in self.findings]
        return plain

    def response(self, request_id: str) -> JSONResponse:
        """The problem as a response."""
        return JSONResponse(self.content(request_id), self.status, self.headers, MEDIA_TYPE)


OUTCOMES: Mapping[int, str] = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not found",
    413: "too large",
    408: "too slow",
    429: "busy",
}


def problem_of(error: Exception | Failure) -> HttpProblem:
    """Convert a failure or an error to a problem."""
    if isinstance(error, ModuleNotFoundError):
        detail = f"{error.name} is not installed on the server"  # no path of the server
        if extra := extra_of(error):
            detail += f': it needs the extra "{extra}" of boneage'
        return HttpProblem(501, "not_installed", detail)
    if isinstance(error, BoneageError | Failure) and error.code == BoneageError.code:
        # Of the weights, the audit log or the history: it names paths of the server.
        return HttpProblem(
            503, "unavailable", f"the server cannot do this now ({type(error).__name__})"
        )
    failure = error if isinstance(error, Failure) else failure_of("", error)
    status = STATUSES.get(failure.code, 422)
    return HttpProblem(status, failure.code, failure.message, findings=failure.findings)
