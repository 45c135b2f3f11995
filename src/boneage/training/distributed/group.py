"""The processes and devices that train one model together.

Every process runs the same stages in the same order. Each step of a training is one step
of all of them, on a batch that is split evenly over all devices; what is written, the
first process writes, into a folder that all of them see. What the first process does for
the others, such as finding the regions, needs a network that is not distributed.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy.typing as npt

from boneage.errors import GroupError

if TYPE_CHECKING:
    import keras


class Link(Protocol):
    """How processes communicate."""

    def wait(self) -> None:
        """Return when every process has come as far as this."""

    def publish(self, key: str, value: str) -> None:
        """Let the others know a value."""

    def fetch(self, key: str) -> str:
        """Wait for a value that another process publishes."""


@dataclass(frozen=True)
class ProcessGroup:
    """One process's view of those that train together."""

    process: int = 0
    """This one's number, from 0."""
    processes: int = 1
    devices: int = 1
    """Of all processes; each process has equally many."""
    link: Link | None = None
    """None: there is one process only."""

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and prints."""
        return self.process == 0

    def wait(self) -> None:
        """Return when every process has come as far as this."""
        if self.link:
            self.link.wait()

    def once(self, make: Callable[[], object]) -> None:
        """Let the first process make something on the disk, while the others wait for it."""
        if self.is_first:
            make()
        self.wait()

    def agree(self, what: str, value: str) -> None:
        """Raise a GroupError in a process whose value is not that of the first one."""
        if self.link is None:
            return
        if self.is_first:
            self.link.publish(what, value)
        elif self.link.fetch(what) != value:
            raise GroupError(
                f"process {self.process} has another {what} than process 0; "
                "start all of them with the same command, and the same version of boneage"
            )
        self.wait()

    def check_shared(self, folder: Path) -> None:
        """Raise a GroupError in a process that does not see the first one's files in a folder."""
        if self.link is None:
            return
        if self.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            mark = folder / f".seen-{secrets.token_hex(8)}"
            mark.touch()
            self.link.publish("mark", mark.name)
        else:
            mark = folder / self.link.fetch("mark")
            if not mark.exists():
                raise GroupError(
                    f"the folder {str(folder)!r} of process {self.process} is not that of process "
                    "0; --run must name the same one for all of them, on a shared file system"
                )
        self.wait()
        if self.is_first:
            mark.unlink()

    def part(self, rows: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Of a batch's rows, those of this process; their number is a multiple of the devices'."""
        share = len(rows) // self.processes
        return rows[self.process * share : (self.process + 1) * share]

    def even(self, batch: int, films: int, *, filled_up: bool = False) -> int:
        """How many films a batch has: what the profile says, or fewer where there are fewer.

        A batch that may be ``filled_up`` may hold more than there are films. Raises a
        GroupError when it cannot be split evenly over the devices.
        """
        if batch % self.devices:
            raise GroupError(
                f"a batch of {batch} images cannot be split evenly over {self.devices} devices; "
                "give the phase a batch that is a multiple, or train on fewer devices"
            )
        if films >= batch:
            return batch
        if filled_up:
            return films + -films % self.devices
        if films < self.devices:
            raise GroupError(f"{films} images are fewer than the {self.devices} devices")
        return films - films % self.devices


ALONE = ProcessGroup()
"""One process with one device."""


@contextmanager
def undistributed() -> Iterator[None]:
    """Inside, networks and random layers are made for this process alone."""
    import keras  # noqa: PLC0415  not before its backend was chosen

    spread = keras.distribution.distribution()
    keras.distribution.set_distribution(None)
    try:
        yield
    finally:
        keras.distribution.set_distribution(spread)


def local_copy(network: keras.Model) -> keras.Model:
    """Copy a network that is spread over devices, for this process alone.

    Where nothing is spread, it is the network itself.
    """
    import keras  # noqa: PLC0415  as above

    if keras.distribution.distribution() is None:
        return network
    with undistributed():
        copy = keras.models.clone_model(network)
        copy.set_weights(network.get_weights())
    return copy
