"""Which hand an image shows: by its lead marker, and by the side of its thumb.

The standards apply to left hands. On an image of a left hand, palm down, the thumb is on the right;
on that of a right hand, and on one that was flipped, it is on the left. The limits were set on
training images and their mirror images (``tools/sides/measure.py``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from boneage.domain.findings import Finding

MARKER_SURE = 0.95
"""Likelihood from which a marker is taken as read."""
THUMB_LEFT = -0.25
"""See :func:`boneage.imaging.thumb.thumb_side`; below, the thumb is on the left."""


@dataclass(frozen=True)
class LeadMarker:
    """The letter of lead that was laid beside a hand."""

    letter: str
    """``"L"`` or ``"R"``."""
    mirrored: bool
    """Whether it is seen in the mirror: then the image was flipped."""
    likelihood: float


@dataclass(frozen=True)
class SideEvidence:
    """What an image shows of the side of its hand."""

    thumb: float
    """Of the upright hand; see :func:`boneage.imaging.thumb.thumb_side`."""
    marker: LeadMarker | None
    """The most likely one, however unlikely; None: there is nothing like one."""

    @property
    def thumb_is_left(self) -> bool:
        """Whether the thumb is clearly on the left."""
        return self.thumb < THUMB_LEFT

    @property
    def sure_marker(self) -> LeadMarker | None:
        """The marker, where it is read with certainty."""
        sure = self.marker is not None and self.marker.likelihood >= MARKER_SURE
        return self.marker if sure else None


def findings_of_side(side: SideEvidence) -> Iterator[Finding]:
    """Warn of a right hand and of a flipped image."""
    marker = side.sure_marker
    is_right = marker is not None and marker.letter == "R" and not marker.mirrored
    if marker is not None and is_right and side.thumb < -THUMB_LEFT:  # else an R is an initial
        message = "The lead marker is an R: the image shows a right hand; the standards apply to "
        yield Finding.warning(
            "right_marker", f"{message}left hands.", marker.likelihood, MARKER_SURE
        )
    elif not side.thumb_is_left:
        return
    elif marker is None:
        message = "The thumb is on the left: a right hand or a flipped image; the standards apply "
        yield Finding.warning("looks_right", f"{message}to left hands.", side.thumb, THUMB_LEFT)
    elif marker.mirrored:
        message = f"The lead marker {marker.letter} is reversed: the image was probably flipped."
        yield Finding.warning("mirrored_marker", message, marker.likelihood, MARKER_SURE)
    else:
        message = "The thumb is on the left although the lead marker is an L: a palm-up view, or "
        yield Finding.note("thumb_left", f"{message}a marker added after the image was flipped.")
