"""How a node is to run: sections of plain values, from a TOML file and from options."""

from __future__ import annotations

import ipaddress
import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from boneage.errors import BoneageError

AE_TITLE = re.compile(r"[\x20-\x5b\x5d-\x7e]{1,16}")
"""PS3.5, 6.2: no control characters, no backslash."""
MEBIBYTE = 2**20
LARGEST_PORT = 65_535
LARGEST_OBJECT_MIB = 1024
"""As large as a file may be that is read."""
Section = TypeVar("Section")


class NodeError(BoneageError):
    """A node that cannot be started, or used, as it was asked for."""


@dataclass(frozen=True)
class Listening:
    """Where films are taken, and from whom."""

    ae_title: str = "BONEAGE"
    host: str = "127.0.0.1"
    port: int = 11112
    """0: any that is free."""
    calling_ae_titles: tuple[str, ...] = ()
    """Who may call; empty: anybody, which needs one of the other two ways to tell."""
    calling_addresses: tuple[str, ...] = ()
    """IP addresses or networks (``10.1.0.0/16``) that may connect; empty: any."""
    match_called_ae_title: bool = True
    max_associations: int = 10
    max_object_mib: float = 256.0
    seconds: float = 30.0
    """How long the network may be silent."""

    def __post_init__(self) -> None:
        for title in (self.ae_title, *self.calling_ae_titles):
            _check_ae_title(title)
        _check_port(self.port, least=0)
        _check_range("max_associations", self.max_associations, 1, 200)
        _check_range("max_object_mib", self.max_object_mib, 0.01, LARGEST_OBJECT_MIB)
        _check_range("seconds", self.seconds, 1, 3600)
        _ = self.networks

    @property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The addresses that may connect."""
        try:
            return tuple(ipaddress.ip_network(text) for text in self.calling_addresses)
        except ValueError as error:
            raise NodeError(f"calling_addresses: {error}; give such as '10.1.2.3'") from error


@dataclass(frozen=True)
class Destination:
    """Where answers go."""

    ae_title: str
    host: str
    port: int

    def __post_init__(self) -> None:
        _check_ae_title(self.ae_title)
        _check_port(self.port, least=1)


@dataclass(frozen=True)
class Keeping:
    """The folder that holds what is under way, and how long it keeps what is done."""

    folder: Path
    min_free_mib: float = 1024.0
    """With less free, films are refused, so that the disk is not filled."""
    keep_hours: float = 24.0
    """Of films and answers that were sent."""
    keep_dead_days: float = 30.0
    """Of films that got no answer, and why."""
    remember_days: float = 365.0
    """That a film was answered, without the film."""

    def __post_init__(self) -> None:
        _check_range("min_free_mib", self.min_free_mib, 0, 2**30)
        for name in ("keep_hours", "keep_dead_days", "remember_days"):
            _check_range(name, getattr(self, name), 0, 100_000)
        if self.keep_hours > 24 * self.remember_days:
            raise NodeError("keep_hours is longer than remember_days")


@dataclass(frozen=True)
class Retrying:
    """When the destination is asked again."""

    first_seconds: float = 5.0
    longest_seconds: float = 600.0
    refusals: int = 5
    """So often the destination may refuse an answer, then it is dead-lettered. A destination
    that cannot be reached is asked for ever."""

    def __post_init__(self) -> None:
        _check_range("first_seconds", self.first_seconds, 0.01, 3600)
        _check_range("longest_seconds", self.longest_seconds, self.first_seconds, 86_400)
        _check_range("refusals", self.refusals, 1, 1000)


@dataclass(frozen=True)
class Tls:
    """How connections are encrypted."""

    certificate: Path
    """Of this node, in PEM."""
    key: Path
    ca: Path | None = None
    """Who signed the certificates of the others, in PEM."""
    mutual: bool = False
    """Whether a caller needs a certificate that the CA signed."""
    to_destination: bool = False
    """Whether the destination is called by TLS too."""

    def __post_init__(self) -> None:
        if self.ca is None and (self.mutual or self.to_destination):
            raise NodeError("tls: mutual and to_destination need ca, a file of certificates")


@dataclass(frozen=True)
class Reading:
    """What reads the films."""

    weights: Path | None = None
    calibration: Path | None = None
    threads: int = 1
    """Processor cores that one film may use."""

    def __post_init__(self) -> None:
        _check_range("threads", self.threads, 1, 1024)


@dataclass(frozen=True)
class Auditing:
    """What is written down of what was done."""

    log: Path | None = None


@dataclass(frozen=True)
class NodeSettings:
    """All of it."""

    node: Listening
    destination: Destination
    spool: Keeping
    retry: Retrying
    reading: Reading
    audit: Auditing
    tls: Tls | None = None

    def __post_init__(self) -> None:
        told = self.node.calling_ae_titles or self.node.calling_addresses
        if not told and not (self.tls and self.tls.mutual) and not _is_loopback(self.node.host):
            raise NodeError(
                f"every computer that reaches {self.node.host} could send films: name who may in "
                "calling_ae_titles or calling_addresses, or ask for certificates (tls.mutual)"
            )


SECTIONS: Mapping[str, type[Any]] = {
    "node": Listening,
    "destination": Destination,
    "spool": Keeping,
    "retry": Retrying,
    "tls": Tls,
    "reading": Reading,
    "audit": Auditing,
}
OPTIONAL = "tls"


def read_settings(
    path: Path | None, options: Mapping[str, Mapping[str, object]] | None = None
) -> NodeSettings:
    """Read the settings of a node.

    Parameters
    ----------
    path : Path, optional
        A TOML file; paths in it are relative to its folder.
    options : mapping, optional
        By section and name, stronger than the file.

    Raises
    ------
    NodeError
        When the file cannot be read, or a setting makes no sense.
    """
    given = {} if path is None else _tables(path)
    folder = Path() if path is None else path.parent
    for name, table in (options or {}).items():
        given[name] = {**given.get(name, {}), **table}
    unknown = sorted(given.keys() - SECTIONS.keys())
    if unknown:
        raise NodeError(f"[{unknown[0]}] is no section; known are {', '.join(SECTIONS)}")
    made = {
        name: _section(kind, name, given.get(name, {}), folder)
        for name, kind in SECTIONS.items()
        if name != OPTIONAL or name in given
    }
    return NodeSettings(**made)


def _tables(path: Path) -> dict[str, dict[str, object]]:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeError) as error:
        raise NodeError(f"the settings {str(path)!r} cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise NodeError(f"{str(path)!r} is no TOML: {error}") from error
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise NodeError(f"{name!r} stands in no section; known are {', '.join(SECTIONS)}")
    return tables


def _section(kind: type[Section], name: str, table: Mapping[str, object], folder: Path) -> Section:
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise NodeError(f"[{name}] knows no {key!r}; it has {', '.join(known)}")
    for key, field in known.items():
        if field.default is MISSING and key not in table:
            raise NodeError(f"[{name}] needs {key!r}")
    values = {
        key: _value(f"[{name}] {key}", str(known[key].type), value, folder)
        for key, value in table.items()
    }
    return kind(**values)


def _value(where: str, kind: str, value: object, folder: Path) -> object:
    """Take a value of the kind that its field has."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "str" and isinstance(value, str):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "int" and number and isinstance(value, int):
        return value
    if kind == "float" and number and isinstance(value, int | float):
        return float(value)
    if kind.startswith("Path") and isinstance(value, str | Path) and str(value):
        return folder / value
    texts = isinstance(value, list | tuple) and all(isinstance(text, str) for text in value)
    if kind.startswith("tuple") and texts and isinstance(value, list | tuple):
        return tuple(value)
    raise NodeError(f"{where} is {value!r}, but it is {WORDS[kind]}")


WORDS: Mapping[str, str] = {
    "str": "a text",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "Path": "the path of a file",
    "Path | None": "the path of a file",
    "tuple[str, ...]": "a list of texts",
}


def _check_ae_title(title: str) -> None:
    if not AE_TITLE.fullmatch(title) or title != title.strip() or not title:
        raise NodeError(
            f"{title!r} is no AE title: up to 16 characters of ASCII, no backslash, no space at "
            "either end"
        )


def _check_port(port: int, least: int) -> None:
    if not least <= port <= LARGEST_PORT:
        raise NodeError(f"{port} is no port; one lies between {least} and {LARGEST_PORT}")


def _check_range(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:  # nan is neither
        raise NodeError(f"{name} is {value:g}; it lies between {least:g} and {most:g}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
