"""How far a hand has grown at an age: its size, and the state of each growth centre."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TypeAlias

import numpy as np

from boneage.domain.radiograph import Sex
from boneage.storage.delimited import shipped_rows
from boneage.storage.typed import shipped_toml
from boneage.synthetic.anatomy import ADULT, ADULT_HAND_MM

TABLES: tuple[Traversable, ...] = (
    files("boneage.clinical") / "tables" / "greulich_pyle_maturity_events.csv",
    files("boneage.synthetic") / "maturity_assumed.csv",
)
"""The atlas's events, and what a drawing needs beyond them."""

CARPALS = tuple(ADULT.carpal)
METACARPALS = tuple(f"metacarpal_{finger}" for finger in range(1, 6))
"""Bones are numbered by finger, the thumb being 1."""
SESAMOID = "sesamoid"
WORDED = shipped_toml("boneage.synthetic", "maturity.toml")
STRUCTURES: Mapping[str, Sequence[str]] = {
    **{name: [name] for name in CARPALS},
    **WORDED["structures"],
}
"""The bones of each structure in the tables, whether or not it adds "epiphysis"."""
EPIPHYSIS = re.compile(" epiphys[ei]s$")

SLENDERNESS = 0.58
"""A child's bones are shorter more than they are thinner: widths shrink by this
power of what lengths do."""


class MaturityEvent(Enum):
    """What can happen to a growth centre, in this order."""

    VISIBLE = "visible"
    FULL_WIDTH = "as wide as its shaft; of a small bone: full grown"
    CAPPED = "caps its shaft"
    FUSING = "fusion begun"
    NEARLY_FUSED = "fusion almost complete"
    FUSED = "fusion complete"


Timeline: TypeAlias = Mapping[MaturityEvent, float]
WORDS = {words: MaturityEvent[event] for words, event in WORDED["events"].items()}
"""What the tables call an event, in part; the first that is found counts."""

FIRST_SIZE = 0.25
"""Of full width, when a centre is first seen: smaller ones don't show on a film."""
CAPPING_SIZE = 1.06
"""An epiphysis that caps its shaft is a little wider."""
SIZE: Timeline = {
    MaturityEvent.VISIBLE: FIRST_SIZE,
    MaturityEvent.FULL_WIDTH: 1.0,
    MaturityEvent.CAPPED: CAPPING_SIZE,
}
FUSED_SHARE: Timeline = {
    MaturityEvent.FUSING: 0.25,
    MaturityEvent.NEARLY_FUSED: 0.75,
    MaturityEvent.FUSED: 1.0,
}


@dataclass(frozen=True)
class GrowthCentre:
    """One growth centre, or one small bone, at one age."""

    visible: bool
    size: float
    """Its width, as a share of the shaft's; of a small bone, of its full size."""
    capped: bool = False
    fused: float = 0.0
    """How much of the growth plate is bone: 0 none, 1 all."""


def centres_at(age_months: float, sex: Sex) -> Mapping[str, GrowthCentre]:
    """Every centre of the hand by bone; between two events a centre grows, and fuses, evenly."""
    return {bone: _centre(age_months, timeline) for bone, timeline in timelines(sex).items()}


def _centre(age_months: float, timeline: Timeline) -> GrowthCentre:
    if age_months < timeline[MaturityEvent.VISIBLE]:
        return GrowthCentre(visible=False, size=0.0)
    capped, fuses = (
        age_months >= timeline.get(event, np.inf)
        for event in (MaturityEvent.CAPPED, MaturityEvent.FUSING)
    )
    fused = _between(age_months, timeline, FUSED_SHARE) if fuses else 0.0
    return GrowthCentre(True, _between(age_months, timeline, SIZE), capped, fused)


def _between(age_months: float, timeline: Timeline, values: Mapping[MaturityEvent, float]) -> float:
    """What a centre has reached, on straight lines between the events that it has."""
    events = [event for event in values if event in timeline]
    months, reached = [timeline[e] for e in events], [values[e] for e in events]
    return float(np.interp(age_months, months, reached))


@cache
def timelines(sex: Sex) -> Mapping[str, Timeline]:
    """When each event happens to each bone, in months: by the atlas, else by the assumptions."""
    found: dict[str, dict[MaturityEvent, float]] = {}
    for table in TABLES:
        for structure, event, months in read_events(table, sex):
            for bone in STRUCTURES[structure]:
                found.setdefault(bone, {}).setdefault(event, months)
    order = list(MaturityEvent)
    return {
        bone: dict(sorted(found[bone].items(), key=lambda e: order.index(e[0]))) for bone in found
    }


def read_events(table: Traversable, sex: Sex) -> Iterator[tuple[str, MaturityEvent, float]]:
    """Read the structure, event and months of each row that has them for this sex."""
    for row in shipped_rows(table):
        if months := row[f"{sex}_first_plate_months"]:
            event = next(event for words, event in WORDS.items() if words in row["event"])
            yield EPIPHYSIS.sub("", row["structure"]), event, float(months)


@dataclass(frozen=True)
class HandGrowth:
    """The size and the maturity of a hand."""

    hand_length_mm: float
    """From the wrist to the tip of the middle finger."""
    youth: float
    """1 at birth, 0 when the last bone has fused."""
    centres: Mapping[str, GrowthCentre]

    @classmethod
    def at(cls, age_months: float, sex: Sex) -> HandGrowth:
        ages, lengths = zip(*WORDED["hand_length_mm"][sex], strict=True)
        return cls(
            float(np.interp(age_months, ages, lengths)),
            max(0.0, 1 - age_months / timelines(sex)["radius"][MaturityEvent.FUSED]),
            centres_at(age_months, sex),
        )

    @property
    def scale(self) -> float:
        """Of lengths, against the grown hand in :mod:`~boneage.synthetic.anatomy`."""
        return self.hand_length_mm / ADULT_HAND_MM

    @property
    def width_scale(self) -> float:
        return float(self.scale**SLENDERNESS)
