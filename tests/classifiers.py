"""A gate for the small weights, written by hand: what is bright all over is no hand."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from boneage.inference.manifest import read_manifest
from boneage.quality.checks import QualityLimits
from boneage.quality.classifier import HAND, ORIENTATIONS, FeatureSpace, Linear, QualityClassifier
from boneage.quality.model_file import ARRAYS, FORMAT, SUITABILITY, limits_table
from tests.conftest import FEATURES

BRIGHT, NEGATIVE = 0.4, 0.65
"""Of the mean grey of a film: no hand above the first, a negative above the second."""
LIMITS = QualityLimits(
    hand_refused=0.2,
    hand_warned=0.4,
    ood_score_refused=30.0,
    ood_score_warned=20.0,
    orientation_certain=0.5,
    tilt_warned_degrees=20.0,
    contrast_refused=0.01,
    contrast_warned=0.03,
    white_warned=0.9,
    noise_warned=0.1,
    sharpness_warned=0.001,
    side_warned_px=64.0,
    letters_warned=4.0,
)


def classifier(kinds: tuple[str, ...] = ("chest", HAND)) -> QualityClassifier:
    """Kinds and lies by the mean grey, which is the small network's first feature."""

    def linear(rows: int) -> Linear:
        return Linear(np.zeros((rows, FEATURES), np.float32), np.zeros(rows, np.float32))

    kind, orientation = linear(len(kinds)), linear(len(ORIENTATIONS))
    kind.weights[0, 0], kind.bias[0] = 40.0, -40.0 * BRIGHT
    orientation.bias[:] = -30.0
    orientation.bias[ORIENTATIONS.index((0, False))] = 0.0
    negative = ORIENTATIONS.index((0, True))
    orientation.weights[negative, 0], orientation.bias[negative] = 60.0, -60.0 * NEGATIVE
    space = FeatureSpace(
        np.zeros(FEATURES, np.float32),
        np.eye(FEATURES, dtype=np.float32)[:1],
        np.ones(1, np.float32),
        np.ones(1, np.float32),
    )
    return QualityClassifier(kinds, kind, orientation, linear(1), space)


def put_classifier(folder: Path, made: QualityClassifier | None = None, **changes: Any) -> Path:
    """Put a gate beside the manifest of a folder of weights; ``changes`` spoil its table."""
    content = (made or classifier()).to_bytes()
    (folder / ARRAYS).write_bytes(content)
    table = {
        "format": FORMAT,
        "attention_sha256": read_manifest(folder).networks["attention"].sha256,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
        "limits": limits_table(LIMITS),
        **changes,
    }
    (folder / SUITABILITY).write_text(json.dumps(table))
    return folder
