"""PNG, JPEG, TIFF, WebP and BMP to a film.

Pillow decodes: it is as fast as OpenCV on 8-bit grey (28 ms for a PNG of
2000 x 2500 px with either), and it refuses a damaged file where OpenCV gives
the part that it could decode.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO

import numpy as np
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

from boneage.errors import FilmError
from boneage.radiograph import Facts, Pixels, Radiograph
from boneage.reading.kinds import BMP, JPEG, PNG, TIFF, WEBP
from boneage.reading.limits import Limits
from boneage.reading.orientation import orientation_of, upright
from boneage.reading.pixels import check_contrast, check_finite, scaled, spread
from boneage.reading.quiet import quiet
from boneage.reading.raster_grey import Grey, deep_grey, grey_of, is_coloured
from boneage.reading.raster_headers import Header, read_header, truncated

# The classes rather than Image.open, whose limit on pixels is a global setting.
OPEN: Mapping[str, Callable[[BytesIO], ImageFile]] = {
    PNG: PngImageFile,
    JPEG: JpegImageFile,
    TIFF: TiffImageFile,
    WEBP: WebPImageFile,
    BMP: BmpImageFile,
}
BITS_PER_SAMPLE, SAMPLES_PER_PIXEL, SUBFILE, PHOTOMETRIC = 258, 277, 254, 262
REDUCED = 1
"""Bit of the TIFF subfile type: a smaller copy of another page."""
RGB = 2


def read_raster(data: bytes, kind: str, name: str, limits: Limits) -> Radiograph:
    """Read the bytes of a raster file.

    Raises
    ------
    FilmError
        When they are not one whole film within the limits.
    """
    header = read_header(data, kind, name)
    if header.height is not None and header.width is not None:
        limits.check(header.height, header.width, name)
    try:
        with quiet():
            grey, bits, coloured = _decode(data, kind, header, name, limits)
    except FilmError:
        raise
    except Exception as error:  # decoders raise anything on damaged files
        if "truncated" in str(error).lower():
            raise truncated(name, kind, len(data)) from error
        raise FilmError(
            "damaged",
            f"{name!r} is a damaged {kind} file: it cannot be decoded; copy or export it again",
        ) from error
    return Radiograph(_pixels(grey, name), Facts(kind, bits, in_colour=coloured), name)


def _decode(
    data: bytes, kind: str, header: Header, name: str, limits: Limits
) -> tuple[Grey, int, bool]:
    with OPEN[kind](BytesIO(data)) as image:
        limits.check(image.height, image.width, name)
        bits, deep = header.bits, header.deep_colour
        orientation = 1
        if isinstance(image, TiffImageFile):
            bits, deep = _tiff_depth(image)
            orientation = orientation_of(image)
            _check_whole(image, data, name)
        _check_one_picture(image, header, name)
        image.load()
        grey = (deep_grey(data) if deep else None) or grey_of(image, bits)
        if not isinstance(image, TiffImageFile):
            orientation = orientation_of(image)
        elif grey.from_pillow:
            orientation = 1  # Pillow itself turns a TIFF
        turned = Grey(upright(grey.values, orientation), grey.white)
        return turned, bits, is_coloured(image)


def _tiff_depth(image: TiffImageFile) -> tuple[int, bool]:
    bits = image.tag_v2.get(BITS_PER_SAMPLE, 1)
    bits = int(max(bits) if isinstance(bits, tuple) else bits)
    colour = image.tag_v2.get(PHOTOMETRIC) == RGB
    return bits, colour and bits == 16


def _check_whole(image: TiffImageFile, data: bytes, name: str) -> None:
    """See that the strips or tiles of a TIFF lie within the file."""
    for offsets, lengths in ((273, 279), (324, 325)):
        starts, sizes = image.tag_v2.get(offsets, ()), image.tag_v2.get(lengths, ())
        if any(start + size > len(data) for start, size in zip(starts, sizes, strict=False)):
            raise truncated(name, TIFF, len(data))


def _check_one_picture(image: ImageFile, header: Header, name: str) -> None:
    if isinstance(image, TiffImageFile):
        pages = _pages(image)
        if pages > 1:
            raise FilmError(
                "several_pages",
                f"{name!r} is a TIFF of {pages} pages; give one film a file",
            )
        return
    frames = getattr(image, "n_frames", 1)
    if header.animated or frames > 1:
        raise FilmError(
            "animated",
            f"{name!r} is an animated {image.format} of {frames} pictures; give one film a file",
        )


def _pages(image: TiffImageFile) -> int:
    """Count the pages of a TIFF that are not smaller copies (thumbnails)."""
    count = 0
    for page in range(image.n_frames):
        image.seek(page)
        count += page == 0 or not int(image.tag_v2.get(SUBFILE, 0)) & REDUCED
    image.seek(0)
    return count


def _pixels(grey: Grey, name: str) -> Pixels:
    if grey.values.dtype == np.float32:
        check_finite(grey.values, name)
    check_contrast(grey.values, name)
    return spread(grey.values) if grey.white is None else scaled(grey.values, grey.white)
