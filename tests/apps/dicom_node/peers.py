"""Real peers, each a process of its own: the node, and dcmtk's programs."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

START_SECONDS, WAIT_SECONDS = 120.0, 180.0
HOST = "127.0.0.1"


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        return int(taken.getsockname()[1])


def program(name: str, package: str) -> str:
    """The path of a program; the test is skipped, aloud, where it is missing."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not here (apt-get install {package})")
    return found


def wait_until(
    true: Callable[[], bool], what: str, seconds: float = WAIT_SECONDS, pause: float = 0.1
) -> None:
    """Wait for something that another process does."""
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, f"{what}: not after {seconds:g} seconds"
        time.sleep(pause)


@dataclass
class Node:
    """A running node."""

    port: int
    process: subprocess.Popen[bytes]
    stderr: Path
    options: tuple[str, ...]

    def log(self) -> str:
        """What it wrote."""
        return self.stderr.read_text("utf-8")

    def kill(self) -> None:
        """End it at once, as a power cut does."""
        self.process.kill()
        self.process.wait(30)

    def end(self) -> int:
        """Tell it to end, and wait."""
        self.process.terminate()
        return self.process.wait(90)


def start_node(folder: Path, *options: str) -> Node:
    """Start ``boneage node``, and wait until it listens."""
    folder.mkdir(parents=True, exist_ok=True)
    stderr = folder / "stderr"
    with stderr.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "boneage", "node", *options], stdout=subprocess.PIPE, stderr=log
        )
    assert process.stdout is not None
    output = process.stdout.readline().decode()
    found = re.search(r" at [^ ]+:(\d+)[, ]", output)
    assert found, stderr.read_text("utf-8")
    return Node(int(found[1]), process, stderr, options)


def ask_node(*options: str) -> str:
    """Run ``boneage node`` with a subcommand."""
    done = subprocess.run(
        [sys.executable, "-m", "boneage", "node", *options],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@dataclass
class Receiver:
    """dcmtk's storescp: the archive."""

    port: int
    folder: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [program("storescp", "dcmtk"), "-aet", "PACS", "-od", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, *self.options, str(self.port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(self._listens, "storescp listens", 30)

    def stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait(30)
            self.process = None

    def _listens(self) -> bool:
        with socket.socket() as tried:
            return tried.connect_ex((HOST, self.port)) == 0

    def names(self) -> list[str]:
        """The files of the objects that came."""
        return sorted(path.name for path in self.folder.iterdir())

    def objects(self) -> list[Dataset]:
        """The objects that came, without pixels."""
        return [dcmread(path, stop_before_pixels=True) for path in sorted(self.folder.iterdir())]

    def answers(self) -> Counter[tuple[str, str]]:
        """How many answers there are of each film and modality."""
        return Counter((film_of(answer), str(answer.Modality)) for answer in self.objects())


def film_of(answer: Dataset) -> str:
    """The SOP Instance UID of the film that an answer is about."""
    if answer.Modality == "SR":
        evidence = answer.CurrentRequestedProcedureEvidenceSequence[0]
        item = evidence.ReferencedSeriesSequence[0].ReferencedSOPSequence[0]
    else:
        item = answer.SourceImageSequence[0]
    return str(item.ReferencedSOPInstanceUID)


def storescu(
    port: int, files: Sequence[Path], *options: str, called: str = "BONEAGE", calling: str = "WARD"
) -> subprocess.CompletedProcess[str]:
    """Send files with dcmtk's storescu."""
    command = [program("storescu", "dcmtk"), "-aet", calling, "-aec", called, *options]
    return subprocess.run(
        [*command, HOST, str(port), *map(str, files)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
