"""The hand's proportions, measured on marks: what one kind of marks tells about the other."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from boneage.evaluation.localization.anatomical_target import (
    STRIP_WIDTH,
    THIRD,
    Marks,
    Polygon,
    Proportions,
    axes_of,
)


def proportions_of(marks: Sequence[Marks]) -> Proportions:
    """Measure the hand's proportions on marks in pixels; medians over films.

    Raises
    ------
    ValueError
        When one of the two kinds of marks is missing: each tells what the
        other cannot.
    """
    boxes = [(mark, mark.carpus) for mark in marks if mark.carpus is not None]
    points = [(mark, mark.first_base) for mark in marks if mark.first_base is not None]
    if not boxes or not points:
        raise ValueError("the hand's proportions need films with boxes and films with key points")
    # The same hands on average: as long in breadths of the palm, whoever marked them.
    length = _median(_slenderness(mark) for mark, _ in points)
    shift = 1 - length / _median(_slenderness(mark) for mark, _ in boxes)
    shares: dict[str, list[float]] = {}
    for mark, carpus in boxes:
        shares.setdefault(mark.reader, []).append(carpus_end(mark, carpus, shift))
    reader = min(shares, key=lambda name: _median(shares[name]))
    first = np.median([axes_of(mark, 0.0).to_hand(base) for mark, base in points], axis=0)
    return Proportions(shift, _median(shares[reader]), float(first[0]), float(first[1]), reader)


def carpus_end(marks: Marks, carpus: Polygon, wrist_shift: float) -> float:
    """Where the hand's axis leaves an upright box, as a share of the axis."""
    axes = axes_of(marks, wrist_shift)
    near, far = carpus.min(axis=0), carpus.max(axis=0)
    edge = np.where(axes.along >= 0, far, near)
    runs: npt.NDArray[np.bool_] = axes.along != 0
    return float(np.min((edge - axes.wrist)[runs] / axes.along[runs]))


def in_words(proportions: Proportions) -> tuple[str, ...]:
    """Say how the target is built, with the proportions as measured; a sentence or two each."""
    return (
        "Everything is laid out in the hand's own axes: along from the wrist point to the third "
        "metacarpophalangeal (MCP) joint, whose distance is the unit, and across towards the "
        "thumb; turned and mirrored hands are treated alike. The wrist point is a key point; on "
        "films with boxes it is the middle between the centres of the Radius and the Ulna box, "
        f"moved {proportions.wrist_shift:.3f} of the way to the third MCP joint, so that hands "
        "are on average as many palm breadths long as on the films with key points.",
        "Carpus: the Wrist box, as each reader drew it. Carpus from points (derived, therefore "
        "apart): the convex hull of the five metacarpal bases and of the outermost two carried "
        "back to the level of the wrist point.",
        f"Metacarpals: five rectangles from base to MCP joint, {STRIP_WIDTH:g} of their length "
        "wide. The joint is the centre of its MCP box, or its key point.",
        "Bases of the third to fifth: where the line from the wrist point to the joint crosses "
        f"the distal edge of the carpus, at {proportions.carpus_share:.3f} along: the median over "
        f"the Wrist boxes of the reader {proportions.reader!r}, the tightest; wider ones take in "
        "the bases themselves. Base of the second: at the same level, halfway across from the "
        "third to the first. Base of the first: the thumb's carpometacarpal joint, a key point; "
        f"on films with boxes its median place, {proportions.first_base_along:.3f} along and "
        f"{proportions.first_base_across:.3f} across.",
    )


def _slenderness(marks: Marks) -> float:
    """Wrist to third joint, in breadths of the palm from the second to the fifth joint."""
    breadth = marks.joints[1] - marks.joints[4]
    return float(np.hypot(*(marks.joints[THIRD] - marks.wrist)) / np.hypot(*breadth))


def _median(values: Iterable[float]) -> float:
    return float(np.median(list(values)))
