"""How a service is to run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boneage.errors import BoneageError

MEBIBYTE = 2**20


class ServiceError(BoneageError):
    """A service that cannot be started as it was asked for."""


@dataclass(frozen=True)
class Settings:
    """All of it has a default that suits one computer of two cores.

    Raises
    ------
    ServiceError
        When two of them do not fit together.
    """

    max_film_bytes: int = 100 * MEBIBYTE
    """Of a whole request."""
    seconds: float = 60.0
    """For one film to arrive, and again for it to be read."""
    workers: int = 2
    """Films read at a time, each on one core."""
    waiting: int = 8
    """Requests that may wait for a worker; further ones are turned away."""
    kept_answers: int = 100
    kept_bytes: int = 256 * MEBIBYTE
    kept_minutes: float = 15.0
    """How many recent answers are kept in memory for their documents, and how long."""
    hosts: tuple[str, ...] | None = None
    """The host names by which it may be asked; None: any."""
    audit: Path | None = None

    def __post_init__(self) -> None:
        if self.kept_bytes < self.max_film_bytes:
            raise ServiceError(
                f"{self.kept_bytes / MEBIBYTE:g} MiB of kept answers do not hold one film of "
                f"{self.max_film_bytes / MEBIBYTE:g} MiB; give more, or accept smaller films"
            )
