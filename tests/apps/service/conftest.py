"""A real server process, and drawn films for it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from boneage.inference.manifest import bundled_folder

START_SECONDS = 120
EXAMPLE = Path(__file__).parents[3] / "examples" / "synthetic_hand_girl.png"


@dataclass
class Server:
    """Where a server answers, and what it writes to stderr."""

    url: str
    stderr: Path
    process: subprocess.Popen[bytes]

    def log(self) -> str:
        return self.stderr.read_text("utf-8")


Start = Callable[..., Server]


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Start servers that end with the tests."""
    if not (bundled_folder() / "manifest.json").is_file():
        pytest.skip("the bundled weights are not here (no src/boneage/bundle/manifest.json)")
    with ExitStack() as stack:

        def started(*options: str) -> Server:
            stderr = tmp_path_factory.mktemp("server") / "stderr"
            command = [sys.executable, "-m", "boneage", "serve", "--port", "0", *options]
            log = stack.enter_context(stderr.open("wb"))
            process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
            stack.callback(process.wait, 60)
            stack.callback(process.terminate)
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert "http://" in line, stderr.read_text()
            return Server(line.split()[2], stderr, process)

        yield started


@pytest.fixture(scope="session")
def server(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """One server for the tests that leave it as it was."""
    audit = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    return start("--audit", str(audit), "--max-mib", "20")


@pytest.fixture(scope="session")
def client(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as opened:
        yield opened


@pytest.fixture(scope="session")
def png() -> bytes:
    """The file of a drawn film that the weights that ship take for a hand."""
    return EXAMPLE.read_bytes()
