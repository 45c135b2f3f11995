"""PNGs of 16 bits in several channels, of which Pillow keeps the upper 8.

Each is decoded twice, and the two must agree: nothing that OpenCV did not
fill, or took for something else, comes through.
"""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import cv2
import numpy as np
import numpy.typing as npt
from PIL.Image import Image
from PIL.PngImagePlugin import PngImageFile

from boneage.reading.raster.grey import WORD, Grey, luminance, opacity

GREY_WITH_ALPHA, RGB, RGBA = 4, 2, 6
HEAD = 16
"""Where the size and kind of the pixels begin."""


def deep_grey(data: bytes, image: Image) -> Grey | None:
    """Decode 16 bits of each sample.

    Parameters
    ----------
    data : bytes
        Of the file, which Pillow has decoded without complaint.
    image : Image
        What Pillow decoded.

    Returns
    -------
    Grey or None
        None where no decoder gives all 16 bits and agrees with Pillow.
    """
    if data[HEAD + 9] == GREY_WITH_ALPHA:
        return _grey_with_alpha(data)
    return _colour(data, image)


def _grey_with_alpha(data: bytes) -> Grey:
    """Read the four bytes of a pixel as if they were 8-bit RGBA, which PNG stores alike."""
    width, height, _, _, *rest = struct.unpack_from(">IIBBBBB", data, HEAD)
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, RGBA, *rest)
    changed = data[:12] + head + struct.pack(">I", zlib.crc32(head)) + data[HEAD + 17 :]
    with PngImageFile(BytesIO(changed)) as image:
        image.load()
        words = np.asarray(image).view(">u2").astype(np.uint16)
    return Grey(words[..., 0], WORD, opacity(words[..., 1], WORD))


def _colour(data: bytes, image: Image) -> Grey | None:
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16 or pixels.ndim != 3 or pixels.shape[2] < 3:
        return None
    order = [2, 1, 0, 3][: pixels.shape[2] if image.mode == "RGBA" else 3]
    words: npt.NDArray[np.uint16] = np.ascontiguousarray(pixels[..., order])
    seen = np.asarray(image)
    if words.shape != seen.shape or not np.array_equal(words >> 8, seen):
        return None
    colours = words[..., :3]
    transparent = image.info.get("transparency")
    alpha = None
    if words.shape[2] == 4:
        alpha = opacity(words[..., 3], WORD)
    elif isinstance(transparent, tuple) and len(transparent) == 3:
        alpha = opacity((colours != np.array(transparent)).any(axis=2), 1.0)
    return Grey(luminance(colours), WORD, alpha)
