"""The same films changed: how far each answer moves, and whether the program notices.

What is measured is the whole way of a film, from the bytes of a file to the
answer, as a user would run it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from boneage._version import __version__
from boneage.datasets.films import Film
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.radiograph import Sex
from boneage.evaluation.cases import fingerprint
from boneage.evaluation.robustness.changes import CHANGES, Change
from boneage.imaging.perturbations import Grey, grey_of
from boneage.inference.assessor import Assessor, attempt
from boneage.inference.session import assess_case
from boneage.storage.parallel import Journal, resumed

FAR_MONTHS = 12.0
"""A change that moves the bone age by more than this matters."""


@dataclass(frozen=True)
class ChangedAnswer:
    """What became of one film under one change."""

    months: float | None
    """The bone age predicted; None when the changed film was refused."""
    refusal: str | None = None
    """The code of the error."""
    warnings: tuple[str, ...] = ()
    """Codes of the warnings that the unchanged film did not have."""


@dataclass(frozen=True)
class ChangedFilm:
    """One film and what became of it under each change."""

    case: str
    """The film's id in the data set."""
    sex: Sex
    label_months: float
    unchanged_months: float
    outcomes: Mapping[str, ChangedAnswer]
    """By the name of the change."""

    def shift_months(self, change: str) -> float | None:
        """The answer with the change minus the answer without; None when refused."""
        months = self.outcomes[change].months
        return None if months is None else months - self.unchanged_months


def change_films(
    assessor: Assessor,
    films: Sequence[Film],
    changes: Sequence[Change],
    journal: Journal,
    workers: int,
) -> Iterator[ChangedFilm | Failure]:
    """Put films through changes; what the journal holds is not done again.

    Yields
    ------
    ChangedFilm or Failure
        In the order of the films; a Failure where the unchanged film got no
        answer.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
    """

    def work(film: Film, noted: Any) -> ChangedFilm | Failure:
        return change_film(assessor, film, changes, noted and from_journal(film, noted))

    return resumed(work, films, journal, workers, key=lambda film: film.id, to_record=journal_entry)


def change_film(
    assessor: Assessor,
    film: Film,
    changes: Sequence[Change],
    earlier: ChangedFilm | None = None,
) -> ChangedFilm | Failure:
    """Put one film through those changes that an earlier run has not done yet."""
    done = earlier.outcomes if earlier else {}
    missing = [change for change in changes if change.name not in done]
    if earlier and not missing:
        return earlier
    session = assess_case(assessor, film.path, sex=film.sex, child=None, name=film.id)
    unchanged = session.outcome
    if isinstance(unchanged, Failure):
        return unchanged
    grey = grey_of(session.image)
    new = {c.name: _outcome(assessor, film, grey, c, unchanged) for c in missing}
    months = unchanged.age_months
    return ChangedFilm(film.id, film.sex, film.age_months, months, {**done, **new})


def _outcome(
    assessor: Assessor, film: Film, grey: Grey, change: Change, unchanged: Assessment
) -> ChangedAnswer:
    file = attempt(film.id, lambda: change.file_of(grey, film.id))
    answer = assess_case(assessor, file, sex=film.sex, child=None).outcome
    if isinstance(answer, Failure):
        return ChangedAnswer(None, refusal=answer.code)
    had = {(warning.code, warning.message) for warning in unchanged.warnings}
    new = [w.code for w in answer.warnings if (w.code, w.message) not in had]
    return ChangedAnswer(answer.age_months, warnings=tuple(dict.fromkeys(new)))


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


def journal_entry(film: ChangedFilm | Failure) -> dict[str, Any] | None:
    """The answers of a film for the journal; failures are tried again."""
    if isinstance(film, Failure):
        return None
    outcomes = msgspec.to_builtins(film.outcomes)
    return {"unchanged_months": film.unchanged_months, "outcomes": outcomes}


def from_journal(film: Film, note: Mapping[str, Any]) -> ChangedFilm:
    """Take answers from the journal, beside the label as it is now."""
    outcomes = msgspec.convert(note["outcomes"], dict[str, ChangedAnswer])
    return ChangedFilm(film.id, film.sex, film.age_months, note["unchanged_months"], outcomes)
