"""What a DICOMweb archive answered, read from the bytes: rows, objects, and receipts.

Nothing that an archive states of its own answer is believed unchecked: a login page comes
with status 200, a content type may be anything, and a boundary may be quoted or missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, TypeAlias
from xml.etree import ElementTree as ET

from boneage.apps.dicom_node.settings import NodeError

Row: TypeAlias = Mapping[str, Any]
"""One dataset in the DICOM JSON model (PS3.18, F)."""

SOP_CLASS, SOP_INSTANCE = "00080016", "00080018"
MODALITY, MADE_BY = "00080060", "00080070"
STUDY, SERIES = "0020000D", "0020000E"
SERIES_IN_STUDY, INSTANCES_IN_SERIES = "00201206", "00201209"
SOURCE_IMAGES, EVIDENCE = "00082112", "0040A375"
REFERENCED_SERIES, REFERENCED_SOPS, REFERENCED_UID = "00081115", "00081199", "00081155"
FAILED_SOPS, OTHER_FAILURES = "00081198", "0008119A"
FAILURE_REASON, WARNING_REASON = "00081197", "00081196"

UID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
"""What may stand in an address: longer, and of more signs, than UIDs should be."""
TAG = re.compile(r"[0-9A-Fa-f]{8}")
MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,60}")
DUPLICATE = 0x0111
"""PS3.7, C.5.8: the archive has the object already."""
MAGIC_AT, MAGIC = 128, b"DICM"
DICOM_TYPES = {"", "application/dicom", "application/octet-stream"}


class ArchiveError(NodeError):
    """An archive that does not give, or does not take, what it was asked for."""


def value_of(row: Row, tag: str) -> str:
    """Give an element's first value as text; empty where there is none.

    Parameters
    ----------
    row : Row
    tag : str
        Eight hexadecimal digits, capital letters.
    """
    values = _values(row, tag)
    value = values[0] if values else None
    return str(value).strip(" \0") if isinstance(value, str | int | float) else ""


def uid_of(row: Row, tag: str) -> str:
    """Give an element's UID; empty where there is none that an address could hold."""
    text = value_of(row, tag)
    return text if UID.fullmatch(text) else ""


def number_of(row: Row, tag: str) -> int:
    """Give an element's whole number; 0 where there is none."""
    text = value_of(row, tag)
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else 0


def items_of(row: Row, tag: str) -> list[Row]:
    """Give the items of a sequence."""
    return [item for item in _values(row, tag) if isinstance(item, dict)]


def _values(row: Row, tag: str) -> list[Any]:
    element = row.get(tag, row.get(tag.lower()))
    values = element.get("Value") if isinstance(element, dict) else None
    if values is None:
        return []
    return values if isinstance(values, list) else [values]


def rows_of(content_type: str, body: bytes) -> list[Row]:
    """Read the rows of a search, or datasets without their pixels.

    Returns
    -------
    list of Row
        None of an empty body, which goes with status 204 and some archives' 200.

    Raises
    ------
    ArchiveError
        When it is anything but DICOM JSON.
    """
    if not body.strip():
        return []
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    rows = [found] if isinstance(found, dict) else found
    if not isinstance(rows, list) or not all(_is_row(row) for row in rows):
        raise ArchiveError(f"answers with {kind_of(content_type, body)}, not with DICOM JSON")
    return rows


def _is_row(row: Any) -> bool:
    """Whether it is a dataset: some archives answer an error's description with status 200."""
    return isinstance(row, dict) and (not row or any(TAG.fullmatch(key) for key in row))


def kind_of(content_type: str, body: bytes) -> str:
    """Name what came in place of what was asked for."""
    media_type = _header(content_type).get_content_type() if content_type else ""
    if not MEDIA_TYPE.fullmatch(media_type):
        media_type = ""
    start = body[:1024].lstrip().lower()
    if media_type == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        return "a web page (HTML), such as a login page"
    return media_type or "something of no stated type"


def objects_of(content_type: str, body: bytes) -> list[bytes]:
    """Take the DICOM files out of an answer of WADO-RS.

    Raises
    ------
    ArchiveError
        When there is none.
    """
    header = _header(content_type)
    if not body:
        raise ArchiveError("sends nothing")
    if not header.get_content_type().startswith("multipart/"):
        if _is_file(body) or header.get_content_type() == "application/dicom":
            return [body]
        raise ArchiveError(f"sends {kind_of(content_type, body)} in place of a DICOM file")
    try:
        boundary = header.get_boundary() or ""
    except Exception:  # what continues nothing (RFC 2231) trips the library in many ways
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


def _parts(body: bytes, boundary: bytes) -> list[tuple[str, bytes]]:
    """Split a multipart body; give the content type and content of each part.

    A part that is not followed by a boundary lasts to the end: whether it is whole, its
    reader tells.
    """
    if not boundary or b"--" + boundary not in body:  # stated wrongly: the first line is it
        first = re.match(rb"\s*--([^\r\n]{1,70}?)(?:--)?[ \t]*(?:\r?\n|\Z)", body)
        if first is None:
            return [("", body)]
        boundary = first[1]
    delimiter = re.compile(rb"(?:\A|\r?\n)--" + re.escape(boundary) + rb"(--)?[ \t]*(?:\r?\n|\Z)")
    found = list(delimiter.finditer(body))
    parts = []
    for place, start in enumerate(found):
        if start[1]:
            break
        # The line end before a boundary may be the one that ended the line before.
        end = found[place + 1].start() if place + 1 < len(found) else len(body)
        head, blank, content = _split(body[start.end() : max(end, start.end())])
        if blank or head.strip():
            parts.append((_part_type(head), content))
    return parts


def _split(part: bytes) -> tuple[bytes, bool, bytes]:
    if part.startswith((b"\r\n", b"\n")):  # no headers at all
        return b"", True, part.partition(b"\n")[2]
    blank = re.search(rb"\r?\n\r?\n", part)
    return (
        (part, False, b"") if blank is None else (part[: blank.start()], True, part[blank.end() :])
    )


def _part_type(head: bytes) -> str:
    found = re.search(r"(?im)^content-type:[ \t]*([^\r\n]*)", head.decode("latin-1"))
    return found[1].strip() if found else ""


@dataclass(frozen=True)
class Receipt:
    """What an answer of STOW-RS says of one object (PS3.18, I.2)."""

    taken: bool
    failure: int | None = None
    """Why it was refused, where that is said; 0: no reason is given."""
    warning: int | None = None
    """What was changed or doubted, though it was taken."""


def receipt_of(content_type: str, body: bytes, uid: str) -> Receipt:
    """Read whether an archive took an object; what says nothing of it is no receipt.

    Raises
    ------
    ArchiveError
        When the answer is neither DICOM JSON nor its XML.
    """
    rows = [_row_of_xml(body)] if body.lstrip().startswith(b"<?xml") else None
    for row in rows_of(content_type, body) if rows is None else rows:
        for tag in (FAILED_SOPS, OTHER_FAILURES):
            for item in items_of(row, tag):
                if value_of(item, REFERENCED_UID) in {uid, ""}:
                    reason = number_of(item, FAILURE_REASON)
                    there = reason == DUPLICATE
                    return Receipt(taken=there, failure=None if there else reason)
        for item in items_of(row, REFERENCED_SOPS):
            if value_of(item, REFERENCED_UID) == uid:
                return Receipt(taken=True, warning=number_of(item, WARNING_REASON) or None)
    return Receipt(taken=False)


def _row_of_xml(body: bytes) -> Row:
    """Read a dataset in the Native DICOM Model (PS3.19, A.1), as some archives answer."""
    try:
        # No external entities are opened, and expat stops one that grows.
        return _xml_item(ET.fromstring(body))  # noqa: S314
    except ET.ParseError:
        raise ArchiveError("answers with XML that is damaged") from None


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
