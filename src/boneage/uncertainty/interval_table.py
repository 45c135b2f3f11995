"""Interval models as plain values, for the manifest of weights and a clinic's calibration."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from boneage.uncertainty.intervals import (
    LEAST_FILMS,
    SEXES,
    ErrorModel,
    NonconformityScores,
    Widening,
)

DECIMALS = 4
"""Of months and scores: far finer than they are known."""

Table = dict[str, Any]


def shape_table(shape: ErrorModel) -> Table:
    """The expected error as plain values."""
    widenings = {"disagreement": shape.disagreement, "unlikeness": shape.ood_score}
    return {
        "knots_months": _rounded(shape.knots_months),
        "months": {str(sex): _rounded(shape.months[sex]) for sex in SEXES},
        "widening": {
            **{
                name: {"usual": round(one.usual, DECIMALS), "slope": round(one.slope, DECIMALS)}
                for name, one in widenings.items()
                if one
            },
            "most": shape.most,
        },
    }


def scores_table(scores: NonconformityScores) -> Table:
    """The scores as plain values."""
    return {str(sex): _rounded(scores.by_sex[sex]) for sex in SEXES}


def shape_of(table: Mapping[str, Any]) -> ErrorModel:
    """The expected error from plain values; ValueError, KeyError or TypeError for wrong ones."""
    widening = table["widening"]
    ood_score = widening.get("unlikeness")
    shape = ErrorModel(
        knots_months=_numbers(table["knots_months"]),
        months={sex: _numbers(table["months"][str(sex)]) for sex in SEXES},
        disagreement=_widening(widening["disagreement"]),
        ood_score=_widening(ood_score) if ood_score is not None else None,
        most=_number(widening["most"]),
    )
    knots = shape.knots_months
    if not knots or sorted(set(knots)) != list(knots):
        raise ValueError("the knots of the interval do not ascend")
    for months in shape.months.values():
        if len(months) != len(knots) or min(months) <= 0:
            raise ValueError("the interval does not state an error above 0 for each knot")
    if shape.most < 1:
        raise ValueError(f"the widening of the interval is at most {shape.most:g}, less than 1")
    return shape


def scores_of(table: Mapping[str, Any]) -> NonconformityScores:
    """The scores from plain values; errors as of ``shape_of``, also where there are too few."""
    scores = NonconformityScores({sex: _numbers(table[str(sex)]) for sex in SEXES})
    for values in scores.by_sex.values():
        if any(value < 0 for value in values) or sorted(values) != list(values):
            raise ValueError("the scores of the interval do not ascend from 0")
    if scores.count < LEAST_FILMS:
        raise ValueError(f"the interval has {scores.count} scores; it needs {LEAST_FILMS}")
    return scores


def _widening(table: Mapping[str, Any]) -> Widening:
    one = Widening(_number(table["usual"]), _number(table["slope"]))
    if one.usual <= 0 or one.slope < 0:
        raise ValueError(
            f"the widening {dict(table)} is invalid: 'usual' is above 0, 'slope' not below 0"
        )
    return one


def _numbers(values: Sequence[Any]) -> tuple[float, ...]:
    return tuple(map(_number, values))


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"the interval holds {value!r}, which is not a number")
    return float(value)


def _rounded(values: Sequence[float]) -> list[float]:
    return [round(float(value), DECIMALS) for value in values]
