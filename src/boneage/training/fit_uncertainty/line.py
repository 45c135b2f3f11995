"""A straight line from the answers of weights to a clinic's labels, that can do no harm.

Theil–Sen (Sen, *J Am Stat Assoc* 1968;63:1379–1389): the slope is the median of
the slopes of all pairs of films, so that a few wrong labels do not turn it. What
it departs from the identity is shrunk, the more the fewer films there are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boneage.uncertainty.calibration import IDENTITY, SLOPES, CalibrationLine
from boneage.uncertainty.intervals import Numbers

SHIFT_PRIOR_FILMS = 15.0
SLOPE_PRIOR_FILMS = 60.0
"""So many films' worth of belief that the weights are right as they are."""
STANDARD_ERRORS = 1.0
"""The line must lower the left-out error by more than so many of its own."""


@dataclass(frozen=True, eq=False)
class FittedLine:
    """A line, and what it does to films that it was not fitted on."""

    line: CalibrationLine
    """The identity where it does not help."""
    helps: bool
    left_out: Numbers
    """Shape (n,): errors in months, label minus answer, each by a line fitted without
    that film; of the answers as they are where the line does not help."""
    before_months: float
    after_months: float
    """Mean absolute error, left out in turn, without the line and with it; with
    it also where it is not used."""


def fit_line(answers: Numbers, labels: Numbers) -> FittedLine:
    """Fit a line and find, leaving out each film in turn, whether it helps.

    Parameters
    ----------
    answers, labels : array of shape (n,)
        Months.
    """
    slopes = _slopes(answers, labels)
    before = labels - answers
    keep = np.ones(len(answers), bool)
    after = np.empty(len(answers))
    for i in range(len(answers)):
        keep[i] = False
        line = _line(answers[keep], labels[keep], slopes[np.ix_(keep, keep)])
        after[i] = labels[i] - line.move(float(answers[i]))
        keep[i] = True
    gain = np.abs(before) - np.abs(after)
    error = float(gain.std(ddof=1)) / np.sqrt(len(gain))
    helps = bool(gain.mean() > STANDARD_ERRORS * error)
    return FittedLine(
        line=_line(answers, labels, slopes) if helps else IDENTITY,
        helps=helps,
        left_out=after if helps else before,
        before_months=float(np.abs(before).mean()),
        after_months=float(np.abs(after).mean()),
    )


def _slopes(answers: Numbers, labels: Numbers) -> Numbers:
    """Slope of each pair of films, shape (n, n); NaN where it has none, or comes twice."""
    run = answers[:, None] - answers
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (labels[:, None] - labels) / run
    slopes[np.tril(np.ones(run.shape, bool)) | (run == 0)] = np.nan
    found: Numbers = slopes
    return found


def _line(answers: Numbers, labels: Numbers, slopes: Numbers) -> CalibrationLine:
    count, usable = len(answers), slopes[np.isfinite(slopes)]
    found = float(np.median(usable)) if len(usable) else 1.0
    slope = 1.0 + (found - 1.0) * count / (count + SLOPE_PRIOR_FILMS)
    slope = float(np.clip(slope, *SLOPES))
    middle = float(np.median(answers))
    around = labels - middle - slope * (answers - middle)
    shift = float(np.median(around)) * count / (count + SHIFT_PRIOR_FILMS)
    return CalibrationLine(middle + shift - slope * middle, slope)
