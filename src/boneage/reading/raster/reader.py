"""PNG, JPEG, TIFF, WebP and BMP to a radiograph.

Pillow decodes all but TIFF: it is as fast as OpenCV on 8-bit grey (28 ms for a PNG of 2000 x 2500
px), it refuses a damaged file where OpenCV gives the part that it could decode, and it begins with
cleared memory. It supports only some layouts of TIFF, so :mod:`boneage.reading.raster.tiff` reads
these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL.BmpImagePlugin import BmpImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from boneage.domain.radiograph import SYNTHETIC, ImageMetadata, Pixels, Radiograph
from boneage.errors import FilmError
from boneage.reading.accepted import BMP, JPEG, PNG, TIFF, WEBP, Limits, check_contrast, truncated
from boneage.reading.raster.grey import DecodedImage, Grey, deep_grey, grey_of, is_coloured
from boneage.reading.raster.headers import Header, aspect_of, exif_of, orientation_of, read_header
from boneage.reading.raster.tiff import read_tiff
from boneage.reading.raster.tone_curve import (
    ToneCurve,
    curve_of_cicp,
    curve_of_gamma,
    curve_of_profile,
    unread_curve,
)

# The classes rather than Image.open, whose limit on pixels is a global setting.
OPEN: Mapping[str, Callable[[BytesIO], ImageFile]] = {
    PNG: PngImageFile,
    JPEG: JpegImageFile,
    WEBP: WebPImageFile,
    BMP: BmpImageFile,
}


def read_raster(data: bytes, kind: str, limits: Limits) -> Radiograph:
    """Read the bytes of a raster file; FilmError where they are not one whole image."""
    header = read_header(data, kind)
    if header.height is not None and header.width is not None:
        limits.check(header.height, header.width)
    try:
        if kind == TIFF:
            decoded = read_tiff(data, limits)
        else:
            decoded = _by_pillow(data, kind, header, limits)
    except FilmError:
        raise
    except Exception as error:  # decoders raise anything on damaged files
        if "truncated" in str(error).lower():
            raise truncated(kind, len(data)) from error
        raise FilmError(
            "damaged", f"is a damaged {kind} file: it cannot be decoded; copy or export it again"
        ) from error
    curve = decoded.curve
    if curve is not None and decoded.grey.white is None:
        curve = unread_curve("a curve for numbers of no stated range")
    return Radiograph(
        _pixels(decoded.upright, curve),
        ImageMetadata(kind, decoded.bits, synthetic=decoded.synthetic, in_colour=decoded.coloured),
        pixel_aspect=decoded.upright_aspect,
        notes=(curve.finding,) if curve is not None else (),
    )


def _by_pillow(data: bytes, kind: str, header: Header, limits: Limits) -> DecodedImage:
    with OPEN[kind](BytesIO(data)) as image:
        limits.check(image.height, image.width)
        frames = getattr(image, "n_frames", 1)
        if header.animated or frames > 1:
            raise FilmError(
                "animated", f"is an animated {kind} of {frames} images; give one image per file"
            )
        image.load()
        deep = deep_grey(data, image) if header.deep_colour else None
        exif = exif_of(image)
        return DecodedImage(
            deep or grey_of(image, header.bits),
            bits=header.bits if deep or not header.deep_colour else 8,
            coloured=is_coloured(image),
            synthetic=image.info.get("Description") == SYNTHETIC,
            orientation=orientation_of(exif),
            aspect=aspect_of(image, exif),
            curve=_curve(image, header),
        )


def _curve(image: ImageFile, header: Header) -> ToneCurve | None:
    """Read the curve of the grey levels, by precedence (PNG 3, section 11.3)."""
    if header.transfer is not None:
        return curve_of_cicp(header.transfer)
    profile = image.info.get("icc_profile")
    if profile:
        return curve_of_profile(profile)
    gamma = image.info.get("gamma")
    return curve_of_gamma(gamma) if gamma and "srgb" not in image.info else None


def _pixels(grey: Grey, curve: ToneCurve | None) -> Pixels:
    values = grey.values
    if values.dtype.kind == "f":
        _check_finite(values)
    check_contrast(values)
    if grey.white is None:
        return _spread(values)
    known = curve is not None and curve.table is not None
    pixels = curve.applied(values, grey.white) if curve and known else _scaled(values, grey.white)
    if grey.alpha is not None:
        pixels = np.ascontiguousarray(pixels * grey.alpha)
        check_contrast(pixels)
    return np.ascontiguousarray(pixels)


def _check_finite(values: npt.NDArray[Any]) -> None:
    wrong = values.size - int(np.count_nonzero(np.isfinite(values)))
    if wrong:
        raise FilmError(
            "not_finite",
            f"has {wrong} pixels that are NaN or infinite; each must be a finite number",
        )


def _scaled(values: npt.NDArray[Any], white: float) -> Pixels:
    # A division, not a product with the inverse, so that white is exactly 1.
    pixels: Pixels = np.divide(values, np.float32(white), dtype=np.float32)
    return np.ascontiguousarray(pixels)


def _spread(values: npt.NDArray[Any]) -> Pixels:
    """Map the lowest value to 0 and the highest to 1, where no white is stated."""
    low, high = float(values.min()), float(values.max())
    # Halved, so that the range of the largest numbers is a number, too.
    half_range = high / 2 - low / 2
    shifted = (values.astype(np.float64) / 2 - low / 2) / (half_range or 1.0)
    return np.ascontiguousarray(np.clip(shifted, 0.0, 1.0).astype(np.float32))
