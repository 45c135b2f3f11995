"""A process group by JAX: joining it, and leaving it when one of its processes is lost.

JAX connects them, and Keras splits the batches over the devices of all. When a process
ends, JAX alone would let the others hang for minutes and then abort them with a stack
trace; a watchdog in each process ends it within a minute, with a sentence.

Nothing here imports Keras before its backend is chosen.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from boneage.errors import BoneageError, GroupError
from boneage.training.distributed.group import ProcessGroup

JOIN_SECONDS = 300
"""For all processes to be there."""
SILENT_SECONDS = 60
"""Without a heartbeat, after which a process is lost."""
BROKEN_SECONDS = 10
"""The same, once a step has failed in this process: most likely, another one has ended."""
HEARTBEAT_SECONDS = 1.0
"""Between two heartbeats."""
LONGEST_MS = 30 * 24 * 3600 * 1000
"""Of waiting while another process works: the watchdog, not a limit, ends a vain wait."""
RESUME_ADVICE = "the same commands, given again, resume from the last checkpoint"
EXIT_FAILED, EXIT_USAGE = 1, 2


@dataclass(frozen=True)
class Membership:
    """Which process of a group this is."""

    coordinator: str
    """HOST:PORT, where the first process listens for the others."""
    processes: int
    process: int
    """From 0."""

    def __post_init__(self) -> None:
        host, colon, port = self.coordinator.rpartition(":")
        if not (host and colon and port.isdecimal() and 0 < int(port) < 65536):
            raise GroupError(
                f"the coordinator is {self.coordinator!r}; give HOST:PORT, such as 10.0.0.1:29500"
            )
        if self.processes < 1 or not 0 <= self.process < self.processes:
            several = self.processes > 1
            raise GroupError(
                f"process {self.process} of {self.processes}: they are counted from 0, so give "
                + (f"0 to {self.processes - 1}" if several else "0 of 1 or more")
            )


@contextmanager
def process_group(
    member: Membership | None,
    *,
    join_seconds: int = JOIN_SECONDS,
    silent_seconds: float = SILENT_SECONDS,
) -> Iterator[ProcessGroup]:
    """Train by JAX on every device of this process, and of the others if there are any.

    Inside, only the first process prints. With several processes, an error inside ends this
    process and, through their watchdogs, the others: it would wait for them in vain. Without a
    membership, this process is alone. A GroupError when Keras has or is asked for another backend,
    or the processes don't find each other; a ModuleNotFoundError without JAX.
    """
    _choose_jax()
    if member is None or member.processes == 1:
        yield ProcessGroup(devices=_distribute())
        return
    client = _connect(member, join_seconds, silent_seconds)
    watchdog = _Watchdog(client, member, silent_seconds)
    watchdog.start()
    try:
        group = ProcessGroup(member.process, member.processes, _distribute(), _JaxLink(client))
        with _printing_if(group.is_first):
            yield group
        group.wait()
    except BaseException as error:  # whatever it is, the others must know
        watchdog.leave(error)
    watchdog.stop()
    group.wait()  # the first one holds the connections of all: no watchdog may miss it
    _disconnect()


@contextmanager
def _printing_if(first: bool) -> Iterator[None]:
    """Let only the first process print."""
    if first:
        yield
        return
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere):
        yield


def _choose_jax() -> None:
    """Let Keras compute by JAX, before it is imported."""
    asked = os.environ.get("KERAS_BACKEND", "jax")
    if "keras" in sys.modules:
        asked = sys.modules["keras"].backend.backend()
    if asked != "jax":
        raise GroupError(
            f"the backend of Keras is {asked!r}; several devices train by 'jax': "
            "leave KERAS_BACKEND unset"
        )
    import jax  # noqa: F401, PLC0415  named where it is missing

    os.environ["KERAS_BACKEND"] = "jax"


def _distribute() -> int:
    """Split every batch over all devices from now on; return how many these are."""
    import keras  # noqa: PLC0415  after its backend was chosen

    devices = keras.distribution.list_devices()
    if len(devices) > 1:
        # The batches come split by process already.
        spread = keras.distribution.DataParallel(devices=devices, auto_shard_dataset=False)
        keras.distribution.set_distribution(spread)
    return len(devices)


def _connect(member: Membership, join_seconds: int, silent_seconds: float) -> Any:
    """Join the others; return JAX's client of the service by which they talk."""
    import jax  # noqa: PLC0415
    from jax._src.distributed import global_state  # noqa: PLC0415  no public name for it yet

    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    jax.config.update("jax_enable_recoverability", True)  # the watchdog ends them, with a sentence
    # One sum after the other, or those of two steps meet in one.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    address = os.environ.get("JAX_COORDINATOR_BIND_ADDRESS", member.coordinator)
    if member.process == 0:
        _check_free(address)
    with _join_deadline(member, join_seconds):
        jax.distributed.initialize(
            member.coordinator,
            member.processes,
            member.process,
            cluster_detection_method="deactivate",
            initialization_timeout=join_seconds + 60,
            heartbeat_timeout_seconds=int(3 * silent_seconds) + 60,
            shutdown_timeout_seconds=int(silent_seconds) + 1,
            # Not on every address of the machine: whoever reaches the port may join.
            coordinator_bind_address=address,
        )
    return global_state.client


def _check_free(address: str) -> None:
    """Raise a GroupError where the first process cannot listen at its address."""
    host, _, port = address.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[0]
        with socket.socket(found[0]) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(found[4])
    except (OSError, ValueError) as error:
        raise GroupError(
            f"process 0 cannot listen at {address!r} ({error}); give --coordinator an address of "
            "its own computer, with a free port"
        ) from error


@contextmanager
def _join_deadline(member: Membership, seconds: int) -> Iterator[None]:
    """End this process when the others are not there in time: JAX would abort it."""

    def end() -> None:
        _print_error(
            f"process {member.process} of {member.processes} did not find the others by "
            f"{member.coordinator} within {seconds} s; are all of them started, and can they "
            "reach that address?"
        )
        os._exit(EXIT_FAILED)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _print_error(sentence: str) -> None:
    """Print an error, and all that was printed before it."""
    print(f"Error: {sentence}", file=sys.stderr, flush=True)  # noqa: T201
    if sys.__stdout__:
        sys.__stdout__.flush()


def _disconnect() -> None:
    """Leave the others; the first process, by which all talk, stays until they have left.

    JAX closes that service at once, and a process that still waits for its goodbye is aborted.
    """
    import jax  # noqa: PLC0415
    from jax._src.distributed import global_state  # noqa: PLC0415  as above

    if global_state.service is not None:
        global_state.client.shutdown()
        global_state.client = None
        time.sleep(3 * HEARTBEAT_SECONDS)
    jax.distributed.shutdown()


class _JaxLink:
    """The processes' link by the service of JAX."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.waits = 0

    def wait(self) -> None:
        self.waits += 1
        self.client.wait_at_barrier(f"boneage-{self.waits}", LONGEST_MS)

    def publish(self, key: str, value: str) -> None:
        self.client.key_value_set(f"boneage/shared/{key}", value)

    def fetch(self, key: str) -> str:
        value: str = self.client.blocking_key_value_get(f"boneage/shared/{key}", LONGEST_MS)
        return value


class _Watchdog:
    """Sends heartbeats, and ends this process when another one is lost."""

    ALIVE, LOST = "boneage/alive/", "boneage/lost/"

    def __init__(self, client: Any, member: Membership, silent_seconds: float) -> None:
        self.client = client
        self.member = member
        self.patience = silent_seconds
        self.stopped = threading.Event()
        self.leaving = threading.Lock()
        self.thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.stopped.set()
        self.thread.join()

    def leave(self, error: BaseException) -> NoReturn:
        """End this process for an error of its own, or for the lost process behind it."""
        logging.getLogger(__name__).debug("left", exc_info=error)
        if not isinstance(error, BoneageError | OSError | KeyboardInterrupt):
            self.patience = min(self.patience, BROKEN_SECONDS)
            time.sleep(self.patience + 3 * HEARTBEAT_SECONDS)  # the watchdog may know better
        message, name = str(error), type(error).__name__
        if not isinstance(error, BoneageError | OSError):
            message = f"{name}: {message.splitlines()[0] if message else name}"
        self._end(message or name, EXIT_USAGE if isinstance(error, BoneageError) else EXIT_FAILED)

    def _run(self) -> None:
        """Every second; counted in rounds, for a machine may sleep between two."""
        signs = dict.fromkeys(range(self.member.processes), "")
        silent = dict.fromkeys(signs, 0)
        rounds = 0
        while not self.stopped.wait(HEARTBEAT_SECONDS):
            rounds += 1
            try:
                self.client.key_value_set(
                    f"{self.ALIVE}{self.member.process}", str(rounds), allow_overwrite=True
                )
                alive = self._values(self.ALIVE)
                lost = self._values(self.LOST)
            except Exception:  # of JAX: no type of its own
                if not self.stopped.is_set():
                    self._end(f"process 0, which connects all, has ended; {RESUME_ADVICE}")
                return
            for process, why in lost.items():
                self._end(f"process {process} has ended: {why}")
            for process, sign in signs.items():
                heard = alive.get(process, "")
                silent[process] = silent[process] + 1 if heard == sign else 0
                signs[process] = heard
                if silent[process] * HEARTBEAT_SECONDS > self.patience:
                    self._end(
                        f"process {process} has not responded for {self.patience:g} s; it was "
                        f"stopped or its computer is unreachable; {RESUME_ADVICE}"
                    )

    def _values(self, folder: str) -> dict[int, str]:
        rows = self.client.key_value_dir_get(folder)
        return {int(key.rpartition("/")[2]): value for key, value in rows}

    def _end(self, sentence: str, status: int = EXIT_FAILED) -> NoReturn:
        """Report why, to the user and to the others, and end without waiting for them."""
        self.leaving.acquire()  # never released: reported once
        _print_error(sentence)
        try:
            self.client.key_value_set(f"{self.LOST}{self.member.process}", sentence)
            if self.member.process == 0:
                time.sleep(3 * HEARTBEAT_SECONDS)  # what it published is kept here
        finally:
            os._exit(status)
