"""The OpenAPI document keeps its word, asked by Schemathesis."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from boneage.apps.service.access import add_token
from tests.apps.service.conftest import Start
from tests.apps.service.test_service import send

EXAMPLES = 15
CONFIG = """
[[operations]]
include-method = "GET"
parameters = {{ answer_id = "{answer_id}", pseudonym = "K17" }}
"""


@pytest.mark.slow
def test_schemathesis_finds_nothing(start: Start, tmp_path: Path, png: bytes) -> None:
    program = Path(sys.executable).with_name("schemathesis")
    if not program.exists() and shutil.which("schemathesis") is None:
        pytest.skip("Schemathesis is not here (pip install schemathesis)")
    token = add_token(tmp_path / "tokens", "ward")
    history = str(tmp_path / "children.sqlite")
    server = start("--tokens", str(tmp_path / "tokens"), "--history", history)
    header = f"Authorization: Bearer {token}"
    headers = {"authorization": f"Bearer {token}"}
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False, headers=headers) as client:
        got = send(client, png, headers=headers)
        visit = {"sex": "female", "age": "11y", "height_cm": 142.5, "bone_age": "10y"}
        client.post("/v1/children/K17/visits", json=visit).raise_for_status()
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG.format(answer_id=got.json()["id"]))
    command = [str(program), "--config-file", str(config), "run", f"{server.url}/openapi.json"]
    command += ["--header", header, "--max-examples", str(EXAMPLES), "--seed", "1"]
    command += ["--request-timeout", "60", "--no-color", "--workers", "1"]
    command += ["--phases", "examples,coverage,fuzzing"]
    command += ["--exclude-checks", "positive_data_acceptance"]  # no schema says what a film is
    found = subprocess.run(
        command, check=False, cwd=tmp_path, capture_output=True, text=True, timeout=900
    )
    assert found.returncode == 0, found.stdout[-20000:]
