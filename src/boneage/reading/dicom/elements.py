"""From the bytes of a DICOM data set to its raw elements, also of non-conformant files.

Old devices and converters write elements that the standard does not know: a blank value
representation, a length in another place, a sequence whose item is shorter than it is. A
parser that trusts one of them reads everything behind it as garbage. Here each element is
accepted only when another one, or the end, follows it; else it is measured in the other ways
that are in use, and what cannot be measured is left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pydicom._dicom_dict import DicomDictionary
from pydicom.datadict import repeater_has_tag
from pydicom.valuerep import VR

KNOWN_VRS = frozenset(vr.value.encode() for vr in VR if len(vr.value) == 2)
LONG_VRS = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
"""Of which the length has four bytes, after two reserved ones (PS3.5, 7.1.2)."""
GROUPS = frozenset(tag >> 16 for tag in DicomDictionary)
UNDEFINED = 0xFFFFFFFF
PIXEL_DATA = 0x7FE00010
META, IDENTIFYING, DELIMITERS = 0x0002, 0x0008, 0xFFFE
"""Groups: the file meta information; what a data set begins with; items, and their ends."""
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
HEADER = 8
"""Bytes of the shortest element."""
MAX_DEPTH = 16
"""Of sequences within sequences; no image has as many."""
CUT_VALUE = 2**16
"""Longest value of an element that the end of the file may cut."""
SEARCHED = 2**16
"""Bytes behind an element that cannot be measured, within which another one is searched for."""
MOST_RESUMED = 8


class Encoding(NamedTuple):
    """How the elements of a data set are written."""

    implicit: bool
    little: bool


EXPLICIT = Encoding(implicit=False, little=True)
IMPLICIT = Encoding(implicit=True, little=True)
BIG = Encoding(implicit=False, little=False)
IMPLICIT_BIG = Encoding(implicit=True, little=False)


class Element(NamedTuple):
    """The place of an element."""

    tag: int
    vr: str | None
    """None where none is stated that DICOM knows."""
    length: int
    start: int
    stop: int
    """Of the value; beyond the data where they are cut off."""
    next: int


@dataclass
class Elements:
    """The elements of a data set."""

    found: dict[int, tuple[Element, bytes]] = field(default_factory=dict)
    repeated: set[int] = field(default_factory=set)
    """Tags that are there twice, with two values; the first is found."""
    skipped: bool = False
    """Whether something between the elements could not be read."""
    cut_off: bool = False
    """Whether the data end within an element."""
    more_follows: bool = False
    """Whether another data set follows."""
    stop: int = 0
    """Where the last element ends."""


def meta_of(data: bytes, start: int) -> Elements:
    """Find the elements of the file meta information, whatever length it states."""
    return elements_of(data, start, EXPLICIT, only_group=META)


def elements_of(
    data: bytes,
    start: int,
    encoding: Encoding,
    wanted: frozenset[int] | None = None,
    *,
    only_group: int | None = None,
) -> Elements:
    """Find the elements at the top, with the values of the ``wanted`` tags (all but long ones)."""
    reader = _ElementReader(data, encoding, only_group)
    result = Elements()
    position, previous, resumed = start, -1, 0
    while position + HEADER <= len(data) and not reader.leaves_group(position):
        element = reader.element(position, previous)
        if element is None:
            if PIXEL_DATA in result.found:
                break  # what follows the pixels is no element, and needed by nobody
            after = reader.resume(position, previous) if resumed < MOST_RESUMED else None
            if after is None:
                result.cut_off = reader.overruns(position)
                result.skipped = True
                break
            position, resumed, result.skipped = after, resumed + 1, True
            continue
        if PIXEL_DATA in result.found and element.tag < PIXEL_DATA:
            break  # of another data set
        if element.tag >> 16 != DELIMITERS:
            _add(result, element, data, wanted)
            previous = element.tag
        result.cut_off |= element.stop > len(data)
        position = element.next
    result.stop = position
    if PIXEL_DATA not in result.found and only_group is None:
        result.cut_off |= 0 < len(data) - position < HEADER
    if PIXEL_DATA in result.found:
        anew = _ElementReader(data, encoding, IDENTIFYING)
        result.more_follows = data[position + 128 : position + 132] == b"DICM" or (
            not anew.leaves_group(position) and anew.element(position, -1) is not None
        )
    return result


def _add(result: Elements, element: Element, data: bytes, wanted: frozenset[int] | None) -> None:
    value = data[element.start : element.stop]
    if wanted is not None:
        taken = element.tag in wanted
    elif element.tag == PIXEL_DATA:
        taken, value = True, b""
    else:
        taken = element.tag < PIXEL_DATA and element.stop - element.start <= CUT_VALUE
    # Half of a compressed image may look like a whole one once it is decoded.
    if not taken or (element.length == UNDEFINED and element.stop > len(data)):
        return
    if element.tag not in result.found:
        result.found[element.tag] = element, value
    elif result.found[element.tag][1].strip(b" \0") != value.strip(b" \0"):
        result.repeated.add(element.tag)


def encoding_at(data: bytes, start: int, stated: Encoding | None) -> Encoding | None:
    """Give the encoding that the first elements are in, the stated one if it can be; else None."""
    others = (EXPLICIT, IMPLICIT, BIG, IMPLICIT_BIG)
    for encoding in others if stated is None else (stated, *others):
        if _ElementReader(data, encoding).begins_well(start):
            return encoding
    return None


class _ElementReader:
    """Measures elements, each at its place."""

    def __init__(self, data: bytes, encoding: Encoding, only_group: int | None = None) -> None:
        self.data, self.end, self.only_group = data, len(data), only_group
        self.encoding = encoding
        self.order: Literal["little", "big"] = "little" if encoding.little else "big"

    def element(self, position: int, previous: int) -> Element | None:
        """Measure the element at a place; None where it makes no sense."""
        tag = self._tag(position)
        if tag >> 16 == DELIMITERS:  # one too many, behind a sequence
            stray = tag in {ITEM_END, SEQUENCE_END} and not self._number(position + 4, 4)
            return (
                Element(tag, None, 0, position + 8, position + 8, position + 8) if stray else None
            )
        first = None
        for vr, length, start in self._candidates(position):
            element = self._measured(tag, vr, length, start)
            if element is None:
                continue
            if element.next == self.end or self._plausible(element.next, tag):
                return element
            if first is None:
                first = element
        if tag == PIXEL_DATA and previous < tag:
            return first  # they may end early, or have anything behind them
        if first is None or tag <= previous or not _known(tag):
            return None
        if first.stop > self.end:
            return first if self._may_be_cut(first, previous) else None
        # Either its length is wrong, or what follows it is odd.
        after = self.resume(position, tag)
        return first if after is not None and after >= first.next else None

    def leaves_group(self, position: int) -> bool:
        """Whether another group than the only one begins here."""
        return self.only_group is not None and self._tag(position) >> 16 != self.only_group

    def overruns(self, position: int) -> bool:
        """Whether an element that DICOM defines is stated to end beyond the data."""
        if not _known(self._tag(position)):
            return False
        _, length, start = next(self._candidates(position))
        return length == UNDEFINED or start + length > self.end

    def begins_well(self, position: int) -> bool:
        """Whether three elements, or all, are here just as the encoding has them."""
        previous = -1
        for _ in range(3):
            if position == self.end and previous >= 0:
                return True
            if position + HEADER > self.end:
                return False
            tag = self._tag(position)
            vr, length, start = next(self._candidates(position))
            element = self._measured(tag, vr, length, start)
            sound = tag > previous and (_known(tag) or tag & 0xFFFF == 0 or tag >> 16 & 1)
            if element is None or not sound or (vr is None) != self.encoding.implicit:
                return False
            if element.stop > self.end:
                return previous >= 0 or tag == PIXEL_DATA
            position, previous = element.next, tag
        return True

    def resume(self, position: int, previous: int) -> int | None:
        """Find the next place that certainly begins an element, behind one that cannot be read."""
        for place in range(position + 2, min(self.end - HEADER, position + SEARCHED)):
            tag = self._tag(place)
            if not previous < tag <= PIXEL_DATA or tag not in DicomDictionary:
                continue
            vr, length, start = next(self._candidates(place))
            if not self.encoding.implicit and vr not in str(DicomDictionary[tag][0]).split(" or "):
                continue
            element = self._measured(tag, vr, length, start)
            if element is None or element.stop > self.end:
                continue
            if tag == PIXEL_DATA:  # not those of an icon, within a sequence
                if not self.data[element.next :].strip(b" \0"):
                    return place
            elif self._plausible(element.next, tag):
                following = self.element(element.next, tag)
                if following is not None and following.tag > tag:
                    return place
        return None

    def _candidates(self, position: int) -> Iterator[tuple[str | None, int, int]]:
        """Give the ways to read a header, the most likely first: VR, length, start of the value."""
        letters = self.data[position + 4 : position + 6]
        short = self._number(position + 6, 2), position + 8
        long = self._number(position + 8, 4), position + 12
        implicit = (None, self._number(position + 4, 4), position + 8)
        if self.encoding.implicit:
            yield implicit
        if letters in LONG_VRS:
            yield (letters.decode(), *long)
            if short[0]:
                yield (letters.decode(), *short)
        elif letters in KNOWN_VRS:
            yield (letters.decode(), *short)
        elif letters.isascii() and letters.decode().isprintable():
            yield (None, *short)
            if not short[0]:
                yield (None, *long)
        elif not self.encoding.implicit:
            yield implicit
            yield (None, *short)
            return
        if not self.encoding.implicit:
            yield implicit

    def _measured(self, tag: int, vr: str | None, length: int, start: int) -> Element | None:
        if start > self.end:
            return None
        if length != UNDEFINED:
            return Element(tag, vr, length, start, start + length, start + length)
        if tag == PIXEL_DATA:
            stop, after = self._fragments(start)
            return Element(tag, vr, length, start, stop, after)
        ends = self._items(start, tag, implicit=vr == "UN" or self.encoding.implicit)
        return None if ends is None else Element(tag, vr, length, start, *ends)

    def _plausible(self, position: int, previous: int) -> bool:
        """Whether an element may begin here."""
        if position > self.end:
            return False
        if position + HEADER > self.end or self.leaves_group(position):
            return True
        tag = self._tag(position)
        if tag >> 16 == DELIMITERS:
            return tag in {ITEM_END, SEQUENCE_END} and not self._number(position + 4, 4)
        if self.encoding.implicit:
            return self._plausible_without_vr(position, tag, previous)
        stated = self.data[position + 4 : position + 6] in KNOWN_VRS
        return (_known(tag) and (stated or tag > previous)) or (stated and tag > previous)

    def _plausible_without_vr(self, position: int, tag: int, previous: int) -> bool:
        length = self._number(position + 4, 4)
        fits = length == UNDEFINED or position + HEADER + length <= self.end
        if _known(tag):
            return fits or (tag > previous and (tag == PIXEL_DATA or length < CUT_VALUE))
        return fits and tag > previous and (tag >> 16 & 1 == 1 or tag & 0xFFFF == 0)

    def _may_be_cut(self, element: Element, previous: int) -> bool:
        """Whether an element is cut off by the end of the data, not by a wrong length."""
        stated = not self.encoding.implicit and element.vr is not None
        long = stated and element.vr in {"OB", "OW", "UN", "UT", "SQ"}
        return (element.length < CUT_VALUE or long) and not self.resume(element.start, previous)

    def _fragments(self, position: int) -> tuple[int, int]:
        """Give where encapsulated pixels end, and what follows them begins."""
        start = position
        while position + HEADER <= self.end:
            tag = self._tag(position)
            if tag == SEQUENCE_END:
                return position, position + HEADER
            if tag != ITEM:
                break
            position += HEADER + self._number(position + 4, 4)
            if position > self.end:
                break
        if position == self.end:
            return position, position  # only the delimiter is missing
        found = self.data.rfind(self._sequence_end, start)
        if found >= 0:
            return found, found + HEADER
        return self.end + 1, self.end + 1

    def _items(
        self, position: int, tag: int, *, implicit: bool, depth: int = 0
    ) -> tuple[int, int] | None:
        """Give where a sequence without a length ends, and what follows it begins."""
        start = position
        while depth < MAX_DEPTH and position + HEADER <= self.end:
            item = self._tag(position)
            if item == SEQUENCE_END:
                return position, position + HEADER
            if item != ITEM:
                break
            length = self._number(position + 4, 4)
            position += HEADER
            after = self._item(position, implicit=implicit, depth=depth)
            position = position + length if length != UNDEFINED else after or self.end
        # The length of an item is wrong: take the end that another element follows.
        mark = self._sequence_end + b"\0\0\0\0"
        found = self.data.find(mark, start)
        while found >= 0:
            if depth or self._plausible(found + HEADER, tag):
                return found, found + HEADER
            found = self.data.find(mark, found + 1)
        return None

    def _item(self, position: int, *, implicit: bool, depth: int) -> int | None:
        """Walk through an item without a length; give where it ends."""
        encoding = Encoding(implicit, self.encoding.little)
        reader = self if encoding == self.encoding else _ElementReader(self.data, encoding)
        while position + HEADER <= self.end:
            tag = reader._tag(position)
            if tag == ITEM_END:
                return position + HEADER
            vr, length, start = next(reader._candidates(position))
            if tag >> 16 == DELIMITERS or start > self.end:
                return None
            if length == UNDEFINED:
                unknown = vr == "UN" or reader.encoding.implicit
                ends = reader._items(start, tag, implicit=unknown, depth=depth + 1)
                if ends is None:
                    return None
                position = ends[1]
            else:
                position = start + length
        return None

    def _tag(self, position: int) -> int:
        return self._number(position, 2) << 16 | self._number(position + 2, 2)

    def _number(self, position: int, size: int) -> int:
        return int.from_bytes(self.data[position : position + size], self.order)

    @property
    def _sequence_end(self) -> bytes:
        return b"\xfe\xff\xdd\xe0" if self.encoding.little else b"\xff\xfe\xe0\xdd"


def _known(tag: int) -> bool:
    of_a_group = tag & 0xFFFF == 0 and tag >> 16 in GROUPS  # its length
    return tag in DicomDictionary or of_a_group or repeater_has_tag(tag)
