"""Converts plain tables, as of a TOML file, to typed settings, with errors in plain English.

msgspec checks them against `msgspec.Struct` classes whose annotations carry the limits
(``Annotated[int, Meta(ge=1)]``); its own messages name types and JSON paths, not keys and values.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib.resources import files
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from boneage.errors import BoneageError

Kind = TypeVar("Kind")
Decode = Callable[[type, Any], Any]


def shipped_toml(package: str, name: str) -> dict[str, Any]:
    """Read the tables of a TOML file that ships in a package."""
    return tomllib.loads((files(package) / name).read_text("utf-8"))


WORDS: Mapping[str, str] = shipped_toml("boneage.storage", "words.toml")["words"]
"""What msgspec calls a type or a limit, and the plain English for it."""


def read_toml(path: Path, error: type[BoneageError]) -> dict[str, Any]:
    """Read the tables of a TOML file, or raise the error."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError) as cause:
        raise error(f"{str(path)!r} cannot be read: {cause}") from cause
    except tomllib.TOMLDecodeError as cause:
        raise error(f"{str(path)!r} is not valid TOML: {cause}") from cause


def broken_file(error: Exception) -> str:
    """Why a file of JSON or of arrays is not what it should be, in plain English."""
    if isinstance(error, json.JSONDecodeError):
        return f"it is not valid JSON ({error})"
    if isinstance(error, KeyError) and error.args:
        return f"{error.args[0]!r} is missing"
    if isinstance(error, TypeError | AttributeError | RecursionError | EOFError):
        return "it is not laid out as such a file is"
    return str(error) or type(error).__name__


def converted(
    tables: Mapping[str, Any],
    kind: type[Kind],
    source: str,
    error: type[BoneageError],
    decode: Decode | None = None,
) -> Kind:
    """Convert plain tables to a msgspec.Struct, or raise the error, with the key and its value.

    ``source`` names the tables in the message. ``decode`` converts a value to a type that msgspec
    does not know, such as a path, or raises a ValueError.
    """
    try:
        return msgspec.convert(tables, kind, dec_hook=decode)
    except msgspec.ValidationError as cause:
        raise error(f"{source}: {_in_words(str(cause), tables, kind)}") from cause


def _in_words(message: str, tables: Any, kind: Any) -> str:
    text, _, place = message.partition(" - at `$.")
    keys = re.findall(r"\w+", place)
    value = tables
    for key in keys:
        value = value[int(key) if isinstance(value, list | tuple) else key]
        kind = _type_at(kind, key)
    path = ".".join(key for key in keys if not key.isdecimal())
    field = re.search("field `(.*)`", text)
    if field:
        whole = ".".join(filter(None, (path, field[1])))
        if "missing" in text:
            return f"{whole} is missing"
        known = ", ".join(get_type_hints(kind))
        return f"unknown key {whole!r} (= {value[field[1]]!r}); valid keys: {known}"
    if get_origin(kind) is Literal:
        return f"{path} is {value!r}; it must be one of {', '.join(map(repr, get_args(kind)))}"
    if text.startswith("Expected ") and path:
        needed = text.removeprefix("Expected ").partition(", got")[0]
        for code, words in WORDS.items():
            needed = needed.replace(code, words)
        meta = next((one for one in get_args(kind) if isinstance(one, msgspec.Meta)), None)
        if meta and meta.description and isinstance(value, str):
            needed = meta.description
        return f"{path} is {value!r}; it must be {needed}"
    if not path:
        return text
    # From a __post_init__, which may begin with its key but does not know the path.
    first = text.partition(" ")[0].rstrip(":")
    own = isinstance(kind, type) and first in get_type_hints(kind)
    return f"{path}.{text}" if own else f"{path}: {text}"


def _type_at(kind: Any, key: str) -> Any:
    """The type of a field, or of an item of a list, without Optional."""
    if get_origin(kind) is Annotated and not key.isdecimal():
        kind = get_args(kind)[0]
    found = get_args(kind)[0] if key.isdecimal() else get_type_hints(kind, include_extras=True)[key]
    return get_args(found)[0] if get_origin(found) in {Union, UnionType} else found
