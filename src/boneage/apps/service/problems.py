"""What went wrong, as RFC 9457 has it: application/problem+json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from starlette.responses import JSONResponse

from boneage.domain.assessment import Finding, Verdict, verdict_on
from boneage.errors import (
    AgeError,
    BoneageError,
    FilmError,
    HeightError,
    LanguageError,
    LevelError,
    OutputError,
    SexError,
)
from boneage.reports.record import finding_record

MEDIA_TYPE = "application/problem+json"
CODES: Mapping[type[BoneageError], str] = {
    SexError: "sex",
    AgeError: "age",
    HeightError: "height",
    LevelError: "level",
    LanguageError: "language",
    OutputError: "output",
}
"""Of errors in what was sent; each film error brings its own."""


class HttpProblem(Exception):  # noqa: N818  the standard's word
    """Why there is no answer.

    Parameters
    ----------
    status : int
    code : str
        A stable short word for programs.
    detail : str
        One sentence for people.
    findings : sequence of Finding
        Of an image that was refused.
    headers : mapping, optional
    """

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
        """What became of the request, in a word for the metrics; few words."""
        if verdict_on(self.findings) is Verdict.REFUSED:
            return "refused"
        if self.code == "too_slow":
            return "too slow"
        return OUTCOMES.get(self.status, "invalid" if self.status < 500 else "failed")

    def content(self, request_id: str) -> dict[str, Any]:
        """Give it as plain values."""
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
        """Give it as a response."""
        return JSONResponse(self.content(request_id), self.status, self.headers, MEDIA_TYPE)


Problem = HttpProblem  # its name in answering.py
OUTCOMES: Mapping[int, str] = {
    401: "unauthorized",
    403: "unauthorized",
    404: "not found",
    413: "too large",
    408: "too slow",
    429: "busy",
}


def problem_of(error: BoneageError) -> HttpProblem:
    """Give an error of the program's own as a problem of the request, or of the server."""
    if isinstance(error, FilmError):
        findings = getattr(error, "findings", ())
        status = 413 if error.code in {"too_many_bytes", "too_large"} else 422
        return HttpProblem(status, error.code, str(error), findings=findings)
    for kind, code in CODES.items():
        if isinstance(error, kind):
            return HttpProblem(422, code, str(error))
    # Of the weights or the audit log: it names paths of the server.
    return HttpProblem(503, "unavailable", f"the server cannot answer ({type(error).__name__})")
