"""The quality classifier and the limits of a set of weights, as they lie beside its manifest.

Two files: ``suitability.json`` with the limits, the figures that they gave and
the checksums, and the arrays that it names. They belong to one attention
network; beside another they are refused, for they would judge at random.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boneage.errors import WeightsError
from boneage.quality.checks import QualityLimits
from boneage.quality.classifier import QualityClassifier, classifier_from_bytes

SUITABILITY = "suitability.json"
ARRAYS = "suitability_arrays.zip"
FORMAT = 2


@dataclass(frozen=True, eq=False)
class QualityModel:
    """What a set of weights can say of an image before it analyses it."""

    classifier: QualityClassifier
    limits: QualityLimits
    table: Mapping[str, Any]
    """The whole file, with the figures and the date."""


def read_quality_model(folder: Path, attention_sha256: str) -> QualityModel | None:
    """Read what lies beside a manifest, for the attention network of this sha256.

    None where the weights have none: then no image is refused for what it shows. WeightsError when
    it was changed, or was fitted to another network.
    """
    path = folder / SUITABILITY
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_bytes())
        if table["format"] != FORMAT:
            raise WeightsError(
                f"{str(path)!r} is of format {table['format']!r}; this program reads {FORMAT}"
            )
        limits = QualityLimits(**{name: float(limit) for name, limit in table["limits"].items()})
        fitted_to, digest = table["attention_sha256"], table["arrays_sha256"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(
            f"{str(path)!r} does not hold the limits of the quality check: {error!r}"
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
