"""How a service is to run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from boneage.errors import BoneageError

MEBIBYTE = 2**20


class ServiceError(BoneageError):
    """A service that cannot be started as it was asked for."""


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """All of it has a default that suits one computer of two cores.

    What is described is an option of ``boneage serve``.
    """

    workers: Annotated[int, Meta(ge=1, description="Images analysed at a time.")] = 2
    threads: Annotated[int, Meta(ge=1, description="Processor cores that one image may use.")] = 1
    waiting: Annotated[
        int,
        Meta(ge=0, description="Requests that may wait beside those; more are told to come again."),
    ] = 8
    max_mib: Annotated[float, Meta(gt=0, le=1024, description="The largest request.")] = 100
    seconds: Annotated[
        float,
        Meta(gt=0, description="How long an image may take to arrive, and again to be analysed."),
    ] = 60
    keep_answers: Annotated[
        int, Meta(ge=1, description="Recent answers held in memory, for their documents.")
    ] = 100
    keep_mib: Annotated[float, Meta(gt=0, description="The same in MiB of images.")] = 256
    keep_minutes: Annotated[float, Meta(gt=0, description="And how long.")] = 15
    hosts: tuple[str, ...] | None = None
    """The host names by which it may be asked; None: any."""
    audit: Path | None = None

    def __post_init__(self) -> None:
        if self.keep_mib < self.max_mib:
            raise ServiceError(
                f"{self.keep_mib:g} MiB of answers in memory do not hold one image of "
                f"{self.max_mib:g} MiB; give more, or accept smaller images"
            )

    @property
    def max_bytes(self) -> int:
        """Of a whole request."""
        return round(self.max_mib * MEBIBYTE)
