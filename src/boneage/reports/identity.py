"""The identity of the child; written only where the user asks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date


@dataclass(frozen=True)
class Identity:
    """What may be written of a child; all of it may be left out, and is by default."""

    pseudonym: str | None = None
    """Chosen by the user."""
    name: str | None = field(default=None, repr=False)
    patient_id: str | None = field(default=None, repr=False)
    birth_date: date | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    study_uid: str | None = field(default=None, repr=False)
    """DICOM's identifier of the study that the image belongs to."""


ANONYMOUS = Identity()
