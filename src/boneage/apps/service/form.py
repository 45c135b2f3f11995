"""A film and what is said with it, as a form brings them; nothing of it touches the disk."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import BinaryIO

from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from boneage.apps.service.form_parts import FormPartsParser, decoded
from boneage.apps.service.problems import Problem
from boneage.domain.child import Child
from boneage.domain.child_fields import child_of, parse_fields
from boneage.domain.radiograph import Sex
from boneage.errors import LevelError
from boneage.i18n.words import ENGLISH, words_of
from boneage.reading.source import NamedFile
from boneage.reports.exports import PAPERS

FIELDS = (
    *("sex", "age", "birth_date", "study_date", "height_cm", "height_in", "brush_mean"),
    *("level", "force", "language", "paper", "pseudonym"),
)
FILM = "film"
MAX_FIELD_BYTES = 1024
MAX_FIELDS, MAX_FILES = 64, 8
"""Of a form that is read at all: so that what is wrong with it can be said."""
MAX_NAME = 255
DRAIN_SECONDS = 5.0
YES, NO = {"true", "1", "yes"}, {"false", "0", "no", ""}


@dataclass(frozen=True)
class Film:
    """The bytes of one film, and the name that it came by, without any folder."""

    name: str = field(repr=False)
    data: bytes = field(repr=False)

    def file(self) -> BinaryIO:
        """Open it for the readers."""
        return NamedFile(self.data, self.name)


@dataclass(frozen=True)
class Wishes:
    """What is said of the child, and how the film is to be read and written about."""

    sex: Sex | None = None
    child: Child = field(default_factory=Child)
    level: float | None = None
    force: bool = False
    language: str = ENGLISH
    paper: str = "a4"
    pseudonym: str | None = field(default=None, repr=False)


async def receive(request: Request, max_bytes: int) -> tuple[Film, Wishes]:
    """Take a film and its form from a request.

    Raises
    ------
    Problem
        400 when it is no such form, 413 when it is longer than ``max_bytes``, whatever its
        headers say.
    BoneageError
        When a field has no value of its kind.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "multipart/form-data":
        raise Problem(415, "no_form", "send the film as multipart/form-data, in the field 'film'")
    astray = [name for name in request.query_params if name.lower() in (FILM, *FIELDS)]
    if astray:
        detail = f"the field {astray[0][:40]!r} stands in the address; send it in the form"
        raise Problem(422, "misplaced_field", detail)
    if _stated_bytes(request) > max_bytes:
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
        return await _taken(form)
    except MultiPartException as error:
        raise Problem(400, "bad_form", f"the form cannot be read: {error.message}") from error
    except ClientDisconnect:
        raise Problem(400, "cut_off", "the request ended before its form did") from None


async def _taken(form: FormData) -> tuple[Film, Wishes]:
    """Take the one film and the fields out of a form."""
    films: list[Film] = []
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if name not in (FILM, *FIELDS):
            raise Problem(400, "unknown_field", f"{name[:40]!r} is not a field; {_known()}")
        if isinstance(value, UploadFile):
            data = await value.read()
            await value.close()
            if not data and not value.filename:
                continue  # a browser's file field that nothing was chosen for
            if name != FILM:
                detail = f"the field {name!r} was sent as a file; send it as a text"
                raise Problem(422, "field_is_file", detail)
            films.append(_film(value, data))
        elif name in fields:
            detail = f"the field {name!r} is given more than once; give it once"
            raise Problem(422, "repeated_field", detail)
        else:
            fields[name] = value
    if not films:
        raise Problem(400, "no_film", "there is no film; send its file in the field 'film'")
    if len(films) > 1:
        detail = f"the form holds {len(films)} files; send one radiograph a request"
        raise Problem(422, "several_films", detail)
    return films[0], wishes_of(fields)


def _film(part: UploadFile, data: bytes) -> Film:
    kind = part.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind.startswith("multipart/"):
        detail = f"the field {FILM!r} is itself a form ({kind[:40]}); send one file"
        raise Problem(422, "several_films", detail)
    return Film(plain_name(part.filename or ""), decoded(data, part.headers))


async def drain(request: Request, max_bytes: int) -> None:
    """Throw away what a client is still sending, so that it gets to read the answer."""
    taken = 0
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                taken += len(chunk)
                if taken > max_bytes:
                    return
    except (TimeoutError, ClientDisconnect, RuntimeError):
        return


def plain_name(name: str) -> str:
    """Take folders and what cannot be printed from a file's name."""
    last = re.split(r"[/\\]", name)[-1]
    return "".join(sign for sign in last if sign.isprintable())[:MAX_NAME] or FILM


def wishes_of(fields: dict[str, str]) -> Wishes:
    """Read the fields as the command line reads its options; an empty one is not said.

    Raises
    ------
    BoneageError
        When one has no value of its kind.
    Problem
        When one is not one of the words that are accepted.
    """
    said = {name: text.strip() for name, text in fields.items() if text.strip()}
    return Wishes(
        sex=Sex.parse(said["sex"]) if "sex" in said else None,
        child=_child(said),
        level=_level(said.get("level")),
        force=_flag(said, "force"),
        language=words_of(said.get("language", ENGLISH).lower()).language,
        paper=_paper(said.get("paper", "a4")),
        pseudonym=said.get("pseudonym"),
    )


def _child(said: dict[str, str]) -> Child:
    if "height_cm" in said and "height_in" in said:
        raise Problem(422, "height", "give the height with height_cm or height_in, not both")
    return child_of(parse_fields(said), brush_mean=_flag(said, "brush_mean"))


def _level(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        level = float(text)
    except ValueError:
        raise LevelError(f"level {text!r} is no number; give one such as 0.9") from None
    if not 0 < level < 1:
        raise LevelError(f"level {text!r} does not lie between 0 and 1; give one such as 0.9")
    return level


def _flag(said: dict[str, str], name: str) -> bool:
    word = said.get(name, "").lower()
    if word in YES:
        return True
    if word in NO:
        return False
    raise Problem(422, name, f"{name} {word!r} is neither 'true' nor 'false'")


def _paper(text: str) -> str:
    if text.lower() not in PAPERS:
        raise Problem(422, "paper", f"paper {text!r} is not one of {', '.join(PAPERS)}")
    return text.lower()


def _stated_bytes(request: Request) -> int:
    text = request.headers.get("content-length", "")
    return int(text) if re.fullmatch(r"[0-9]{1,18}", text) else 0


async def _limited(request: Request, max_bytes: int) -> AsyncGenerator[bytes, None]:
    """Count what comes, whatever was stated."""
    taken = 0
    async for chunk in request.stream():
        taken += len(chunk)
        if taken > max_bytes:
            raise _too_large(max_bytes)
        yield chunk


def _too_large(max_bytes: int) -> Problem:
    size = f"{max_bytes / 2**20:g} MiB"
    return Problem(413, "too_many_bytes", f"the request is larger than {size}, the most accepted")


def _known() -> str:
    return f"known are {', '.join((FILM, *FIELDS))}"
