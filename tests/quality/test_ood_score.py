"""How unlike the training films a film is."""

from __future__ import annotations

import io
import pickle
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.errors import WeightsError
from boneage.quality.classifier import COMPONENTS, FeatureSpace, fit_space, space_from_bytes

WIDTH = 60
RANDOM = np.random.default_rng(1)
MIXING = RANDOM.normal(size=(20, WIDTH))


def features(count: int, seed: int) -> npt.NDArray[np.float64]:
    random = np.random.default_rng(seed)
    along = random.normal(size=(count, 20)) * np.linspace(3, 0.5, 20)
    return along @ MIXING + 0.1 * random.normal(size=(count, WIDTH))


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    return fit_space(features(400, 2))


def test_training_films_are_1_apart_on_average(space: FeatureSpace) -> None:
    found = [space.ood_score(f) for f in features(400, 2)]
    assert np.sqrt(np.mean(np.square(found))) == pytest.approx(1, abs=0.02)
    assert space.components.shape == (COMPONENTS, WIDTH)


def test_images_far_out_or_off_the_space_are_atypical(space: FeatureSpace) -> None:
    usual = np.quantile([space.ood_score(f) for f in features(200, 3)], 0.95)
    film = features(1, 4)[0]
    assert space.ood_score(film) < 1.2 * usual
    assert space.ood_score(10 * film) > 3 * usual
    assert space.ood_score(film + 10 * np.random.default_rng(5).normal(size=WIDTH)) > 2 * usual


def test_a_feature_of_another_width_is_refused(space: FeatureSpace) -> None:
    with pytest.raises(WeightsError, match=r"has the shape \(3,\)"):
        space.ood_score(np.zeros(3))


@pytest.mark.parametrize("shape", [(2, 2), (3, 50), (40, 1)])
def test_few_films_and_narrow_features_span_a_small_space(shape: tuple[int, int]) -> None:
    found = fit_space(np.random.default_rng(6).normal(size=shape))
    assert np.isfinite(found.ood_score(np.full(shape[1], 9.0)))


def test_films_that_are_all_alike(space: FeatureSpace) -> None:
    found = fit_space(np.ones((5, 3)))
    assert found.ood_score(np.ones(3)) == 0
    assert found.ood_score(np.zeros(3)) >= 0


def test_bytes_come_back_and_are_always_the_same(space: FeatureSpace) -> None:
    again = space_from_bytes(space.to_bytes())
    film = features(1, 7)[0]
    assert again.ood_score(film) == space.ood_score(film)
    assert again.to_bytes() == space.to_bytes()


def damaged(**changed: object) -> bytes:
    arrays = {
        "mean": np.zeros(3),
        "components": np.eye(3)[:2],
        "variances": np.ones(2),
        "rest": np.ones(1),
        **changed,
    }
    file = io.BytesIO()
    kept: dict[str, Any] = {k: np.asarray(v) for k, v in arrays.items() if v is not None}
    np.savez(file, **kept)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no zip",
        pickle.dumps({"mean": 1}),
        damaged(mean=None),
        damaged(mean=np.zeros(4)),
        damaged(variances=np.zeros(2)),
        damaged(variances=np.array([1, np.nan])),
        damaged(components=np.zeros((0, 3)), variances=np.zeros(0)),
        damaged(mean=np.array(["a", "b", "c"], object)),
    ],
)
def test_what_is_no_space_is_refused(content: bytes) -> None:
    with pytest.raises(WeightsError):
        space_from_bytes(content)


def test_nothing_is_unpickled() -> None:
    file = io.BytesIO()
    np.save(file, np.array([{}], object), allow_pickle=True)
    with pytest.raises(WeightsError):
        space_from_bytes(file.getvalue())
