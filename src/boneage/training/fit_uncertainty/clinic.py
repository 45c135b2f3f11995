"""A clinic's calibration, fitted on its own labelled films: a line for each sex, fresh scores.

The line from the answers of weights to the clinic's labels can do no harm. Theil–Sen (Sen,
*J Am Stat Assoc* 1968;63:1379–1389): its slope is the median of the slopes of all pairs of
films, so that a few wrong labels do not turn it. What it departs from the identity is
shrunk, the more the fewer films there are.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from boneage._version import __version__
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Sex
from boneage.errors import CalibrationError
from boneage.inference.assessor import Assessor
from boneage.storage.files import today, write_text
from boneage.training.fit_uncertainty import error_model
from boneage.training.fit_uncertainty.error_model import Errors, FilmEstimate
from boneage.uncertainty import calibration
from boneage.uncertainty.intervals import (
    LEAST_FILMS,
    SEXES,
    IntervalModel,
    Numbers,
    scores_table,
    shape_table,
)

METHOD = "each film by a line fitted without it"
NAME_LENGTH = 80
BOTH = "both"
"""The group of all films, where a sex has too few for a line of its own."""
SHIFT_PRIOR_FILMS = 15.0
SLOPE_PRIOR_FILMS = 60.0
"""So many films' worth of belief that the weights are right as they are."""
STANDARD_ERRORS = 1.0
"""The line must lower the left-out error by more than so many of its own."""


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A line, and what it does to films that it was not fitted on."""

    line: calibration.CalibrationLine
    """The identity where it does not help."""
    helps: bool
    left_out: Numbers
    """Shape (n,): errors in months, label minus answer, each by a line fitted without that film; of
    the answers as they are where the line does not help.
    """
    before_months: float
    after_months: float
    """Mean absolute error, left out in turn, without the line and with it; with
    it also where it is not used."""


@dataclass(frozen=True, eq=False)
class ClinicFit:
    """What a clinic's films gave."""

    table: Mapping[str, Any]
    """All that the file holds."""
    lines: Mapping[str, FittedLine]
    """For each sex, or for ``both``."""


def fit_line(answers: Numbers, labels: Numbers) -> FittedLine:
    """Fit a line of months to months; find, leaving out each film in turn, whether it helps."""
    slopes = _slopes(answers, labels)
    before = labels - answers
    others = np.ones(len(answers), bool)
    after = np.empty(len(answers))
    for i in range(len(answers)):
        others[i] = False
        line = _line(answers[others], labels[others], slopes[np.ix_(others, others)])
        after[i] = labels[i] - line.move(float(answers[i]))
        others[i] = True
    gain = np.abs(before) - np.abs(after)
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
    helps = bool(gain.mean() > STANDARD_ERRORS * error)
    return FittedLine(
        line=_line(answers, labels, slopes) if helps else calibration.IDENTITY,
        helps=helps,
        left_out=after if helps else before,
        before_months=float(np.abs(before).mean()),
        after_months=float(np.abs(after).mean()),
    )


def _slopes(answers: Numbers, labels: Numbers) -> Numbers:
    """Slope of each pair of films, shape (n, n); NaN where it has none, or comes twice."""
    run = answers[:, None] - answers
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes: Numbers = (labels[:, None] - labels) / run
    slopes[np.tril(np.ones(run.shape, bool)) | (run == 0)] = np.nan
    return slopes


def _line(answers: Numbers, labels: Numbers, slopes: Numbers) -> calibration.CalibrationLine:
    count, usable = len(answers), slopes[np.isfinite(slopes)]
    found = float(np.median(usable)) if len(usable) else 1.0
    slope = 1.0 + (found - 1.0) * count / (count + SLOPE_PRIOR_FILMS)
    slope = float(np.clip(slope, *calibration.SLOPES))
    middle = float(np.median(answers))
    around = labels - middle - slope * (answers - middle)
    shift = float(np.median(around)) * count / (count + SHIFT_PRIOR_FILMS)
    return calibration.CalibrationLine(middle + shift - slope * middle, slope)


def fit_clinic(
    answers: Sequence[FilmEstimate | Failure], assessor: Assessor, data: str, name: str = ""
) -> ClinicFit:
    """Fit a calibration on the answers to labelled films of an Assessor without a calibration.

    It is called by its ``name``, or as the data. A CalibrationError when fewer than 30 films could
    be read.
    """
    read = [answer for answer in answers if isinstance(answer, FilmEstimate)]
    if len(read) < LEAST_FILMS:
        raise CalibrationError(
            f"{len(read)} images of {data!r} could be read; a calibration needs at least "
            f"{LEAST_FILMS}: with fewer, a few unusual images would move every estimate"
        )
    films = error_model.errors_of(read)
    lines = _lines(films)
    moved = _left_out(films, lines)
    shape, scores = _scores(moved, assessor.weights.manifest.interval)
    boys, weights = int(films.male.sum()), assessor.weights.name
    table: dict[str, Any] = {
        "kind": calibration.KIND,
        "format": calibration.FORMAT,
        "name": " ".join((name or data).split())[:NAME_LENGTH],
        "date": today(),
        "boneage": __version__,
        "weights": {"name": weights.name, "profile": weights.profile, "sha256": weights.sha256},
        "films": {"female": len(read) - boys, "male": boys, "failed": len(answers) - len(read)},
        "lines": {str(sex): _line_table(lines, sex) for sex in SEXES},
        "mae_months": {
            "method": METHOD,
            "before": round(float(np.abs(films.errors).mean()), 3),
            "after": round(float(np.abs(moved.errors).mean()), 3),
        },
        "interval": {"shape": shape, "scores": scores},
    }
    table[calibration.CHECKSUM] = calibration.checksum(json.loads(json.dumps(table)))
    return ClinicFit(table, lines)


def write_calibration(path: Path, fit: ClinicFit) -> None:
    """Write the file, whole or not at all."""
    write_text(path, json.dumps(fit.table, indent=1) + "\n")


def _lines(films: Errors) -> dict[str, FittedLine]:
    """Fit a line for each sex; one for both where a sex has too few films."""
    labels = films.answers + films.errors
    members = {str(sex): films.of(sex) for sex in SEXES}
    if min(int(mask.sum()) for mask in members.values()) < LEAST_FILMS:
        members = {BOTH: np.ones(len(labels), bool)}
    return {group: fit_line(films.answers[m], labels[m]) for group, m in members.items()}


def _left_out(films: Errors, lines: Mapping[str, FittedLine]) -> Errors:
    """The films with the errors that remain, each by a line fitted without it."""
    if BOTH in lines:
        return films.with_errors(lines[BOTH].left_out)
    errors = films.errors.copy()
    for sex in SEXES:
        errors[films.of(sex)] = lines[str(sex)].left_out
    return films.with_errors(errors)


def _scores(
    films: Errors, weights: IntervalModel | None
) -> tuple[dict[str, Any] | None, dict[str, Any]]:
    """Score by the weights' own expected error; where they state none, fit one."""
    if weights is None:
        fitted = error_model.fit_interval(films)
        return shape_table(fitted.shape), scores_table(fitted.scores)
    scores = error_model.score_by(weights.shape, films)
    return None, scores_table(error_model.scores_by_sex(scores, films))


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


def text_summary(fit: ClinicFit) -> str:
    """Report in some lines what was fitted, and on what."""
    films, mae = fit.table["films"], fit.table["mae_months"]
    lines = [f"{films['female']} girls' and {films['male']} boys' images analysed"]
    if films["failed"]:
        lines[0] += f", {films['failed']} failed"
    if BOTH in fit.lines:
        lines.append(f"one line for both sexes: one of them has fewer than {LEAST_FILMS} images")
    for group, found in fit.lines.items():
        errors = f"{found.before_months:.2f} to {found.after_months:.2f} months"
        effect = f"no line reliably lowers the error ({errors}); estimates stay unchanged"
        if found.helps:
            intercept, slope = found.line.intercept_months, found.line.slope
            sign = "+" if intercept >= 0 else "−"
            formula = f"estimate × {slope:.3f} {sign} {abs(intercept):.1f} months"
            effect = f"{formula} lowers the error from {errors}"
        lines.append(f"{group}: {effect}")
    lines.append(
        f"mean absolute error {mae['before']:.2f} months before, {mae['after']:.2f} after "
        f"({mae['method']})"
    )
    return "\n".join(lines)
