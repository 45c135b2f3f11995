"""What people write of a child: options of a command, columns of a table, fields of a form.

Every interface parses them here, so that all accept and refuse the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from boneage.domain.ages import parse_age, parse_date
from boneage.domain.child import Child, check_height, height_from_inches, parse_height
from boneage.domain.clinical_findings import Centre
from boneage.errors import HeightError

SAME_HEIGHT_CM = 1.0
"""Centimetres and rounded inches of one height differ by less."""


def _height_cm(text: str) -> float:
    height_cm = parse_height(text)
    check_height(height_cm)
    return height_cm


FIELDS: Mapping[str, Callable[[str], Any]] = {
    "age": parse_age,
    "birth_date": lambda text: parse_date(text, "birth date"),
    "study_date": lambda text: parse_date(text, "study date"),
    "height_cm": _height_cm,
    "height_in": lambda text: height_from_inches(parse_height(text)),
}
"""How each is parsed: an age in months, dates, heights in centimetres."""


def parse_fields(texts: Mapping[str, str]) -> dict[str, Any]:
    """Parse those of :data:`FIELDS` that are there and not empty.

    Raises
    ------
    AgeError, HeightError
        For what is not understood, or not a child's.
    """
    return {name: parse(texts[name]) for name, parse in FIELDS.items() if texts.get(name)}


def child_of(values: Mapping[str, Any], *, brush_mean: bool = False) -> Child:
    """Put parsed fields together; one that is None or missing is not known.

    Raises
    ------
    AgeError, HeightError
        When they contradict each other.
    """
    height_cm, height_in = values.get("height_cm"), values.get("height_in")
    if height_cm is None:
        height_cm = height_in
    elif height_in is not None and abs(height_cm - height_in) > SAME_HEIGHT_CM:
        raise HeightError(
            f"height_cm ({height_cm:g} cm) and height_in ({height_in:.1f} cm) contradict each other"
        )
    return Child(
        chronological_age_months=values.get("age"),
        birth_date=values.get("birth_date"),
        study_date=values.get("study_date"),
        height_cm=height_cm,
        centre=Centre.BRUSH_MEAN if brush_mean else Centre.CHRONOLOGICAL_AGE,
    )
