"""What is known of a child: as people write it, the same for every interface, and by metadata."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from boneage.domain.ages import (
    MAX_AGE_MONTHS,
    OLDEST_MONTHS,
    checked_age,
    months_between,
    parse_age,
    parse_date,
)
from boneage.domain.clinical_findings import NO_AGE, AgeSource, Centre, ClinicalContext, NotDefined
from boneage.domain.radiograph import ImageMetadata
from boneage.errors import AgeError, HeightError

CM_PER_INCH = 2.54
HEIGHT_RANGE_CM = (30.0, 230.0)
"""From a very early baby to a giant: anything else is a slip."""
HIGHEST_IN_METRES = 2.5

BIRTH_AFTER_STUDY = NotDefined(
    "birth_after_study", "the file states a birth date after its study date"
)
PLACEHOLDER = NotDefined("placeholder_age", "the file states an age or dates that are placeholders")
NO_STUDY_DATE = NotDefined(
    "no_study_date", "the file states a birth date, but neither its study date nor an age"
)
SAME_HEIGHT_CM = 1.0
"""Centimetres and rounded inches of one height differ by less."""


@dataclass(frozen=True)
class Child:
    """What people state of the child on an image; all may be left out, and must be a child's."""

    chronological_age_months: float | None = None
    birth_date: date | None = field(default=None, repr=False)
    study_date: date | None = field(default=None, repr=False)
    height_cm: float | None = None
    centre: Centre = Centre.CHRONOLOGICAL_AGE
    sds_reference: str | None = None
    """``"brush"``, ``"atlas"`` or the path of a clinic's own table; None: the default."""
    height_reference: str | None = None
    """``"cdc"`` or the path of a table; None: the default."""

    def completed(self, other: Child) -> Child:
        """Take from another what is not stated here; an age or birth date here rules out both."""
        aged = self.chronological_age_months is not None or self.birth_date is not None
        return replace(
            other,
            chronological_age_months=(
                self.chronological_age_months if aged else other.chronological_age_months
            ),
            birth_date=self.birth_date if aged else other.birth_date,
            study_date=self.study_date or other.study_date,
            height_cm=other.height_cm if self.height_cm is None else self.height_cm,
        )

    def __post_init__(self) -> None:
        if self.chronological_age_months is not None:
            checked_age(self.chronological_age_months)
        if self.birth_date is not None and self.study_date is not None:
            age_between(self.birth_date, self.study_date)
        if self.height_cm is not None:
            check_height(self.height_cm)


def age_between(birth_date: date, study_date: date) -> float:
    """Give the months from birth to the image; the AgeError names no date."""
    months = months_between(birth_date, study_date)
    if months < 0:
        raise AgeError("the birth date lies after the study date; correct one of them")
    try:
        return checked_age(months)
    except AgeError:
        raise AgeError(
            f"birth date and study date make the child {months / 12:.0f} years old; "
            "correct one of them"
        ) from None


def check_height(height_cm: float) -> float:
    """Give the height; HeightError, which names metres if likely, where no child has it."""
    low, high = HEIGHT_RANGE_CM
    if low <= height_cm <= high:
        return height_cm
    if 0 < height_cm <= HIGHEST_IN_METRES:
        raise HeightError(
            f"height {height_cm:g} cm looks like metres; give centimetres: {100 * height_cm:g}"
        )
    raise HeightError(
        f"height {height_cm:g} cm is not a child's; from {low:g} to {high:g} cm is accepted"
    )


def parse_height(text: str) -> float:
    """Read a height as a number, with a point or a comma; HeightError when it is not one."""
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise HeightError(f"height {text!r} is not a number; give one such as 142.5") from None


def height_from_inches(height_in: float) -> float:
    """Give a height in centimetres; the HeightError guesses centimetres or feet if likely."""
    low, high = (cm / CM_PER_INCH for cm in HEIGHT_RANGE_CM)
    if low <= height_in <= high:
        return height_in * CM_PER_INCH
    hint = "; is it in centimetres?" if high < height_in <= HEIGHT_RANGE_CM[1] else ""
    hint = "; is it in feet?" if 1 <= height_in < 8 else hint
    raise HeightError(
        f"height {height_in:g} inches is not a child's; from {math.ceil(low)} to "
        f"{math.floor(high)} inches is accepted{hint}"
    )


def clinical_context(child: Child, metadata: ImageMetadata) -> ClinicalContext:
    """Combine what is given with the image's metadata; what is given takes precedence.

    Where the metadata give no valid age, the context states the reason. AgeError when one date is
    given and the other is not known, or the two give no child's age.
    """
    age, source = _given_age(child, metadata)
    reason = None
    if age is None:
        age, source, reason = _stated_age(metadata)
    return ClinicalContext(
        chronological_age_months=age,
        age_source=source,
        birth_date=child.birth_date or metadata.birth_date,
        study_date=child.study_date or metadata.study_date,
        height_cm=child.height_cm,
        centre=child.centre,
        sds_reference=child.sds_reference,
        height_reference=child.height_reference,
        age_not_defined=reason,
    )


def _given_age(child: Child, metadata: ImageMetadata) -> tuple[float | None, AgeSource | None]:
    if child.chronological_age_months is not None:
        return child.chronological_age_months, AgeSource.GIVEN
    if child.birth_date is None and child.study_date is None:
        return None, None
    birth_date = child.birth_date or metadata.birth_date
    study_date = child.study_date or metadata.study_date
    if birth_date is None:
        raise AgeError(
            "the file states no birth date, so the study date alone gives no age; "
            "give the birth date too, or the age"
        )
    if study_date is None:
        raise AgeError(
            "the file states no study date, so the birth date alone gives no age; "
            "give the study date too, or the age"
        )
    return age_between(birth_date, study_date), AgeSource.GIVEN_DATES


def _stated_age(
    metadata: ImageMetadata,
) -> tuple[float | None, AgeSource | None, NotDefined | None]:
    """Take the age that the metadata give, or the reason why they give none."""
    birth_date, study_date = metadata.birth_date, metadata.study_date
    age, source = metadata.chronological_age_months, AgeSource.FILM_AGE
    reason = NO_AGE if birth_date is None else NO_STUDY_DATE
    if any(finding.code == PLACEHOLDER.code for finding in metadata.findings):
        reason = PLACEHOLDER
    if birth_date is not None and study_date is not None:
        months = months_between(birth_date, study_date)
        reason = BIRTH_AFTER_STUDY if months < 0 else PLACEHOLDER
        if 0 < months <= OLDEST_MONTHS:
            age, source = months, AgeSource.FILM_DATES
    if age is None:
        return None, None, reason
    if age > MAX_AGE_MONTHS:
        return None, None, NotDefined("adult", f"the file states an age of {age / 12:.0f} years")
    return age, source, None


FIELDS: Mapping[str, Callable[[str], Any]] = {
    "age": parse_age,
    "birth_date": lambda text: parse_date(text, "birth date"),
    "study_date": lambda text: parse_date(text, "study date"),
    "height_cm": lambda text: check_height(parse_height(text)),
    "height_in": lambda text: height_from_inches(parse_height(text)),
}
"""How each is parsed: an age in months, dates, heights in centimetres."""


def parse_fields(texts: Mapping[str, str]) -> dict[str, Any]:
    """Parse those of :data:`FIELDS` that are there and not empty; AgeError or HeightError."""
    return {name: parse(texts[name]) for name, parse in FIELDS.items() if texts.get(name)}


def child_of(
    values: Mapping[str, Any],
    *,
    brush_mean: bool = False,
    sds_reference: str | None = None,
    height_reference: str | None = None,
) -> Child:
    """Put parsed fields together, if they agree; one that is None or missing is not known."""
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
        sds_reference=sds_reference,
        height_reference=height_reference,
    )
