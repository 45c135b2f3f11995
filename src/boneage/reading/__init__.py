"""From a file, or its bytes, to a :class:`~boneage.domain.radiograph.Radiograph`.

The content decides what a file is, never its name. The decoders are imported with the first image
that needs them, so that importing boneage stays cheap.
"""

from __future__ import annotations

from dataclasses import replace

from boneage.domain.radiograph import Radiograph
from boneage.reading.accepted import DEFAULT_LIMITS, DICOM, Limits, kind_of
from boneage.reading.quiet import quiet
from boneage.reading.source import Source, load, naming

__all__ = ["Limits", "read"]


def read(source: Source, *, limits: Limits = DEFAULT_LIMITS) -> Radiograph:
    """Read one image: PNG, JPEG, TIFF, WebP, BMP or DICOM.

    Parameters
    ----------
    source : path, bytes or binary file object
        A file object is read from its beginning, whatever its position.
    limits : Limits, optional
        The smallest and the largest image that is accepted.

    Returns
    -------
    Radiograph
        Bone bright; EXIF orientation is applied.

    Raises
    ------
    FilmError
        When the source is not one image; its ``code`` and its message state the reason.
    """
    data, name = load(source)
    with naming(name):
        kind = kind_of(data)
        with quiet():
            if kind == DICOM:
                from boneage.reading.dicom.reader import read_dicom  # noqa: PLC0415  loads pydicom

                return replace(read_dicom(data, limits), name=name)
            from boneage.reading.raster.reader import read_raster  # noqa: PLC0415  loads Pillow

            return replace(read_raster(data, kind, limits), name=name)
