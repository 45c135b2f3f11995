"""Bone age from a radiograph of a child's left hand.

>>> import boneage
>>> boneage.assess("hand.png", sex="female").age_months  # doctest: +SKIP
122.4
"""

from __future__ import annotations

from functools import cache

from boneage._version import __version__
from boneage.clinical.course import Course, course_of
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import (
    Assessment,
    Box,
    Case,
    Failure,
    Finding,
    Interval,
    RegionDetection,
    Severity,
    Verdict,
    WeightsName,
)
from boneage.domain.child import Child
from boneage.domain.clinical_findings import ClinicalFindings
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.domain.reported import years_and_months
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import (
    AgeError,
    BoneageError,
    CalibrationError,
    FilmError,
    HeightError,
    LevelError,
    SexError,
    UnsuitableError,
    WeightsError,
)
from boneage.inference.assessor import Assessor
from boneage.inference.session import Source
from boneage.reading import read

__all__ = [
    "AgeError",
    "Assessment",
    "Assessor",
    "BoneageError",
    "Box",
    "CalibrationError",
    "Case",
    "Child",
    "ChildRecord",
    "ClinicVisit",
    "ClinicalFindings",
    "Course",
    "Failure",
    "FilmError",
    "Finding",
    "HeightError",
    "ImageMetadata",
    "Interval",
    "LevelError",
    "Radiograph",
    "RegionDetection",
    "Severity",
    "Sex",
    "SexError",
    "UnsuitableError",
    "Verdict",
    "WeightsError",
    "WeightsName",
    "__version__",
    "assess",
    "course_of",
    "read",
    "with_clinical_findings",
    "years_and_months",
]


@cache
def _bundled() -> Assessor:
    return Assessor()


def assess(
    film: Source,
    sex: Sex | str | None = None,
    *,
    chronological_age_months: float | None = None,
    force: bool = False,
) -> Assessment:
    """Assess the bone age of one image with the default weights, which are opened once.

    See :meth:`boneage.inference.assessor.Assessor.assess`.
    """
    return _bundled().assess(
        film, sex, chronological_age_months=chronological_age_months, force=force
    )
