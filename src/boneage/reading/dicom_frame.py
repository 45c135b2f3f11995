"""From stored DICOM pixel data to the values that were stored.

Compressed data are measured before a decoder sees them, and each goes to the
decoder that stands damaged files best.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from boneage.errors import FilmError
from boneage.reading.codestream import CodestreamHeader, jpeg_2000_header, jpeg_header
from boneage.reading.rle import decode_rle

RLE = "1.2.840.10008.1.2.5"
JPEG = "1.2.840.10008.1.2.4."
JPEG_2000 = (f"{JPEG}9", f"{JPEG}20")
JPEG_LS = f"{JPEG}8"
Values = npt.NDArray[Any]


@dataclass(frozen=True)
class PixelDescription:
    """How a dataset says that its pixels are stored."""

    rows: int
    columns: int
    samples: int
    bits_allocated: int
    bits_stored: int
    signed: bool
    photometric: str
    planar: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the values: a third axis for several samples a pixel."""
        plane = (self.rows, self.columns)
        return plane if self.samples == 1 else (*plane, self.samples)


def decode_frame(dataset: Dataset, syntax: str, description: PixelDescription, name: str) -> Values:
    """Decode the one image of a dataset.

    Returns
    -------
    ndarray of integers, shape (rows, columns) or (rows, columns, samples)

    Raises
    ------
    FilmError
        ``"truncated"`` or ``"damaged"``; decoders raise other exceptions, too.
    """
    compressed = syntax == RLE or syntax.startswith(JPEG)
    if dataset["PixelData"].is_undefined_length != compressed:
        stated = UID(syntax).name
        raise FilmError(
            "damaged",
            f"{name!r} is a damaged DICOM file: its pixels are not stored as it says, {stated!r}",
        )
    if not compressed:
        return _uncompressed(dataset, syntax, description, name)
    frame = b"".join(generate_frames(dataset.PixelData, number_of_frames=1))
    if syntax == RLE:
        values = decode_rle(frame, description.shape, description.bits_allocated)
        return _with_sign(values, description.bits_stored, signed=description.signed)
    read_header = jpeg_2000_header if syntax.startswith(JPEG_2000) else jpeg_header
    header = read_header(frame)
    if header is None:
        raise FilmError("truncated", f"{name!r} is DICOM with an image that is cut off")
    _check_header(header, description, name)
    decoder = _decoder(syntax, header)
    values = decoder(frame, header, description).reshape(description.shape)
    bits = min(header.bits, description.bits_stored) if description.signed else header.bits
    return _with_sign(values, bits, signed=description.signed)


def _uncompressed(
    dataset: Dataset, syntax: str, description: PixelDescription, name: str
) -> Values:
    samples = 2 if description.photometric == "YBR_FULL_422" else description.samples
    bits = description.rows * description.columns * samples * description.bits_allocated
    have, need = len(dataset.PixelData), (bits + 7) // 8
    if have < need:
        raise FilmError(
            "truncated",
            f"{name!r} is a DICOM file cut off: it has {have:,} of {need:,} bytes of pixels",
        )
    # What may be left out or garbled, pydicom insists on.
    dataset.SamplesPerPixel = description.samples
    dataset.PhotometricInterpretation = description.photometric
    dataset.PixelRepresentation = int(description.signed)
    dataset.BitsStored = description.bits_stored
    dataset.NumberOfFrames = 1
    if description.samples > 1:
        dataset.PlanarConfiguration = int(description.planar)
    values, _ = get_decoder(UID(syntax)).as_array(dataset, index=0)
    return np.asarray(values)


def _check_header(header: CodestreamHeader, description: PixelDescription, name: str) -> None:
    """See that compressed pixels have the size and samples that the dataset states."""
    has = (header.columns, header.rows, header.components)
    stated = (description.columns, description.rows, description.samples)
    if has != stated:
        raise FilmError(
            "damaged",
            f"{name!r} is a damaged DICOM file: it states {_size(*stated)}, "
            f"but its compressed image has {_size(*has)}",
        )


def _size(columns: int, rows: int, samples: int) -> str:
    return f"{columns} x {rows} px of {samples} sample{'s' * (samples != 1)}"


Decoder = Callable[[bytes, CodestreamHeader, PixelDescription], Values]


def _decoder(syntax: str, header: CodestreamHeader) -> Decoder:
    if syntax.startswith(JPEG_2000):
        return _decode_jpeg_2000
    if syntax.startswith(JPEG_LS):
        return _decode_jpeg_ls
    if header.bits == 8 and not header.lossless:
        return _decode_jpeg_8_bit
    return _decode_other_jpeg


def _decode_jpeg_2000(frame: bytes, _: CodestreamHeader, __: PixelDescription) -> Values:
    from openjpeg.utils import decode  # noqa: PLC0415  few films need it

    codestream = frame[frame.find(b"\xff\x4f\xff\x51") :]
    return np.asarray(decode(codestream, 0))


def _decode_jpeg_ls(frame: bytes, header: CodestreamHeader, stated: PixelDescription) -> Values:
    import jpeg_ls  # type: ignore[import-untyped]  # noqa: PLC0415  few films need it

    content, info = jpeg_ls.decode_buffer(frame)
    values = np.frombuffer(content, np.uint8 if header.bits <= 8 else np.dtype("<u2"))
    if stated.samples > 1 and info.get("interleave_mode") == 0:
        planes = values.reshape(stated.samples, stated.rows, stated.columns)
        return np.moveaxis(planes, 0, -1)
    return values


def _decode_jpeg_8_bit(frame: bytes, _: CodestreamHeader, stated: PixelDescription) -> Values:
    from PIL.JpegImagePlugin import JpegImageFile  # noqa: PLC0415  few films need it

    with JpegImageFile(BytesIO(frame)) as image:
        marked = "adobe" in image.info or "jfif" in image.info
        if stated.photometric == "RGB" and not marked:
            # Without a mark, libjpeg takes three components for YCbCr and converts them.
            image.draft("YCbCr", image.size)
        return np.asarray(image)


def _decode_other_jpeg(frame: bytes, header: CodestreamHeader, stated: PixelDescription) -> Values:
    from boneage.reading.gdcm_process import decode_with_gdcm  # noqa: PLC0415  few films need it

    return decode_with_gdcm(frame, header, stated.bits_allocated)


def _with_sign(values: Values, bits: int, *, signed: bool) -> Values:
    """Read the lowest ``bits`` as a signed or an unsigned number; what is above is no pixel."""
    wide = values.dtype.itemsize * 8
    unsigned = values.view(np.dtype(f"u{values.dtype.itemsize}"))
    if bits >= wide:
        return unsigned.view(np.dtype(f"i{values.dtype.itemsize}")) if signed else unsigned
    if not signed:
        return np.asarray(unsigned & unsigned.dtype.type(2**bits - 1))
    shifted = (unsigned << (wide - bits)).view(np.dtype(f"i{values.dtype.itemsize}"))
    return np.asarray(shifted >> (wide - bits))
