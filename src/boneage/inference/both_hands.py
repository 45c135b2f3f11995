"""From an image of both hands to an image of each, and back.

Each hand is cut out and analysed like any image; the results for the left one are carried back
to the pixels of the whole image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from boneage.domain.assessment import Assessment, OtherHand, RegionDetection
from boneage.domain.findings import Finding, Severity
from boneage.domain.geometry import Box
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Radiograph
from boneage.imaging.collimation import analysed
from boneage.imaging.hand_likeness import Likeness, likeness_of
from boneage.imaging.preparing import Placement
from boneage.imaging.thumb import thumb_side
from boneage.imaging.two_hands import Cut, at_field_edges, cuts_between
from boneage.inference.networks import FirstPass
from boneage.quality.both_hands import (
    CLEARLY_WHOLE,
    WHOLE_HAND,
    TwoHands,
    has_room_beside,
    is_unlikely_one,
    is_wide,
    may_show_two,
    of_two_hands,
)
from boneage.quality.checks import ImageMeasures


@dataclass(frozen=True, eq=False)
class Hand:
    """One of two hands, cut out."""

    radiograph: Radiograph
    box: Box
    """Where it was cut out, in the pixels of the file."""
    first: FirstPass
    pixels: Pixels
    """Upright, at the same scale as the other hand."""
    whole_hand: float
    """How likely it is one whole hand."""
    thumb: float
    """See :func:`boneage.imaging.thumb.thumb_side`."""

    def detections_on_whole(
        self, detections: tuple[RegionDetection, ...], radiograph: Radiograph
    ) -> tuple[RegionDetection, ...]:
        size = radiograph.height, radiograph.width
        return Orientation(self.box).detections_on_film(detections, size)


@dataclass(frozen=True, eq=False)
class Pair:
    """The two hands of an image."""

    left: Hand
    right: Hand
    likeness: Likeness

    def findings(self, left: Assessment, right: Assessment) -> tuple[Finding, ...]:
        hands = TwoHands(
            self.left.thumb, self.right.thumb, left.age_months, right.age_months, self.likeness
        )
        return of_two_hands(hands, left.metadata.laterality)


def find_pair(
    radiograph: Radiograph, whole: FirstPass, first_pass: Callable[[Radiograph], FirstPass]
) -> Pair | None:
    """Find the two hands of an image by first passes of its parts; None where it shows others."""
    if whole.measures is None:
        return None
    letters = whole.measures.letters
    best, most = None, WHOLE_HAND
    for view, cut in _cuts(radiograph, whole.pixels, whole.measures):
        hands = []
        for part in at_field_edges(view.pixels, cut).parts:
            hands.append(_cut_out(radiograph, view, part, letters, first_pass))
            if hands[-1].whole_hand < most:
                break  # most images of one hand end here
        else:
            best, most = hands, min(hand.whole_hand for hand in hands)
        if most > CLEARLY_WHOLE:
            break
    if best is None:
        return None
    right, left = sorted(best, key=lambda hand: hand.thumb)
    return Pair(left, right, likeness_of(left.pixels, right.pixels))


def on_whole_image(
    answer: Assessment, hand: Hand, radiograph: Radiograph, other: OtherHand
) -> Assessment:
    """Carry the assessment of one of two hands to the image that shows both."""
    box = hand.box
    orientation = answer.orientation or Orientation.of_whole(box.height, box.width)
    return replace(
        answer,
        detections=hand.detections_on_whole(answer.detections, radiograph),
        film_height=radiograph.height,
        film_width=radiograph.width,
        orientation=replace(orientation, field=orientation.field.moved(box.min_row, box.min_col)),
        other_hand=other,
    )


def with_findings(answer: Assessment, more: tuple[Finding, ...]) -> Assessment:
    """Put findings on both hands before those on one; refusals come first."""
    codes = {finding.code for finding in more}
    found = [*more, *(f for f in answer.findings if f.code not in codes)]
    found.sort(key=lambda finding: finding.severity is not Severity.REFUSAL)
    return replace(answer, findings=tuple(found))


@dataclass(frozen=True, eq=False)
class _View:
    """An image as it is cut: turned by quarters, but not straightened."""

    orientation: Orientation
    pixels: Pixels
    """Of it, no larger than the networks can make use of."""


def _cuts(
    radiograph: Radiograph, pixels: Pixels, measures: ImageMeasures
) -> Iterator[tuple[_View, Cut]]:
    """Ways to cut an image that are worth trying, the most likely first."""
    orientation, judgement = measures.orientation, measures.judgement
    refused = measures.limits.hand_refused
    view = _View(orientation, pixels)
    if orientation.tilt is not None:
        view = _view(radiograph, replace(orientation, tilt=None))
    beside = cuts_between(view.pixels)
    if may_show_two(judgement, beside[0], view.pixels.shape, refused):
        for_sure = is_unlikely_one(judgement, refused)
        yield from ((view, cut) for cut in (beside if for_sure else beside[:1]))
        if for_sure and view.pixels.shape[0] > view.pixels.shape[1]:
            yield from ((view, cut) for cut in cuts_between(view.pixels, rows=True))
    # What was taken for a border around one exposed field may hold the other one.
    if has_room_beside(orientation.field, radiograph.field):
        view = _view(radiograph, replace(orientation, tilt=None, field=radiograph.field))
        if is_wide(view.pixels.shape):
            yield from ((view, cut) for cut in cuts_between(view.pixels))


def _view(radiograph: Radiograph, orientation: Orientation) -> _View:
    return _View(orientation, analysed(radiograph, orientation))


def _cut_out(
    radiograph: Radiograph,
    view: _View,
    part: Box,
    letters: int,
    first_pass: Callable[[Radiograph], FirstPass],
) -> Hand:
    """Cut a hand (in the view's pixels) out of an image; all text on it may name the patient."""
    scale = Placement(0, 0, *view.pixels.shape)
    box = view.orientation.box_on_film(scale.to_film(part, *view.orientation.size))
    alone = part_of(radiograph, box)
    first = first_pass(alone)
    turns, whole_hand = 0, 0.0
    if first.measures is not None:
        turns = (first.measures.orientation.quarters - view.orientation.quarters) % 4
        whole_hand = first.measures.judgement.hand
        first = replace(first, measures=replace(first.measures, letters=letters))
    pixels = np.ascontiguousarray(np.rot90(view.pixels[part.slices], -turns))
    return Hand(alone, box, first, pixels, whole_hand, thumb_side(first.pixels))


def part_of(radiograph: Radiograph, box: Box) -> Radiograph:
    exposed = radiograph.exposed.intersection(box) if radiograph.exposed else None
    return replace(
        radiograph,
        pixels=np.ascontiguousarray(radiograph.pixels[box.slices]),
        exposed=exposed.moved(-box.min_row, -box.min_col) if exposed else None,
    )
