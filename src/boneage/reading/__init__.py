"""From a file, or its bytes, to a :class:`~boneage.domain.radiograph.Radiograph`.

The content decides what a file is, never its name. The decoders are loaded
with the first film that needs them, so that importing boneage stays cheap.
"""

from __future__ import annotations

from boneage.domain.radiograph import Radiograph
from boneage.reading.kinds import DICOM, kind_of
from boneage.reading.limits import DEFAULT_LIMITS, Limits
from boneage.reading.source import Source, load

__all__ = ["Limits", "read"]


def read(source: Source, *, limits: Limits = DEFAULT_LIMITS) -> Radiograph:
    """Read one film: PNG, JPEG, TIFF, WebP, BMP or DICOM.

    Parameters
    ----------
    source : path, bytes or binary file object
        A file object is read as a whole, wherever it stands.
    limits : Limits, optional
        The smallest and the largest film that is accepted.

    Returns
    -------
    Radiograph
        Right way up (EXIF orientation is followed), bone bright.

    Raises
    ------
    FilmError
        When the source is not one film; its ``code`` says why in a word, its
        message in a sentence.
    """
    data, name = load(source)
    kind = kind_of(data, name)
    if kind == DICOM:
        from boneage.reading.dicom.reader import read_dicom  # noqa: PLC0415  loads pydicom

        return read_dicom(data, name, limits)
    from boneage.reading.raster.reader import read_raster  # noqa: PLC0415  loads Pillow

    return read_raster(data, kind, name, limits)
