"""The whole Assessor over labelled films, exactly as a user would run it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from boneage.assessment import Assessment, Case, Failure
from boneage.assessor import Assessor
from boneage.errors import DataError
from boneage.radiograph import Sex
from boneage.training.films import Film, load_films

Split: TypeAlias = Literal["validation", "train", "all"]
SPLITS: tuple[Split, ...] = ("validation", "train", "all")


@dataclass(frozen=True)
class Reading:
    """One labelled film and what was read from it."""

    case: str
    """The film's id in the data set."""
    sex: Sex
    true_months: float
    predicted_months: float
    networks: Mapping[str, float]
    """Months read by each network alone, by region."""
    attention_found: Mapping[str, bool]
    """Whether the attention stood out, by region."""
    seconds: float

    @property
    def error_months(self) -> float:
        """Predicted minus true."""
        return self.predicted_months - self.true_months


@dataclass(frozen=True)
class Validation:
    """The readings of a set of films, and the films that got none."""

    readings: tuple[Reading, ...]
    failures: tuple[Failure, ...]
    """Named by the film's id."""

    @property
    def films(self) -> int:
        """How many films were tried."""
        return len(self.readings) + len(self.failures)


def films_to_read(folder: Path, split: Split, limit: int | None = None) -> tuple[Film, ...]:
    """Labelled films of useful resolution; squeezed thumbnails cannot be read.

    Raises
    ------
    DataError
        When the folder has none in this split.
    """
    films = load_films(folder)
    names = ("train", "validation") if split == "all" else (split,)
    chosen = tuple(film for name in names for film in films.select("detailed", name))
    if not chosen:
        raise DataError(
            f"{str(folder)!r} has no {split!r} film of useful resolution; splits are {list(SPLITS)}"
        )
    return chosen[:limit]


def read_each(assessor: Assessor, films: Sequence[Film]) -> Iterator[Reading | Failure]:
    """Read films one by one, each by the sex its label states."""
    cases = (Case(film.path, film.sex) for film in films)
    for film, answer in zip(films, assessor.assess_many(cases), strict=True):
        yield _reading(film, answer)


def collect(answers: Iterable[Reading | Failure]) -> Validation:
    """Sort answers into readings and failures."""
    readings: list[Reading] = []
    failures: list[Failure] = []
    for answer in answers:
        if isinstance(answer, Failure):
            failures.append(answer)
        else:
            readings.append(answer)
    return Validation(tuple(readings), tuple(failures))


def _reading(film: Film, answer: Assessment | Failure) -> Reading | Failure:
    if isinstance(answer, Failure):
        return Failure(film.id, answer.code, answer.message)
    return Reading(
        case=film.id,
        sex=film.sex,
        true_months=film.age_months,
        predicted_months=answer.age_months,
        networks=dict(answer.readings),
        attention_found={look.region: look.attention_found for look in answer.looks},
        seconds=answer.seconds,
    )
