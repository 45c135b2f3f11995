"""Problems of a labelled data set, listed and counted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from boneage.errors import DataError


class Kind(StrEnum):
    """The kinds of problems, in the order in which they are reported."""

    NO_FILM = "label_without_film", "label without image", "labels without image"
    NO_LABEL = "film_without_label", "image without label", "images without label"
    DUPLICATE = "duplicate_id", "duplicate id", "duplicate ids"
    DUPLICATE_FILM = "duplicate_film", "image listed twice", "images listed twice"
    AGE_RANGE = (
        "age_out_of_range",
        "bone age outside 0–240 months",
        "bone ages outside 0–240 months",
    )
    AGE_TEXT = (
        "age_not_a_number",
        "bone age that is not a number",
        "bone ages that are no numbers",
    )
    SEX = (
        "sex_not_one",
        "sex other than male or female",
        "sexes other than male or female",
    )
    NO_ID = "label_without_id", "label without id", "labels without id"
    UNLISTED = (
        "id_not_listed",
        "id that films.csv does not list",
        "ids that films.csv does not list",
    )
    SPLIT = "split_not_one", "unknown split", "unknown splits"
    SIZE = "size_not_one", "invalid original size", "invalid original sizes"
    CELLS = (
        "cells_not_as_columns",
        "row with too many or too few cells",
        "rows with too many or too few cells",
    )

    label: str
    """The singular, such as "label without image"."""
    plural: str
    """Such as "labels without image"."""

    def __new__(cls, value: str, label: str, plural: str) -> Kind:
        """Make a kind of its value, singular and plural."""
        kind = str.__new__(cls, value)
        kind._value_, kind.label, kind.plural = value, label, plural
        return kind

    def words(self, count: int) -> str:
        """A count in words, such as "3 labels without image"."""
        return f"{count:,} {self.label if count == 1 else self.plural}"


@dataclass(frozen=True)
class Problem:
    """One label or image that cannot be used."""

    kind: Kind
    film: str
    """Its id; where it has none, the line of the table."""
    message: str

    def __str__(self) -> str:
        return f"{self.film}: {self.message}"


class LabelError(DataError):
    """A label that cannot be used, and the kind of its problem."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ProblemList:
    """Problems as they are found; a strict list stops at the first."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.found: list[Problem] = []

    def add(self, kind: Kind, film: str, message: str) -> None:
        """Add a problem; a strict list raises it as a DataError."""
        problem = Problem(kind, film, message)
        if self.strict:
            raise DataError(str(problem))
        self.found.append(problem)


def count_by_kind(problems: Iterable[Problem]) -> dict[Kind, int]:
    """Count problems, in the order of :class:`Kind`; kinds that don't occur are left out."""
    counts = Counter(problem.kind for problem in problems)
    return {kind: counts[kind] for kind in Kind if counts[kind]}


def in_words(problems: Iterable[Problem]) -> str:
    """Problems counted by kind, such as "1 duplicate id, 3 unknown splits"."""
    return ", ".join(kind.words(count) for kind, count in count_by_kind(problems).items())
