"""The assessment of an image and its parts."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from typing import TYPE_CHECKING

from boneage.domain.child import Child
from boneage.domain.clinical_findings import ClinicalFindings
from boneage.domain.findings import Finding, Severity, Verdict, verdict_on
from boneage.domain.geometry import Box, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import ImageMetadata, Sex

if TYPE_CHECKING:
    from boneage.domain.reader import ReaderReading

__all__ = [
    "AGE_RANGE_MONTHS",
    "CARPAL",
    "MATURE",
    "METACARPAL",
    "PHALANX",
    "WHOLE_HAND",
    "Assessment",
    "Box",
    "Calibrated",
    "Case",
    "ErrorDistribution",
    "Failure",
    "Finding",
    "Interval",
    "OtherHand",
    "RegionDetection",
    "Severity",
    "Verdict",
    "WeightsName",
    "verdict_on",
]

WHOLE_HAND = "whole_hand"
CARPAL = "carpal"
METACARPAL = "metacarpal"
PHALANX = "phalanx"
MATURE = "mature"
"""Code of the finding that the growth plates appear fused."""

AGE_RANGE_MONTHS = (0.0, 240.0)
"""No estimate is outside: from birth to a year beyond the standards."""


@dataclass(frozen=True)
class Interval:
    """A prediction interval: it covers the bone age in ``level`` of all images like this one."""

    low_months: float
    high_months: float
    level: float
    films: int | None = None
    """How many labelled images it was calibrated on; None: not stated."""
    by_sex: bool = False
    """Whether these were images of this sex alone, or of both."""
    widening: float = 1.0
    """How much wider it is than for a typical image of this sex and age: because the networks
    disagree, or because the image is atypical."""


@dataclass(frozen=True)
class ErrorDistribution:
    """How far a single expert reading of an image may be from the estimate.

    To either side alike: the errors of the calibration radiographs, scaled to this one.
    """

    scores: tuple[float, ...]
    """Absolute errors of the calibration radiographs as multiples of their scale, ascending."""
    scale_months: float

    def probability_beyond(self, months: float) -> float:
        """The probability that the reading is further than this above the estimate.

        Of a distance below 0: that it is above that, lower, age.
        """
        further = len(self.scores) - bisect_right(self.scores, abs(months) / self.scale_months)
        tail = (further + 1) / (len(self.scores) + 1) / 2
        return tail if months >= 0 else 1 - tail


@dataclass(frozen=True)
class Calibrated:
    """A clinic's calibration that was applied, and the estimate without it."""

    name: str
    date: str
    films: int
    """How many of the clinic's images the calibration was fitted on."""
    sha256: str
    """Of the calibration's file."""
    uncalibrated_months: float
    """The estimate of the weights alone."""


@dataclass(frozen=True)
class OtherHand:
    """The right hand, in an image of both hands."""

    age_months: float
    box: Box


@dataclass(frozen=True)
class WeightsName:
    """The model: name, profile and checksum of its weights."""

    name: str
    profile: str
    sha256: str
    """Of the manifest, which in turn pins every file."""


@dataclass(frozen=True, eq=False)
class Assessment:
    """The bone age of one image, and how it was reached."""

    film: str
    sex: Sex
    age_months: float
    detections: tuple[RegionDetection, ...]
    age_by_network: Mapping[str, float]
    """Months by each network alone, by region; the bone age combines them."""
    weights: WeightsName
    metadata: ImageMetadata
    film_height: int
    film_width: int
    seconds: float
    findings: tuple[Finding, ...] = ()
    interval: Interval | None = None
    errors: ErrorDistribution | None = None
    """None where the weights state no interval."""
    chronological_age_months: float | None = None
    ood_score: float | None = None
    """Distance of the whole hand's feature from those of the training images: about 1 for most
    images; None where the weights cannot measure it."""
    calibrated: Calibrated | None = None
    """None where no calibration was applied."""
    by_standard: Mapping[Sex, float] = field(default_factory=dict)
    """Months by the standard of each sex, uncalibrated; that of ``sex`` is
    :attr:`uncalibrated_months`."""
    clinical: ClinicalFindings | None = None
    """The clinical interpretation; None where it was not requested."""
    orientation: Orientation | None = None
    """How the image was brought upright; None: it was analysed as it is. Boxes and heat maps are
    in the pixels of the image as it came in any case."""
    other_hand: OtherHand | None = None
    """The right hand, where the image shows both; None: it shows one."""
    reading: ReaderReading | None = None
    """What a reader states; then ``age_months`` is the reader's. None: no reader has read it."""

    @property
    def uncalibrated_months(self) -> float:
        return self.calibrated.uncalibrated_months if self.calibrated else self.age_months

    @property
    def laterality(self) -> str | None:
        """``"L"`` or ``"R"``: of the hand that was assessed; None: unknown."""
        return "L" if self.other_hand else self.metadata.laterality

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """The findings that a reader must see: warnings and refusals."""
        return tuple(f for f in self.findings if f.severity is not Severity.NOTE)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        """Why the image failed the quality check; it was assessed because that was forced."""
        return tuple(f for f in self.findings if f.severity is Severity.REFUSAL)

    @property
    def verdict(self) -> Verdict:
        return verdict_on(self.findings)

    @property
    def is_mature(self) -> bool:
        """Whether the growth plates appear fused: the bone age is at least the one stated."""
        return any(finding.code == MATURE for finding in self.findings)

    def box(self, region: str) -> Box | None:
        return next((found.box for found in self.detections if found.region == region), None)


@dataclass(frozen=True)
class Case:
    """One image to be assessed, as a table of cases states it."""

    film: str | PathLike[str]
    sex: Sex | None = None
    """None: as the image states."""
    chronological_age_months: float | None = None
    child: Child | None = None
    """What else the table states of the child; None: nothing."""
    pseudonym: str | None = None
    """Of the child in the history."""


@dataclass(frozen=True)
class Failure:
    """An image that could not be assessed, and why."""

    film: str
    code: str
    message: str
    findings: tuple[Finding, ...] = ()
    """Of an image that failed the quality check; empty where a file could not be read."""

    @property
    def refused(self) -> bool:
        return verdict_on(self.findings) is Verdict.REFUSED
