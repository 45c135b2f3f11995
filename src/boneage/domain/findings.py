"""Findings on a radiograph, and whether it may be analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters."""

    NOTE = "note"
    WARNING = "warning"
    REFUSAL = "refusal"


@dataclass(frozen=True)
class Finding:
    """Something that the reader of the result should know about the image."""

    code: str
    severity: Severity
    message: str
    """A sentence for a radiographer."""
    measured: float | None = None
    """The measured value; None where the metadata state something."""
    limit: float | None = None
    """The value beyond which it is a finding."""

    @classmethod
    def note(cls, code: str, message: str, *values: float | None) -> Finding:
        """Something to know; ``values`` are what was measured, and its limit."""
        return cls(code, Severity.NOTE, message, *values)

    @classmethod
    def warning(cls, code: str, message: str, *values: float | None) -> Finding:
        return cls(code, Severity.WARNING, message, *values)

    @classmethod
    def refusal(cls, code: str, message: str, *values: float | None) -> Finding:
        return cls(code, Severity.REFUSAL, message, *values)


class Verdict(StrEnum):
    """Whether an image passes the quality check."""

    ACCEPTED = "accepted"
    WARNED = "accepted with warnings"
    REFUSED = "refused"


def verdict_on(findings: Sequence[Finding]) -> Verdict:
    severities = {finding.severity for finding in findings}
    if Severity.REFUSAL in severities:
        return Verdict.REFUSED
    return Verdict.WARNED if Severity.WARNING in severities else Verdict.ACCEPTED
