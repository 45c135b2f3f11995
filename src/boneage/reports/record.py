"""An answer as plain values, for JSON.

The keys are a promise to scripts: new ones may come, none goes or changes its
meaning within a major version.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import (
    Assessment,
    Box,
    Calibrated,
    Failure,
    Finding,
    Interval,
    Look,
    OtherHand,
    years_and_months,
)
from boneage.domain.radiograph import Facts
from boneage.domain.stance import Stance

Record = dict[str, Any]

DECIMALS = 2
"""Of months; a hundredth of a month is far below what a film can tell."""


def record(answer: Assessment | Failure) -> Record:
    """Turn one answer into values that ``json.dumps`` takes.

    Returns
    -------
    dict
        ``status`` is ``"read"``, ``"refused"`` or ``"failed"``; the latter two have
        ``film``, ``code``, ``message`` and ``findings`` besides. A film that was read
        although it is refused has the ``verdict`` ``"refused"``. No name, identifier or
        birth date.
    """
    if isinstance(answer, Failure):
        return {
            "status": status_of(answer),
            "film": answer.film,
            "code": answer.code,
            "message": answer.message,
            "findings": [finding_record(finding) for finding in answer.findings],
            "boneage": __version__,
        }
    years, months = divmod(round(answer.age_months), 12)
    return {
        "status": "read",
        "film": answer.film,
        "verdict": answer.verdict.value,
        "sex": answer.sex.value,
        "age_months": round(answer.age_months, DECIMALS),
        "age_text": years_and_months(answer.age_months),
        "years": years,
        "months": months,
        "interval": _interval(answer.interval),
        "calibration": _calibrated(answer.calibrated),
        "unlikeness": _rounded(answer.unlikeness),
        "chronological_age_months": _rounded(answer.chronological_age_months),
        "clinical": answer.clinical.to_dict() if answer.clinical else None,
        "readings": {name: _rounded(age) for name, age in answer.readings.items()},
        "regions": [_region(look) for look in answer.looks],
        "findings": [finding_record(finding) for finding in answer.findings],
        "stance": _stance(answer.stance),
        "other_hand": _other_hand(answer.other_hand),
        "weights": {
            "name": answer.weights.name,
            "profile": answer.weights.profile,
            "sha256": answer.weights.sha256,
        },
        "film_size": {"height": answer.film_height, "width": answer.film_width},
        "facts": _facts(answer.facts),
        "seconds": round(answer.seconds, 3),
        "boneage": __version__,
    }


def batch(records: Sequence[Record]) -> str:
    """One JSON document of many records, in their order, with the counts.

    ASCII only, so that it survives any pipe.
    """
    counts = Counter(r["status"] for r in records)
    document = {
        "boneage": __version__,
        "read": counts["read"],
        "refused": counts["refused"],
        "failed": counts["failed"],
        "films": list(records),
    }
    return json.dumps(document, indent=2, allow_nan=False)


def status_of(answer: Assessment | Failure) -> str:
    """Say in a word what became of a film: "read", "refused" or "failed"."""
    if isinstance(answer, Failure):
        return "refused" if answer.refused else "failed"
    return "read"


def box_record(box: Box) -> dict[str, int]:
    """Give a box in the film's pixels, max row and column excluded."""
    return {
        "min_row": box.min_row,
        "min_col": box.min_col,
        "max_row": box.max_row,
        "max_col": box.max_col,
    }


def _region(look: Look) -> Record:
    return {
        "name": look.region,
        "box": box_record(look.box),
        "attention_found": look.attention_found,
    }


def finding_record(finding: Finding) -> Record:
    """Give what was found of a film."""
    return {
        "code": finding.code,
        "severity": finding.severity.value,
        "message": finding.message,
        "measured": _measured(finding.measured),
        "limit": _measured(finding.limit),
    }


def _other_hand(hand: OtherHand | None) -> Record | None:
    """Give the bone age of the right hand, where the image shows both."""
    if hand is None:
        return None
    return {
        "age_months": _rounded(hand.age_months),
        "age_text": years_and_months(hand.age_months),
        "box": box_record(hand.box),
    }


def _stance(stance: Stance | None) -> Record | None:
    """Say what was done to a film before it was read; None: nothing."""
    if stance is None:
        return None
    return {
        "field": box_record(stance.field),
        "quarter_turns_clockwise": stance.quarters,
        "inverted": stance.inverted,
        "tilt_degrees": round(stance.tilt.degrees, 1) if stance.tilt else 0.0,
        "pixel_aspect": round(stance.pixel_aspect, 4),
    }


def _facts(facts: Facts) -> Record:
    """Say what the file states, without dates: those point at a child."""
    spacing = facts.pixel_spacing_mm
    return {
        "format": facts.format,
        "bits": facts.bits,
        "modality": facts.modality,
        "laterality": facts.laterality,
        "body_part": facts.body_part,
        "pixel_spacing_mm": list(spacing) if spacing else None,
    }


def _interval(interval: Interval | None) -> Record | None:
    if interval is None:
        return None
    return {
        "low_months": _rounded(interval.low_months),
        "high_months": _rounded(interval.high_months),
        "level": interval.level,
        "low_text": years_and_months(interval.low_months),
        "high_text": years_and_months(interval.high_months),
        "films": interval.films,
        "by_sex": interval.by_sex,
        "widening": _rounded(interval.widening),
    }


def _calibrated(calibrated: Calibrated | None) -> Record | None:
    if calibrated is None:
        return None
    return {
        "name": calibrated.name,
        "date": calibrated.date,
        "films": calibrated.films,
        "sha256": calibrated.sha256,
        "uncalibrated_months": _rounded(calibrated.uncalibrated_months),
        "uncalibrated_text": years_and_months(calibrated.uncalibrated_months),
    }


def _measured(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _rounded(number: float | None) -> float | None:
    return None if number is None else round(number, DECIMALS)
