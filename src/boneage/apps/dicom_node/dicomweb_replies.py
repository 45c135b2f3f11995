"""The replies of a DICOMweb archive, parsed: rows, objects, and what it stored.

No header of a reply is trusted unchecked: a login page comes with status 200, a content type
may be anything, and a boundary may be quoted or missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from pydicom.datadict import tag_for_keyword

from boneage.apps.dicom_node.settings import NodeError

Row: TypeAlias = Mapping[str, Any]
"""One dataset in the DICOM JSON model (PS3.18, F)."""
UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
"""What may be part of an address: longer, and of more characters, than a valid UID."""
TAG = re.compile(r"[0-9A-Fa-f]{8}")
MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
DUPLICATE = 0x0111
"""PS3.7, C.5.8: the archive has the object already."""
MAGIC_AT, MAGIC = 128, b"DICM"
DICOM_TYPES = {"", "application/dicom", "application/octet-stream"}


class ArchiveError(NodeError):
    """An archive that does not provide, or does not store, what was requested."""


def value_of(row: Row, keyword: str) -> str:
    """Give an element's first value as text, by its DICOM keyword; empty where there is none."""
    values = _values(row, keyword)
    value = values[0] if values else None
    return str(value).strip(" \0") if isinstance(value, str | int | float) else ""


def uid_of(row: Row, keyword: str) -> str:
    """Give an element's UID; empty where there is none that an address could hold."""
    text = value_of(row, keyword)
    return text if UID.fullmatch(text) else ""


def number_of(row: Row, keyword: str) -> int:
    """Give an element's whole number; 0 where there is none."""
    text = value_of(row, keyword)
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def items_of(row: Row, keyword: str) -> list[Row]:
    """Give the items of a sequence."""
    return [item for item in _values(row, keyword) if isinstance(item, dict)]


def _values(row: Row, keyword: str) -> list[Any]:
    tag = f"{tag_for_keyword(keyword):08X}"
    element = row.get(tag, row.get(tag.lower()))
    values = element.get("Value") if isinstance(element, dict) else None
    if values is None:
        return []
    return values if isinstance(values, list) else [values]


def rows_of(content_type: str, body: bytes) -> list[Row]:
    """Read the rows of a search, or datasets without their pixels.

    None of an empty body, which goes with status 204 and some archives' 200; an `ArchiveError`
    when it is anything but DICOM JSON.
    """
    if not body.strip():
        return []
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ArchiveError(f"responds with {kind_of(content_type, body)}, not with DICOM JSON")
    return rows


def _is_row(row: Any) -> bool:
    """Whether it is a dataset: some archives describe an error with status 200."""
    return isinstance(row, dict) and (not row or any(TAG.fullmatch(key) for key in row))


def kind_of(content_type: str, body: bytes) -> str:
    """Name the content of an unexpected reply."""
    media_type = _header(content_type).get_content_type() if content_type else ""
    start = body[:1024].lstrip().lower()
    if media_type == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), such as a login page"
    return media_type if MEDIA_TYPE.fullmatch(media_type) else "content of no stated type"


def objects_of(content_type: str, body: bytes) -> list[bytes]:
    """Take the DICOM files out of a reply of WADO-RS; an `ArchiveError` when there is none."""
    if not body:
        raise ArchiveError("sends nothing")
    header = _header(content_type)
    if not header.get_content_type().startswith("multipart/"):
        if _is_file(body) or header.get_content_type() == "application/dicom":
            return [body]
        raise ArchiveError(f"sends {kind_of(content_type, body)} in place of a DICOM file")
    try:
        boundary = header.get_boundary() or ""
    except Exception:  # invalid continuations (RFC 2231) trip the library in many ways
        boundary = ""
    objects = []
    for part_type, content in _parts(body, boundary.encode("latin-1", "replace")):
        kind = _header(part_type).get_content_type() if part_type else ""
        if not _is_file(content) and kind not in DICOM_TYPES:
            raise ArchiveError(f"sends {kind_of(part_type, content)} in place of a DICOM file")
        if content:
            objects.append(content)
    if not objects:
        raise ArchiveError("sends no DICOM file")
    return objects


def _is_file(content: bytes) -> bool:
    return content.startswith(MAGIC, MAGIC_AT)


def _header(content_type: str) -> Message:
    header = Message()
    header["Content-Type"] = content_type or "application/octet-stream"
    return header


def _parts(body: bytes, boundary: bytes) -> Iterator[tuple[str, bytes]]:
    """Split a multipart body; give the content type and content of each part.

    A part that no boundary follows lasts to the end; its parser checks that it is complete.
    """
    if not boundary or b"--" + boundary not in body:  # stated wrongly: the first line is it
        first = re.match(rb"\s*--([^\r\n]{1,70}?)(?:--)?[ \t]*(?:\r?\n|\Z)", body)
        if first is None:
            yield "", body
            return
        boundary = first[1]
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    found = list(delimiter.finditer(body))
    for place, start in enumerate(found):
        if start[1]:
            return
        # The line end before a boundary may be the one that ended the line before.
        end = found[place + 1].start() if place + 1 < len(found) else len(body)
        head, blank, content = _split(body[start.end() : max(end, start.end())])
        if blank or head.strip():
            stated = re.search(r"(?im)^content-type:[ \t]*([^\r\n]*)", head.decode("latin-1"))
            yield stated[1].strip() if stated else "", content


def _split(part: bytes) -> tuple[bytes, bool, bytes]:
    """Give the headers of a part, whether a blank line ends them, and the content."""
    if part.startswith((b"\r\n", b"\n")):  # no headers at all
        return b"", True, part.partition(b"\n")[2]
    blank = re.search(rb"\r?\n\r?\n", part)
    if blank is None:
        return part, False, b""
    return part[: blank.start()], True, part[blank.end() :]


@dataclass(frozen=True)
class StoreResult:
    """The outcome of STOW-RS for one object (PS3.18, I.2)."""

    stored: bool
    failure: int | None = None
    """Why it was refused; 0: no reason is given; None: it was not."""
    warning: int | None = None
    """The warning of an object that was stored."""


def store_result_of(content_type: str, body: bytes, uid: str) -> StoreResult:
    """Read whether an archive stored an object; False where the reply does not name it.

    An `ArchiveError` when the reply is neither DICOM JSON nor its XML.
    """
    is_xml = body.lstrip().startswith(b"<?xml")
    for row in _rows_of_xml(body) if is_xml else rows_of(content_type, body):
        for sequence in ("FailedSOPSequence", "OtherFailuresSequence"):
            for item in items_of(row, sequence):
                if value_of(item, "ReferencedSOPInstanceUID") in {uid, ""}:
                    reason = number_of(item, "FailureReason")
                    there = reason == DUPLICATE
                    return StoreResult(stored=there, failure=None if there else reason)
        for item in items_of(row, "ReferencedSOPSequence"):
            if value_of(item, "ReferencedSOPInstanceUID") == uid:
                return StoreResult(stored=True, warning=number_of(item, "WarningReason") or None)
    return StoreResult(stored=False)


def _rows_of_xml(body: bytes) -> list[Row]:
    """Read a dataset in the Native DICOM Model (PS3.19, A.1), as some archives respond."""
    try:
        # No external entities are opened, and expat stops one that grows.
        return [_xml_item(ET.fromstring(body))]  # noqa: S314
    except ET.ParseError:
        raise ArchiveError("responds with damaged XML") from None


def _xml_item(element: ET.Element) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for attribute in element:
        values: list[Any] = []
        for child in attribute:
            kind = child.tag.rpartition("}")[2]
            if kind == "Item":
                values.append(_xml_item(child))
            elif kind == "Value":
                values.append(child.text or "")
        row[attribute.get("tag", "").upper()] = {"Value": values}
    return row
