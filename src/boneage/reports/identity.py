"""Who the child on an image is, and what an image is called whose name may be the child's."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date

from boneage.domain.radiograph import Radiograph


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


NOBODY = Identity()


def fingerprint(radiograph: Radiograph) -> str:
    """Give the sha256 of an image's pixels: tells images apart, and nothing of the child."""
    return hashlib.sha256(radiograph.pixels.tobytes()).hexdigest()
