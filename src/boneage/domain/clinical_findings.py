"""The clinical interpretation of a bone age."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from boneage.domain.radiograph import Sex


class AgeSource(StrEnum):
    """How the chronological age is known, the strongest first."""

    GIVEN = "given"
    GIVEN_DATES = "given birth date"
    FILM_DATES = "birth and study date of the film"
    FILM_AGE = "patient age of the film"


class Centre(StrEnum):
    """What a bone age is compared with, as reports name it."""

    CHRONOLOGICAL_AGE = "chronological age"
    BRUSH_MEAN = "Brush mean"
    OWN_MEAN = "mean of the reference"


class Classification(StrEnum):
    """The classification of a bone age by its SDS, in the words of RadElement RDES14."""

    DELAYED = "delayed"
    """An SDS below -2."""
    NORMAL = "normal"
    ADVANCED = "advanced"
    """An SDS above +2."""
    UNKNOWN = "unknown"
    """No SDS is defined."""


class Confidence(StrEnum):
    """How certain a classification is."""

    HIGH = "high"
    """The whole prediction interval has this classification."""
    LOW = "low"
    """The prediction interval crosses a limit of the normal range."""


class Category(StrEnum):
    """Which table of Bayley and Pinneau a child is read by."""

    AVERAGE = "average"
    ACCELERATED = "accelerated"
    DELAYED = "delayed"
    """The paper's own word, "retarded", is not used with families."""


@dataclass(frozen=True)
class NotDefined:
    """Why something is not defined for this child."""

    code: str
    """A stable short word, for programs and for translations."""
    message: str
    """One sentence for people."""


NO_AGE = NotDefined("no_age", "the chronological age is not known")


@dataclass(frozen=True)
class ClinicalContext:
    """What is known of the child. The dates stay out of every text and table."""

    chronological_age_months: float | None = None
    age_source: AgeSource | None = None
    birth_date: date | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    height_cm: float | None = None
    """Current standing height."""
    centre: Centre = Centre.CHRONOLOGICAL_AGE
    """What the SDS is centred on, as requested."""
    sds_reference: str | None = None
    """What the bone age is compared with, as requested; see
    :mod:`boneage.clinical.bone_age_references`."""
    height_reference: str | None = None
    """Likewise the height; see :mod:`boneage.clinical.stature`."""
    age_not_defined: NotDefined | None = None
    """Why there is no chronological age; None when there is one."""


@dataclass(frozen=True)
class ClassProbabilities:
    """The probability that a single expert reading of the image has each classification."""

    delayed: float
    normal: float
    advanced: float


@dataclass(frozen=True)
class GrowthFindings:
    """A bone age beside the chronological age, both as reported."""

    bone_age_months: float
    chronological_age_months: float
    difference_months: float
    """Bone age less chronological age; above 0: ahead."""
    table: str
    """The name of the table that the SD comes from."""
    centre: Centre
    classification: Classification
    centre_months: float | None = None
    """What 0 SDS means: the chronological age, or the mean of the table at it."""
    sd_months: float | None = None
    """One standard deviation of the bone age at this chronological age."""
    sds: float | None = None
    """(bone age − centre) / SD."""
    sds_low: float | None = None
    sds_high: float | None = None
    """Of the ends of the bone age's interval, where there is one."""
    normal_low_months: float | None = None
    normal_high_months: float | None = None
    """Two SD below and above the centre."""
    confidence: Confidence | None = None
    """None where there is no interval or no SD."""
    probabilities: ClassProbabilities | None = None
    """None where the weights state no errors, or there is no SD."""
    not_defined: NotDefined | None = None
    """Why there is no SD; None when there is."""


@dataclass(frozen=True)
class AdultHeight:
    """The adult height that Bayley and Pinneau predict."""

    present_height_cm: float
    category: Category | None = None
    percent: float | None = None
    """Of the adult height that has been reached, from the table."""
    predicted_cm: float | None = None
    error_sd_cm: float | None = None
    """One SD of the paper's prediction error at this chronological age."""
    low_cm: float | None = None
    high_cm: float | None = None
    """Two of these SD below and above the prediction."""
    interval_low_cm: float | None = None
    interval_high_cm: float | None = None
    """The least and the greatest prediction that the bone age's interval allows, without
    the prediction error."""
    table: str = "Bayley and Pinneau 1952"
    not_defined: NotDefined | None = None
    """Why there is no prediction; None when there is."""
    error_not_defined: NotDefined | None = None
    """Why there is no error beside the prediction."""
    interval_not_defined: NotDefined | None = None
    """Why the interval could not be carried through; None also where there is none."""


@dataclass(frozen=True)
class HeightComparison:
    """A height beside the heights of other children of an age."""

    sds: float | None = None
    percentile: float | None = None
    """0 to 100."""
    not_defined: NotDefined | None = None
    """Why there is no SDS; None when there is."""


@dataclass(frozen=True)
class HeightFindings:
    """A standing height beside a reference."""

    height_cm: float
    table: str
    """The name of the reference."""
    for_age: HeightComparison | None
    """At the chronological age; None where that is not known."""
    for_bone_age: HeightComparison | None
    """At the bone age, as if that were the child's age; None where that is not known."""


@dataclass(frozen=True)
class HeightVelocity:
    """The growth between two visits."""

    years: float
    """Between them."""
    cm_a_year: float | None = None
    not_defined: NotDefined | None = None
    """Why there is no velocity; None when there is."""


@dataclass(frozen=True)
class TargetHeight:
    """The adult height to be expected from the parents', and its range of two SD."""

    cm: float
    low_cm: float
    high_cm: float


@dataclass(frozen=True)
class NearestStandards:
    """The standards of the atlas that a bone age is between."""

    sex: Sex
    lower_months: float
    upper_months: float | None
    """The same as ``lower_months`` at a standard; None beyond the last one."""
    text: str
    """Such as "between the 11-year and 11½-year male standards"."""
    phase: str
    """A short name of the phase, for programs and for translations."""
    criteria: str
    """What a reader assesses in this phase, some sentences."""


@dataclass(frozen=True)
class ClinicalFindings:
    """The clinical interpretation of a bone age."""

    context: ClinicalContext
    standards: NearestStandards
    growth: GrowthFindings | None = None
    """None where the chronological age is not known."""
    height: HeightFindings | None = None
    adult_height: AdultHeight | None = None
    """None, as ``height``, where no height was given."""
