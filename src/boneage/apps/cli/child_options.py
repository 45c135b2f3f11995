"""The options that say what is known of the child on a film."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import wraps
from typing import Any, TypeVar

import click

from boneage.domain.ages import parse_age, parse_date
from boneage.domain.child import Child, check_height, height_from_inches, parse_height
from boneage.domain.clinical_findings import Centre
from boneage.errors import BoneageError

Value = TypeVar("Value")
Callback = Callable[[click.Context, click.Parameter, "str | None"], Any]


def child_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options about the child, as one argument ``child``."""

    @wraps(command)
    def with_child(
        *arguments: Any,
        age: float | None,
        birth_date: date | None,
        study_date: date | None,
        height_cm: float | None,
        height_in: float | None,
        brush_mean: bool,
        **others: Any,
    ) -> Any:
        if height_cm is not None and height_in is not None:
            raise click.UsageError("give the height with --height-cm or --height-in, not both")
        child = Child(
            chronological_age_months=age,
            birth_date=birth_date,
            study_date=study_date,
            height_cm=height_in if height_cm is None else height_cm,
            centre=Centre.BRUSH_MEAN if brush_mean else Centre.CHRONOLOGICAL_AGE,
        )
        return command(*arguments, child=child, **others)

    for option in reversed(OPTIONS):
        with_child = option(with_child)
    return with_child


def _by(parse: Callable[[str], Value]) -> Callback:
    """Make a callback that tells a wrong value as wrong usage."""

    def parsed(_ctx: click.Context, param: click.Parameter, text: str | None) -> Value | None:
        try:
            return None if text is None else parse(text)
        except BoneageError as error:
            raise click.BadParameter(str(error), param=param) from error

    return parsed


def _height_cm(text: str) -> float:
    height_cm = parse_height(text)
    check_height(height_cm)
    return height_cm


def _height_in(text: str) -> float:
    return height_from_inches(parse_height(text))


OPTIONS = (
    click.option(
        "--age",
        metavar="AGE",
        callback=_by(parse_age),
        help="Chronological age at the film: 11y4m, or months. Stronger than every date.",
    ),
    click.option(
        "--birth-date",
        metavar="YYYY-MM-DD",
        callback=_by(lambda text: parse_date(text, "birth date")),
        help="Instead of the age; DICOM states it often. Never printed or written.",
    ),
    click.option(
        "--study-date",
        metavar="YYYY-MM-DD",
        callback=_by(lambda text: parse_date(text, "study date")),
        help="When the film was taken, where it does not say so. Never printed or written.",
    ),
    click.option(
        "--height-cm",
        metavar="CM",
        callback=_by(_height_cm),
        help="Present standing height, for the adult height of Bayley and Pinneau.",
    ),
    click.option(
        "--height-in", metavar="INCHES", callback=_by(_height_in), help="The same in inches."
    ),
    click.option(
        "--brush-mean",
        is_flag=True,
        help="Centre the SDS on the mean bone age of the Brush table, not on the "
        "chronological age.",
    ),
)
