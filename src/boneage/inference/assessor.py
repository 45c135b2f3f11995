"""The assessment pipeline from an image to a bone age, in one screenful."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from boneage.domain.assessment import (
    WHOLE_HAND,
    Assessment,
    Case,
    Failure,
    Finding,
    OtherHand,
    RegionDetection,
    Severity,
    Verdict,
    verdict_on,
)
from boneage.domain.radiograph import Radiograph, Sex
from boneage.errors import SexError, UnsuitableError
from boneage.inference.both_hands import Pair, find_pair, on_whole_image, with_findings
from boneage.inference.interval_predictor import IntervalPredictor
from boneage.inference.networks import (
    FirstPass,
    OnStep,
    combined_estimate,
    detect_regions,
    first_pass,
    mean_feature,
    mean_months,
    run_region_networks,
    step_of,
)
from boneage.inference.session import Source, assess_case
from boneage.inference.weights import Weights
from boneage.quality.checks import findings_of
from boneage.reading import read

PREPARING = "preparing the image"
ESTIMATING = "estimating from the regions"
COMBINING = "combining the estimates"


@dataclass(frozen=True)
class _Request:
    """How an image is to be assessed."""

    sex: Sex
    chronological_age_months: float | None
    on_step: OnStep
    force: bool


class Assessor:
    """Assesses bone ages with one set of weights, opened once.

    Parameters
    ----------
    weights, threads : optional
        See :class:`boneage.inference.weights.Weights`.
    level : float, optional
        The share of images whose bone age the interval holds; default 0.9.
    calibration : str or Path, optional
        A file that ``boneage calibrate`` wrote; default: the one that the
        environment variable ``BONEAGE_CALIBRATION`` names; empty: none.
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        level: float | None = None,
        calibration: str | os.PathLike[str] | None = None,
    ) -> None:
        self.weights = Weights(weights, threads=threads)
        self.interval_predictor = IntervalPredictor(self.weights, level, calibration)

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps of an assessment, in their order."""
        detecting = map(step_of, self.weights.manifest.plan.names)
        return (PREPARING, *detecting, ESTIMATING, COMBINING)

    def assess(
        self,
        film: Source,
        sex: Sex | str | None = None,
        *,
        chronological_age_months: float | None = None,
        on_step: OnStep | None = None,
        force: bool = False,
    ) -> Assessment:
        """Assess the bone age of one image.

        Parameters
        ----------
        film : path, bytes, binary file or Radiograph
        sex : "male" or "female", optional
            Whose standard is used; needed unless the image states it.
        chronological_age_months : float, optional
            Part of the assessment and its findings; the networks never see it.
        on_step : callable, optional
            Called with each of :attr:`steps` when it begins, in the same thread.
        force : bool
            Assess also an image that fails the quality check; the findings say why.

        Raises
        ------
        FilmError
            When the image cannot be read; :class:`~boneage.errors.UnsuitableError`, with the
            findings, when it fails the quality check.
        SexError
            When the sex is neither given nor stated by the image.
        """
        start = time.perf_counter()
        radiograph = film if isinstance(film, Radiograph) else read(film)
        sex = _sex_of(radiograph, sex)
        age = chronological_age_months
        if age is None:
            age = radiograph.metadata.chronological_age_months
        request = _Request(sex, age, on_step or _ignore, force)
        request.on_step(PREPARING)
        first, pair = self._first_pass(radiograph, sex)
        answer = (
            self._assess_pair(radiograph, pair, request)
            if pair
            else self._assess_hand(radiograph, first, request)
        )
        return replace(answer, seconds=time.perf_counter() - start)

    def _first_pass(self, radiograph: Radiograph, sex: Sex) -> tuple[FirstPass, Pair | None]:

        def run(image: Radiograph) -> FirstPass:
            return first_pass(self.weights, image, sex)

        first = run(radiograph)
        return first, find_pair(radiograph, first, run)

    def _assess_hand(
        self, radiograph: Radiograph, first: FirstPass, request: _Request
    ) -> Assessment:
        sex, age, metadata = request.sex, request.chronological_age_months, radiograph.metadata
        find = partial(
            findings_of,
            metadata,
            sex,
            measures=first.measures,
            chronological_age_months=age,
            notes=radiograph.notes,
        )
        if not request.force:
            _refuse(radiograph.name, find())
        detections = detect_regions(self.weights, first, sex, request.on_step)
        request.on_step(ESTIMATING)
        outputs = {
            WHOLE_HAND: first.outputs,
            **run_region_networks(self.weights, first.normalised, detections, sex),
        }
        request.on_step(COMBINING)
        features = {region: found["feature"] for region, found in outputs.items()}
        # The features do not depend on the sex: the fusion network alone does.
        by_standard = {
            standard: combined_estimate(self.weights, features, standard) for standard in Sex
        }
        space = self.weights.feature_space
        upright = first.orientation.is_identity(*first.image_size)
        answer = Assessment(
            film=radiograph.name,
            sex=sex,
            age_months=by_standard[sex],
            detections=first.detections_on_image(detections),
            age_by_network={region: mean_months(found["age"]) for region, found in outputs.items()},
            weights=self.weights.name,
            metadata=metadata,
            film_height=radiograph.height,
            film_width=radiograph.width,
            seconds=0.0,
            findings=find(detections, answer_months=by_standard[sex]),
            chronological_age_months=age,
            ood_score=space.ood_score(mean_feature(features[WHOLE_HAND])) if space else None,
            by_standard=by_standard,
            orientation=None if upright else first.orientation,
        )
        return self.interval_predictor.apply(answer)

    def _assess_pair(self, radiograph: Radiograph, pair: Pair, request: _Request) -> Assessment:
        """Assess the left one of two hands, with the other one's age beside it."""
        left, right = pair.left, pair.right
        answer = self._assess_hand(left.radiograph, left.first, request)
        forced = replace(request, on_step=_ignore, force=True)
        other = self._assess_hand(right.radiograph, right.first, forced)
        answer = with_findings(answer, pair.findings(answer, other))
        if not request.force:
            _refuse(radiograph.name, answer.findings)
        return on_whole_image(answer, left, radiograph, OtherHand(other.age_months, right.box))

    def assess_many(
        self,
        cases: Iterable[Case | str | os.PathLike[str]],
        sex: Sex | str | None = None,
        *,
        force: bool = False,
    ) -> Iterator[Assessment | Failure]:
        """Assess images one after the other; one that cannot be assessed becomes a Failure."""
        for item in cases:
            case = item if isinstance(item, Case) else Case(item)
            yield assess_case(self, case, sex=sex, force=force).outcome

    def find_regions(self, radiograph: Radiograph) -> tuple[RegionDetection, ...]:
        """Detect the regions of an image, with the attention network alone."""
        sex = Sex.FEMALE  # heat maps do not depend on it
        first, pair = self._first_pass(radiograph, sex)
        if pair is not None:
            first = pair.left.first
        detections = first.detections_on_image(detect_regions(self.weights, first, sex, _ignore))
        return pair.left.detections_on_whole(detections, radiograph) if pair else detections


def _refuse(name: str, findings: tuple[Finding, ...]) -> None:
    if verdict_on(findings) is Verdict.REFUSED:
        reasons = [f.message for f in findings if f.severity is Severity.REFUSAL]
        raise UnsuitableError(f"{name!r} is refused: {' '.join(reasons)}", findings)


def _ignore(_step: str) -> None:
    pass


def _sex_of(radiograph: Radiograph, given: Sex | str | None) -> Sex:
    if given is not None:
        return Sex.parse(given)
    if radiograph.metadata.sex is None:
        raise SexError(
            f"the sex of {radiograph.name!r} is not known: give 'male' or 'female' "
            "(the file states none)"
        )
    return radiograph.metadata.sex
