"""The settings of a node, from a TOML file and from options."""

from __future__ import annotations

import ipaddress
import random
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from boneage.errors import BoneageError
from boneage.storage.typed import converted, read_toml

MEBIBYTE = 2**20
MIN_PAUSE_SHARE = 0.5
"""Shortest retry pause as a share of the nominal one: jitter keeps nodes out of step."""

Port = Annotated[int, Meta(ge=1, le=65_535)]
AeTitle = Annotated[
    str,
    Meta(
        pattern=r"\A(?! )[\x20-\x5b\x5d-\x7e]{1,16}(?<! )\Z",
        description="an AE title: 1 to 16 ASCII characters, no backslash, no space at either end",
    ),
]
"""PS3.5, 6.2: no control characters, no backslash."""
Days = Annotated[float, Meta(ge=0, le=100_000)]


class NodeError(BoneageError):
    """A node that cannot be started or used."""


class ListenSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """Where radiographs are received, and from whom."""

    ae_title: AeTitle = "BONEAGE"
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65_535)] = 11112
    """0: any that is free."""
    calling_ae_titles: tuple[AeTitle, ...] = ()
    """Who may call; empty: anybody, which needs addresses or certificates to restrict it."""
    calling_addresses: tuple[str, ...] = ()
    """IP addresses or networks (``10.1.0.0/16``) that may connect; empty: any."""
    match_called_ae_title: bool = True
    max_associations: Annotated[int, Meta(ge=1, le=200)] = 10
    max_object_mib: Annotated[float, Meta(ge=0.01, le=1024)] = 256.0
    """At most the largest file that can be read."""
    seconds: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    """Timeout of every network operation."""

    def __post_init__(self) -> None:
        _ = self.networks

    @property
    def networks(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The addresses that may connect."""
        try:
            return tuple(ipaddress.ip_network(text) for text in self.calling_addresses)
        except ValueError as error:
            raise ValueError(f"calling_addresses: {error}; give such as '10.1.2.3'") from error

    @property
    def is_loopback(self) -> bool:
        """Whether only this computer reaches the node."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class Destination(Struct, frozen=True, forbid_unknown_fields=True):
    """Where results are sent."""

    ae_title: AeTitle
    host: str
    port: Port


class SpoolSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The folder for radiographs and results, and how long they are retained."""

    folder: Path
    min_free_mib: Annotated[float, Meta(ge=0, le=2**30)] = 1024.0
    """Free disk space below which radiographs are refused."""
    keep_hours: Days = 24.0
    """Retention of radiographs and results after they were sent."""
    keep_dead_days: Days = 30.0
    """Retention of radiographs without result, and of the reason."""
    remember_days: Days = 365.0
    """How long a radiograph is recognised as assessed, by its hash alone."""

    def __post_init__(self) -> None:
        if self.keep_hours > 24 * self.remember_days:
            raise ValueError(
                f"keep_hours ({self.keep_hours:g}) is longer than remember_days "
                f"({self.remember_days:g})"
            )


class RetrySettings(Struct, frozen=True, forbid_unknown_fields=True):
    """When sending is tried again."""

    first_seconds: Annotated[float, Meta(ge=0.01, le=3600)] = 5.0
    longest_seconds: Annotated[float, Meta(ge=0.01, le=86_400)] = 600.0
    refusals: Annotated[int, Meta(ge=1, le=1000)] = 5
    """Refusals by the destination after which a result is dead-lettered. A destination that
    cannot be reached is tried forever."""

    def __post_init__(self) -> None:
        if self.longest_seconds < self.first_seconds:
            raise ValueError(
                f"longest_seconds ({self.longest_seconds:g}) is shorter than first_seconds "
                f"({self.first_seconds:g})"
            )

    def pause_seconds(self, failures: int) -> float:
        """The pause after so many consecutive failures, doubled with each."""
        doubled = min(self.longest_seconds, self.first_seconds * 2.0 ** min(failures - 1, 64))
        return doubled * random.uniform(MIN_PAUSE_SHARE, 1)  # noqa: S311  no secret


class TlsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How connections are encrypted: TLS 1.2 or later, as DICOM PS3.15, B.12 requires."""

    certificate: Path
    """Of this node, in PEM."""
    key: Path
    ca: Path | None = None
    """Certificates of the authority for the peers, in PEM."""
    mutual: bool = False
    """Whether callers need a certificate signed by the CA."""
    to_destination: bool = False
    """Whether the connection to the destination uses TLS."""

    def __post_init__(self) -> None:
        if self.ca is None and (self.mutual or self.to_destination):
            raise ValueError("mutual and to_destination need ca, a file of certificates")

    def server_context(self) -> ssl.SSLContext:
        """For incoming connections."""
        context = self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        if self.mutual:
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_context(self) -> ssl.SSLContext:
        """For the destination, whose certificate must name its host."""
        return self._loaded(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def _loaded(self, context: ssl.SSLContext) -> ssl.SSLContext:
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        what = f"certificate {str(self.certificate)!r} and key {str(self.key)!r}"
        try:
            # An empty password: OpenSSL must not prompt for one at the terminal.
            context.load_cert_chain(self.certificate, self.key, password=lambda: "")
            what = f"certificates {str(self.ca)!r}"
            if self.ca is not None:
                context.load_verify_locations(self.ca)
        except (OSError, ssl.SSLError) as error:
            raise NodeError(f"tls: the {what} cannot be used: {error.strerror or error}") from error
        return context


class ReadingSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """How radiographs are assessed."""

    weights: Path | None = None
    calibration: Path | None = None
    threads: Annotated[int, Meta(ge=1, le=1024)] = 1
    """Processor cores that one radiograph may use."""


class AuditSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The audit log."""

    log: Path | None = None


class NodeSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings; each field is a section of the file."""

    destination: Destination
    spool: SpoolSettings
    node: ListenSettings = ListenSettings()
    retry: RetrySettings = RetrySettings()
    reading: ReadingSettings = ReadingSettings()
    audit: AuditSettings = AuditSettings()
    tls: TlsSettings | None = None

    def __post_init__(self) -> None:
        named = self.node.calling_ae_titles or self.node.calling_addresses
        if not named and not (self.tls and self.tls.mutual) and not self.node.is_loopback:
            raise ValueError(
                f"every computer that reaches {self.node.host} could send radiographs: list the "
                "callers in calling_ae_titles or calling_addresses, or require certificates "
                "(tls.mutual)"
            )


def read_settings(
    path: Path | None, options: Mapping[str, Mapping[str, object]] | None = None
) -> NodeSettings:
    """Read the settings of a node from a TOML file; paths in it are relative to its folder.

    The options, by section and name, take precedence; those that are None are not given. Raises a
    `NodeError` when the file cannot be read, or a setting is invalid.
    """
    tables = {} if path is None else read_toml(path, NodeError)
    for name, table in (options or {}).items():
        section = tables.setdefault(name, {})
        if isinstance(section, dict):
            section.update({key: value for key, value in table.items() if value is not None})
    for name in ("destination", "spool"):  # so that the missing key is named, not its section
        tables.setdefault(name, {})
    folder = Path() if path is None else path.parent

    def decode(kind: type, value: Any) -> Path:
        if kind is Path and isinstance(value, str | Path) and str(value):
            return folder / value
        raise ValueError("Expected `path`")

    source = "the node's settings" if path is None else repr(str(path))
    return converted(tables, NodeSettings, source, NodeError, decode)
