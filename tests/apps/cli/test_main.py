"""The command line as a whole."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from boneage import __version__
from boneage.apps.cli import COMMANDS, Commands, main
from boneage.errors import DataError, FilmError, WeightsError
from tests.apps.cli.conftest import Run

LATE = ("onnxruntime", "pydicom", "keras", "tensorflow", "matplotlib", "PIL.Image")


def test_help_lists_every_command(run: Run) -> None:
    shown = run("--help")
    assert shown.exit_code == 0
    for name, help_text in COMMANDS.items():
        assert name in shown.output
        assert help_text in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(run: Run, name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0, shown.output
    assert f"Usage: boneage {name} " in shown.output
    assert "\b" not in shown.output


def test_version(run: Run) -> None:
    assert run("--version").output == f"boneage, version {__version__}\n"


@pytest.mark.parametrize("arguments", [["elbow"], ["assess"], ["assess", "--sex"], ["--loud"]])
def test_wrong_usage_is_2(run: Run, arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


def python(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    command, environment = [sys.executable, *arguments], {**os.environ, **variables}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60, env=environment
    )


def test_it_runs_as_a_module() -> None:
    shown = python("-m", "boneage", "--version")
    assert (shown.returncode, shown.stdout) == (0, f"boneage, version {__version__}\n")


def test_help_loads_nothing_heavy() -> None:
    code = f"""
import sys
from boneage.apps.cli import main
main(["--help"], standalone_mode=False)
main(["assess", "--help"], standalone_mode=False)
print([name for name in {LATE!r} if name in sys.modules])
"""
    shown = python("-c", code)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize(("wanted", "threads"), [({}, 1), ({"OPENCV_FOR_THREADS_NUM": "2"}, 2)])
def test_opencv_leaves_the_cores_to_the_networks(wanted: dict[str, str], threads: int) -> None:
    code = """
from boneage.apps.cli import main
main(["weights"], standalone_mode=False)
import cv2
print(cv2.getNumThreads())
"""
    shown = python("-c", code, **wanted)
    assert shown.returncode == 0, shown.stderr
    assert int(shown.stdout.splitlines()[-1]) == threads


@pytest.mark.parametrize(
    ("error", "status", "message"),
    [
        (WeightsError("the weights are cut off"), 2, "the weights are cut off"),
        (DataError("no labels"), 2, "no labels"),
        (FilmError("truncated", "the film is cut off"), 1, "the film is cut off"),
        (PermissionError(13, "Permission denied", "a.csv"), 1, "Permission denied: 'a.csv'"),
        (ModuleNotFoundError("no", name="keras.ops"), 2, '[train]"'),
        (ModuleNotFoundError("No module named 'x'", name="x"), 2, "install boneage again"),
        (ZeroDivisionError("surprise"), 1, "unexpected ZeroDivisionError: surprise"),
    ],
)
def test_every_error_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, message: str
) -> None:
    @click.command()
    def fails() -> None:
        raise error

    monkeypatch.setattr(Commands, "get_command", lambda *_: fails)
    result = CliRunner().invoke(main, ["fails"])
    assert result.exit_code == status
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


def test_verbose_shows_where(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Commands, "get_command", lambda *_: fails)
    try:
        assert "Traceback" in CliRunner().invoke(main, ["--verbose", "fails"]).stderr
    finally:
        logging.getLogger("boneage").setLevel(logging.NOTSET)


def test_a_library_warning_that_quotes_a_patient_is_not_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @click.command()
    def talks() -> None:
        import warnings  # noqa: PLC0415

        logging.getLogger("pydicom").warning("bad name SMITH^JOHN")
        warnings.warn("bad name SMITH^JOHN", stacklevel=1)

    monkeypatch.setattr(Commands, "get_command", lambda *_: talks)
    assert "SMITH" not in CliRunner().invoke(main, ["talks"]).output


def test_weights_are_described(run: Run, weights: Path) -> None:
    shown = run("weights")
    assert shown.exit_code == 0
    for message in ("tiny-1", "tiny", "sha256", "terms: none", "mae_months: 99.9", "verified"):
        assert message in shown.output
    assert str(weights) in shown.output


def test_damaged_weights_are_reported(run: Run, weights_copy: Path) -> None:
    (weights_copy / "fusion.onnx").write_bytes(b"")
    shown = run("weights", "--weights", weights_copy)
    assert shown.exit_code == 2
    assert "changed or cut off" in shown.stderr


def test_missing_weights_are_reported(run: Run, tmp_path: Path) -> None:
    assert run("weights", "--weights", tmp_path / "no").exit_code == 2
    shown = run("weights", "--weights", tmp_path)
    assert shown.exit_code == 2
    assert "no weights in" in shown.stderr


def test_training_is_handed_on(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    called: dict[str, Any] = {}

    def train(profile: str | None, run: Any, **options: Any) -> None:
        called.update(profile=profile, **vars(run), **options)

    module = type(sys)("boneage.training.stages")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "boneage.training.stages", module)
    arguments = ["--data", tmp_path, "--run", tmp_path / "run", "--epochs", 2, "--strict"]
    assert run("train", *arguments).exit_code == 0
    handed_on = {
        "profile": None,
        "data": tmp_path,
        "folder": tmp_path / "run",
        "fold": None,
        "shared_images": None,
        "stage": None,
        "epochs": 2,
        "limit": None,
        "strict": True,
        "initial_weights": None,
        "start_from": None,
        "few": False,
    }
    assert {name: called[name] for name in handed_on} == handed_on
    assert run("train", *arguments, "--from", "bundled", "--few").exit_code == 0
    assert (called["start_from"], called["few"]) == ("bundled", True)


def test_options_of_fine_tuning_that_contradict_are_wrong_usage(run: Run, tmp_path: Path) -> None:
    arguments = ["train", "--data", tmp_path, "--run", tmp_path / "run"]
    both = run(*arguments, "--from", "bundled", "--initial-weights", tmp_path)
    assert both.exit_code == 2
    assert "leave --initial-weights out" in both.stderr
    few = run(*arguments, "--few")
    assert few.exit_code == 2
    assert "it needs --from" in few.stderr


def test_training_without_keras_names_the_extra(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: object, **__: object) -> None:
        import keras  # noqa: F401, PLC0415

    module = type(sys)("boneage.training.stages")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "boneage.training.stages", module)
    monkeypatch.setitem(sys.modules, "keras", None)
    result = run("train", "--data", tmp_path, "--run", tmp_path / "run")
    assert result.exit_code == 2
    assert '[train]"' in result.stderr
