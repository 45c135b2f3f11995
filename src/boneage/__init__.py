"""Bone age from a radiograph of a child's left hand.

>>> import boneage
>>> boneage.assess("hand.png", sex="female").age_months  # doctest: +SKIP
"""

from __future__ import annotations

__version__ = "0.1.0"
