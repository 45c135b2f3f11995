"""From bytes to the DICOM elements a film needs, and no others.

Names, identifiers and free text are never looked at.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence
from io import SEEK_CUR, SEEK_END, SEEK_SET, BytesIO

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from boneage.errors import FilmError
from boneage.reading.source import MAX_FILE_BYTES

PIXELS = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "NumberOfFrames"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData"),
    *("PixelPaddingValue", "PixelPaddingRangeLimit"),
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
)
DISPLAY = (
    *("RescaleSlope", "RescaleIntercept", "ModalityLUTSequence", "VOILUTSequence"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "PresentationLUTShape"),
    *("PixelAspectRatio", "NominalScannedPixelSpacing", "ShutterShape"),
    *("ShutterLeftVerticalEdge", "ShutterRightVerticalEdge", "ShutterUpperHorizontalEdge"),
    *("ShutterLowerHorizontalEdge", "CenterOfCircularShutter", "RadiusOfCircularShutter"),
    *("VerticesOfThePolygonalShutter",),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
)
FACTS = (
    *("SOPClassUID", "Modality", "PatientSex", "PatientBirthDate", "PatientAge", "StudyDate"),
    *("Laterality", "ImageLaterality", "PixelSpacing", "ImagerPixelSpacing"),
    *("BodyPartExamined", "BurnedInAnnotation"),
)
PREAMBLE = 132
LONG_LENGTHS = frozenset((b"OB", b"OW", b"OF", b"SQ", b"UT", b"UN", b"UC", b"UR", b"OD", b"OL"))


class _Watched(BytesIO):
    """Bytes that remember whether more was asked of them than there is."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self._size = len(data)
        self.overrun = False

    def read(self, size: int | None = -1, /) -> bytes:
        content = super().read(size)
        self.overrun |= size is not None and 0 < len(content) < size
        return content

    def seek(self, offset: int, whence: int = SEEK_SET, /) -> int:
        start = {SEEK_SET: 0, SEEK_CUR: self.tell(), SEEK_END: self._size}[whence]
        self.overrun |= start + offset > self._size
        return super().seek(offset, whence)


def parse(data: bytes, name: str) -> tuple[Dataset, str, bool]:
    """Parse a DICOM file, or a bare dataset.

    Returns
    -------
    dataset : Dataset
    syntax : str
        UID of the transfer syntax; of a bare dataset, as far as it can be told.
    cut_off : bool
        Whether the file ends within an element.
    """
    stated, start = _transfer_syntax(data)
    deflated = stated == DeflatedExplicitVRLittleEndian
    file = _Watched(_inflate(data[start:], name) if deflated else data)
    dataset = dcmread(file, force=True, specific_tags=[*PIXELS, *DISPLAY, *FACTS])
    syntax = stated or str(dataset.file_meta.get("TransferSyntaxUID", "") or "")
    if not syntax:
        implicit, little = dataset.original_encoding
        syntax = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        if not implicit and not little:
            syntax = ExplicitVRBigEndian
    return dataset, str(syntax), file.overrun


def _transfer_syntax(data: bytes) -> tuple[str | None, int]:
    """Find the transfer syntax in the file meta information, and where that ends.

    pydicom would inflate a deflated dataset without any limit.
    """
    position = PREAMBLE if data.startswith(b"DICM", 128) else 0
    syntax = None
    while data[position : position + 2] == b"\x02\x00":
        long = data[position + 4 : position + 6] in LONG_LENGTHS
        value = position + (12 if long else 8)
        length = int.from_bytes(data[position + (8 if long else 6) : value], "little")
        if data[position + 2 : position + 4] == b"\x10\x00":
            syntax = data[value : value + length].rstrip(b"\0 ").decode("ascii", "replace")
        position = value + length
    return syntax, position


def _inflate(data: bytes, name: str) -> bytes:
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    content = inflater.decompress(data, MAX_FILE_BYTES)
    if inflater.unconsumed_tail:
        raise FilmError(
            "too_many_bytes",
            f"{name!r} inflates to more than a film may have ({MAX_FILE_BYTES / 2**20:.0f} MiB)",
        )
    if not inflater.eof:
        raise FilmError(
            "truncated", f"{name!r} is a deflated DICOM file that is cut off; copy it again, whole"
        )
    return content


def numbers_of(dataset: Dataset, keyword: str) -> tuple[float, ...]:
    """Read an element's numbers; none where it is absent or they make no sense."""
    try:
        value = dataset.get(keyword)
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        found = tuple(float(item) for item in values if item is not None)
    except Exception:  # a malformed value is no value
        return ()
    return found if all(math.isfinite(number) for number in found) else ()


def whole_number(dataset: Dataset, keyword: str) -> int | None:
    """Read an element's first number, where it is a whole one."""
    found = numbers_of(dataset, keyword)
    return int(found[0]) if found and found[0] == int(found[0]) else None


def text_of(dataset: Dataset, keyword: str) -> str | None:
    """Read an element's first text, without the spaces around it."""
    try:
        value = dataset.get(keyword)
        if isinstance(value, Sequence) and not isinstance(value, str):
            value = value[0] if value else None
        return None if value is None else str(value).strip(" \0") or None
    except Exception:  # a malformed value is no value
        return None
