"""What to call a film whose name may be the child's."""

from __future__ import annotations

import hashlib

from boneage.domain.radiograph import Radiograph


def fingerprint(radiograph: Radiograph) -> str:
    """Give the sha256 of a film's pixels: tells films apart, and says nothing of the child."""
    return hashlib.sha256(radiograph.pixels.tobytes()).hexdigest()
