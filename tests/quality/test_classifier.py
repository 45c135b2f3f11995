"""The gate: what it reads from features, and how it is kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.errors import WeightsError
from boneage.inference.weights import Weights
from boneage.quality.classifier import (
    MIRRORED,
    ORIENTATIONS,
    Linear,
    classifier_from_bytes,
    is_better_turned,
    most_likely_orientation,
)
from boneage.quality.model_file import ARRAYS, SUITABILITY
from tests.classifiers import LIMITS, classifier, put_classifier

DARK, BRIGHT, NEGATIVE = [0.2, 0.9], [0.55, 0.9], [0.8, 0.9]


def test_kinds_and_orientations_are_likelihoods() -> None:
    for feature in (DARK, BRIGHT, NEGATIVE):
        judgement = classifier().judge([feature])
        assert sum(judgement.kinds.values()) == pytest.approx(1)
        assert sum(judgement.orientation_probabilities) == pytest.approx(1)
    assert classifier().judge([DARK]).hand > 0.99
    assert classifier().judge([BRIGHT]).hand < 0.01
    assert classifier().judge([BRIGHT]).most_likely_other == "chest"
    assert most_likely_orientation(classifier().judge([NEGATIVE])) == (0, True)
    assert most_likely_orientation(classifier().judge([DARK])) == (0, False)


def test_a_turn_is_applied_where_the_turned_image_is_surer() -> None:
    negative, unsure, positive = (classifier().judge([[dark, 0.9]]) for dark in (0.8, 0.65, 0.2))
    assert is_better_turned(negative, positive, 0.6)
    assert not is_better_turned(unsure, positive, 0.6)  # a negative as likely as not
    assert is_better_turned(unsure, positive, 0.3)
    assert not is_better_turned(negative, negative, 0.3)


def test_a_mirror_image_has_the_mirrored_orientation() -> None:
    for orientation, mirrored in zip(ORIENTATIONS, MIRRORED, strict=True):
        assert ORIENTATIONS[mirrored] == (-orientation[0] % 4, orientation[1])


def test_the_two_views_are_read_together() -> None:
    """One view says a turn to one side, its mirror image to the other: they agree."""
    orientation = classifier().orientation
    quarter, opposite = ORIENTATIONS.index((1, False)), ORIENTATIONS.index((3, False))
    orientation.weights[quarter, 0], orientation.weights[opposite, 1] = 90.0, 90.0
    tilt = Linear(np.array([[10.0, -10.0]], np.float32), np.zeros(1, np.float32))
    made = replace(classifier(), orientation=orientation, tilt=tilt)
    judgement = made.judge([[1.0, 0.0], [0.0, 1.0]])
    assert most_likely_orientation(judgement) == (1, False)
    assert judgement.tilt_degrees == pytest.approx(10.0)


def test_it_comes_back_from_its_file() -> None:
    back = classifier_from_bytes(classifier().to_bytes())
    assert back.kinds == classifier().kinds
    for feature in (DARK, BRIGHT):
        assert back.judge([feature]).hand == pytest.approx(
            classifier().judge([feature]).hand, abs=1e-3
        )


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_another_file_is_not_a_classifier(content: bytes) -> None:
    with pytest.raises(WeightsError, match="not a quality classifier"):
        classifier_from_bytes(content)


def test_an_inconsistent_classifier_is_refused() -> None:
    short = replace(
        classifier(), tilt=Linear(np.zeros((1, 5), np.float32), np.zeros(1, np.float32))
    )
    with pytest.raises(WeightsError, match="tilt has weights"):
        classifier_from_bytes(short.to_bytes())
    with pytest.raises(WeightsError, match="none of its kinds"):
        classifier_from_bytes(classifier(("chest", "foot")).to_bytes())


def test_a_feature_of_another_width_is_refused() -> None:
    with pytest.raises(WeightsError, match="3 numbers"):
        classifier().judge([[0.1, 0.2, 0.3]])


def test_weights_without_a_quality_model_have_none(weights: Path) -> None:
    assert Weights(weights).quality_model is None


def test_it_is_beside_the_manifest(weights_copy: Path) -> None:
    before = Weights(weights_copy).name
    opened = Weights(put_classifier(weights_copy))
    assert opened.quality_model is not None
    assert opened.quality_model.limits == LIMITS
    assert opened.name == before, "the networks are the same weights with and without it"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"format": 99}, "of format 99"),
        ({"attention_sha256": "ab"}, "another attention network"),
        ({"arrays_sha256": "ab"}, "is not the file"),
        ({"limits": {"hand_refused": 0.1}}, "does not hold the limits"),
        ({"limits": None}, "does not hold the limits"),
    ],
)
def test_what_belongs_to_other_weights_is_refused(
    weights_copy: Path, changes: dict[str, Any], says: str
) -> None:
    put_classifier(weights_copy, **changes)
    with pytest.raises(WeightsError, match=says):
        _ = Weights(weights_copy).quality_model


def test_a_missing_or_invalid_file_is_an_error(weights_copy: Path) -> None:
    put_classifier(weights_copy)
    (weights_copy / ARRAYS).unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        _ = Weights(weights_copy).quality_model
    (weights_copy / SUITABILITY).write_text("{")
    with pytest.raises(WeightsError, match="does not hold the limits"):
        _ = Weights(weights_copy).quality_model
