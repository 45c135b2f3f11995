"""What is wrong with a labelled data set: each thing named, all of them counted by kind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from boneage.errors import DataError


class Kind(StrEnum):
    """What may be wrong, in the order in which it is counted out."""

    NO_FILM = "label_without_film", "label without film", "labels without film"
    NO_LABEL = "film_without_label", "film without label", "films without label"
    DUPLICATE = "duplicate_id", "duplicate id", "duplicate ids"
    DUPLICATE_FILM = "duplicate_film", "film listed twice", "films listed twice"
    AGE_RANGE = (
        "age_out_of_range",
        "bone age outside 0–240 months",
        "bone ages outside 0–240 months",
    )
    AGE_TEXT = "age_not_a_number", "bone age that is no number", "bone ages that are no number"
    SEX = (
        "sex_not_one",
        "sex that is neither male nor female",
        "sexes that are neither male nor female",
    )
    NO_ID = "label_without_id", "label without id", "labels without id"
    UNLISTED = (
        "id_not_listed",
        "id that films.csv does not list",
        "ids that films.csv does not list",
    )
    SPLIT = "split_not_one", "unknown split", "unknown splits"
    SIZE = "size_not_one", "original size that is no size", "original sizes that are no size"
    CELLS = (
        "cells_not_as_columns",
        "row of too many or few cells",
        "rows of too many or few cells",
    )

    label: str
    """What one of them is called, such as "label without film"."""
    several: str

    def __new__(cls, value: str, label: str, several: str) -> Kind:
        """Make a kind of its value and its words."""
        kind = str.__new__(cls, value)
        kind._value_, kind.label, kind.several = value, label, several
        return kind

    def words(self, count: int) -> str:
        """Say how many there are, such as "3 labels without film"."""
        return f"{count:,} {self.label if count == 1 else self.several}"


@dataclass(frozen=True)
class Problem:
    """One label or film that cannot be used."""

    kind: Kind
    film: str
    """Its id; where it has none, the line of the table."""
    message: str

    def __str__(self) -> str:
        return f"{self.film}: {self.message}"


class LabelError(DataError):
    """A label that cannot be used, and of which kind the reason is."""

    def __init__(self, kind: Kind, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class ProblemList:
    """Problems as they are met; a strict one stops at the first."""

    def __init__(self, *, strict: bool) -> None:
        self.strict = strict
        self.found: list[Problem] = []

    def add(self, kind: Kind, film: str, message: str) -> None:
        """Note a problem; where they are strict, raise it as a DataError."""
        problem = Problem(kind, film, message)
        if self.strict:
            raise DataError(str(problem))
        self.found.append(problem)


def count_by_kind(problems: Iterable[Problem]) -> dict[Kind, int]:
    """Count problems, in the order of :class:`Kind`; kinds that don't occur are left out."""
    counts = Counter(problem.kind for problem in problems)
    return {kind: counts[kind] for kind in Kind if counts[kind]}


def in_words(problems: Iterable[Problem]) -> str:
    """Say how many problems of which kind there are, such as "1 duplicate id"."""
    return ", ".join(kind.words(count) for kind, count in count_by_kind(problems).items())
