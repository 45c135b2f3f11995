"""Small changes of a film's grey values: pure functions, the pixel type kept.

Films are bone bright, shape (height, width), uint8 or uint16; black is 0 and
white the type's highest value. Values beyond either are clipped, as a file of
that many bits clips them. Shares are of a side or of white, 0 to 1.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.radiograph import Radiograph
from boneage.synthetic.marker import LETTERS

Grey: TypeAlias = npt.NDArray[np.unsignedinteger[Any]]

BYTE_BITS = 8
TINY = 1e-6
"""Of a pixel: the cosine of 90° is not quite 0."""
COLLIMATOR_TILT_DEGREES = 3.0
COLLIMATOR_WHITE = 0.9
"""What no ray reached is bright where bone is bright."""
PENUMBRA = 0.004
"""Of the shorter side: how unsharp the edge of a collimator is."""
LETTER_WIDTH, LETTER_STROKE = 0.6, 1 / 7
"""Of a letter's height."""
LETTER_MARGIN = 0.03


def grey_of(radiograph: Radiograph) -> Grey:
    """Take a film's grey values in as many bits as its file had: 8, or else 16."""
    kind: type[np.unsignedinteger[Any]] = (
        np.uint8 if radiograph.facts.bits <= BYTE_BITS else np.uint16
    )
    return np.rint(radiograph.pixels * np.float64(np.iinfo(kind).max)).astype(kind)


def white_of(grey: Grey) -> int:
    """The value of white."""
    return int(np.iinfo(grey.dtype).max)


def turned(grey: Grey, degrees: float) -> Grey:
    """Turn clockwise on a film that grows to hold all of it; what is new is black.

    So a viewer turns a picture: nothing of the hand is lost, and the corners
    are filled with black. Bicubic.
    """
    height, width = grey.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -degrees, 1.0)
    cosine, sine = abs(matrix[0, 0]), abs(matrix[0, 1])
    new_width = int(np.ceil(width * cosine + height * sine - TINY))
    new_height = int(np.ceil(width * sine + height * cosine - TINY))
    matrix[:, 2] += (new_width - width) / 2, (new_height - height) / 2
    turned_film: Grey = cv2.warpAffine(
        grey, matrix, (new_width, new_height), flags=cv2.INTER_CUBIC, borderValue=0
    )
    return turned_film


def quarter_turned(grey: Grey, quarters: int) -> Grey:
    """Turn clockwise by right angles, pixel by pixel."""
    return np.rot90(grey, -quarters)


def mirrored(grey: Grey) -> Grey:
    """Exchange left and right."""
    return np.fliplr(grey)


def upside_down(grey: Grey) -> Grey:
    """Exchange top and bottom, as a mirror below the hand would."""
    return np.flipud(grey)


def brightened(grey: Grey, share: float) -> Grey:
    """Add a share of white to every pixel; below 0 darkens."""
    return _like(grey, grey + share * float(white_of(grey)))


def contrasted(grey: Grey, factor: float) -> Grey:
    """Stretch the grey values away from middle grey, or below 1 towards it."""
    middle = white_of(grey) / 2
    return _like(grey, middle + (grey - middle) * factor)


def gamma_changed(grey: Grey, gamma: float) -> Grey:
    """Raise the grey values, as shares of white, to a power: below 1 brightens."""
    white = white_of(grey)
    return _like(grey, white * np.power(grey / white, gamma))


def inverted(grey: Grey) -> Grey:
    """Exchange black and white: bone becomes dark."""
    return np.asarray(white_of(grey) - grey, grey.dtype)


def blurred(grey: Grey, share: float) -> Grey:
    """Blur with a Gaussian whose standard deviation is a share of the shorter side."""
    sigma = share * min(grey.shape)
    smooth: Grey = cv2.GaussianBlur(grey, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
    return smooth


def noisy(grey: Grey, share: float, random: np.random.Generator) -> Grey:
    """Add Gaussian noise whose standard deviation is a share of white."""
    noise = random.standard_normal(grey.shape, dtype=np.float32)
    return _like(grey, grey + noise * np.float32(share * white_of(grey)))


def shrunk(grey: Grey, factor: float) -> Grey:
    """Make a smaller film, each pixel the mean of those it replaces."""
    height, width = (max(1, round(side * factor)) for side in grey.shape)
    small: Grey = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA)
    return small


def cropped(
    grey: Grey, *, top: float = 0, bottom: float = 0, left: float = 0, right: float = 0
) -> Grey:
    """Cut shares of the height and of the width off the film."""
    height, width = grey.shape
    rows = slice(round(top * height), height - round(bottom * height))
    return grey[rows, round(left * width) : width - round(right * width)]


def framed(grey: Grey, share: float, level: float) -> Grey:
    """Put a border around the film, of a share of its side at each side.

    ``level`` is the border's grey as a share of white.
    """
    rows, cols = (round(share * side) for side in grey.shape)
    value = round(level * white_of(grey))
    return np.pad(grey, ((rows, rows), (cols, cols)), constant_values=value)


def collimated(grey: Grey, share: float) -> Grey:
    """Put the tilted, unsharp, bright edge of a collimator around the film.

    The film is widened by ``share`` of its side at each side and keeps the
    whole hand; outside a rectangle as large as the film, turned by
    ``COLLIMATOR_TILT_DEGREES``, no ray arrives.
    """
    height, width = grey.shape
    rows, cols = (round(share * side) for side in grey.shape)
    wide = np.pad(grey, ((rows, rows), (cols, cols)), mode="edge")
    centre = ((wide.shape[1] - 1) / 2, (wide.shape[0] - 1) / 2)
    corners = cv2.boxPoints((centre, (width, height), COLLIMATOR_TILT_DEGREES))
    field = np.zeros(wide.shape, np.float32)
    cv2.fillConvexPoly(field, np.rint(corners).astype(np.int32), 1.0)
    field = cv2.GaussianBlur(field, (0, 0), max(PENUMBRA * min(grey.shape), 0.5))
    return _like(wide, field * wide + (1 - field) * np.float32(COLLIMATOR_WHITE * white_of(grey)))


def marked(grey: Grey, share: float) -> Grey:
    """Burn a white L into the upper left corner, as tall as a share of the shorter side."""
    tall = share * min(grey.shape)
    film = np.ascontiguousarray(grey).copy()
    margin = LETTER_MARGIN * min(grey.shape)
    for stroke in LETTERS["L"]:
        points = np.rint(np.array(stroke) * (LETTER_WIDTH * tall, tall) + margin).astype(np.int32)
        thickness = max(1, round(LETTER_STROKE * tall))
        cv2.polylines(film, [points], False, white_of(grey), thickness, cv2.LINE_8)
    return film


def _like(grey: Grey, values: npt.NDArray[Any]) -> Grey:
    """Round and clip values to the type of a film."""
    clipped: Grey = np.clip(np.rint(values), 0, white_of(grey)).astype(grey.dtype)
    return clipped
