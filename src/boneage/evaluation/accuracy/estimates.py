"""The whole Assessor over labelled films, exactly as a user would run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from boneage.datasets.films import Film
from boneage.datasets.labels import Problem
from boneage.domain.assessment import Assessment, Failure, Interval
from boneage.domain.radiograph import Sex
from boneage.errors import LevelError
from boneage.evaluation.metrics import Vector
from boneage.inference.assessor import Assessor
from boneage.inference.session import assess_case, attempt
from boneage.storage.parallel import Journal, resumed
from boneage.uncertainty.intervals import DEFAULT_LEVEL

JOURNAL_FORM = 3
"""Of what a journal holds of a film; raised when that changes."""
LEVELS = (0.5, 0.8, DEFAULT_LEVEL)
"""Of the intervals that are checked; the widest is the one that answers state."""
LABELLED = ("case", "sex", "true_months")
"""What a journal does not hold: the label may be corrected before a run resumes."""


@dataclass(frozen=True)
class CaseEstimate:
    """One labelled film and what was predicted from it."""

    case: str
    """The film's id in the data set."""
    sex: Sex
    true_months: float
    predicted_months: float
    networks: Mapping[str, float]
    """Months predicted by each network alone, by region."""
    attention_found: Mapping[str, bool]
    """Whether the attention stood out, by region."""
    seconds: float
    intervals: tuple[Interval, ...] = ()
    """Prediction intervals; empty where the weights state none."""
    by_standard: Mapping[Sex, float] = field(default_factory=dict)
    """Months by the standard of each sex, of the same film."""

    @property
    def error_months(self) -> float:
        """Predicted minus true."""
        return self.predicted_months - self.true_months


def months_of(readings: Sequence[CaseEstimate]) -> tuple[Vector, Vector]:
    """True and predicted months, shape (n,) each."""
    true = np.array([reading.true_months for reading in readings])
    return true, np.array([reading.predicted_months for reading in readings])


@dataclass(frozen=True)
class Validation:
    """The readings of a set of films, and the films that got none."""

    readings: tuple[CaseEstimate, ...]
    failures: tuple[Failure, ...]
    """Named by the film's id."""
    problems: tuple[Problem, ...] = ()
    """Labels and films that could not be used at all."""

    @property
    def films(self) -> int:
        """How many films were tried."""
        return len(self.readings) + len(self.failures)


def assess_each(
    assessor: Assessor,
    films: Sequence[Film],
    journal: Journal | None = None,
    *,
    workers: int = 1,
    force: bool = False,
) -> Iterator[CaseEstimate | Failure]:
    """Read films, each by the sex its label states; answers in the films' order.

    What the journal holds is not read again, but compared with the label as it
    is now; failures are tried again. ``force`` analyses films in spite of a
    failed quality check.
    """

    def work(film: Film, noted: Any) -> CaseEstimate | Failure:
        label: dict[str, Any] = {"case": film.id, "sex": film.sex, "true_months": film.age_months}
        if noted:
            return msgspec.convert({**noted, **label}, CaseEstimate)
        source = attempt(film.id, film.radiograph) if film.squeezed else film.path
        answer = assess_case(
            assessor, source, sex=film.sex, force=force, child=None, name=film.id
        ).outcome
        if isinstance(answer, Failure):
            return answer
        return CaseEstimate(
            **label,
            predicted_months=answer.age_months,
            networks=dict(answer.age_by_network),
            attention_found={
                detection.region: detection.attention_found for detection in answer.detections
            },
            seconds=answer.seconds,
            intervals=_intervals(assessor, answer),
            by_standard=dict(answer.by_standard),
        )

    return resumed(work, films, journal, workers, key=lambda film: film.id, to_record=_note)


def _note(answer: CaseEstimate | Failure) -> dict[str, Any] | None:
    if isinstance(answer, Failure):
        return None
    plain: dict[str, Any] = msgspec.to_builtins(answer)
    return {name: value for name, value in plain.items() if name not in LABELLED}


def _intervals(assessor: Assessor, answer: Assessment) -> tuple[Interval, ...]:
    """The intervals of every level; none where the weights state none."""
    found: list[Interval] = []
    for level in LEVELS if answer.interval else ():
        with suppress(LevelError):
            interval = assessor.interval_predictor.around(answer, level)
            found += [interval] if interval else []
    return tuple(found)
