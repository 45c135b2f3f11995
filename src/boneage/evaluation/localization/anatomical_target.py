"""Where the carpus and the metacarpals lie on a film, built from what people marked.

The targets that the attention is measured against; nothing here is ever
trained on. All of it follows from marks of two kinds:

- *boxes* around ossification centres (Koitka et al., *PLoS ONE* 2018;13:e0207496),
  by one reader or several;
- *key points* of the hand: the wrist, the joints of the thumb and the fingers.

**The hand's own axes.** Along: from the wrist point to the third
metacarpophalangeal (MCP) joint; that distance is the unit of length. Across:
towards the thumb. Rotated and mirrored hands are thereby treated alike. The
wrist point is the key point itself; on films with boxes it is the middle
between the centres of the Radius and the Ulna box, moved along by
``Proportions.wrist_shift``, because key points put the wrist at the joint and
the boxes lie around the growth plates behind it.

**Carpus.** With boxes: the Wrist box as the reader drew it. With key points
(derived, and reported apart): the convex hull of the five metacarpal bases and
of their outermost two carried back to the level of the wrist point.

**Metacarpals 1 to 5** (thumb to little finger), each a rectangle from its base
to its MCP joint, ``STRIP_WIDTH`` of its length wide, about the bone with its
head and base. The joint is the centre of its MCP box, or its key point. The
bases:

- first: the carpometacarpal joint of the thumb. A key point of its own; with
  boxes, where that key point lies on average in the hand's axes.
- third, fourth, fifth: where the line from the wrist point to the joint crosses
  the distal edge of the carpus, straight across the hand at
  ``Proportions.carpus_share`` of the axis.
- second: at the same level, halfway across from the third base to the first.
  The line from the wrist point would run between the second and third bone.

The proportions are measured on the marks themselves: what one kind of marks
tells about the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Point: TypeAlias = Array
"""Shape (2,): column (rightwards), row (downwards)."""
Polygon: TypeAlias = Array
"""Shape (corners, 2), convex, in order around it."""

CARPUS = "carpus"
METACARPALS = tuple(f"metacarpal_{number}" for number in range(1, 6))
THIRD = 2
"""The third metacarpal's place among the five."""
STRIP_WIDTH = 0.25
"""Of a metacarpal's length: its base and its head are about that wide."""


@dataclass(frozen=True, eq=False)
class Marks:
    """What one reader marked on one film; positions in pixels or shares of the film."""

    reader: str
    wrist: Point
    """The key point, or the middle between the Radius and the Ulna box."""
    joints: Array
    """MCP joints, shape (5, 2), thumb first."""
    carpus: Polygon | None = None
    """The Wrist box; None for key points."""
    first_base: Point | None = None
    """The thumb's carpometacarpal joint; None for boxes."""

    @property
    def boxes(self) -> bool:
        """Whether boxes were drawn; else key points."""
        return self.carpus is not None

    def scaled(self, height: float, width: float) -> Marks:
        """From shares of the film to its pixels: angles and lengths need its true shape."""
        size = np.array([width, height], dtype=np.float64)
        carpus = None if self.carpus is None else self.carpus * size
        base = None if self.first_base is None else self.first_base * size
        return Marks(self.reader, self.wrist * size, self.joints * size, carpus, base)


@dataclass(frozen=True)
class Proportions:
    """Of the hand in its own axes, as the marks of a data set have them."""

    wrist_shift: float
    """How far the key point of the wrist lies before the middle of the Radius
    and the Ulna box, as a share of the distance from there to the third MCP joint."""
    carpus_share: float
    """Where the carpus ends, along, from the wrist point."""
    first_base_along: float
    first_base_across: float
    """Where the thumb's carpometacarpal joint lies."""
    reader: str
    """Whose boxes ``carpus_share`` is from: of all readers those that end the
    carpus nearest to the wrist; wider ones take in the metacarpals' bases."""


@dataclass(frozen=True, eq=False)
class HandAxes:
    """The hand's own axes on a film, in pixels."""

    wrist: Point
    along: Point
    """From the wrist point to the third MCP joint; its length is the unit."""
    across: Point
    """As long, at a right angle, towards the thumb."""

    def to_film(self, along: float, across: float) -> Point:
        """Carry a position in the hand to the film."""
        return np.asarray(self.wrist + along * self.along + across * self.across)

    def to_hand(self, points: Array) -> Array:
        """Carry positions on the film, shape (..., 2), to (along, across)."""
        from_wrist = points - self.wrist
        unit = self.along @ self.along
        return np.stack([from_wrist @ self.along, from_wrist @ self.across], axis=-1) / unit


def axes_of(marks: Marks, wrist_shift: float) -> HandAxes:
    """Lay the hand's axes through marks in pixels; a ValueError where they give no length."""
    wrist = marks.wrist
    if marks.boxes:
        wrist = wrist + wrist_shift * (marks.joints[THIRD] - wrist)
    along = marks.joints[THIRD] - wrist
    if not np.hypot(*along):
        raise ValueError("the wrist and the third MCP joint are one point")
    across = np.array([-along[1], along[0]])
    towards_thumb = float((marks.joints[0] - wrist) @ across)
    return HandAxes(wrist, along, across if towards_thumb >= 0 else -across)


def number_joints(joints: Array, radius: Point, ulna: Point) -> Array | None:
    """Put five MCP joints, in pixels, into the order thumb to little finger.

    They are sorted by their direction from between ``radius`` and ``ulna``; the thumb's is the one
    on the radius' side, and it stands apart from the others by the widest angle. None when these
    two signs of the thumb disagree: a box was drawn elsewhere.
    """
    wrist = (radius + ulna) / 2
    middle = joints.mean(axis=0) - wrist
    towards = joints - wrist
    angles = np.arctan2(_cross(middle, towards), towards @ middle)
    side = float(_cross(middle, (radius - ulna)[np.newaxis])[0])
    order = np.argsort(-angles if side >= 0 else angles)
    gaps = np.abs(np.diff(angles[order]))
    return joints[order] if int(np.argmax(gaps)) == 0 else None


def _cross(first: Array, others: Array) -> Array:
    return np.asarray(first[0] * others[:, 1] - first[1] * others[:, 0])


def targets(
    marks: Marks, proportions: Proportions, height: float, width: float
) -> dict[str, Polygon]:
    """Build the targets of one reader's marks, shares of a film of this height and width.

    Gives ``"carpus"`` and ``"metacarpal_1"`` to ``"metacarpal_5"``: convex
    polygons in pixels of the film in its true shape.
    """
    marks = marks.scaled(height, width)
    axes = axes_of(marks, proportions.wrist_shift)
    bases = bases_of(marks, axes, proportions)
    strips = map(strip, bases, marks.joints)
    carpus = carpus_from_points(bases, axes) if marks.carpus is None else marks.carpus
    return {CARPUS: carpus, **dict(zip(METACARPALS, strips, strict=True))}


def bases_of(marks: Marks, axes: HandAxes, proportions: Proportions) -> Array:
    """Bases of the metacarpals, shape (5, 2), for marks in pixels; see the module."""
    edge = proportions.carpus_share
    joints = axes.to_hand(marks.joints)
    across = joints[:, 1] * edge / np.maximum(joints[:, 0], edge)  # never beyond the joint
    first = np.array([proportions.first_base_along, proportions.first_base_across])
    if marks.first_base is not None:
        first = axes.to_hand(marks.first_base)
    across[1] = (across[THIRD] + first[1]) / 2
    hand = np.stack([np.minimum(edge, joints[:, 0]), across], axis=-1)
    hand[0] = first
    return np.stack([axes.to_film(*position) for position in hand])


def strip(base: Point, joint: Point) -> Polygon:
    """The rectangle of a metacarpal: base to joint, ``STRIP_WIDTH`` of that wide."""
    length = joint - base
    side = np.array([-length[1], length[0]]) * STRIP_WIDTH / 2
    return np.stack([base - side, joint - side, joint + side, base + side])


def carpus_from_points(bases: Array, axes: HandAxes) -> Polygon:
    """The hull of the bases and of the outermost two at the level of the wrist point."""
    across = axes.to_hand(bases)[:, 1]
    corners = [axes.to_film(0.0, float(edge)) for edge in (across.min(), across.max())]
    points = np.concatenate([bases, corners]).astype(np.float32)
    return np.asarray(cv2.convexHull(points)[:, 0], dtype=np.float64)


def proportions_of(marks: Sequence[Marks]) -> Proportions:
    """Measure the hand's proportions on marks in pixels; medians over films.

    A ValueError when one of the two kinds of marks is missing: each tells what
    the other cannot.
    """
    boxes = [(mark, mark.carpus) for mark in marks if mark.carpus is not None]
    points = [(mark, mark.first_base) for mark in marks if mark.first_base is not None]
    if not boxes or not points:
        raise ValueError(
            "the hand's proportions need radiographs with boxes and radiographs with key points"
        )
    # The same hands on average: as long in breadths of the palm, whoever marked them.
    length = _median(_slenderness(mark) for mark, _ in points)
    shift = 1 - length / _median(_slenderness(mark) for mark, _ in boxes)
    ends: dict[str, list[float]] = {}
    for mark, carpus in boxes:
        ends.setdefault(mark.reader, []).append(carpus_end(mark, carpus, shift))
    reader = min(ends, key=lambda name: _median(ends[name]))
    first = np.median([axes_of(mark, 0.0).to_hand(base) for mark, base in points], axis=0)
    return Proportions(shift, _median(ends[reader]), float(first[0]), float(first[1]), reader)


def carpus_end(marks: Marks, carpus: Polygon, wrist_shift: float) -> float:
    """Where the hand's axis leaves an upright box, as a share of the axis."""
    axes = axes_of(marks, wrist_shift)
    near, far = carpus.min(axis=0), carpus.max(axis=0)
    edge = np.where(axes.along >= 0, far, near)
    runs: npt.NDArray[np.bool_] = axes.along != 0
    return float(np.min((edge - axes.wrist)[runs] / axes.along[runs]))


def _slenderness(marks: Marks) -> float:
    """Wrist to third joint, in breadths of the palm from the second to the fifth joint."""
    breadth = marks.joints[1] - marks.joints[4]
    return float(np.hypot(*(marks.joints[THIRD] - marks.wrist)) / np.hypot(*breadth))


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))
