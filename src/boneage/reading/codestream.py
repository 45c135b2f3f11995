"""Headers of JPEG, JPEG-LS and JPEG 2000 data.

Read before a decoder allocates memory: inside DICOM, the data may state another size than the
dataset.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

JPEG_LS_FRAME = 0xF7
LOSSLESS_FRAMES = frozenset((0xC3, 0xC7, 0xCB, 0xCF))
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {JPEG_LS_FRAME}
"""Start-of-frame markers; C4, C8 and CC are something else."""
WITHOUT_LENGTH = frozenset((0x01, *range(0xD0, 0xD9)))
END = 0xD9


@dataclass(frozen=True)
class CodestreamHeader:
    """Size and depth of compressed pixels."""

    rows: int
    columns: int
    components: int
    bits: int
    signed: bool = False
    marker: int = 0
    """Of a JPEG's start of frame, by its kind of coding."""

    @property
    def lossless(self) -> bool:
        return self.marker in LOSSLESS_FRAMES


def jpeg_header(data: bytes) -> CodestreamHeader | None:
    """Find the frame header of a JPEG or JPEG-LS; None where there is none."""
    position = 2
    while position + 4 <= len(data):
        if data[position] != 0xFF:
            position += 1
            continue
        marker = data[position + 1]
        if marker in {0x00, 0xFF} or marker in WITHOUT_LENGTH:
            position += 1 if marker == 0xFF else 2
            continue
        if marker == END:
            return None
        if marker in FRAMES:
            if position + 10 > len(data):
                return None
            bits, rows, columns, components = struct.unpack_from(">BHHB", data, position + 4)
            return CodestreamHeader(rows, columns, components, bits, marker=marker)
        position += 2 + max(2, int.from_bytes(data[position + 2 : position + 4], "big"))
    return None


def jpeg_2000_header(data: bytes) -> CodestreamHeader | None:
    """Read the size marker of a JPEG 2000 codestream; None where there is none."""
    # Some devices wrap the codestream in a JP2 file.
    start = data.find(b"\xff\x4f\xff\x51")
    if start < 0 or len(data) < start + 43:
        return None
    width, height, left, top = struct.unpack_from(">IIII", data, start + 8)
    (components,) = struct.unpack_from(">H", data, start + 40)
    depth = data[start + 42]
    return CodestreamHeader(
        height - top, width - left, components, (depth & 0x7F) + 1, signed=bool(depth & 0x80)
    )
