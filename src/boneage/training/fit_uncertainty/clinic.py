"""A clinic's calibration, fitted on its own labelled films: a line for each sex, fresh scores."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from boneage._version import __version__
from boneage.domain.assessment import Failure, WeightsName
from boneage.domain.radiograph import Sex
from boneage.errors import CalibrationError
from boneage.inference.assessor import Assessor
from boneage.storage.files import atomically
from boneage.training.fit_uncertainty.errors_of_films import Errors, FilmRead, errors_of
from boneage.training.fit_uncertainty.line import FittedLine, fit_line
from boneage.training.fit_uncertainty.shape import fit_interval, score_by, scores_by_sex
from boneage.uncertainty.calibration import CHECKSUM, FORMAT, KIND, checksum
from boneage.uncertainty.interval_table import scores_table, shape_table
from boneage.uncertainty.intervals import LEAST_FILMS, SEXES, IntervalModel

METHOD = "each film by a line fitted without it"
NAME_LENGTH = 80


@dataclass(frozen=True, eq=False)
class ClinicFit:
    """What a clinic's films gave."""

    table: Mapping[str, Any]
    """All that the file holds."""
    lines: Mapping[str, FittedLine]
    """For each sex, or for ``both``."""


def fit_clinic(
    answers: Sequence[FilmRead | Failure], assessor: Assessor, data: str, name: str = ""
) -> ClinicFit:
    """Fit a calibration on the answers to labelled films.

    Parameters
    ----------
    answers : sequence of FilmRead or Failure
        Of an Assessor without a calibration.
    assessor : Assessor
        That gave them.
    data : str
        What the films are called, for messages.
    name : str
        What to call the calibration; empty: as the data.

    Raises
    ------
    CalibrationError
        When fewer than 30 films could be read.
    """
    read = [answer for answer in answers if isinstance(answer, FilmRead)]
    if len(read) < LEAST_FILMS:
        raise CalibrationError(
            f"{len(read)} films of {data!r} could be read, and a calibration needs at least "
            f"{LEAST_FILMS}: with fewer, a few odd films would move every answer"
        )
    films = errors_of(read)
    lines = _lines(films)
    moved = _left_out(films, lines)
    shape, scores = _scores(moved, assessor.weights.manifest.interval)
    boys = int(films.male.sum())
    table: dict[str, Any] = {
        "kind": KIND,
        "format": FORMAT,
        "name": " ".join((name or data).split())[:NAME_LENGTH],
        "date": datetime.now(UTC).date().isoformat(),
        "boneage": __version__,
        "weights": _named(assessor.weights.name),
        "films": {
            "female": len(read) - boys,
            "male": boys,
            "failed": len(answers) - len(read),
        },
        "lines": {str(sex): _line_table(lines, sex) for sex in SEXES},
        "mae_months": {
            "method": METHOD,
            "before": round(float(np.abs(films.errors).mean()), 3),
            "after": round(float(np.abs(moved.errors).mean()), 3),
        },
        "interval": {"shape": shape, "scores": scores},
    }
    table[CHECKSUM] = checksum(json.loads(json.dumps(table)))
    return ClinicFit(table, lines)


def write_calibration(path: Path, fit: ClinicFit) -> None:
    """Write the file, whole or not at all."""
    with atomically(path) as file:
        file.write((json.dumps(fit.table, indent=1) + "\n").encode("ascii"))


BOTH = "both"


def _lines(films: Errors) -> dict[str, FittedLine]:
    """Fit a line for each sex; one for both where a sex has too few films."""
    labels = films.answers + films.errors
    members = {str(sex): films.male == (sex is Sex.MALE) for sex in SEXES}
    if min(int(mask.sum()) for mask in members.values()) < LEAST_FILMS:
        members = {BOTH: np.ones(len(labels), bool)}
    return {group: fit_line(films.answers[m], labels[m]) for group, m in members.items()}


def _left_out(films: Errors, lines: Mapping[str, FittedLine]) -> Errors:
    """The films with the errors that remain, each by a line fitted without it."""
    if BOTH in lines:
        return films.with_errors(lines[BOTH].left_out)
    errors = films.errors.copy()
    for sex in SEXES:
        errors[films.male == (sex is Sex.MALE)] = lines[str(sex)].left_out
    return films.with_errors(errors)


def _scores(
    films: Errors, weights: IntervalModel | None
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Score by the weights' own expected error; where they state none, fit one."""
    if weights is None:
        fitted = fit_interval(films)
        return shape_table(fitted.model.shape), scores_table(fitted.model.scores)
    scores = score_by(weights.shape, films)
    return None, scores_table(scores_by_sex(scores, films))


def _line_table(lines: Mapping[str, FittedLine], sex: Sex) -> dict[str, Any]:
    group = BOTH if BOTH in lines else str(sex)
    found = lines[group]
    return {
        "intercept_months": round(found.line.intercept_months, 4),
        "slope": round(found.line.slope, 6),
        "of_films": group,
        "helps": found.helps,
        "mae_before_months": round(found.before_months, 3),
        "mae_after_months": round(found.after_months, 3),
    }


def _named(weights: WeightsName) -> dict[str, str]:
    return {"name": weights.name, "profile": weights.profile, "sha256": weights.sha256}


def summary(fit: ClinicFit) -> str:
    """Say in some lines what was fitted, and on what."""
    films, mae = fit.table["films"], fit.table["mae_months"]
    lines = [f"{films['female']} girls' and {films['male']} boys' films read"]
    if films["failed"]:
        lines[0] += f", {films['failed']} failed"
    if BOTH in fit.lines:
        lines.append(f"one line for both sexes: one of them has fewer than {LEAST_FILMS} films")
    for group, found in fit.lines.items():
        lines.append(f"{group}: {_in_words(found)}")
    lines.append(
        f"mean absolute error {mae['before']:.2f} months before, {mae['after']:.2f} after "
        f"({mae['method']})"
    )
    return "\n".join(lines)


def _in_words(found: FittedLine) -> str:
    errors = f"{found.before_months:.2f} to {found.after_months:.2f} months"
    if not found.helps:
        return f"no line lowers the error surely ({errors}); answers stay as they are"
    line = found.line
    sign = "+" if line.intercept_months >= 0 else "−"
    return (
        f"answer × {line.slope:.3f} {sign} {abs(line.intercept_months):.1f} months lowers the "
        f"error from {errors}"
    )
