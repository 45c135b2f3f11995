"""Where the service may be started, and what its files hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from boneage.apps.cli import main
from boneage.apps.service.access import add_token, read_tokens


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(main, list(arguments))
    return result.exit_code, result.output


def test_other_computers_need_tokens() -> None:
    code, messages = run("serve", "--host", "0.0.0.0", "--port", "0")
    assert code == 2
    assert "without tokens" in messages


def test_a_token_is_shown_once_and_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    code, messages = run("token", "ward", "--tokens", str(path))
    assert code == 0
    assert messages.strip() not in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_tokens(path).name_of(messages.strip()) == "ward"
    assert read_tokens(path).name_of("x") is None
    assert run("token", "ward", "--tokens", str(path))[0] == 2


@pytest.mark.parametrize("text", ["", "ward", "ward xyz", f"a {'0' * 64}\na {'1' * 64}", "a\tb c"])
def test_a_broken_file_of_tokens_is_reported_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tokens"
    path.write_text(text)
    code, messages = run("serve", "--port", "0", "--tokens", str(path))
    assert code == 2
    assert "xyz" not in messages


def test_a_name_cannot_bring_a_line(tmp_path: Path) -> None:
    assert run("token", "a\nb", "--tokens", str(tmp_path / "t"))[0] == 2
    add_token(tmp_path / "t", "b")


def test_health_states_when_nobody_answers() -> None:
    assert run("health", "http://127.0.0.1:9/readyz")[0] == 1
    assert run("health", "file:///etc/passwd")[0] == 2
