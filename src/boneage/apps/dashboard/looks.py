"""What the attention network saw in each look: the film, and what was black by then."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import CARPAL, Look
from boneage.domain.stance import Stance, whole_film
from boneage.imaging.preparing import placement
from boneage.imaging.regions import mask_of
from boneage.inference.weights import Manifest

Mask = npt.NDArray[np.bool_]


def blacked_out(
    looks: Sequence[Look],
    number: int,
    film_size: tuple[int, int],
    manifest: Manifest,
    stance: Stance | None = None,
) -> Mask:
    """Where the film was black when the look of this number was taken.

    Parameters
    ----------
    looks : sequence of Look
        Of one film, in their order.
    number : int
        0 for the first look, before which nothing is black.
    film_size : (height, width)
        Of the film, in pixels.
    manifest : Manifest
        Of the weights that looked.
    stance : Stance, optional
        How the film lay; None: it was read as it lay.

    Returns
    -------
    bool array
        Over the film as it came, in the shape of the looks' heat maps.
    """
    size = manifest.networks["attention"].input
    if size is None:  # read_manifest has checked
        raise ValueError("the manifest states no input size for the attention network")
    lies = stance or whole_film(*film_size)
    place = placement(*lies.size, size, manifest.preparation.fit)
    black = np.zeros(size, dtype=bool)
    for look in looks[:number]:
        extent = manifest.plan.carpal_mask if look.region == CARPAL else "box"
        box = place.to_canvas(lies.box_upright(look.box), *lies.size)
        black |= mask_of(box, size, extent)
    upright = black[place.top : place.top + place.height, place.left : place.left + place.width]
    return lies.map_on_film(upright.astype(np.float32), film_size) > 0
