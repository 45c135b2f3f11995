"""Many small films, and the command that reads them into a folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import drawn_hand, write_png

Command = Callable[..., "subprocess.Popen[str]"]
FILMS = 30


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """A folder of 30 drawn films in two folders, and a file that is none."""
    folder = tmp_path / "films"
    grey = (drawn_hand(168, 128) >> 6).astype(np.uint8)
    for number in range(FILMS):
        write_png(folder / "ab"[number % 2] / f"{number:02d}.png", grey)
    (folder / "bad.png").write_bytes(b"no film")
    return folder


@pytest.fixture
def start(weights: Path) -> Command:
    """Start ``boneage assess`` as a process of its own, with the small weights."""

    def start(*arguments: object, shell: str = "") -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "boneage", "assess", *map(str, arguments)]
        if shell:
            command = ["sh", "-c", f'{shell}; exec "$@"', "sh", *command]
        return subprocess.Popen(
            command if "--weights" in command else [*command, "--weights", str(weights)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "RAY_ADDRESS": os.environ.get("RAY_ADDRESS", "local")},
        )

    return start


def rows_of(out: Path, table: str) -> list[dict[str, str]]:
    """All rows of all part files."""
    rows: list[dict[str, str]] = []
    for path in sorted((out / table).glob("part-*.csv")):
        with path.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def names_of(rows: Sequence[dict[str, str]]) -> list[str]:
    return sorted(Path(row["film"]).name for row in rows)


EXPECTED = [f"{number:02d}.png" for number in range(FILMS)]
