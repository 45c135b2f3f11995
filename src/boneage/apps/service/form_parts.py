"""The parts of a multipart form, as browsers, scripts and mail-like libraries write them.

Starlette's parser splits the parts; their headers are parsed here: names that are
percent-encoded or encoded as in mail (RFC 5987, 2047), other charsets, and transfer
encodings. Files stay in memory, whatever their size; the stream is limited.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import quopri
import re
from collections.abc import AsyncGenerator, Mapping
from email.header import decode_header, make_header
from email.message import Message
from email.utils import collapse_rfc2231_value
from typing import TypeAlias

from starlette.datastructures import FormData, Headers
from starlette.formparsers import MultiPartException, MultiPartParser

Parameter: TypeAlias = str | tuple[str | None, str | None, str]
"""A value, or charset, language and value."""
IDENTITY = frozenset(("", "7bit", "8bit", "binary"))
ENCODED_WORD = re.compile(r"=\?[^?]+\?[QqBb]\?[^?]*\?=")
FILE_PART = "film"
"""Is a file even without a file name."""


class FormPartsParser(MultiPartParser):
    """Parses a form whose parts may be encoded."""

    spool_max_size = 2**62

    def __init__(
        self, headers: Headers, stream: AsyncGenerator[bytes, None], **limits: int
    ) -> None:
        super().__init__(headers, stream, **limits)
        self._ended = False
        self._texts: dict[int, tuple[bytes, str | None]] = {}
        """The fields by their index: a later one may state their charset."""

    def on_end(self) -> None:
        """Note that the last boundary was received."""
        self._ended = True

    def on_headers_finished(self) -> None:
        """Parse the headers of a part, and distinguish files from fields."""
        part = self._current_part
        disposition = (part.content_disposition or b"").decode("latin-1")
        parameters = _parameters(disposition)
        name = _parameter(parameters, "name", self._charset)
        if name is None:
            raise MultiPartException("a part has no name in its header Content-Disposition")
        filename = _parameter(parameters, "filename", self._charset)
        is_file = filename is not None or name.strip().lower() == FILE_PART
        # Starlette counts the parts and opens the files; it does not decode such names.
        part.content_disposition = b'form-data; name="x"' + b'; filename="x"' * is_file
        charset, self._charset = self._charset, "ascii"
        super().on_headers_finished()
        self._charset = charset
        part.field_name = name.strip().lower()
        if part.file is not None:
            part.file.filename = filename or ""

    def on_part_end(self) -> None:
        """Decode the transfer encoding of a field; that of a file is decoded later."""
        part = self._current_part
        if part.file is None:
            headers = Headers(raw=part.item_headers)
            content = decoded(bytes(part.data), headers)
            self._texts[len(self.items)] = content, _charset_of(headers)
            self.items.append((part.field_name, ""))
        else:
            super().on_part_end()

    async def parse(self) -> FormData:
        """Parse the form; a `MultiPartException` when it is invalid or incomplete."""
        form = await super().parse()
        if not self._ended:
            await form.close()
            raise MultiPartException("it ends before its last boundary; send it again")
        stated = [content for place, (content, _) in self._texts.items() if self._is_charset(place)]
        charset = stated[0].decode("latin-1").strip() if stated else self._charset
        items = [
            (name, _text(self._texts[place][0], self._texts[place][1] or charset))
            if place in self._texts
            else (name, value)
            for place, (name, value) in enumerate(self.items)
            if not self._is_charset(place)
        ]
        return FormData(items)

    def _is_charset(self, place: int) -> bool:
        """Whether a field is the one by which a form names its charset (RFC 7578, 4.6)."""
        return place in self._texts and self.items[place][0] == "_charset_"


def decoded(content: bytes, headers: Mapping[str, str]) -> bytes:
    """Decode a part's transfer encoding; a `MultiPartException` when unknown or invalid."""
    encoding = headers.get("content-transfer-encoding", "").strip().lower()
    if encoding in IDENTITY:
        return content
    if encoding == "quoted-printable":
        return quopri.decodestring(content)
    if encoding != "base64":
        raise MultiPartException(f"a part has the unknown transfer encoding {encoding[:40]!r}")
    try:
        return base64.b64decode(b"".join(content.split()), validate=True)
    except binascii.Error:
        raise MultiPartException("the content of a part is not valid base64") from None


def _parameters(disposition: str) -> list[tuple[str, Parameter]]:
    message = Message()
    message["Content-Disposition"] = re.sub(r"[\r\n]+", " ", disposition)
    try:
        return list(message.get_params([], header="Content-Disposition"))
    except Exception:  # invalid continuations (RFC 2231) trip the library in many ways
        raise MultiPartException("a part's header Content-Disposition is damaged") from None


def _parameter(parameters: list[tuple[str, Parameter]], name: str, charset: str) -> str | None:
    """Give a parameter; one with a star takes precedence."""
    found = [value for key, value in parameters if key.lower() == name]
    for value in found:
        if isinstance(value, tuple):
            try:
                return collapse_rfc2231_value(value)
            except ValueError:  # an unknown charset
                return value[2]
    plain = [value for value in found if isinstance(value, str)]
    if not plain:
        return None
    text = _text(plain[0].encode("latin-1", "replace"), charset)
    if not ENCODED_WORD.search(text):
        return text
    try:
        return str(make_header(decode_header(text)))
    except (ValueError, LookupError):  # not an encoded word
        return text


def _charset_of(headers: Mapping[str, str]) -> str | None:
    message = Message()
    message["Content-Type"] = headers.get("content-type", "text/plain")
    return message.get_content_charset()


def _text(content: bytes, charset: str) -> str:
    """Decode a text; ASCII is ASCII, whatever charset is stated."""
    if content.isascii() and b"\0" not in content:
        return content.decode("ascii")
    for name in (charset, "utf-8"):
        try:
            return content.decode(codecs.lookup(name).name)
        except (UnicodeError, LookupError):
            continue
    return content.decode("latin-1")
