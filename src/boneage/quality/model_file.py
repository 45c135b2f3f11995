"""The quality classifier and the limits of a set of weights, in two files beside its manifest.

``suitability.json`` holds the limits, the figures that they gave and the checksums; the other
file holds the arrays. They belong to one attention network; beside another they are refused,
for they would judge at random.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from boneage.errors import WeightsError
from boneage.quality.checks import QualityLimits
from boneage.quality.classifier import QualityClassifier, classifier_from_bytes
from boneage.storage.typed import broken_file

SUITABILITY = "suitability.json"
ARRAYS = "suitability_arrays.zip"
FORMAT = 2
STORED_LIMITS = {
    "ood_score_refused": "unlikeness_refused",
    "ood_score_warned": "unlikeness_warned",
    "orientation_certain": "lying_certain",
}
RETIRED = frozenset({"right_warned"})
"""Limits of earlier files that nothing is measured against any more."""


@dataclass(frozen=True, eq=False)
class QualityModel:
    """How a set of weights judges an image before it analyses it."""

    classifier: QualityClassifier
    limits: QualityLimits
    table: Mapping[str, Any]
    """The whole file, with the figures and the date."""


def limits_table(limits: QualityLimits) -> dict[str, float]:
    """Give the limits as ``suitability.json`` states them."""
    stated = {name: limit for name, limit in asdict(limits).items() if limit is not None}
    return {STORED_LIMITS.get(name, name): limit for name, limit in stated.items()}


def read_quality_model(folder: Path, attention_sha256: str) -> QualityModel | None:
    """Read the files beside a manifest, if any; WeightsError: changed, or of another network."""
    path = folder / SUITABILITY
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_bytes())
        if table["format"] != FORMAT:
            raise WeightsError(
                f"{str(path)!r} is of format {table['format']!r}; this program reads {FORMAT}"
            )
        names = {stored: name for name, stored in STORED_LIMITS.items()}
        stated = {
            names.get(key, key): float(limit)
            for key, limit in table["limits"].items()
            if key not in RETIRED
        }
        limits = QualityLimits(**stated)
        fitted_to, digest = table["attention_sha256"], table["arrays_sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{str(path)!r} does not hold the limits of the quality check: {broken_file(error)}"
        ) from error
    if fitted_to != attention_sha256:
        raise WeightsError(
            f"{str(path)!r} was fitted to another attention network than these weights have: "
            "fit it again with 'boneage suitability', or remove it"
        )
    return QualityModel(_classifier(folder / ARRAYS, digest), limits, table)


def _classifier(path: Path, sha256: str) -> QualityClassifier:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights file {str(path)!r} cannot be read: {error}") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise WeightsError(
            f"{str(path)!r} is not the file that {SUITABILITY} names; "
            "fit it again with 'boneage suitability'"
        )
    return classifier_from_bytes(content)
