"""An image and its options from a multipart form; nothing is written to the disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from boneage.apps.service.form_parts import FormPartsParser, decoded
from boneage.apps.service.openapi import FIELDS, FILM, MAX_FIELD_BYTES
from boneage.apps.service.problems import HttpProblem
from boneage.clinical.bone_age_references import SHIPPED
from boneage.domain.child import Child, child_of, parse_fields
from boneage.domain.radiograph import Sex
from boneage.errors import LevelError
from boneage.i18n.words import ENGLISH, words_of
from boneage.reading.source import NamedFile
from boneage.reports.exports import PAPERS

MAX_FIELDS, MAX_FILES = 64, 8
"""Above what a valid form has, so that errors can be reported precisely."""
MAX_NAME = 255
DRAIN_SECONDS = 5.0
YES, NO = {"true", "1", "yes"}, {"false", "0", "no", ""}


@dataclass(frozen=True)
class ImageUpload:
    """The bytes of one image, and its file name without folder."""

    name: str = field(repr=False)
    data: bytes = field(repr=False)

    def file(self) -> BinaryIO:
        """Open it for the readers."""
        return NamedFile(self.data, self.name)


@dataclass(frozen=True)
class RequestOptions:
    """The child's data, and how the image is to be analysed and reported."""

    sex: Sex | None = None
    child: Child = field(default_factory=Child)
    level: float | None = None
    force: bool = False
    language: str = ENGLISH
    paper: str = "a4"
    pseudonym: str | None = field(default=None, repr=False)


async def receive_form(request: Request, max_bytes: int) -> tuple[ImageUpload, RequestOptions]:
    """Read an image and its options from a request.

    Raises an `HttpProblem`: 400, 415 or 422 when it is not such a form, 413 when it is longer than
    ``max_bytes``, whatever its headers state; a `BoneageError` when a field's value is invalid.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise HttpProblem(
            415, "no_form", "send the image as multipart/form-data, in the field 'film'"
        )
    misplaced = [name for name in request.query_params if name.lower() in FIELDS]
    if misplaced:
        detail = f"the field {misplaced[0][:40]!r} is in the address; send it in the form"
        raise HttpProblem(422, "misplaced_field", detail)
    stated = request.headers.get("content-length", "")
    if re.fullmatch(r"[0-9]{1,18}", stated) and int(stated) > max_bytes:
        raise _too_large(max_bytes)
    parser = FormPartsParser(
        request.headers,
        _limited(request, max_bytes),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        form = await parser.parse()
        return await _contents_of(form)
    except MultiPartException as error:
        raise HttpProblem(400, "bad_form", f"the form cannot be read: {error.message}") from error
    except ClientDisconnect:
        raise HttpProblem(400, "cut_off", "the request ended before the end of its form") from None


async def _contents_of(form: FormData) -> tuple[ImageUpload, RequestOptions]:
    """Give the one image and the options of a form."""
    uploads: list[ImageUpload] = []
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if name not in FIELDS:
            known = f"known are {', '.join(FIELDS)}"
            raise HttpProblem(400, "unknown_field", f"{name[:40]!r} is not a field; {known}")
        if isinstance(value, UploadFile):
            data = await value.read()
            await value.close()
            if not data and not value.filename:
                continue  # an empty file field of a browser
            if name != FILM:
                detail = f"the field {name!r} was sent as a file; send it as a text"
                raise HttpProblem(422, "field_is_file", detail)
            uploads.append(_upload_of(value, data))
        elif name in fields:
            detail = f"the field {name!r} is given more than once; give it once"
            raise HttpProblem(422, "repeated_field", detail)
        else:
            fields[name] = value
    if not uploads:
        raise HttpProblem(400, "no_film", "there is no image; send its file in the field 'film'")
    if len(uploads) > 1:
        detail = f"the form contains {len(uploads)} files; send one radiograph per request"
        raise HttpProblem(422, "several_films", detail)
    return uploads[0], parse_options(fields)


def _upload_of(part: UploadFile, data: bytes) -> ImageUpload:
    kind = part.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        detail = f"the field {FILM!r} is itself a form ({kind[:40]}); send one file"
        raise HttpProblem(422, "several_films", detail)
    return ImageUpload(sanitised_name(part.filename or ""), decoded(data, part.headers))


async def drain(request: Request, max_bytes: int) -> None:
    """Discard what a client is still sending, so that it reads the response."""
    received = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                received += len(chunk)
                if received > max_bytes:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return


def sanitised_name(name: str) -> str:
    """Remove folders and unprintable characters from a file name."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(character for character in last if character.isprintable())[:MAX_NAME] or FILM


def parse_options(fields: Mapping[str, str]) -> RequestOptions:
    """Parse the fields as the command line does; an empty one is not given."""
    given = {name: text.strip() for name, text in fields.items() if text.strip()}
    paper = given.get("paper", "a4").lower()
    if "height_cm" in given and "height_in" in given:
        raise HttpProblem(422, "height", "give the height with height_cm or height_in, not both")
    if paper not in PAPERS:
        known = ", ".join(PAPERS)
        raise HttpProblem(422, "paper", f"{given['paper']!r} is not a paper size: {known}")
    return RequestOptions(
        sex=Sex.parse(given["sex"]) if "sex" in given else None,
        child=child_of(
            parse_fields(given),
            brush_mean=_flag(given, "brush_mean"),
            sds_reference=_reference(given.get("sds_reference")),
        ),
        level=_level(given.get("level")),
        force=_flag(given, "force"),
        language=words_of(given.get("language", ENGLISH).lower()).language,
        paper=paper,
        pseudonym=given.get("pseudonym"),
    )


def _level(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        level = float(text)
    except ValueError:
        raise LevelError(f"level {text!r} is not a number; give one such as 0.9") from None
    if not 0 < level < 1:
        raise LevelError(f"level {text!r} is not between 0 and 1; give one such as 0.9")
    return level


def _reference(text: str | None) -> str | None:
    """A reference that ships; a path would be one on the server."""
    if text is None or text.lower() in SHIPPED:
        return text and text.lower()
    known = ", ".join(SHIPPED)
    raise HttpProblem(422, "sds_reference", f"{text!r} is not a reference of the SDS: {known}")


def _flag(given: dict[str, str], name: str) -> bool:
    word = given.get(name, "").lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise HttpProblem(422, name, f"{name} {word!r} is neither 'true' nor 'false'")


async def _limited(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Limit the bytes received, whatever the headers state."""
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _too_large(max_bytes: int) -> HttpProblem:
    size = f"{max_bytes / 2**20:g} MiB"
    return HttpProblem(413, "too_many_bytes", f"the request exceeds the limit of {size}")
