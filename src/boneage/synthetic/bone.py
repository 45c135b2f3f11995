"""What one bone is: what is ossified of it, and how thick it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from boneage.synthetic.outlines import Outline


@dataclass(frozen=True, eq=False)
class Bone:
    """One bone, its outlines in mm."""

    name: str
    shaft: Outline
    """Or all of a small bone."""
    thickness_mm: float
    """From palm to back, where it is thickest."""
    cortex_mm: float
    """In the middle of the shaft; the ends have less."""
    axis: Outline
    """The shaft's ends, shape (2, 2); the bone's texture runs along it."""
    tubular: bool = True
    epiphysis: Outline | None = None
    """Once it is to be seen."""
    fused: float = 0.0
    """How much of the growth plate is bone: 0 none, 1 all."""
    plate: Outline | None = None
    """What is filled when the growth plate is bone."""

    @property
    def outlines(self) -> tuple[Outline, ...]:
        """Of the parts that a film shows."""
        return (self.shaft,) if self.epiphysis is None else (self.shaft, self.epiphysis)


def bridge(low_part: Outline, high_part: Outline, overlap: float) -> Outline:
    """Fill the gap from the upper end of one outline to the lower end of another."""
    low, high = low_part[:, 1].max() - 0.5 * overlap, high_part[:, 1].min() + overlap
    below = low_part[low_part[:, 1] >= low, 0]
    above = high_part[high_part[:, 1] <= high, 0]
    return np.array(
        [[below.min(), low], [below.max(), low], [above.max(), high], [above.min(), high]]
    )
