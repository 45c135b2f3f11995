"""The same films changed: how far each answer moves, and whether the program notices.

What is measured is the whole way of a film, from the bytes of a file to the answer, as a user
would run it. Every figure of all films together has its bootstrap interval.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import msgspec
import numpy as np

from boneage._version import __version__
from boneage.datasets.films import Film
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.radiograph import Sex
from boneage.evaluation.cases import fingerprint
from boneage.evaluation.metrics import Estimate, mean, means
from boneage.evaluation.robustness.changes import CHANGES, Change
from boneage.imaging.perturbations import Grey, grey_of
from boneage.inference.assessor import Assessor
from boneage.inference.session import assess_case, attempt
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
    """Put films through changes, in their order; what the journal holds is not done again.

    A Failure where the unchanged film got no answer. A WeightsError when the weights turn out
    unusable: then every film would fail.
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


VERY_FAR_MONTHS = 24.0

REFUSED, WARNED_FAR, WARNED_NEAR = "refused", "warned_far", "warned_near"
SILENT_FAR, SILENT_NEAR = "silent_far", "silent_near"
FATES: Mapping[str, str] = {
    REFUSED: "refused",
    WARNED_FAR: f"warned about, moved > {FAR_MONTHS:g} months",
    WARNED_NEAR: f"warned about, moved ≤ {FAR_MONTHS:g} months",
    SILENT_FAR: f"silent: moved > {FAR_MONTHS:g} months, no refusal or warning",
    SILENT_NEAR: f"moved ≤ {FAR_MONTHS:g} months, no warning needed",
}
"""What can become of a film; each film has one of them. In words, for figures."""


@dataclass(frozen=True)
class Effect:
    """What one change did. Shares are 0 to 1; None where no film defines a figure."""

    name: str
    kind: str
    label: str
    words: str
    films: int
    """Those whose unchanged film was answered; all were put through the change."""
    answered: int
    """Those still answered with the change."""
    mean_shift_months: Estimate
    """Mean of the absolute difference from the unchanged film's answer."""
    median_shift_months: float | None
    p95_shift_months: float | None
    bias_months: Estimate
    """Mean of the difference: above 0, the change makes the answer older."""
    changed_12: Estimate
    """Share of answered films moved by more than 12 months, either way."""
    changed_24: Estimate
    refused: Estimate
    """Share of all films."""
    warned: Estimate
    """Share of all films, with a warning that the unchanged film did not have."""
    silent: Estimate
    """Of the films moved by more than 12 months, the share without a new warning."""
    silent_of_all: Estimate
    """The same films as a share of all films."""
    mae_months: Estimate
    """Mean absolute error against the label, with the change, of answered films."""
    mae_unchanged_months: Estimate
    """Of the same films without it."""
    fates: Mapping[str, float]
    """Share of all films by ``FATES``; they add up to 1."""
    refusals: Mapping[str, int]
    """How many films, by the code of the refusal."""
    warnings: Mapping[str, int]
    """How many films, by the code of the new warning."""


def effects_of(films: Sequence[ChangedFilm], changes: Sequence[Change]) -> tuple[Effect, ...]:
    """Sum up every change over all films; a ValueError when there are none."""
    if not films:
        raise ValueError("no radiographs to sum up")
    return tuple(_effect(films, change) for change in changes)


def _effect(films: Sequence[ChangedFilm], change: Change) -> Effect:
    outcomes = [film.outcomes[change.name] for film in films]
    fates = [fate_of(film, change.name) for film in films]
    answered = [film for film in films if film.outcomes[change.name].months is not None]
    shifts = np.array([film.shift_months(change.name) for film in answered], dtype=np.float64)
    errors = np.array([film.unchanged_months - film.label_months for film in answered])
    distances = np.abs(shifts)
    refused, warned, silent = means(
        *([fate in some for fate in fates] for some in (
            (REFUSED,), (WARNED_FAR, WARNED_NEAR), (SILENT_FAR,)
        ))
    )  # fmt: skip
    return Effect(
        name=change.name,
        kind=change.kind,
        label=change.label,
        words=change.words,
        films=len(films),
        answered=len(answered),
        mean_shift_months=mean(distances),
        median_shift_months=float(np.median(distances)) if answered else None,
        p95_shift_months=float(np.quantile(distances, 0.95)) if answered else None,
        bias_months=mean(shifts),
        changed_12=mean(distances > FAR_MONTHS),
        changed_24=mean(distances > VERY_FAR_MONTHS),
        refused=refused,
        warned=warned,
        silent=mean([fate == SILENT_FAR for fate in fates if fate in (SILENT_FAR, WARNED_FAR)]),
        silent_of_all=silent,
        mae_months=mean(np.abs(errors + shifts)),
        mae_unchanged_months=mean(np.abs(errors)),
        fates={fate: fates.count(fate) / len(films) for fate in FATES},
        refusals=dict(Counter(o.refusal for o in outcomes if o.refusal is not None)),
        warnings=dict(Counter(code for o in outcomes for code in o.warnings)),
    )


def fate_of(film: ChangedFilm, change: str) -> str:
    """Which of ``FATES`` a film had."""
    shift = film.shift_months(change)
    if shift is None:
        return REFUSED
    far = abs(shift) > FAR_MONTHS
    if film.outcomes[change].warnings:
        return WARNED_FAR if far else WARNED_NEAR
    return SILENT_FAR if far else SILENT_NEAR
