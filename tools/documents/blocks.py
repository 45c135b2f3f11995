"""Marked blocks of a text: what is between the marks is written anew from the evidence.

A text marks where numbers belong::

    <!-- figures:validation -->
    ...
    <!-- /figures -->
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from tools.documents import (
    accuracy,
    attention,
    endurance,
    folders,
    machine,
    making,
    parts,
    robustness,
    suitability,
)
from tools.documents.evidence import Evidence

BLOCK = re.compile(
    r"(?P<open><!-- figures:(?P<name>[a-z-]+) -->\n).*?(?P<close><!-- /figures -->)", re.DOTALL
)
BLOCKS: Mapping[str, Callable[[Evidence], str]] = {
    "ablation": parts.in_short,
    "bands": accuracy.bands_in_short,
    "cluster": folders.cluster,
    "dashboard": machine.dashboard,
    "folder": folders.in_full,
    "folder-short": folders.in_short,
    "fuzz": endurance.fuzz,
    "headline": accuracy.headline,
    "networks": accuracy.networks,
    "node": endurance.node,
    "ruler": attention.in_short,
    "service": machine.service,
    "speed": machine.speed,
    "training-loop": machine.training_loop,
    "standards": accuracy.standards_in_short,
    "stress": robustness.in_short,
    "suitability": suitability.in_short,
    "validation": accuracy.validation,
    "weights": making.weights,
}
"""What writes each block, by its name."""


def with_numbers(text: str, evidence: Evidence) -> str:
    """Write every marked block of a text anew.

    Raises
    ------
    ValueError
        For a block of an unknown name.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise ValueError(f"no figures are called {name!r}; known are {sorted(BLOCKS)}")
        return f"{match['open']}{BLOCKS[name](evidence)}\n{match['close']}"

    return BLOCK.sub(block, text)
