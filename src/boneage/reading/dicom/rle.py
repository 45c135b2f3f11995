"""DICOM's run-length encoding (PS3.5, Annex G), never longer than the image it is of."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

HEADER_BYTES, MAX_SEGMENTS = 64, 15
NO_OPERATION = 128


def decode_rle(frame: bytes, shape: tuple[int, ...], bits_allocated: int) -> npt.NDArray[Any]:
    """Decode one frame.

    Parameters
    ----------
    frame : bytes
    shape : tuple of int
        (rows, columns) or (rows, columns, samples).
    bits_allocated : int
        8, 16 or 32.

    Raises
    ------
    ValueError
        When the data are not such a frame.
    """
    samples = shape[2] if len(shape) == 3 else 1
    sample_bytes = bits_allocated // 8
    count, *offsets = struct.unpack_from(f"<{MAX_SEGMENTS + 1}I", frame)
    if not sample_bytes or count != samples * sample_bytes or count > MAX_SEGMENTS:
        raise ValueError(f"{count} RLE segments for {samples} samples of {bits_allocated} bits")
    limits = [*offsets[:count], len(frame)]
    if limits != sorted(limits) or limits[0] < HEADER_BYTES:
        raise ValueError("RLE segments overlap")
    pixels = shape[0] * shape[1]
    planes = np.empty((samples, sample_bytes, pixels), np.uint8)
    for segment in range(count):
        sample, place = divmod(segment, sample_bytes)
        content = _segment(frame[limits[segment] : limits[segment + 1]], pixels)
        # The most significant byte comes first; memory has it last.
        planes[sample, sample_bytes - 1 - place] = np.frombuffer(content, np.uint8)
    joined = np.moveaxis(planes, 1, 2).copy().view(f"<u{sample_bytes}")[..., 0]
    return np.moveaxis(joined, 0, -1).reshape(shape)


def _segment(encoded: bytes, size: int) -> bytes:
    decoded = bytearray()
    position, end = 0, len(encoded)
    while len(decoded) < size:
        if position >= end:
            raise ValueError(f"an RLE segment holds {len(decoded)} of {size} bytes")
        control = encoded[position]
        if control < NO_OPERATION:
            decoded += encoded[position + 1 : position + 2 + control]
            position += 2 + control
        elif control > NO_OPERATION:
            decoded += encoded[position + 1 : position + 2] * (257 - control)
            position += 2
        else:
            position += 1
    return bytes(decoded[:size])
