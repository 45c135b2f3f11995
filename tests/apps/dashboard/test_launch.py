"""How Streamlit is set up."""

from __future__ import annotations

import socket

import pytest

from boneage.apps.dashboard import launch
from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB

config = pytest.importorskip("streamlit.config")


def test_it_listens_on_loopback_only_and_sends_nothing() -> None:
    assert launch.options()["server.address"] == "127.0.0.1"
    assert launch.options()["browser.gatherUsageStats"] == "false"
    assert launch.options()["server.maxUploadSize"] == str(UPLOAD_LIMIT_MB)
    assert "--browser.gatherUsageStats" in launch.command(8501)


def test_streamlit_knows_every_setting() -> None:
    known = set(config.get_config_options())
    assert set(launch.options()) <= known


def test_a_taken_port_is_not_free() -> None:
    with socket.socket() as taken:
        taken.bind((launch.ADDRESS, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not launch.is_free(port)
    assert launch.is_free(port)


def test_the_first_free_port_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "is_free", lambda port: port > 8502)
    assert launch.free_port() == 8503
    monkeypatch.setattr(launch, "is_free", lambda _: False)
    assert launch.free_port() is None
