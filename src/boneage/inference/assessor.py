"""The walk from a film to a bone age, in one screenful."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from traceback import format_tb
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import (
    AGE_RANGE_MONTHS,
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
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Radiograph, Sex
from boneage.errors import BoneageError, SexError, UnsuitableError, WeightsError
from boneage.imaging.collimation import analysed, exposed_field, turned_back, whole_image
from boneage.imaging.preparing import (
    Canvas,
    Placement,
    normalise_contrast,
    placement,
    put_on_canvas,
)
from boneage.imaging.regions import crop, find_regions, mirror_mean, zoomed_crops
from boneage.inference.both_hands import Pair, find_pair, on_whole_image, with_findings
from boneage.inference.interval_predictor import IntervalPredictor
from boneage.inference.weights import MONTHS_SCALE, Weights
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.quality.checks import ImageMeasures, findings_of
from boneage.quality.classifier import is_better_turned, is_straighter, most_likely_orientation
from boneage.quality.image_quality import ImageQuality, quality_of
from boneage.reading import read

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Radiograph
Features: TypeAlias = dict[str, npt.NDArray[np.float32]]
OnStep: TypeAlias = Callable[[str], None]
"""Told the name of each step when it begins."""

PREPARING = "preparing the film"
READING_REGIONS = "reading the regions"
JOINING = "joining the readings"

logger = logging.getLogger(__name__)


class Assessor:
    """Reads bone ages with one set of weights, opened once.

    Parameters
    ----------
    weights : str or Path, optional
    threads : int, optional
        How many processor cores one film may use at a time, default all.
        Both: see :class:`boneage.inference.weights.Weights`.
    level : float, optional
        The share of films whose bone age the interval holds; default 0.9.
    calibration : str or Path, optional
        A file that ``boneage calibrate`` wrote; default: the one that the
        environment variable ``BONEAGE_CALIBRATION`` names, and an empty text: none.
        Both: see :class:`boneage.inference.interval_predictor.IntervalPredictor`.
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
        """The steps of one reading, as ``on_step`` is told of them, in their order."""
        regions = self.weights.manifest.plan.names
        return (PREPARING, *map(_looking_for, regions), READING_REGIONS, JOINING)

    def assess(
        self,
        film: Source,
        sex: Sex | str | None = None,
        *,
        chronological_age_months: float | None = None,
        on_step: OnStep | None = None,
        force: bool = False,
    ) -> Assessment:
        """Read the bone age of one film.

        Parameters
        ----------
        film : path, bytes, binary file or Radiograph
        sex : "male" or "female", optional
            Whose standard to read by; needed unless the film states it.
        chronological_age_months : float, optional
            Carried into the answer; the reading never sees it.
        on_step : callable, optional
            Told of each of :attr:`steps` when it begins, in the same thread.
        force : bool
            Read a film that is refused all the same; the findings of the answer say why
            it should not have been.

        Raises
        ------
        FilmError
            When the film cannot be read; :class:`~boneage.errors.UnsuitableError`, with what
            was found, when it should not be.
        SexError
            When the sex is neither given nor stated by the film.
        """
        start = time.perf_counter()
        tell = on_step or _tell_nobody
        radiograph = film if isinstance(film, Radiograph) else read(film)
        sex = _settle_sex(sex, radiograph)
        tell(PREPARING)
        age = chronological_age_months
        if age is None:
            age = radiograph.metadata.chronological_age_months
        oriented = self._oriented(radiograph, sex)
        pair = self._pair(radiograph, oriented, sex)
        if pair is None:
            answer = self._answer(radiograph, oriented, sex, age, tell, force=force)
        else:
            answer = self._answer_of_left(radiograph, pair, sex, age, tell, force=force)
        return replace(answer, seconds=time.perf_counter() - start)

    def _answer_of_left(
        self,
        radiograph: Radiograph,
        pair: Pair[_Oriented],
        sex: Sex,
        age: float | None,
        tell: OnStep,
        *,
        force: bool,
    ) -> Assessment:
        """Answer for the left one of two hands, and give the other one's age beside it."""
        left, right = pair.left, pair.right
        answer = self._answer(left.radiograph, left.upright, sex, age, tell, force=force)
        other = self._answer(right.radiograph, right.upright, sex, age, _tell_nobody, force=True)
        answer = with_findings(answer, pair.findings(answer, other))
        if answer.verdict is Verdict.REFUSED and not force:
            raise _unsuitable(radiograph.name, answer.findings)
        beside = OtherHand(other.age_months, right.box)
        return on_whole_image(answer, left, radiograph, beside)

    def _pair(
        self, radiograph: Radiograph, oriented: _Oriented, sex: Sex
    ) -> Pair[_Oriented] | None:
        def detection(part: Radiograph) -> _Oriented:
            upright = self._oriented(part, sex)
            if upright.seen is None or oriented.seen is None:
                return upright
            # Text may name the patient wherever it stands in the whole image.
            return replace(upright, seen=replace(upright.seen, letters=oriented.seen.letters))

        return find_pair(radiograph, oriented, detection)

    def _answer(
        self,
        radiograph: Radiograph,
        oriented: _Oriented,
        sex: Sex,
        age: float | None,
        tell: OnStep,
        *,
        force: bool,
    ) -> Assessment:
        """Answer for an image of one hand."""
        before = findings_of(
            radiograph.metadata,
            sex,
            seen=oriented.seen,
            chronological_age_months=age,
            notes=radiograph.notes,
        )
        if verdict_on(before) is Verdict.REFUSED and not force:
            raise _unsuitable(radiograph.name, before)
        detections, features, age_by_network = self._look(oriented, sex, tell)
        # Some regions may be looked for, but not read.
        to_read = [
            detection
            for detection in detections
            if detection.region in self.weights.manifest.networks
        ]
        tell(READING_REGIONS)
        for region, seen in self._read_regions(oriented.grey, to_read, sex).items():
            features[region], age_by_network[region] = seen["feature"], _months(seen["age"])
        tell(JOINING)
        # What was seen of the film is the same for both; the sex enters when it is joined.
        by_standard = {standard: self._join(features, standard) for standard in Sex}
        months = by_standard[sex]
        size = radiograph.height, radiograph.width
        answer = Assessment(
            film=radiograph.name,
            sex=sex,
            age_months=months,
            detections=oriented.detections_on_film(detections, size),
            age_by_network=age_by_network,
            weights=self.weights.name,
            metadata=radiograph.metadata,
            film_height=radiograph.height,
            film_width=radiograph.width,
            seconds=0.0,
            findings=findings_of(
                radiograph.metadata,
                sex,
                detections,
                seen=oriented.seen,
                chronological_age_months=age,
                answer_months=months,
                notes=radiograph.notes,
            ),
            chronological_age_months=age,
            ood_score=self._ood_score(features),
            by_standard=by_standard,
            orientation=None
            if oriented.orientation.reads_as_it_is(*size)
            else oriented.orientation,
        )
        return self.interval_predictor.stated(answer)

    def assess_many(
        self,
        cases: Iterable[Case | str | os.PathLike[str]],
        sex: Sex | str | None = None,
        *,
        force: bool = False,
    ) -> Iterator[Assessment | Failure]:
        """Read many films, one after the other; a bad one becomes a Failure.

        ``sex`` holds for the cases that state none of their own; ``force`` as in
        :meth:`assess`.

        Raises
        ------
        WeightsError
            When the weights turn out unusable: then every film would fail.
        """
        for item in cases:
            case = item if isinstance(item, Case) else Case(item)
            name = os.path.basename(os.fspath(case.film))  # noqa: PTH119  may be any text
            yield answer_or_failure(
                name,
                partial(
                    self.assess,
                    case.film,
                    case.sex or sex,
                    chronological_age_months=case.chronological_age_months,
                    force=force,
                ),
            )

    def find_regions(self, radiograph: Radiograph) -> tuple[RegionDetection, ...]:
        """Find the regions of a film, with the attention network alone.

        Raises
        ------
        WeightsError
            When the attention network cannot be used.
        """
        # The heat map does not see the sex.
        oriented = self._oriented(radiograph, Sex.FEMALE)
        pair = self._pair(radiograph, oriented, Sex.FEMALE)
        if pair is None:
            detections, _, _ = self._look(oriented, Sex.FEMALE, _tell_nobody)
            return oriented.detections_on_film(detections, (radiograph.height, radiograph.width))
        left = pair.left
        detections, _, _ = self._look(left.upright, Sex.FEMALE, _tell_nobody)
        detections = left.upright.detections_on_film(detections, (left.box.height, left.box.width))
        return left.detections_on_whole(detections, radiograph)

    def whole_hand_feature(self, radiograph: Radiograph) -> npt.NDArray[np.float32]:
        """What the attention network sees of the whole film, shape (width,).

        It does not see the sex.
        """
        return _mean_feature(self._oriented(radiograph, Sex.FEMALE).first_as_features)

    def features_as_oriented(
        self, radiograph: Radiograph, orientation: Orientation, *, mirror: bool = True
    ) -> npt.NDArray[np.float32]:
        """What the attention network sees of a film in one stance, shape (views, width).

        The film first, then, with ``mirror``, its mirror image where the weights look at both.
        """
        grey = normalise_contrast(
            analysed(radiograph, orientation), self.weights.manifest.preparation
        )
        first = self._run("attention", self._on_canvas(grey)[0], Sex.FEMALE, mirror=mirror)
        feature: npt.NDArray[np.float32] = first["feature"].reshape(len(first["feature"]), -1)
        return feature

    def _oriented(self, radiograph: Radiograph, sex: Sex) -> _Oriented:
        """Bring a film upright, and see what it is, as far as the weights can tell."""
        quality_model = self.weights.quality_model
        image = whole_image(radiograph)
        orientation = exposed_field(radiograph, image)
        if quality_model is None:
            return self._first(radiograph, orientation, sex, image)
        letters = self.weights.meanwhile(lambda: letters_in_a_row(image))
        oriented = self._first(radiograph, orientation, sex, image)
        classifier, limits = quality_model.classifier, quality_model.limits
        judgement = classifier.judge(oriented.first["feature"])
        quarters, inverted = most_likely_orientation(judgement)
        if quarters or inverted:
            orientation = replace(orientation, quarters=quarters, inverted=inverted)
            turned = self._first(radiograph, orientation, sex)
            again = classifier.judge(turned.first["feature"])
            if is_better_turned(judgement, again, limits.lying_certain):
                oriented, judgement = turned, again
        if abs(judgement.tilt_degrees) > limits.tilt_warned_degrees:
            orientation = turned_back(
                oriented.orientation, judgement.tilt_degrees, radiograph.pixels
            )
            turned = self._first(radiograph, orientation, sex)
            again = classifier.judge(turned.first["feature"])
            if is_straighter(judgement, again):
                oriented, judgement = turned, again
        size = radiograph.height, radiograph.width
        seen = ImageMeasures(
            oriented.orientation, size, oriented.quality(), letters(), judgement, limits
        )
        return replace(oriented, seen=seen)

    def _first(
        self,
        radiograph: Radiograph,
        orientation: Orientation,
        sex: Sex,
        image: Pixels | None = None,
    ) -> _Oriented:
        """Look at a film for the first time, brought into one stance and reduced."""
        pixels = analysed(radiograph, orientation, image)
        quality = self.weights.meanwhile(lambda: quality_of(radiograph, orientation, pixels))
        grey = normalise_contrast(pixels, self.weights.manifest.preparation)
        canvas, place = self._on_canvas(grey)
        return _Oriented(
            orientation, pixels, quality, grey, canvas, place, self._run("attention", canvas, sex)
        )

    def _ood_score(self, features: Features) -> float | None:
        space = self.weights.feature_space
        return space.ood_score(_mean_feature(features)) if space else None

    def _on_canvas(self, grey: Canvas) -> tuple[Canvas, Placement]:
        """Bring a film to the attention network's size."""
        preparation, size = self.weights.manifest.preparation, self.input_size("attention")
        place = placement(grey.shape[0], grey.shape[1], size, preparation.fit)
        return put_on_canvas(grey, size, place, preparation), place

    def _look(
        self, oriented: _Oriented, sex: Sex, tell: OnStep
    ) -> tuple[tuple[RegionDetection, ...], Features, dict[str, float]]:
        """Find the regions of the upright film, and keep what the first look saw of the hand."""
        manifest = self.weights.manifest
        steps = map(_looking_for, manifest.plan.names)
        tell(next(steps))
        canvas, first = oriented.canvas, oriented.first
        seen = iter([_heat_map(first)])

        def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            earlier = next(seen, None)
            if earlier is not None:
                return earlier
            tell(next(steps))
            return _heat_map(self._run("attention", canvases[0], sex, outputs=("heat_map",)))

        detections = find_regions(
            canvas[np.newaxis], [oriented.place], [oriented.grey.shape], attend, manifest.plan
        )[0]
        return detections, {WHOLE_HAND: first["feature"]}, {WHOLE_HAND: _months(first["age"])}

    def _read_regions(
        self, grey: Canvas, detections: Sequence[RegionDetection], sex: Sex
    ) -> dict[str, Features]:
        """Read the regions of a film, side by side where there are cores for it."""
        plan, preparation = self.weights.manifest.plan, self.weights.manifest.preparation

        def views_of(detection: RegionDetection) -> list[Canvas]:
            size, edges = self.input_size(detection.region), detection.edges or detection.box.edges
            if plan.zooms:
                return zoomed_crops(grey, edges, plan, size, preparation)
            return self._views(crop(grey, edges, plan, size, preparation))

        views = self.weights.side_by_side(views_of, detections)
        each = [
            (detection.region, _inputs([view], sex))
            for detection, both in zip(detections, views, strict=True)
            for view in both
        ]
        seen = iter(self.weights.run_each(each))
        return {
            detection.region: _joined([next(seen) for _ in both])
            for detection, both in zip(detections, views, strict=True)
        }

    def _join(self, features: Features, sex: Sex) -> float:
        seen = {name: features[name] for name in self.weights.manifest.fusion_inputs}
        count = max(map(len, seen.values()))
        # Regions may be seen more often than the whole hand.
        wanted = {name: np.resize(one, (count, *one.shape[1:])) for name, one in seen.items()}
        codes = np.full(count, sex.code, dtype=np.int32)
        age = _months(self.weights.run("fusion", {**wanted, "sex": codes})["age"])
        return float(np.clip(age, *AGE_RANGE_MONTHS))

    def _run(
        self,
        network: str,
        image: Canvas,
        sex: Sex,
        *,
        mirror: bool = True,
        outputs: tuple[str, ...] | None = None,
    ) -> Features:
        """Run a network on an image and, where the weights ask for it, its mirror image."""
        images = self._views(image) if mirror else [image]
        return self.weights.run(network, _inputs(images, sex), outputs)

    def _views(self, image: Canvas) -> list[Canvas]:
        """The image and, where the weights ask for it, its mirror image."""
        return [image, image[:, ::-1]] if self.weights.manifest.flip_average else [image]

    def input_size(self, network: str) -> tuple[int, int]:
        """Rows and columns of the image that a network takes.

        Raises
        ------
        WeightsError
            When the manifest states none.
        """
        size = self.weights.manifest.networks[network].input
        if size is None:
            raise WeightsError(f"the manifest states no input size for {network!r}")
        return size


@dataclass(frozen=True, eq=False)
class _Oriented:
    """A film as it is read, and what the attention network saw of it at first."""

    orientation: Orientation
    pixels: Pixels
    """Upright, without frame, and not larger than the networks can make use of."""
    quality: Callable[[], ImageQuality]
    """Of these."""
    grey: Canvas
    """They, equalised."""
    canvas: Canvas
    place: Placement
    first: Features
    seen: ImageMeasures | None = None

    @property
    def first_as_features(self) -> Features:
        return {WHOLE_HAND: self.first["feature"]}

    def detections_on_film(
        self, detections: tuple[RegionDetection, ...], size: tuple[int, int]
    ) -> tuple[RegionDetection, ...]:
        """Carry looks at what was read to the film as it came, of this (height, width)."""
        read = Placement(0, 0, *self.grey.shape)
        at_full_size = (
            replace(detection, box=read.to_film(detection.box, *self.orientation.size))
            for detection in detections
        )
        return self.orientation.detections_on_film(tuple(at_full_size), size)


def answer_or_failure(name: str, assess: Callable[[], Assessment]) -> Assessment | Failure:
    """Assess one of many images; why there is no answer, where there is none.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every image would fail.
    """
    try:
        return assess()
    except Exception as error:
        return failure_of(name, error)


def failure_of(name: str, error: Exception) -> Failure:
    """Say why an image has no answer; a batch survives its worst image.

    Raises
    ------
    WeightsError
        When that is the error: then every image would fail.
    """
    if isinstance(error, WeightsError):
        raise error
    if isinstance(error, BoneageError):
        return Failure(name, error.code, str(error), error.findings)
    # Neither logged nor shown in full: what it says may quote the patient.
    kind = type(error).__name__
    logger.error("unexpected %s", kind)
    logger.debug("%s", "".join(format_tb(error.__traceback__)))
    return Failure(name, "unexpected", f"unexpected {kind}")


def _unsuitable(name: str, findings: tuple[Finding, ...]) -> UnsuitableError:
    reasons = [f.message for f in findings if f.severity is Severity.REFUSAL]
    return UnsuitableError(f"{name!r} is refused: {' '.join(reasons)}", findings)


def _inputs(images: Sequence[Canvas], sex: Sex) -> dict[str, npt.NDArray[Any]]:
    """What a network takes: images of one size, and the sex for each."""
    films = np.stack(images)[..., np.newaxis].astype(np.float32)
    return {"film": films, "sex": np.full(len(films), sex.code, dtype=np.int32)}


def _joined(seen: Sequence[Features]) -> Features:
    """What a network saw of several images, as if of all at once."""
    return {name: np.concatenate([one[name] for one in seen]) for name in seen[0]}


def _heat_map(seen: Features) -> npt.NDArray[np.float32]:
    """One heat map, shape (1, rows, columns), of a film or of it and its mirror image."""
    raw = seen["heat_map"]
    return mirror_mean(raw[:1], raw[-1:]) if len(raw) > 1 else raw


def _mean_feature(features: Features) -> npt.NDArray[np.float32]:
    """The whole hand's feature, shape (width,): mean over the film and its mirror image."""
    mean: npt.NDArray[np.float32] = features[WHOLE_HAND].mean(axis=0).ravel()
    return mean


def _months(scaled: npt.NDArray[np.float32]) -> float:
    """Mean over the film and its mirror image, in months."""
    return float(np.mean(scaled)) * MONTHS_SCALE


def _looking_for(region: str) -> str:
    return f"looking for the {region} region"


def _tell_nobody(_step: str) -> None:
    pass


def _settle_sex(given: Sex | str | None, radiograph: Radiograph) -> Sex:
    if given is not None:
        return Sex.parse(given)
    if radiograph.metadata.sex is None:
        raise SexError(
            f"the sex is needed to assess {radiograph.name!r}: give 'male' or 'female'; "
            "the image states neither"
        )
    return radiograph.metadata.sex
