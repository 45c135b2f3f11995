"""What an answer is. Plain frozen values, no files, no framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike

from boneage.domain.child import Child
from boneage.domain.clinical_findings import ClinicalFindings
from boneage.domain.findings import Finding, Severity, Verdict, verdict_on
from boneage.domain.geometry import Box, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import ImageMetadata, Sex

__all__ = [
    "AGE_RANGE_MONTHS",
    "CARPAL",
    "METACARPAL",
    "PHALANX",
    "WHOLE_HAND",
    "Assessment",
    "Box",
    "Calibrated",
    "Case",
    "Failure",
    "Finding",
    "Interval",
    "OtherHand",
    "RegionDetection",
    "Severity",
    "Verdict",
    "WeightsName",
    "verdict_on",
    "years_and_months",
]

WHOLE_HAND = "whole_hand"
CARPAL = "carpal"
METACARPAL = "metacarpal"
PHALANX = "phalanx"
AGE_RANGE_MONTHS = (0.0, 240.0)
"""No answer lies outside: before birth, or beyond the standards by a year."""


@dataclass(frozen=True)
class Interval:
    """A range that holds the bone age in ``level`` of all films like this one."""

    low_months: float
    high_months: float
    level: float
    films: int | None = None
    """How many labelled films it was calibrated on; None: not stated."""
    by_sex: bool = False
    """Whether these were films of this sex alone, or of both."""
    widening: float = 1.0
    """How much wider it is than for a usual film of this sex and age: the networks
    disagree, or the film is unlike the training films."""


@dataclass(frozen=True)
class Calibrated:
    """Which clinic's calibration an answer went through, and what it was before."""

    name: str
    date: str
    films: int
    """Of the clinic's own, that the calibration was fitted on."""
    sha256: str
    """Of the calibration's file."""
    uncalibrated_months: float
    """The answer of the weights alone."""


@dataclass(frozen=True)
class OtherHand:
    """The hand beside the one that was answered for, in an image of both hands."""

    age_months: float
    box: Box
    """Its part of the image, in the pixels of the film."""


@dataclass(frozen=True)
class WeightsName:
    """The model: name, profile and checksum of its weights."""

    name: str
    profile: str
    sha256: str
    """Of the manifest, which in turn pins every file."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The bone age read from one film, and how it was reached."""

    film: str
    sex: Sex
    age_months: float
    detections: tuple[RegionDetection, ...]
    age_by_network: Mapping[str, float]
    """Months by each network alone, by region name; the answer joins them."""
    weights: WeightsName
    metadata: ImageMetadata
    film_height: int
    film_width: int
    seconds: float
    findings: tuple[Finding, ...] = ()
    interval: Interval | None = None
    chronological_age_months: float | None = None
    ood_score: float | None = None
    """How far the whole hand's feature lies from those of the training films: about 1
    for most of them; None where the weights cannot tell."""
    calibrated: Calibrated | None = None
    """None where the answer is that of the weights alone."""
    by_standard: Mapping[Sex, float] = field(default_factory=dict)
    """Months by the standard of each sex, as the weights alone answer; that of
    ``sex`` is :attr:`uncalibrated_months`."""
    clinical: ClinicalFindings | None = None
    """What follows for the child; None where nobody asked."""
    orientation: Orientation | None = None
    """What was done to the film before it was read; None: it was read as it lay.
    Boxes and heat maps lie on the film as it came, whatever was done."""
    other_hand: OtherHand | None = None
    """The right hand, where the image shows both; None: it shows one."""

    @property
    def uncalibrated_months(self) -> float:
        """What the weights alone answered."""
        return self.calibrated.uncalibrated_months if self.calibrated else self.age_months

    @property
    def laterality(self) -> str | None:
        """``"L"`` or ``"R"``: of the hand that was answered for; None: unknown."""
        return "L" if self.other_hand else self.metadata.laterality

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a reader must see."""
        return tuple(f for f in self.findings if f.severity is not Severity.NOTE)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why this film should not have been read; it was, because it was forced."""
        return tuple(f for f in self.findings if f.severity is Severity.REFUSAL)

    @property
    def verdict(self) -> Verdict:
        """Whether the film may be read."""
        return verdict_on(self.findings)

    def box(self, region: str) -> Box | None:
        """The box of a region, or None when the weights do not look for it."""
        return next(
            (detection.box for detection in self.detections if detection.region == region), None
        )


def years_and_months(age_months: float) -> str:
    """An age as clinicians say it, to the nearest month.

    >>> years_and_months(131.6)
    '11 years 0 months'
    """
    years, months = divmod(round(age_months), 12)
    return f"{years} year{'s' * (years != 1)} {months} month{'s' * (months != 1)}"


@dataclass(frozen=True)
class Case:
    """One film to be read, as a table of cases states it."""

    film: str | PathLike[str]
    sex: Sex | None = None
    """None: as the film itself states."""
    chronological_age_months: float | None = None
    child: Child | None = None
    """What else the table says of the child; None: nothing."""
    pseudonym: str | None = None
    """Whom a history keeps the answer of."""


@dataclass(frozen=True)
class Failure:
    """A film that got no answer, and why; a batch goes on after it."""

    film: str
    code: str
    message: str
    findings: tuple[Finding, ...] = ()
    """What was found of a film that was refused; empty where a file could not be read."""

    @property
    def refused(self) -> bool:
        """Whether the film could have been read, and was refused."""
        return verdict_on(self.findings) is Verdict.REFUSED
