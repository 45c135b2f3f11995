"""The walk from a film to a bone age, in one screenful."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterable, Iterator
from typing import BinaryIO, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.assessment import AGE_RANGE_MONTHS, WHOLE_HAND, Assessment, Case, Failure, Look
from boneage.certainty import Certainty
from boneage.errors import BoneageError, SexError, WeightsError
from boneage.preparing import Canvas, Placement, equalise, placement, put_on_canvas
from boneage.radiograph import Radiograph, Sex
from boneage.reading import read
from boneage.regions import crop, find_regions, mirror_mean
from boneage.suitability import findings_of
from boneage.weights import MONTHS_SCALE, Weights

Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Radiograph
Features: TypeAlias = dict[str, npt.NDArray[np.float32]]
OnStep: TypeAlias = Callable[[str], None]
"""Told the name of each step when it begins."""

PREPARING = "preparing the film"
JOINING = "joining the readings"

logger = logging.getLogger(__name__)


class Assessor:
    """Reads bone ages with one set of weights, opened once.

    Parameters
    ----------
    weights : str or Path, optional
    threads : int, optional
        How many processor cores one network may use at a time, default all.
        Both: see :class:`boneage.weights.Weights`.
    level : float, optional
        The share of films whose bone age the interval holds; default 0.9.
    calibration : str or Path, optional
        A file that ``boneage calibrate`` wrote; default: the one that the
        environment variable ``BONEAGE_CALIBRATION`` names, and an empty text: none.
        Both: see :class:`boneage.certainty.Certainty`.
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
        self.certainty = Certainty(self.weights, level, calibration)

    @property
    def steps(self) -> tuple[str, ...]:
        """The steps of one reading, as ``on_step`` is told of them, in their order."""
        regions = self.weights.manifest.plan.names
        read = [region for region in regions if region in self.weights.manifest.networks]
        return (PREPARING, *map(_looking_for, regions), *map(_reading, read), JOINING)

    def assess(
        self,
        film: Source,
        sex: Sex | str | None = None,
        *,
        chronological_age_months: float | None = None,
        on_step: OnStep | None = None,
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

        Raises
        ------
        FilmError
            When the film cannot be read.
        SexError
            When the sex is neither given nor stated by the film.
        """
        start = time.perf_counter()
        tell = on_step or _tell_nobody
        radiograph = film if isinstance(film, Radiograph) else read(film)
        sex = _settle_sex(sex, radiograph)
        tell(PREPARING)
        grey = equalise(radiograph.pixels, self.weights.manifest.preparation)
        looks, features, readings = self._look(grey, sex, tell)
        for look in looks:
            if look.region in self.weights.manifest.networks:  # else looked for, not read
                tell(_reading(look.region))
                self._read_region(grey, look, sex, features, readings)
        tell(JOINING)
        age = chronological_age_months
        if age is None:
            age = radiograph.facts.chronological_age_months
        # What was seen of the film is the same for both; the sex enters when it is joined.
        by_standard = {standard: self._join(features, standard) for standard in Sex}
        answer = Assessment(
            film=radiograph.name,
            sex=sex,
            age_months=by_standard[sex],
            looks=looks,
            readings=readings,
            weights=self.weights.name,
            facts=radiograph.facts,
            film_height=radiograph.height,
            film_width=radiograph.width,
            seconds=time.perf_counter() - start,
            findings=findings_of(radiograph.facts, sex, looks),
            chronological_age_months=age,
            unlikeness=self._unlikeness(features),
            by_standard=by_standard,
        )
        return self.certainty.stated(answer)

    def assess_many(
        self,
        cases: Iterable[Case | str | os.PathLike[str]],
        sex: Sex | str | None = None,
    ) -> Iterator[Assessment | Failure]:
        """Read many films, one after the other; a bad one becomes a Failure.

        ``sex`` holds for the cases that state none of their own.

        Raises
        ------
        WeightsError
            When the weights turn out unusable: then every film would fail.
        """
        for item in cases:
            case = item if isinstance(item, Case) else Case(item)
            name = os.path.basename(os.fspath(case.film))  # noqa: PTH119  may be any text
            try:
                yield self.assess(
                    case.film,
                    case.sex or sex,
                    chronological_age_months=case.chronological_age_months,
                )
            except WeightsError:
                raise
            except BoneageError as error:
                yield Failure(name, getattr(error, "code", "sex"), str(error))
            except Exception as error:  # a batch survives its worst film
                logger.exception("unexpected failure")
                yield Failure(name, "unexpected", f"unexpected {type(error).__name__}: {error}")

    def find_regions(self, radiograph: Radiograph) -> tuple[Look, ...]:
        """Find the regions of a film, with the attention network alone.

        Raises
        ------
        WeightsError
            When the attention network cannot be used.
        """
        grey = equalise(radiograph.pixels, self.weights.manifest.preparation)
        looks, _, _ = self._look(
            grey, Sex.FEMALE, _tell_nobody
        )  # the heat map does not see the sex
        return looks

    def whole_hand_feature(self, radiograph: Radiograph) -> npt.NDArray[np.float32]:
        """What the attention network sees of the whole film, shape (width,).

        It does not see the sex.
        """
        manifest = self.weights.manifest
        grey = equalise(radiograph.pixels, manifest.preparation)
        canvas, _ = self._on_canvas(grey)
        return _mean_feature({WHOLE_HAND: self._run("attention", canvas, Sex.FEMALE)["feature"]})

    def _unlikeness(self, features: Features) -> float | None:
        space = self.weights.feature_space
        return space.unlikeness(_mean_feature(features)) if space else None

    def _on_canvas(self, grey: Canvas) -> tuple[Canvas, Placement]:
        """Bring a film to the attention network's size."""
        preparation, size = self.weights.manifest.preparation, self._input_size("attention")
        place = placement(grey.shape[0], grey.shape[1], size, preparation.fit)
        return put_on_canvas(grey, size, place, antialias=preparation.antialias), place

    def _look(
        self, grey: Canvas, sex: Sex, tell: OnStep
    ) -> tuple[tuple[Look, ...], Features, dict[str, float]]:
        """Find the regions, and keep what the first look saw of the whole hand."""
        manifest = self.weights.manifest
        steps = map(_looking_for, manifest.plan.names)
        tell(next(steps))
        canvas, place = self._on_canvas(grey)
        first = self._run("attention", canvas, sex)
        seen = iter([_heat_map(first)])

        def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
            earlier = next(seen, None)
            if earlier is not None:
                return earlier
            tell(next(steps))
            return _heat_map(self._run("attention", canvases[0], sex))

        looks = find_regions(canvas[np.newaxis], [place], [grey.shape], attend, manifest.plan)[0]
        return looks, {WHOLE_HAND: first["feature"]}, {WHOLE_HAND: _months(first["age"])}

    def _read_region(
        self, grey: Canvas, look: Look, sex: Sex, features: Features, readings: dict[str, float]
    ) -> None:
        manifest = self.weights.manifest
        size = self._input_size(look.region)
        antialias = manifest.preparation.antialias
        image = crop(grey, look.box, manifest.plan, size, antialias=antialias)
        seen = self._run(look.region, image, sex)
        features[look.region], readings[look.region] = seen["feature"], _months(seen["age"])

    def _join(self, features: Features, sex: Sex) -> float:
        wanted = {name: features[name] for name in self.weights.manifest.fusion_inputs}
        count = len(next(iter(wanted.values())))
        codes = np.full(count, sex.code, dtype=np.int32)
        age = _months(self.weights.run("fusion", {**wanted, "sex": codes})["age"])
        return float(np.clip(age, *AGE_RANGE_MONTHS))

    def _run(self, network: str, image: Canvas, sex: Sex) -> Features:
        """Run a network on an image and, where the weights ask for it, its mirror image."""
        images = [image]
        if self.weights.manifest.flip_average:
            images.append(image[:, ::-1])
        films = np.stack(images)[..., np.newaxis].astype(np.float32)
        codes = np.full(len(films), sex.code, dtype=np.int32)
        return self.weights.run(network, {"film": films, "sex": codes})

    def _input_size(self, network: str) -> tuple[int, int]:
        size = self.weights.manifest.networks[network].input
        if size is None:
            raise WeightsError(f"the manifest states no input size for {network!r}")
        return size


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


def _reading(region: str) -> str:
    return f"reading the {region} region"


def _tell_nobody(_step: str) -> None:
    pass


def _settle_sex(given: Sex | str | None, radiograph: Radiograph) -> Sex:
    if given is not None:
        return Sex.parse(given)
    if radiograph.facts.sex is None:
        raise SexError(
            f"sex is needed to read {radiograph.name!r}: give 'male' or 'female'; "
            "the film does not state it"
        )
    return radiograph.facts.sex
