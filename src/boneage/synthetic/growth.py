"""How far a hand has grown at an age."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from boneage.domain.radiograph import Sex
from boneage.synthetic import maturity
from boneage.synthetic.anatomy import ADULT_HAND_MM
from boneage.synthetic.maturity import Centre, Event

HAND_LENGTH_MM: Mapping[Sex, tuple[tuple[float, float], ...]] = {
    Sex.MALE: (
        (0, 64),
        (12, 86),
        (24, 101),
        (60, 125),
        (120, 155),
        (150, 170),
        (180, 187),
        (216, 191),
    ),
    Sex.FEMALE: (
        (0, 63),
        (12, 85),
        (24, 100),
        (60, 124),
        (120, 156),
        (144, 169),
        (168, 175),
        (204, 177),
    ),
}
"""By age in months, as children's hands usually measure."""

SLENDERNESS = 0.58
"""A child's bones are shorter more than they are thinner: widths shrink by this
power of what lengths do."""


@dataclass(frozen=True)
class Growth:
    """The size and the maturity of a hand."""

    hand_length_mm: float
    """From the wrist to the tip of the middle finger."""
    youth: float
    """1 at birth, 0 when the last bone has fused."""
    centres: Mapping[str, Centre]

    @classmethod
    def at(cls, age_months: float, sex: Sex) -> Growth:
        """Grow a hand to this skeletal age."""
        ages, lengths = zip(*HAND_LENGTH_MM[sex], strict=True)
        return cls(
            float(np.interp(age_months, ages, lengths)),
            max(0.0, 1 - age_months / maturity.timelines(sex)["radius"][Event.FUSED]),
            maturity.centres_at(age_months, sex),
        )

    @property
    def scale(self) -> float:
        """Of lengths, against the grown hand of :mod:`boneage.synthetic.anatomy`."""
        return self.hand_length_mm / ADULT_HAND_MM

    @property
    def width_scale(self) -> float:
        """Of widths."""
        return float(self.scale**SLENDERNESS)
