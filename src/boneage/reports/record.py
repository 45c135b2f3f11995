"""An assessment as JSON: typed records, whose fields are the keys in their order.

The keys are a promise to scripts: new ones may come, none goes or changes its meaning
within a major version. ``docs/assessment.schema.json`` publishes them.
"""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Self, TypeAlias

import msgspec

from boneage._version import __version__
from boneage.domain.assessment import (
    Assessment,
    Box,
    Failure,
    Finding,
    Severity,
    Verdict,
    WeightsName,
)
from boneage.domain.clinical_findings import (
    NO_AGE,
    AgeSource,
    Category,
    Centre,
    Classification,
    ClassProbabilities,
    ClinicalFindings,
    Confidence,
    HeightComparison,
    NotDefined,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reader import Decision
from boneage.domain.reported import (
    CM_DECIMALS,
    MONTHS_DECIMALS,
    SDS_DECIMALS,
    completed,
    reported,
    years_and_months,
)
from boneage.reports.wording import bone_age_text

Record: TypeAlias = dict[str, Any]
"""A record as ``json.dumps`` takes it."""

DECIMALS = 2
"""Of a number whose key states nothing else."""
DECIMALS_BY_KEY: Mapping[str, int | None] = {
    "readings": MONTHS_DECIMALS,
    "percent": 1,
    "sd_months": 2,
    "seconds": 3,
    "tilt_degrees": 1,
    "pixel_aspect": 4,
    "level": None,
    "pixel_spacing_mm": None,
}
"""None: not rounded."""
DECIMALS_BY_UNIT: Mapping[str, int] = {
    "months": MONTHS_DECIMALS,
    "cm": CM_DECIMALS,
    "sds": SDS_DECIMALS,
}
"""By the last part of the key."""
FIELDS = Path(__file__).with_name("fields.toml")
"""What the keys mean, by object."""
CLASSIFICATION = "determination"
"""The key of the classification, as earlier versions named it."""
SIGNIFICANT = 4
"""Digits of what was measured of an image, whose sizes differ."""


class JsonObject(msgspec.Struct, frozen=True):
    """A JSON object: its fields are its keys, in their order."""

    @classmethod
    def of(cls, source: object, **stated: object) -> Self:
        """Convert the attributes of the same names, but for what is stated."""
        names = (name for name in cls.__struct_fields__ if name not in stated)
        stated |= {name: getattr(source, name) for name in names}
        return msgspec.convert(_native(stated), cls, from_attributes=True)


class IntervalRecord(JsonObject, frozen=True):
    """The prediction interval: ``level`` of such intervals contain the reference bone age."""

    low_months: float
    high_months: float
    level: float
    low_text: str
    high_text: str
    films: int | None
    by_sex: bool
    widening: float | None


class CalibrationRecord(JsonObject, frozen=True):
    """The site calibration that was applied, and the bone age without it."""

    name: str
    date: str
    films: int
    sha256: str
    uncalibrated_months: float
    uncalibrated_text: str


class ContextRecord(JsonObject, frozen=True):
    """What is known of the child, without dates."""

    chronological_age_months: float | None
    age_source: AgeSource | None
    age_not_defined: NotDefined | None
    height_cm: float | None
    centre: Centre


class GrowthRecord(JsonObject, frozen=True):
    """The bone age compared with the chronological age."""

    difference_months: float | None
    determination: Classification
    sds: float | None
    sds_low: float | None
    sds_high: float | None
    centre: Centre | None
    centre_months: float | None
    sd_months: float | None
    normal_low_months: float | None
    normal_high_months: float | None
    table: str | None
    not_defined: NotDefined | None
    confidence: Confidence | None
    probabilities: ClassProbabilities | None


class AdultHeightRecord(JsonObject, frozen=True):
    """The adult height predicted by the tables of Bayley and Pinneau."""

    present_height_cm: float
    category: Category | None
    percent: float | None
    predicted_cm: float | None
    error_sd_cm: float | None
    low_cm: float | None
    high_cm: float | None
    interval_low_cm: float | None
    interval_high_cm: float | None
    table: str
    not_defined: NotDefined | None
    error_not_defined: NotDefined | None
    interval_not_defined: NotDefined | None


class HeightRecord(JsonObject, frozen=True):
    """The current standing height beside a reference."""

    height_cm: float
    table: str
    for_age: HeightComparison | None
    for_bone_age: HeightComparison | None


class StandardsRecord(JsonObject, frozen=True):
    """The nearest standards of the atlas, and the assessment criteria there."""

    lower_months: float
    upper_months: float | None
    text: str
    phase: str
    looks_at: str


class ClinicalRecord(JsonObject, frozen=True):
    """The clinical interpretation."""

    context: ContextRecord
    growth: GrowthRecord | None
    height: HeightRecord | None
    adult_height: AdultHeightRecord | None
    standards: StandardsRecord


class RegionRecord(JsonObject, frozen=True):
    """A region of the hand; without attention, at the position that is expected of it."""

    name: str
    box: Box
    attention_found: bool


class FindingRecord(JsonObject, frozen=True):
    """A finding about the image, with what was measured and the limit for it."""

    code: str
    severity: Severity
    message: str
    measured: float | None
    limit: float | None


class OrientationRecord(JsonObject, frozen=True):
    """How the image was cropped, turned and inverted before analysis."""

    field: Box
    quarter_turns_clockwise: int
    inverted: bool
    tilt_degrees: float
    pixel_aspect: float


class OtherHandRecord(JsonObject, frozen=True):
    """The bone age of the right hand, where the image shows both hands."""

    age_months: float
    age_text: str
    box: Box


class SizeRecord(JsonObject, frozen=True):
    """The size of the image in pixels."""

    height: int
    width: int


class ImageMetadataRecord(JsonObject, frozen=True):
    """What the file states, without dates: those point at a child."""

    format: str
    bits: int
    modality: str | None
    laterality: str | None
    body_part: str | None
    pixel_spacing_mm: list[float] | None


class ReadingRecord(JsonObject, frozen=True):
    """What a reader states of the image, beside the program's bone age."""

    decision: Decision
    program_months: float
    own_months: float | None
    seconds: float | None


class AssessmentRecord(JsonObject, frozen=True, tag_field="status", tag="read"):
    """An image that was analysed; with the verdict "refused", at the user's request."""

    film: str
    verdict: Verdict
    sex: Sex
    age_months: float
    age_text: str
    years: int
    months: int
    interval: IntervalRecord | None
    calibration: CalibrationRecord | None
    unlikeness: float | None
    chronological_age_months: float | None
    clinical: ClinicalRecord | None
    readings: dict[str, float]
    regions: list[RegionRecord]
    findings: list[FindingRecord]
    stance: OrientationRecord | None
    other_hand: OtherHandRecord | None
    reading: ReadingRecord | None
    weights: WeightsName
    film_size: SizeRecord
    facts: ImageMetadataRecord
    seconds: float
    boneage: str


class FailureRecord(JsonObject, frozen=True, tag_field="status", tag="failed"):
    """An image that could not be read, or whose analysis failed."""

    film: str
    code: str
    message: str
    findings: list[FindingRecord]
    boneage: str


class RefusalRecord(FailureRecord, frozen=True, tag_field="status", tag="refused"):
    """An image that failed the quality check and was not analysed."""


ImageRecord: TypeAlias = AssessmentRecord | RefusalRecord | FailureRecord


class BatchRecord(JsonObject, frozen=True):
    """Many images in their order, with the counts."""

    boneage: str
    read: int
    refused: int
    failed: int
    films: list[ImageRecord]


def record(assessment: Assessment | Failure) -> Record:
    """Convert one outcome to values that ``json.dumps`` takes.

    The keys are those of :class:`AssessmentRecord`, or of :class:`RefusalRecord` or
    :class:`FailureRecord`, after ``status``: ``"read"``, ``"refused"`` or ``"failed"``. No name,
    identifier or birth date.
    """
    return _plain(
        _failure(assessment) if isinstance(assessment, Failure) else _assessment(assessment)
    )


def batch(records: Sequence[Record]) -> str:
    """One JSON document of many records, with the counts; in ASCII, which survives any pipe."""
    counts = Counter(r["status"] for r in records)
    films = msgspec.convert(records, list[ImageRecord])
    document = BatchRecord(__version__, counts["read"], counts["refused"], counts["failed"], films)
    return json.dumps(_plain(document), indent=2, allow_nan=False)


def json_schema() -> Record:
    """The JSON Schema of a batch document, and of a record alone."""
    either, parts = msgspec.json.schema_components(
        (BatchRecord, ImageRecord), ref_template="#/$defs/{name}"
    )
    for name, keys in tomllib.loads(FIELDS.read_text("utf-8")).items():
        for key, meaning in keys.items():
            parts[name]["properties"][key]["description"] = meaning
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Bone age assessments",
        "description": "What 'boneage assess --json' prints, or the record of one image in it.",
        "anyOf": list(either),
        "$defs": parts,
    }


def status_of(assessment: Assessment | Failure) -> str:
    """What became of an image in a word: "read", "refused" or "failed"."""
    if isinstance(assessment, Failure):
        return "refused" if assessment.refused else "failed"
    return "read"


def finding_record(finding: Finding) -> Record:
    """A finding about an image as ``json.dumps`` takes it."""
    return _plain(FindingRecord.of(finding))


def plain(value: object) -> Any:
    """Any value of the domain as ``json.dumps`` takes it, its numbers rounded by their keys."""
    return _rounded(msgspec.to_builtins(_native(value)))


def clinical_record(findings: ClinicalFindings) -> ClinicalRecord:
    """The clinical interpretation; no date, name or identifier."""
    reason, nearest = findings.context.age_not_defined, findings.standards
    standards = StandardsRecord.of(nearest, looks_at=nearest.criteria)
    growth: Record | None = None
    if findings.growth is not None:
        growth = _native(findings.growth)
        growth[CLASSIFICATION] = growth.pop("classification")
    elif reason is not None and reason.code != NO_AGE.code:  # the age stated is unusable
        growth = dict.fromkeys(GrowthRecord.__struct_fields__)
        growth |= {CLASSIFICATION: Classification.UNKNOWN, "not_defined": reason}
    return ClinicalRecord.of(findings, standards=standards, growth=growth)


def _failure(failure: Failure) -> FailureRecord:
    kind = RefusalRecord if failure.refused else FailureRecord
    return kind.of(failure, boneage=__version__)


def _assessment(assessment: Assessment) -> AssessmentRecord:
    years, months = completed(assessment.age_months)
    interval, calibrated = assessment.interval, assessment.calibrated
    orientation, hand = assessment.orientation, assessment.other_hand
    return AssessmentRecord.of(
        assessment,
        age_text=bone_age_text(assessment),
        years=years,
        months=months,
        interval=interval
        and IntervalRecord.of(
            interval,
            low_text=years_and_months(interval.low_months),
            high_text=years_and_months(interval.high_months),
        ),
        calibration=calibrated
        and CalibrationRecord.of(
            calibrated, uncalibrated_text=years_and_months(calibrated.uncalibrated_months)
        ),
        clinical=assessment.clinical and clinical_record(assessment.clinical),
        regions=[
            RegionRecord.of(detection, name=detection.region) for detection in assessment.detections
        ],
        stance=orientation
        and OrientationRecord.of(
            orientation,
            quarter_turns_clockwise=orientation.quarters,
            tilt_degrees=orientation.tilt.degrees if orientation.tilt else 0.0,
        ),
        unlikeness=assessment.ood_score,
        readings=dict(assessment.age_by_network),
        facts=ImageMetadataRecord.of(assessment.metadata),
        other_hand=hand and OtherHandRecord.of(hand, age_text=years_and_months(hand.age_months)),
        reading=assessment.reading and ReadingRecord.of(assessment.reading),
        film_size=SizeRecord(assessment.film_height, assessment.film_width),
        boneage=__version__,
    )


def _native(value: Any) -> Any:
    """Turn dataclasses into dictionaries, and NumPy's numbers into Python's."""
    if isinstance(value, float):
        return float(value)
    if is_dataclass(value):
        return {one.name: _native(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {name: _native(part) for name, part in value.items()}
    return [_native(part) for part in value] if isinstance(value, list | tuple) else value


def _plain(value: JsonObject) -> Record:
    plain: Record = _rounded(msgspec.to_builtins(value))
    return plain


def _rounded(value: Any, key: str = "") -> Any:
    """Round every number of a record as its key asks for."""
    if isinstance(value, dict):
        inner = key if key == "readings" else None
        return {name: _rounded(part, inner or name) for name, part in value.items()}
    if isinstance(value, list):
        return [_rounded(part, key) for part in value]
    if not isinstance(value, float):
        return value
    if key in {"measured", "limit"}:
        return float(f"{value:.{SIGNIFICANT}g}") + 0.0
    decimals = decimals_of(key)
    return value if decimals is None else reported(value, decimals)


def decimals_of(key: str) -> int | None:
    """How many decimals a number is reported with, by its key; None: all."""
    usual = DECIMALS_BY_UNIT.get(key.rpartition("_")[2], DECIMALS)
    return DECIMALS_BY_KEY.get(key, usual)
