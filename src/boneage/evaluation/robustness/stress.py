"""The same films changed: how far each answer moves, and what the program says to it.

What is measured is the whole way of a film, from the bytes of a file to the
answer, as a user would run it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from boneage._version import __version__
from boneage.datasets.films import Film
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.radiograph import Sex
from boneage.errors import BoneageError, WeightsError
from boneage.evaluation.accuracy.validation import fingerprint
from boneage.evaluation.robustness.changes import CHANGES, Change
from boneage.imaging.perturbations import Grey, grey_of
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.storage.many import Journal, in_parallel

FAR_MONTHS = 12.0
"""An answer that a change moves by more than this is another answer."""
R = TypeVar("R")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """What became of one film under one change."""

    months: float | None
    """The bone age read; None when the changed film was refused."""
    refusal: str | None = None
    """The code of the error."""
    warnings: tuple[str, ...] = ()
    """Codes of the warnings that the unchanged film did not have."""


@dataclass(frozen=True)
class Stressed:
    """One film and what became of it under each change."""

    case: str
    """The film's id in the data set."""
    sex: Sex
    label_months: float
    unchanged_months: float
    outcomes: Mapping[str, Outcome]
    """By the name of the change."""

    def shift_months(self, change: str) -> float | None:
        """The answer with the change minus the answer without; None when refused."""
        months = self.outcomes[change].months
        return None if months is None else months - self.unchanged_months


def stress_films(
    assessor: Assessor,
    films: Sequence[Film],
    changes: Sequence[Change],
    journal: Journal,
    workers: int,
) -> Iterator[Stressed | Failure]:
    """Put films through changes, several at once; what the journal holds is not done again.

    Yields
    ------
    Stressed or Failure
        In the order of the films; a Failure where the unchanged film got no
        answer. Failures are not noted: they are tried again.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
    """

    def work(film: Film) -> Stressed | Failure:
        noted = journal.done.get(film.id)
        earlier = None if noted is None else restored(film, noted)
        return stress_film(assessor, film, changes, earlier)

    for film, result in zip(films, in_parallel(work, films, workers), strict=True):
        if isinstance(result, Stressed):
            note = noted_down(result)
            if journal.done.get(film.id) != note:
                journal.add(film.id, note)
        yield result


def stress_film(
    assessor: Assessor,
    film: Film,
    changes: Sequence[Change],
    earlier: Stressed | None = None,
) -> Stressed | Failure:
    """Put one film through those changes that an earlier run has not done yet."""
    done = earlier.outcomes if earlier else {}
    missing = [change for change in changes if change.name not in done]
    if earlier and not missing:
        return earlier
    radiograph = _attempt(film.id, lambda: read(film.path))
    if isinstance(radiograph, Failure):
        return radiograph
    unchanged = _attempt(film.id, lambda: assessor.assess(radiograph, film.sex))
    if isinstance(unchanged, Failure):
        return unchanged
    grey = grey_of(radiograph)
    new = {c.name: _outcome(assessor, film, grey, c, unchanged) for c in missing}
    months = unchanged.age_months
    return Stressed(film.id, film.sex, film.age_months, months, {**done, **new})


def _outcome(
    assessor: Assessor, film: Film, grey: Grey, change: Change, unchanged: Assessment
) -> Outcome:
    answer = _attempt(film.id, lambda: assessor.assess(change.file_of(grey, film.id), film.sex))
    if isinstance(answer, Failure):
        return Outcome(None, refusal=answer.code)
    had = {(warning.code, warning.message) for warning in unchanged.warnings}
    new = [w.code for w in answer.warnings if (w.code, w.message) not in had]
    return Outcome(answer.age_months, warnings=tuple(dict.fromkeys(new)))


def _attempt(film: str, work: Callable[[], R]) -> R | Failure:
    try:
        return work()
    except WeightsError:
        raise
    except BoneageError as error:
        return Failure(film, getattr(error, "code", "unusable"), str(error))
    except Exception as error:  # a batch survives its worst film
        logger.exception("unexpected failure")
        return Failure(film, "unexpected", f"unexpected {type(error).__name__}: {error}")


def recipe(assessor: Assessor, films: Sequence[Film]) -> dict[str, Any]:
    """What the answers depend on, for the journal.

    ``films`` are all films of the split: those of a smaller run, and a choice
    of changes, are a part of the same answers.
    """
    return {
        "boneage": __version__,
        "weights": asdict(assessor.weights.name),
        "films": fingerprint(films),
        "changes": {change.name: change.words for change in CHANGES},
    }


def noted_down(film: Stressed) -> dict[str, Any]:
    """Write the answers of a film as plain values, as JSON gives them back."""
    outcomes = {
        name: {**asdict(outcome), "warnings": list(outcome.warnings)}
        for name, outcome in film.outcomes.items()
    }
    return {"unchanged_months": film.unchanged_months, "outcomes": outcomes}


def restored(film: Film, note: Mapping[str, Any]) -> Stressed:
    """Read what ``noted_down`` wrote, and set it beside the label as it is now."""
    outcomes = {
        name: Outcome(**{**outcome, "warnings": tuple(outcome["warnings"])})
        for name, outcome in note["outcomes"].items()
    }
    return Stressed(film.id, film.sex, film.age_months, note["unchanged_months"], outcomes)
