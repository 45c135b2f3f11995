"""What to do about a film that cannot be read, by the reason for it."""

from __future__ import annotations

from collections.abc import Mapping

UPLOAD_LIMIT_MB = 100
"""A film of 60 megapixels in 16-bit grey, uncompressed, is 120 MB; compressed, or
at the resolution of other detectors, films lie far below."""

_EXPORT_AGAIN = "Export the film from its source again, and upload the new file."
_AS_PNG = "Export it as PNG or as uncompressed DICOM, and upload that."
_ONE_FILM = "Save the film of the left hand as a file of its own, and upload that."

ADVICE: Mapping[str, str] = {
    "not_an_image": "Upload the radiograph itself: a DICOM, PNG, JPEG or TIFF file.",
    "no_pixels": "Pick the image of the study rather than its report or index.",
    "unsupported_format": _AS_PNG,
    "unsupported_compression": _AS_PNG,
    "unsupported_pixels": _AS_PNG,
    "colour": "Upload the grey original rather than a coloured copy.",
    "truncated": _EXPORT_AGAIN,
    "damaged": _EXPORT_AGAIN,
    "empty": _EXPORT_AGAIN,
    "unreadable": _EXPORT_AGAIN,
    "constant": "Look at the file in a viewer: it shows nothing. Upload the film itself.",
    "not_finite": _EXPORT_AGAIN,
    "several_frames": _ONE_FILM,
    "several_pages": _ONE_FILM,
    "animated": _ONE_FILM,
    "too_small": "Upload the film at its full size rather than a thumbnail of it.",
    "too_large": "Export the film at the size of its detector, or smaller.",
    "too_many_bytes": f"Export the film compressed, below {UPLOAD_LIMIT_MB} MB.",
}
OTHERWISE = "Upload a DICOM, PNG, JPEG or TIFF file of one film."


def advice_for(code: str) -> str:
    """Say what helps against a :class:`~boneage.errors.FilmError` of this code."""
    return ADVICE.get(code, OTHERWISE)
