"""From bytes to the DICOM elements that an image needs, and no others.

Names, identifiers and free text are not read, but for how many values they have and for a word
that names a hand.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from typing import NamedTuple

from pydicom.charset import convert_encodings
from pydicom.datadict import dictionary_VM, keyword_for_tag, tag_for_keyword
from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian

from boneage.domain.findings import Finding, Severity
from boneage.errors import FilmError
from boneage.reading.dicom import syntax as transfer_syntax
from boneage.reading.dicom.elements import (
    EXPLICIT,
    PIXEL_DATA,
    UNDEFINED,
    Element,
    Elements,
    Encoding,
    elements_of,
    encoding_at,
    meta_of,
)
from boneage.reading.dicom.laterality import PLACES, SIDES
from boneage.reading.dicom.values import TABLES, texts_of, whole_number

ELEMENTS = TABLES["elements"]
USED_ALONE = frozenset((*ELEMENTS["pixels"], *ELEMENTS["display"]))
"""Of several values of these, the first is used."""
OF_THE_STUDY = ("StudyTime", "AccessionNumber", "ReferringPhysicianName")
USED_WHEN_REPEATED = frozenset(map(tag_for_keyword, USED_ALONE))
NEEDED = (*USED_ALONE, *ELEMENTS["metadata"], *ELEMENTS["counted"], *PLACES)
NEEDED_TAGS = frozenset(tag for tag in map(tag_for_keyword, NEEDED) if tag is not None)
PREFIX = b"DICM"
PREAMBLE = 128
META = b"\2\0"
BARE = (META, b"\x08\0", b"\0\x08")
"""How a data set begins that has no preamble."""
META_LENGTH, TRANSFER_SYNTAX, CHARACTER_SET = 0x00020000, 0x00020010, 0x00080005
UID_AT_LEAST = re.compile(r"[0-9]+(\.[0-9]+)+")
LATIN_1_TERMS = ("ISO_IR 100", "ISO 2022 IR 100", "ISO_IR 6", "ISO 2022 IR 6", "")
GROUP_OF_NUMBERS = 0x0028
"""Of elements with binary numbers, several of which no sign separates."""
MAX_TEXT = 2**10
SEARCHED_FOR_PREFIX = 1024
"""Bytes in which the prefix is searched for, where something was put before the preamble."""
LATIN_1, UTF_8 = "iso8859", "utf8"


class Parsed(NamedTuple):
    """A data set, and what is odd about it."""

    dataset: Dataset
    syntax: str
    """UID of the transfer syntax: the true one, as far as it can be determined."""
    cut_off: bool
    """Whether the file ends within an element."""
    notes: tuple[Finding, ...]


def parse(data: bytes) -> Parsed:
    """Parse the elements of a DICOM file, or of a bare data set, that an image needs."""
    return _parse(data, NEEDED_TAGS)


def parse_all(data: bytes) -> Parsed:
    """Parse all elements of a DICOM file but for long ones; the pixels are left empty."""
    return _parse(data, None)


def _parse(data: bytes, tags: frozenset[int] | None) -> Parsed:
    meta = _file_meta(data)
    uid = UID_AT_LEAST.match(_text(meta, TRANSFER_SYNTAX))
    stated = uid[0] if uid else ""
    data, start, written = _located(data, meta, stated)
    encoding = written or transfer_syntax.stated_encoding(stated) or EXPLICIT
    elements = elements_of(data, start, encoding, tags)
    for tag in elements.repeated - USED_WHEN_REPEATED:
        del elements.found[tag]
    dataset = Dataset(_raw(elements, encoding))
    dataset.set_original_encoding(encoding.implicit, encoding.little, _charset(elements))
    dataset.file_meta = FileMetaDataset(_raw(meta, EXPLICIT))
    pixels = elements.found.get(PIXEL_DATA)
    syntax = stated if pixels is None else _true_syntax(stated, encoding, *pixels, dataset)
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    other = stated not in {"", transfer_syntax.GE_PRIVATE, syntax}
    notes = _notes(elements, dataset, other_syntax=other)
    # What does not begin like a data set is damaged, however it ends.
    cut_off = meta.cut_off or (elements.cut_off and (written is not None or bool(elements.found)))
    return Parsed(dataset, syntax, cut_off, tuple(notes))


def _located(data: bytes, meta: Elements, stated: str) -> tuple[bytes, int, Encoding | None]:
    """Give the bytes with the data set, where it begins, and its encoding; None: not known."""
    start, length = meta.stop, meta.found.get(META_LENGTH)
    places = [start]
    if length is not None:
        places.append(length[0].next + int.from_bytes(length[1], "little"))
    claimed = transfer_syntax.stated_encoding(stated)
    for place in places:
        encoding = encoding_at(data, place, claimed)
        if encoding is not None:
            return data, place, encoding
    deflated = stated == DeflatedExplicitVRLittleEndian
    with nullcontext() if deflated else suppress(FilmError):
        content = transfer_syntax.inflated(data[start:])
        encoding = encoding_at(content, 0, EXPLICIT) if content else None
        if content is not None and (deflated or encoding is not None):
            return content, 0, encoding
    return data, start, None


def _true_syntax(
    stated: str, encoding: Encoding, pixels: Element, value: bytes, dataset: Dataset
) -> str:
    """Determine the transfer syntax; pixels of a private one are brought into little endian."""
    encapsulated = pixels.length == UNDEFINED
    syntax = transfer_syntax.true_syntax(stated, encoding, value, encapsulated=encapsulated)
    private = transfer_syntax.is_private(stated)
    if not encapsulated and (private or transfer_syntax.is_compressed(syntax)):
        sizes = [whole_number(dataset, key) for key in ("Rows", "Columns", "BitsAllocated")]
        samples = whole_number(dataset, "SamplesPerPixel") or 1
        need = math.prod(size or 0 for size in sizes) * samples // 8
        if all(sizes) and need <= len(value) <= need + 1:
            syntax = transfer_syntax.UNCOMPRESSED[EXPLICIT]
    columns, bits = (whole_number(dataset, keyword) for keyword in ("Columns", "BitsAllocated"))
    if not encapsulated and private and columns and bits == 16:
        dataset["PixelData"].value = transfer_syntax.in_little_endian(value, columns)
    return syntax


def _file_meta(data: bytes) -> Elements:
    """Read the file meta information, which ends where the data set begins."""
    start = 0
    if data.startswith(PREFIX, PREAMBLE):
        start = PREAMBLE + len(PREFIX)
    elif not data.startswith(BARE):
        found = data.find(PREFIX + META, 0, SEARCHED_FOR_PREFIX)
        start = found + len(PREFIX) if found >= 0 else 0
        start = PREAMBLE if found < 0 and data.startswith(META, PREAMBLE) else start
    return meta_of(data, start)


def _raw(elements: Elements, encoding: Encoding) -> dict[BaseTag, DataElement | RawDataElement]:
    return {
        BaseTag(tag): RawDataElement(BaseTag(tag), element.vr, element.length, value, 0, *encoding)
        for tag, (element, value) in elements.found.items()
    }


def _charset(elements: Elements) -> list[str]:
    """Give the character sets of texts: those stated, else UTF-8 where a text is valid UTF-8."""
    stated = _text(elements, CHARACTER_SET)
    if stated.strip("\\ "):
        terms = [term.strip() for term in stated.split("\\")]
        found = convert_encodings(terms)
        if found != [LATIN_1] or any(term in LATIN_1_TERMS for term in terms):
            return found
    for _, value in elements.found.values():
        if len(value) > MAX_TEXT or value.isascii():
            continue
        try:
            value.decode("utf-8")
        except UnicodeDecodeError:
            continue
        return [UTF_8]
    return [LATIN_1]


def _text(elements: Elements, tag: int) -> str:
    value = elements.found[tag][1] if tag in elements.found else b""
    return value.strip(b" \0").decode("ascii", "replace")


def _notes(elements: Elements, dataset: Dataset, *, other_syntax: bool) -> Iterator[Finding]:
    """Report what is odd, without any value."""
    several = [_keyword(tag) for tag in sorted(elements.repeated)]
    several += [
        _keyword(tag)
        for tag, (_, value) in sorted(elements.found.items())
        if tag not in elements.repeated and _has_several(dataset, tag, value)
    ]
    for keyword in several:
        used = "the first was used" if keyword in USED_ALONE else "none was used"
        message = f"The file contains several values for {keyword} where one is allowed; {used}."
        severity = Severity.NOTE if keyword in OF_THE_STUDY else Severity.WARNING
        yield Finding("several_values", severity, message)
    if elements.more_follows:
        yield Finding.warning(
            "more_follows",
            "The file continues with another image after the first, which was not analysed.",
        )
    if elements.skipped:
        yield Finding.note(
            "skipped_elements", "Some elements of the file could not be read, and were left out."
        )
    if other_syntax:
        yield Finding.note(
            "other_transfer_syntax",
            "The file is not encoded in the transfer syntax that it states; it was decoded as it "
            "is encoded.",
        )


def _keyword(tag: int) -> str:
    return keyword_for_tag(tag) or f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def _has_several(dataset: Dataset, tag: int, value: bytes) -> bool:
    """Whether an element that may have one value only has several that differ."""
    if tag == PIXEL_DATA or (b"\\" not in value[:MAX_TEXT] and tag >> 16 != GROUP_OF_NUMBERS):
        return False
    keyword = keyword_for_tag(tag)
    if not keyword or keyword in SIDES or dictionary_VM(tag) != "1":
        return False
    return len(texts_of(dataset, keyword)) > 1
