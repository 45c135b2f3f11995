"""What an ablation gives: variants of a training, and the ages that each gave the same films."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import Film


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    name: str
    """For tables and the command line."""
    label: str
    """For people."""
    series: str = ""
    """What it has in common with other variants, where they come in rows of several."""


@dataclass(frozen=True)
class VariantOutcome:
    """The ages that a variant gave."""

    variant: Variant
    predicted_months: npt.NDArray[np.float64]
    """Shape (seeds, films)."""


@dataclass(frozen=True)
class Study:
    """Variants that differ in one part each, and the ages they gave the same films."""

    name: str
    films: tuple[Film, ...]
    """Held out from training."""
    baseline: str
    """The name of the variant that the others are compared with."""
    outcomes: tuple[VariantOutcome, ...]
    """Of shape (seeds, films) each, the baseline's among them."""
    facts: Mapping[str, Any]
    """How the variants were trained; plain values."""
