"""Which growth centres a hand shows at an age: visible, how wide, capped, how far fused."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

import numpy as np

from boneage.domain.radiograph import Sex

TABLES: tuple[Traversable, ...] = (
    files("boneage.clinical") / "tables" / "greulich_pyle_maturity_events.csv",
    files("boneage.synthetic") / "maturity_assumed.csv",
)
"""The atlas's events, and what a drawing needs beyond them."""

CARPALS = (
    "capitate",
    "hamate",
    "triquetrum",
    "lunate",
    "scaphoid",
    "trapezium",
    "trapezoid",
    "pisiform",
)
PROXIMAL = tuple(f"proximal_phalanx_{finger}" for finger in range(1, 6))
MIDDLE = tuple(f"middle_phalanx_{finger}" for finger in range(2, 6))
DISTAL = tuple(f"distal_phalanx_{finger}" for finger in range(1, 6))
METACARPALS = tuple(f"metacarpal_{finger}" for finger in range(1, 6))
"""Bones are numbered by finger, the thumb being 1."""
SESAMOID = "sesamoid"

STRUCTURES: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in CARPALS},
    "carpals": CARPALS[:-1],
    "adductor pollicis sesamoid": (SESAMOID,),
    "distal radius epiphysis": ("radius",),
    "distal radius": ("radius",),
    "distal ulna epiphysis": ("ulna",),
    "distal ulna": ("ulna",),
    "metacarpals 2-3 epiphyses": METACARPALS[1:3],
    "metacarpal 4 epiphysis": METACARPALS[3:4],
    "metacarpal 5 epiphysis": METACARPALS[4:],
    "metacarpal 1 epiphysis": METACARPALS[:1],
    "metacarpal 1": METACARPALS[:1],
    "metacarpals 2-5": METACARPALS[1:],
    "proximal phalanges 2-4 epiphyses": PROXIMAL[1:4],
    "proximal phalanges 2-4": PROXIMAL[1:4],
    "proximal phalanx 5 epiphysis": PROXIMAL[4:],
    "proximal phalanx 5": PROXIMAL[4:],
    "proximal phalanx 1 (thumb) epiphysis": PROXIMAL[:1],
    "proximal phalanx 1 (thumb)": PROXIMAL[:1],
    "proximal phalanges": PROXIMAL,
    "middle phalanges 3-4 epiphyses": MIDDLE[1:3],
    "middle phalanx 2 epiphysis": MIDDLE[:1],
    "middle phalanx 5 epiphysis": MIDDLE[3:],
    "middle phalanges 2-5": MIDDLE,
    "middle phalanges": MIDDLE,
    "distal phalanx 1 (thumb) epiphysis": DISTAL[:1],
    "distal phalanx 1 (thumb)": DISTAL[:1],
    "distal phalanges 3-4 epiphyses": DISTAL[2:4],
    "distal phalanx 2 epiphysis": DISTAL[1:2],
    "distal phalanx 5 epiphysis": DISTAL[4:],
    "distal phalanges 2-5": DISTAL[1:],
    "distal phalanges": DISTAL,
    "proximal and middle phalanges": PROXIMAL + MIDDLE,
    "phalanges 2-5": PROXIMAL[1:] + MIDDLE + DISTAL[1:],
    "phalanges 1 (thumb)": PROXIMAL[:1] + DISTAL[:1],
}
"""The bones that each of the tables' structures names."""


class Event(Enum):
    """What can happen to a growth centre, in this order."""

    VISIBLE = "visible"
    FULL_WIDTH = "as wide as its shaft; of a small bone: full grown"
    CAPPED = "caps its shaft"
    FUSING = "fusion begun"
    NEARLY_FUSED = "fusion almost complete"
    FUSED = "fusion complete"


WORDS: Mapping[str, Event] = {
    "visible": Event.VISIBLE,
    "well developed": Event.VISIBLE,
    "as wide as shaft": Event.FULL_WIDTH,
    "full size": Event.FULL_WIDTH,
    "cap shaft": Event.CAPPED,
    "caps shaft": Event.CAPPED,
    "fusion begun": Event.FUSING,
    "almost complete": Event.NEARLY_FUSED,
    "fusion complete": Event.FUSED,
}
"""What the tables call an event, in part; the first that is found counts."""

FIRST_SIZE = 0.25
"""Of full width, when a centre is first seen: smaller ones don't show on a film."""
CAPPING_SIZE = 1.06
"""An epiphysis that caps its shaft is a little wider."""
FUSED_SHARE: Mapping[Event, float] = {
    Event.FUSING: 0.25,
    Event.NEARLY_FUSED: 0.75,
    Event.FUSED: 1.0,
}


@dataclass(frozen=True)
class Centre:
    """One growth centre, or one small bone, at one age."""

    visible: bool
    size: float
    """Its width, as a share of the shaft's; of a small bone, of its full size."""
    capped: bool = False
    fused: float = 0.0
    """How much of the growth plate is bone: 0 none, 1 all."""


def centres_at(age_months: float, sex: Sex) -> Mapping[str, Centre]:
    """Every centre of the hand at this skeletal age, by bone.

    Between two events a centre grows, and fuses, evenly.
    """
    return {bone: _centre(age_months, timeline) for bone, timeline in timelines(sex).items()}


def _centre(age_months: float, timeline: Mapping[Event, float]) -> Centre:
    if age_months < timeline[Event.VISIBLE]:
        return Centre(visible=False, size=0.0)
    growth = {Event.VISIBLE: FIRST_SIZE, Event.FULL_WIDTH: 1.0, Event.CAPPED: CAPPING_SIZE}
    fused = 0.0
    if age_months >= timeline.get(Event.FUSING, np.inf):
        fused = _between(age_months, timeline, FUSED_SHARE)
    return Centre(
        visible=True,
        size=_between(age_months, timeline, growth),
        capped=age_months >= timeline.get(Event.CAPPED, np.inf),
        fused=fused,
    )


def _between(
    age_months: float, timeline: Mapping[Event, float], values: Mapping[Event, float]
) -> float:
    """What a centre has reached, on straight lines between the events that it has."""
    events = [event for event in values if event in timeline]
    months, reached = [timeline[e] for e in events], [values[e] for e in events]
    return float(np.interp(age_months, months, reached))


@cache
def timelines(sex: Sex) -> Mapping[str, Mapping[Event, float]]:
    """When each event happens to each bone, in months, in the order of :class:`Event`.

    What the atlas says comes first; the assumptions fill what it leaves open.
    """
    found: dict[str, dict[Event, float]] = {}
    for table in TABLES:
        for structure, event, months in read_events(table, sex):
            for bone in STRUCTURES[structure]:
                found.setdefault(bone, {}).setdefault(event, months)
    order = list(Event)
    return {
        bone: dict(sorted(found[bone].items(), key=lambda e: order.index(e[0]))) for bone in found
    }


def read_events(table: Traversable, sex: Sex) -> Iterator[tuple[str, Event, float]]:
    """Read the structure, event and months of each row that says something of this sex."""
    text = table.read_text("utf-8")
    for row in csv.DictReader(line for line in text.splitlines() if not line.startswith("#")):
        if months := row[f"{sex}_first_plate_months"]:
            event = next(event for words, event in WORDS.items() if words in row["event"])
            yield row["structure"], event, float(months)
