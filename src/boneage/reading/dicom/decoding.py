"""From DICOM pixel data to the stored values.

Headers of compressed data are checked before decoding, and each kind has the decoder that handles
damaged files best.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, ExplicitVRBigEndian, RLELossless

from boneage.domain.findings import Finding
from boneage.errors import FilmError
from boneage.reading.codestream import CodestreamHeader, jpeg_2000_header, jpeg_header
from boneage.reading.dicom.stored_values import Cells
from boneage.reading.dicom.syntax import JPEG, MOST_RLE_SEGMENTS, RLE_HEADER, is_compressed

if TYPE_CHECKING:
    from PIL.JpegImagePlugin import JpegImageFile

JPEG_2000 = (f"{JPEG}9", f"{JPEG}20")
JPEG_LS = f"{JPEG}8"
PACKED_BITS = 12
"""The one depth that old devices packed without filling bytes."""
HALVED = frozenset(("YBR_FULL_422", "YBR_PARTIAL_422"))
RGB_IDENTIFIERS = [ord(letter) for letter in "RGB"]
GDCM_SCRIPT = Path(__file__).with_name("gdcm_script.py")
GDCM_SECONDS = 120
"""An image takes one or two."""

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class PixelDescription:
    """How a dataset states that its pixels are stored."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    high_bit: int | None
    signed: bool
    photometric: str
    planar: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values: a third axis for several samples a pixel."""
        plane = (self.rows, self.columns)
        return plane if self.samples == 1 else (*plane, self.samples)


def decode_frame(dataset: Dataset, syntax: str, description: PixelDescription) -> Cells:
    """Decode the one image of a dataset: cells of shape (rows, columns[, samples])."""
    compressed = is_compressed(syntax)
    if dataset["PixelData"].is_undefined_length != compressed:
        stated = UID(syntax).name
        raise FilmError(
            "damaged",
            "is a damaged DICOM file: its pixels are not stored as stated, "
            f"{stated!r}; export it again",
        )
    if not compressed:
        return _uncompressed(dataset, syntax, description)
    frame = b"".join(generate_frames(dataset.PixelData, number_of_frames=1))
    if syntax == RLELossless:
        values = decode_rle(frame, description.shape, description.bits_allocated)
        return Cells.decoded(values, description.bits_allocated)
    is_2000 = syntax.startswith(JPEG_2000)
    header = jpeg_2000_header(frame) if is_2000 else jpeg_header(frame)
    if header is None:
        raise FilmError("truncated", "is DICOM with an image that is cut off")
    _check_header(header, description)
    values = _decoded(frame, syntax, header, description).reshape(description.shape)
    return Cells.decoded(values, header.bits, signed=header.signed if is_2000 else None)


def _uncompressed(dataset: Dataset, syntax: str, description: PixelDescription) -> Cells:
    content = dataset.PixelData
    have = len(content)
    plane = description.rows * description.columns
    # Two pixels share a colour (PS3.3, C.7.6.3.1.2), unless there is one for each.
    whole = plane * 3 * description.bits_allocated // 8
    halved = description.photometric in HALVED and description.columns % 2 == 0 and have < whole
    values = plane * (2 if halved else description.samples)
    allocated, notes = _cell_bits(description, values, have)
    need = (values * allocated + 7) // 8
    if have < need:
        raise FilmError(
            "truncated", f"is a DICOM file cut off: it has {have:,} of {need:,} bytes of pixels"
        )
    order = ">" if syntax == ExplicitVRBigEndian else "<"
    if order == ">" and allocated == 8 and dataset["PixelData"].VR == "OW":
        content = np.frombuffer(content[: have - have % 2], "u2").byteswap().tobytes()
    cells = _grey_cells(content, allocated, values, order)
    if halved:
        # Two pixels are luminance, luminance, and the colour of both.
        cells = cells.reshape(-1, 4)[:, :2].reshape(description.rows, description.columns)
    elif description.samples > 1 and description.planar:
        planes = cells.reshape(description.samples, description.rows, description.columns)
        cells = np.moveaxis(planes, 0, -1)
    else:
        cells = cells.reshape(description.shape)
    return Cells(cells, allocated if allocated != PACKED_BITS else 16, notes=notes)


def _cell_bits(
    description: PixelDescription, pixels: int, have: int
) -> tuple[int, tuple[Finding, ...]]:
    """Determine from the number of bytes how many bits a pixel has."""
    stated = allocated = description.bits_allocated
    if stated == PACKED_BITS and have >= 2 * pixels:
        allocated = 16
    elif stated == 16 and description.bits_stored <= 8 and have in {pixels, pixels + 1}:
        allocated = 8
    elif stated == 8 and description.bits_stored > 8 and have in {2 * pixels, 2 * pixels + 1}:
        allocated = 16
    if allocated == stated:
        return stated, ()
    sentence = f"Each pixel has {allocated} bits of the file, not {stated} as stated"
    return allocated, (Finding.note("stored_values", sentence),)


def _grey_cells(content: bytes, allocated: int, pixels: int, order: str) -> Values:
    if allocated == 1:
        packed = np.frombuffer(content, np.uint8, (pixels + 7) // 8)
        return np.unpackbits(packed, count=pixels, bitorder="little")
    if allocated == PACKED_BITS:  # two pixels in three bytes
        packed = np.frombuffer(content, np.uint8, (pixels * 3 + 1) // 2).astype(np.uint16)
        packed = np.pad(packed, (0, -len(packed) % 3)).reshape(-1, 3)
        first = packed[:, 0] | ((packed[:, 1] & 0x0F) << 8)
        second = (packed[:, 1] >> 4) | (packed[:, 2] << 4)
        return np.stack([first, second], axis=1).ravel()[:pixels]
    cells = np.frombuffer(content, f"{order}u{allocated // 8}", pixels)
    return cells.astype(cells.dtype.newbyteorder("="), copy=False)


def _check_header(header: CodestreamHeader, description: PixelDescription) -> None:
    has = (header.columns, header.rows, header.components)
    stated = (description.columns, description.rows, description.samples)
    if has != stated:
        raise FilmError(
            "damaged",
            f"is a damaged DICOM file: it states {_size(*stated)}, "
            f"but its compressed image has {_size(*has)}",
        )


def _size(columns: int, rows: int, samples: int) -> str:
    return f"{columns} x {rows} px of {samples} sample{'s' * (samples != 1)}"


def _decoded(
    frame: bytes, syntax: str, header: CodestreamHeader, stated: PixelDescription
) -> Values:
    if syntax.startswith(JPEG_2000):
        from openjpeg.utils import decode  # noqa: PLC0415  few images need it

        return np.asarray(decode(frame[frame.find(b"\xff\x4f\xff\x51") :], 0))
    if syntax.startswith(JPEG_LS):
        return _decode_jpeg_ls(frame, header, stated)
    if header.bits == 8 and not header.lossless:
        return _decode_jpeg_8_bit(frame)
    return _decode_other_jpeg(frame, header)


def _decode_jpeg_ls(frame: bytes, header: CodestreamHeader, stated: PixelDescription) -> Values:
    import jpeg_ls  # type: ignore[import-untyped]  # noqa: PLC0415  few images need it

    content, info = jpeg_ls.decode_buffer(frame)
    values = np.frombuffer(content, np.uint8 if header.bits <= 8 else np.dtype("<u2"))
    if stated.samples > 1 and info.get("interleave_mode") == 0:
        planes = values.reshape(stated.samples, stated.rows, stated.columns)
        return np.moveaxis(planes, 0, -1)
    return values


def _decode_jpeg_8_bit(frame: bytes) -> Values:
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415  few images need it

    with JpegImageFile(BytesIO(frame)) as image:
        if image.mode == "RGB" and not _is_coded_as_rgb(image):
            # Components as they are: luminance is what a grey image is, and no conversion
            # rounds it. Without a mark, libjpeg would convert components that are RGB, too.
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def _is_coded_as_rgb(image: JpegImageFile) -> bool:
    """Whether libjpeg takes three components for RGB, which it then cannot give otherwise."""
    if "jfif" in image.info:
        return False
    if "adobe" in image.info:
        return bool(image.info.get("adobe_transform") == 0)
    return [layer[0] for layer in image.layer] == RGB_IDENTIFIERS


def _decode_other_jpeg(frame: bytes, header: CodestreamHeader) -> Values:
    """Decode lossless and 12-bit JPEG, by GDCM in a process of its own.

    GDCM ends its process on some damaged data, and writes to its stderr; neither must happen
    to whoever reads a radiograph.
    """
    width = 1 if header.bits <= 8 else 2
    numbers = (header.columns, header.rows, header.components, 8 * width, header.bits)
    command = [sys.executable, "-P", str(GDCM_SCRIPT), *map(str, numbers)]
    command.append(str(int(header.lossless)))
    # The command is this Python and our own script; the image only goes to its stdin.
    done = subprocess.run(  # noqa: S603
        command, input=frame, capture_output=True, timeout=GDCM_SECONDS, check=False
    )
    size = header.columns * header.rows * header.components * width
    if done.returncode != 0 or len(done.stdout) != size:
        raise ValueError(f"GDCM gave {len(done.stdout)} of {size} bytes")
    return np.frombuffer(done.stdout, f"<u{width}")


def decode_rle(frame: bytes, shape: tuple[int, ...], bits_allocated: int) -> Values:
    """Decode a frame of DICOM's RLE (PS3.5, Annex G); ValueError: it is not of this shape."""
    from PIL.Image import frombytes  # noqa: PLC0415  few images need it

    samples = shape[2] if len(shape) == 3 else 1
    sample_bytes = bits_allocated // 8
    count, *offsets = struct.unpack_from(f"<{MOST_RLE_SEGMENTS + 1}I", frame)
    if not sample_bytes or count != samples * sample_bytes or count > MOST_RLE_SEGMENTS:
        raise ValueError(f"{count} RLE segments for {samples} samples of {bits_allocated} bits")
    limits = [*offsets[:count], len(frame)]
    if limits != sorted(limits) or limits[0] < RLE_HEADER:
        raise ValueError("RLE segments overlap")
    pixels = shape[0] * shape[1]
    planes = np.empty((samples, sample_bytes, pixels), np.uint8)
    for segment, (start, end) in enumerate(pairwise(limits)):
        sample, place = divmod(segment, sample_bytes)
        try:  # as one row, for a run may go on from one row to the next
            decoded = frombytes("L", (pixels, 1), frame[start:end], "packbits", "L")
        except ValueError as error:
            raise ValueError(f"an RLE segment holds fewer than {pixels} bytes") from error
        # The most significant byte comes first; memory has it last.
        planes[sample, sample_bytes - 1 - place] = np.asarray(decoded)[0]
    joined = np.moveaxis(planes, 1, 2).copy().view(f"<u{sample_bytes}")[..., 0]
    return np.moveaxis(joined, 0, -1).reshape(shape)
