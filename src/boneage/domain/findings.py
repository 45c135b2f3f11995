"""What there is to say about a radiograph, and whether it may be analysed."""

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
    """Something the reader of the answer should know about the film."""

    code: str
    severity: Severity
    message: str
    """A sentence for a radiographer."""
    measured: float | None = None
    """What was measured on the film; None where the file only states something."""
    limit: float | None = None
    """Where it begins to be found."""


class Verdict(StrEnum):
    """Whether a film may be read."""

    ACCEPTED = "accepted"
    WARNED = "accepted with warnings"
    REFUSED = "refused"


def verdict_on(findings: Sequence[Finding]) -> Verdict:
    """Sum up what was found of a film."""
    severities = {finding.severity for finding in findings}
    if Severity.REFUSAL in severities:
        return Verdict.REFUSED
    return Verdict.WARNED if Severity.WARNING in severities else Verdict.ACCEPTED
