"""``boneage dashboard``, up to where Streamlit takes over."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from boneage.apps.dashboard import launch
from tests.apps.cli.conftest import Run


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, Path | None, bool]]:
    calls: list[tuple[int, Path | None, bool]] = []

    def serve(
        port: int,
        weights: Path | None,
        *,
        calibration: Path | None = None,
        history: str | None = None,
        browser: bool,
    ) -> None:
        assert history is None
        calls.append((port, weights or calibration, browser))

    monkeypatch.setattr(launch, "serve", serve)
    return calls


def test_it_prints_the_address(run: Run, served: list[tuple[int, Path | None, bool]]) -> None:
    result = run("dashboard", "--port", 8765, "--no-browser")
    assert result.exit_code == 0
    assert "http://127.0.0.1:8765" in result.output
    assert served == [(8765, None, False)]


def test_it_takes_weights_and_a_free_port(
    run: Run, served: list[tuple[int, Path | None, bool]], tmp_path: Path
) -> None:
    assert run("dashboard", "--weights", tmp_path).exit_code == 0
    assert served[0][0] >= launch.FIRST_PORT
    assert served[0][1:] == (tmp_path, True)


def test_it_takes_a_calibration(
    run: Run, served: list[tuple[int, Path | None, bool]], film: Path
) -> None:
    assert run("dashboard", "--calibration", film).exit_code == 0
    assert served[0][1] == film


def test_a_taken_port_is_reported(run: Run, served: list[tuple[int, Path | None, bool]]) -> None:
    with socket.socket() as taken:
        taken.bind((launch.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("dashboard", "--port", port)
    assert result.exit_code == 2
    assert f"port {port} is taken" in result.stderr
    assert not served
