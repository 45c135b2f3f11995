"""The perturbations of the robustness test, as may happen in clinical practice.

Each is one film in, one file out, the same for the same film. Sizes of a
change are stated in its words, so that a table of them needs no code.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from boneage.errors import DataError
from boneage.evaluation.robustness.files import as_deep_png, as_jpeg, as_negative_dicom, as_png
from boneage.imaging.perturbations import (
    Grey,
    blurred,
    brightened,
    collimated,
    contrasted,
    cropped,
    gamma_changed,
    inverted,
    marked,
    mirrored,
    noisy,
    quarter_turned,
    shrunk,
    turned,
    upside_down,
    with_border,
)

Apply: TypeAlias = Callable[[Grey, np.random.Generator], Grey]

POSITION, EXPOSURE, QUALITY = "position", "exposure", "quality"
CUT, ADDED, FILE = "cut", "added", "file"
KINDS = {
    POSITION: "Turned and mirrored",
    EXPOSURE: "Brightness and contrast",
    QUALITY: "Image quality",
    CUT: "Cut off",
    ADDED: "Borders and markers",
    FILE: "Same picture, another file",
}
"""By kind, its heading for readers; in the order of every table and figure."""


def _same(grey: Grey, _random: np.random.Generator) -> Grey:
    return grey


@dataclass(frozen=True)
class Change:
    """One way to change a film."""

    name: str
    """For programs and options."""
    kind: str
    """One of ``KINDS``."""
    label: str
    """For rows of tables and figures."""
    words: str
    """What is done, with its size, for the reader."""
    apply: Apply = _same
    """From grey values, shape (height, width), and a generator to grey values."""
    encode: Callable[[Grey], bytes] = as_png

    def file_of(self, grey: Grey, film: str) -> bytes:
        """Change a film and write it as a file; chance is seeded by the film's id."""
        seed = hashlib.sha256(f"{self.name} {film}".encode()).digest()[:8]
        random = np.random.default_rng(int.from_bytes(seed))
        return self.encode(self.apply(grey, random))


def _still(function: Callable[..., Grey], **sizes: Any) -> Apply:
    """A change without chance."""
    return lambda grey, _random: function(grey, **sizes)


def _noise(share: float) -> Apply:
    return lambda grey, random: noisy(grey, share, random)


def _turn(degrees: int, apply: Apply) -> Change:
    side = "clockwise" if degrees > 0 else "counter-clockwise"
    sign = "+" if degrees > 0 else "−"
    name = f"rotate_{'plus' if degrees > 0 else 'minus'}_{abs(degrees)}"
    corners = "" if degrees % 90 == 0 else "; all of it kept, new corners black"
    words = f"Turned {abs(degrees)}° {side}{corners}."
    return Change(name, POSITION, f"rotation {sign}{abs(degrees)}°", words, apply)


CHANGES: tuple[Change, ...] = (
    *(_turn(d, _still(turned, degrees=d)) for d in (15, -15, 30, -30)),
    *(_turn(d, _still(quarter_turned, quarters=d // 90)) for d in (90, -90)),
    Change("rotate_180", POSITION, "rotation 180°", "Turned 180°: fingers down.",
           _still(quarter_turned, quarters=2)),
    Change("flip_left_right", POSITION, "flip left–right", "Mirrored: a left hand as a right one.",
           _still(mirrored)),
    Change("flip_upside_down", POSITION, "flip upside down",
           "Mirrored top to bottom: fingers down, and a right hand.", _still(upside_down)),
    Change("brightness_plus_20", EXPOSURE, "brightness +20 %", "20 % of white added, clipped.",
           _still(brightened, share=0.2)),
    Change("brightness_minus_20", EXPOSURE, "brightness −20 %",
           "20 % of white taken away, clipped.", _still(brightened, share=-0.2)),
    Change("contrast_half", EXPOSURE, "contrast ×0.5", "Contrast halved about middle grey.",
           _still(contrasted, factor=0.5)),
    Change("contrast_one_and_half", EXPOSURE, "contrast ×1.5",
           "Contrast raised by half about middle grey, clipped.", _still(contrasted, factor=1.5)),
    Change("gamma_half", EXPOSURE, "gamma 0.5", "Greys to the power 0.5: brighter in the dark.",
           _still(gamma_changed, gamma=0.5)),
    Change("gamma_2", EXPOSURE, "gamma 2", "Greys to the power 2: darker.",
           _still(gamma_changed, gamma=2.0)),
    Change("inverted", EXPOSURE, "inverted", "A photographic negative: bone dark.",
           _still(inverted)),
    Change("blur_slight", QUALITY, "slight blur",
           "Gaussian blur, standard deviation 0.3 % of the shorter side.",
           _still(blurred, share=0.003)),
    Change("blur_strong", QUALITY, "strong blur",
           "Gaussian blur, standard deviation 1 % of the shorter side.",
           _still(blurred, share=0.01)),
    Change("noise_slight", QUALITY, "slight noise",
           "Gaussian noise, standard deviation 2 % of white.", _noise(0.02)),
    Change("noise_strong", QUALITY, "strong noise",
           "Gaussian noise, standard deviation 10 % of white.", _noise(0.1)),
    Change("jpeg_30", QUALITY, "JPEG quality 30", "Saved as a JPEG of quality 30.",
           encode=partial(as_jpeg, quality=30)),
    Change("resolution_half", QUALITY, "resolution ×0.5",
           "Half as many pixels along each side.", _still(shrunk, factor=0.5)),
    Change("resolution_quarter", QUALITY, "resolution ×0.25",
           "A quarter as many pixels along each side.", _still(shrunk, factor=0.25)),
    Change("crop_sides", CUT, "10 % off each side", "10 % cut off each of the four sides.",
           _still(cropped, top=0.1, bottom=0.1, left=0.1, right=0.1)),
    Change("crop_top", CUT, "fingertips cut off", "The upper 15 % of the image cut off.",
           _still(cropped, top=0.15)),
    Change("crop_bottom", CUT, "forearm cut off", "The lower 15 % of the image cut off.",
           _still(cropped, bottom=0.15)),
    Change("border_black", ADDED, "black border", "A black border of 15 % at each side.",
           _still(with_border, share=0.15, level=0.0)),
    Change("border_white", ADDED, "white border", "A white border of 15 % at each side.",
           _still(with_border, share=0.15, level=1.0)),
    Change("collimator", ADDED, "collimator edge",
           "A bright edge (90 % of white) of 12 % around the image, tilted by 3°.",
           _still(collimated, share=0.12)),
    Change("marker_small", ADDED, "small marker L",
           "A white L in the upper left corner, 6 % of the shorter side tall.",
           _still(marked, share=0.06)),
    Change("marker_big", ADDED, "big marker L",
           "A white L in the upper left corner, 25 % of the shorter side tall.",
           _still(marked, share=0.25)),
    Change("png_16_bit", FILE, "16-bit PNG", "The same greys saved as a 16-bit PNG.",
           encode=as_deep_png),
    Change("dicom_monochrome1", FILE, "MONOCHROME1 DICOM",
           "The same greys saved as a 16-bit DICOM image whose lowest value is white.",
           encode=as_negative_dicom),
)  # fmt: skip
"""All of them, those of a kind together."""


def chosen(names: Sequence[str] = ()) -> tuple[Change, ...]:
    """Choose changes by their names or kinds; no name chooses all.

    Raises
    ------
    DataError
        For a name that is neither; the message lists those there are.
    """
    known = {change.name for change in CHANGES} | set(KINDS)
    for name in names:
        if name not in known:
            listed = ", ".join([*KINDS, *(change.name for change in CHANGES)])
            raise DataError(f"no change is called {name!r}; kinds and names are {listed}")
    wanted = set(names) or known
    return tuple(c for c in CHANGES if c.name in wanted or c.kind in wanted)
