"""The whole Assessor over labelled films, exactly as a user would run it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from boneage.datasets.films import Film, Films, load_films
from boneage.datasets.problems import Problem
from boneage.domain.assessment import Assessment, Failure, Interval
from boneage.domain.radiograph import Sex
from boneage.errors import DataError, LevelError
from boneage.inference.assessor import Assessor, answer_or_failure
from boneage.storage.many import in_parallel
from boneage.uncertainty.intervals import DEFAULT_LEVEL

Split: TypeAlias = Literal["validation", "train", "all"]
KEPT = 2
"""Form of what a journal keeps of a reading; raised when more is kept."""
LEVELS = (0.5, 0.8, DEFAULT_LEVEL)
"""Of the intervals that are checked; the widest is the one that answers state."""
SPLITS: tuple[Split, ...] = ("validation", "train", "all")
Copies: TypeAlias = Literal["detailed", "squeezed", "best"]
COPIES: tuple[Copies, ...] = ("detailed", "squeezed", "best")
"""Films at half scale or better; the squeezed copies, one of every id; of each id the better."""
Note: TypeAlias = Callable[[str, dict[str, Any]], None]
"""Told the film's id and what a journal should keep of its reading."""


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
    intervals: tuple[Interval, ...] = ()
    """What the answer says of its own uncertainty; empty where the weights state nothing."""
    by_standard: Mapping[Sex, float] = field(default_factory=dict)
    """Months by the standard of each sex, of the same film."""

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
    problems: tuple[Problem, ...] = ()
    """Labels and films that could not be used at all."""

    @property
    def films(self) -> int:
        """How many films were tried."""
        return len(self.readings) + len(self.failures)


def films_to_read(folder: Path, split: Split, limit: int | None = None) -> tuple[Film, ...]:
    """Labelled films at half scale or better.

    Raises
    ------
    DataError
        When the folder has none in this split.
    """
    return choose(load_films(folder), folder, split, limit)


def choose(
    found: Films,
    folder: Path,
    split: Split,
    limit: int | None = None,
    copies: Copies = "detailed",
) -> tuple[Film, ...]:
    """Choose, of films that were found already, one copy of each id of a split.

    Raises
    ------
    DataError
        When there is none.
    """
    names = ("train", "validation") if split == "all" else (split,)
    chosen = tuple(film for name in names for film in found.select(copies, name))
    if not chosen:
        raise DataError(
            f"{str(folder)!r} has no {copies} {split!r} film; splits are {list(SPLITS)}, "
            f"copies {list(COPIES)}"
        )
    return chosen[:limit]


def fingerprint(films: Iterable[Film]) -> str:
    """Of the films as they lie on disk, and the sexes they are read by.

    Another one when a film is added, changed or removed.
    """
    digest = hashlib.sha256()
    for film in films:
        facts = film.path.stat()
        digest.update(f"{film.id} {film.sex} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def read_each(
    assessor: Assessor,
    films: Sequence[Film],
    *,
    workers: int = 1,
    force: bool = False,
    done: Mapping[str, Any] | None = None,
    note: Note | None = None,
) -> Iterator[Reading | Failure]:
    """Read films, each by the sex its label states; answers in the films' order.

    Parameters
    ----------
    assessor : Assessor
        Shared by the workers; one thread each suits several of them.
    films : sequence of Film
    workers : int
        How many films are read at a time.
    force : bool
        Read films that are refused all the same.
    done : mapping, optional
        What ``note`` was told of films that were read before. They are not
        read again, but compared with the label as it is now.
    note : callable, optional
        Told of every film read, for a journal. Failures are not noted: they are
        tried again.
    """
    known = dict(done or {})

    def read(film: Film) -> tuple[Reading | Failure, bool]:
        if film.id in known:
            return _restored(film, known[film.id]), False

        def assess() -> Assessment:
            image = film.radiograph() if film.squeezed else film.path
            return assessor.assess(image, film.sex, force=force)

        answer = answer_or_failure(film.id, assess)
        return _reading(film, answer, _intervals(assessor, answer)), True

    for film, (answer, new) in zip(films, in_parallel(read, films, workers), strict=True):
        if note and new and isinstance(answer, Reading):
            note(film.id, _kept(answer))
        yield answer


def collect(answers: Iterable[Reading | Failure], problems: Sequence[Problem] = ()) -> Validation:
    """Sort answers into readings and failures."""
    readings: list[Reading] = []
    failures: list[Failure] = []
    for answer in answers:
        if isinstance(answer, Failure):
            failures.append(answer)
        else:
            readings.append(answer)
    return Validation(tuple(readings), tuple(failures), tuple(problems))


def _intervals(assessor: Assessor, answer: Assessment | Failure) -> tuple[Interval, ...]:
    """The intervals of every level; none where the weights state none."""
    if isinstance(answer, Failure) or answer.interval is None:
        return ()
    found = []
    for level in LEVELS:
        with suppress(LevelError):
            interval = assessor.certainty.around(answer, level)
            found += [interval] if interval else []
    return tuple(found)


def _reading(
    film: Film, answer: Assessment | Failure, intervals: tuple[Interval, ...]
) -> Reading | Failure:
    if isinstance(answer, Failure):
        return answer
    return Reading(
        case=film.id,
        sex=film.sex,
        true_months=film.age_months,
        predicted_months=answer.age_months,
        networks=dict(answer.readings),
        attention_found={look.region: look.attention_found for look in answer.looks},
        seconds=answer.seconds,
        intervals=intervals,
        by_standard=dict(answer.by_standard),
    )


def _kept(reading: Reading) -> dict[str, Any]:
    """What was read from the film, without what the label says."""
    return {
        "predicted_months": reading.predicted_months,
        "networks": dict(reading.networks),
        "attention_found": dict(reading.attention_found),
        "seconds": reading.seconds,
        "intervals": [[i.low_months, i.high_months, i.level] for i in reading.intervals],
        "by_standard": {str(sex): months for sex, months in reading.by_standard.items()},
    }


def _restored(film: Film, kept: Mapping[str, Any]) -> Reading:
    """A reading from what a journal kept of it and the film's label."""
    return Reading(
        case=film.id,
        sex=film.sex,
        true_months=film.age_months,
        predicted_months=kept["predicted_months"],
        networks=kept["networks"],
        attention_found=kept["attention_found"],
        seconds=kept["seconds"],
        intervals=tuple(Interval(*ends) for ends in kept["intervals"]),
        by_standard={Sex(name): months for name, months in kept["by_standard"].items()},
    )
