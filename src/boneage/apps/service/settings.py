"""The settings of the service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from boneage.errors import BoneageError

MEBIBYTE = 2**20


class ServiceError(BoneageError):
    """A service that cannot be started."""


class ServiceSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings; the defaults suit a computer of two cores.

    Those with a description are options of ``boneage serve``.
    """

    workers: Annotated[int, Meta(ge=1, description="Images analysed at a time.")] = 2
    threads: Annotated[int, Meta(ge=1, description="Processor cores that one image may use.")] = 1
    waiting: Annotated[
        int, Meta(ge=0, description="Further requests that may wait; more get status 429.")
    ] = 8
    max_mib: Annotated[float, Meta(gt=0, le=1024, description="The largest request.")] = 100
    seconds: Annotated[
        float,
        Meta(gt=0, description="Time limit for an image to arrive, and again for its analysis."),
    ] = 60
    keep_answers: Annotated[
        int, Meta(ge=1, description="Recent assessments held in memory, for their exports.")
    ] = 100
    keep_mib: Annotated[float, Meta(gt=0, description="Their images in memory, in MiB.")] = 256
    keep_minutes: Annotated[
        float, Meta(gt=0, description="How long they are held, in minutes.")
    ] = 15
    hosts: tuple[str, ...] | None = None
    """The host names that requests may be sent to; None: any."""
    audit: Path | None = None

    def __post_init__(self) -> None:
        if self.keep_mib < self.max_mib:
            raise ServiceError(
                f"{self.keep_mib:g} MiB for recent images is less than the largest request of "
                f"{self.max_mib:g} MiB; raise the former or lower the latter"
            )

    @property
    def max_bytes(self) -> int:
        """Of a whole request."""
        return round(self.max_mib * MEBIBYTE)
