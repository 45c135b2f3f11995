"""What is chosen for a film before it is read, and what still keeps it from being read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from boneage.apps.dashboard.films import Film
from boneage.domain.ages import MAX_AGE_MONTHS, months_between
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex


class AgeError(ValueError):
    """Dates that give no age, in a sentence."""


@dataclass(frozen=True)
class Choice:
    """By whose standard a film is to be read, and the child's age if known."""

    sex: Sex | None
    chronological_age_months: float | None = None
    problem: str = ""
    """What is wrong with the age that was given."""
    height_cm: float | None = None
    """Present standing height."""

    @property
    def child(self) -> Child:
        """What was said of the child."""
        return Child(self.chronological_age_months, height_cm=self.height_cm)


def age_between(birth: date | None, film: date | None) -> float | None:
    """Months from birth to the film; None when either is not given.

    Raises
    ------
    AgeError
        When the dates cannot be those of a child and a later film.
    """
    if birth is None or film is None:
        return None
    months = months_between(birth, film)
    if months < 0:
        raise AgeError("The film date lies before the birth date: correct one of them.")
    if months > MAX_AGE_MONTHS:
        raise AgeError(
            f"These dates make the child {months / 12:.0f} years old: correct one of them."
        )
    return months


def age_of(years: int | None, months: int | None) -> float | None:
    """Months from whole years and months; None when neither is given."""
    if years is None and months is None:
        return None
    return 12.0 * (years or 0) + (months or 0)


def contradiction(film: Film, choice: Choice) -> str:
    """Say that the sex chosen is not the one the film states; empty when there is none."""
    stated = film.facts.sex
    if stated is None or choice.sex is None or stated is choice.sex:
        return ""
    return (
        f"The film states {stated}, you chose {choice.sex}. "
        "The standards differ by sex: make sure that yours is right."
    )


def obstacle(films: Sequence[Film], choices: Mapping[str, Choice], weights_problem: str) -> str:
    """Say why the films cannot be read yet; empty when they can."""
    if weights_problem:
        return "There are no weights to read with."
    if not films:
        return "Add a film first."
    without = [film for film in films if choices[film.key].sex is None]
    if without:
        return f"Choose the sex{_of(without, films)}."
    wrong = [film for film in films if choices[film.key].problem]
    if wrong:
        return f"Correct the age{_of(wrong, films)}."
    return ""


def _of(some: Sequence[Film], films: Sequence[Film]) -> str:
    if len(films) == 1:
        return ""
    more = f" and {len(some) - 1} more" if len(some) > 1 else ""
    return f" of {some[0].name}{more}"
