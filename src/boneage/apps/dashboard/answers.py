"""One film read for the dashboard: the assessment, and what is needed to show how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.films import Film
from boneage.apps.dashboard.looks import Mask, blacked_out
from boneage.domain.assessment import Assessment, Failure, years_and_months
from boneage.domain.radiograph import Radiograph
from boneage.domain.stance import whole_film
from boneage.imaging.preparing import stretch
from boneage.imaging.regions import crop_box
from boneage.inference.assessor import Assessor, OnStep
from boneage.inference.session import assess_case
from boneage.inference.weights import Manifest
from boneage.reports.panels import Rgb, as_grey, fitted
from boneage.reports.wording import interval_basis, interval_text

CROP_PX = 520
"""Longest side of a crop as the pages show it."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What one film was found to be, by what choice."""

    film: Film
    choice: Choice
    assessment: Assessment
    crops: Mapping[str, Rgb]
    """What each region's network read, cut from the film at full resolution."""
    black: tuple[Mask, ...]
    """For each look, where the film was black when it was taken."""


def answer(
    assessor: Assessor,
    film: Film,
    choice: Choice,
    on_step: OnStep = lambda _: None,
    *,
    force: bool = False,
) -> Answer | Failure:
    """Read one film; with ``force`` also one that is refused.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
    """
    session = assess_case(
        assessor,
        film.file(),
        sex=choice.sex,
        child=choice.child,
        force=force,
        on_step=on_step,
    )
    if isinstance(session.outcome, Failure):
        return session.outcome
    assessment, radiograph = session.outcome, session.image
    manifest = assessor.weights.manifest
    size = radiograph.height, radiograph.width
    black = tuple(
        blacked_out(assessment.looks, number, size, manifest, assessment.stance)
        for number in range(len(assessment.looks))
    )
    return Answer(film, choice, assessment, _crops(radiograph, assessment, manifest), black)


def _crops(radiograph: Radiograph, assessment: Assessment, manifest: Manifest) -> Mapping[str, Rgb]:
    crops = {}
    lies = assessment.stance or whole_film(radiograph.height, radiograph.width)
    grey = stretch(lies.upright(radiograph.pixels))
    for look in assessment.looks:
        cut = crop_box(lies.box_upright(look.box), manifest.plan, *lies.size)
        pixels = grey[cut.min_row : cut.max_row, cut.min_col : cut.max_col]
        crops[look.region] = fitted(as_grey(np.ascontiguousarray(pixels)), CROP_PX, CROP_PX)
    return crops


def against_age(assessment: Assessment) -> str:
    """Set the bone age beside the chronological one; empty when that is not known."""
    age = assessment.chronological_age_months
    if age is None:
        return ""
    months = round(assessment.age_months) - round(age)
    many = f"{abs(months)} month{'s' * (abs(months) != 1)}"
    side = f"{many} {'ahead' if months > 0 else 'behind'}" if months else "the same"
    return f"Chronological age {years_and_months(age)}: the bone age is {side}."


def interval_in_words(assessment: Assessment) -> str:
    """Say the interval, or that the weights give none."""
    interval = assessment.interval
    if interval is None:
        return "These weights give no interval."
    return f"{interval_text(interval)}. {interval_basis(interval)}"
