"""A node with an archive behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.apps.dicom_node.peers import Node, Receiver, free_port, start_node


@dataclass
class Site:
    """A node and its archive."""

    node: Node
    archive: Receiver
    folder: Path

    @property
    def spool(self) -> Path:
        return self.folder / "spool"

    @property
    def settings(self) -> tuple[str, ...]:
        """Those of the node, for its subcommands."""
        return self.node.options

    def kill(self) -> None:
        self.node.kill()

    def restart(self) -> None:
        self.node = start_node(self.folder, *self.node.options)


Build = Callable[..., Site]


@pytest.fixture
def build(tmp_path: Path, weights: Path) -> Iterator[Build]:
    """Start a node, with small weights unless told, and an archive; they end with the test."""
    with ExitStack() as stack:

        def built(
            more: str = "", *, node: str = "", folder: str | None = None, archive: bool = True
        ) -> Site:
            receiver = Receiver(free_port(), tmp_path / "archive")
            stack.callback(receiver.stop)
            receiver.folder.mkdir()
            if archive:
                receiver.start()
            (tmp_path / "node.toml").write_text(
                f"""
[node]
port = 0
{node}
[destination]
ae_title = "PACS"
host = "127.0.0.1"
port = {receiver.port}
[spool]
folder = "spool"
min_free_mib = 1
[reading]
weights = "{folder or weights}"
[retry]
first_seconds = 0.2
longest_seconds = 1
refusals = 2
[audit]
log = "audit.jsonl"
{more}
"""
            )
            started = start_node(tmp_path, "--config", str(tmp_path / "node.toml"))
            site = Site(started, receiver, tmp_path)
            stack.callback(site.kill)
            return site

        yield built


@pytest.fixture
def put(tmp_path: Path) -> Callable[..., Path]:
    """Write a film's file for storescu."""

    def put(content: bytes, name: str = "film") -> Path:
        path = tmp_path / f"{name}.dcm"
        path.write_bytes(content)
        return path

    return put
