"""The OpenAPI document keeps its word, asked by Schemathesis."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.service.conftest import Server

EXAMPLES = 15


def test_schemathesis_finds_nothing(server: Server, tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists() and shutil.which("schemathesis") is None:
        pytest.skip("Schemathesis is not here (pip install schemathesis)")
    command = [str(program), "run", f"{server.url}/openapi.json", "--max-examples", str(EXAMPLES)]
    command += ["--seed", "1", "--request-timeout", "60", "--no-color", "--workers", "1"]
    command += ["--phases", "examples,coverage,fuzzing"]
    found = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert found.returncode == 0, found.stdout[-6000:]
