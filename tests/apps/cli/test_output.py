"""Where answers go, what ends a command, and names that would drive a terminal."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from boneage.apps.cli import Commands, main
from boneage.apps.cli.program import Stopped, stopped_by_signals
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.storage.files import locked
from tests.apps.cli.conftest import Run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals, pipes and names of bytes")
COMMAND = (sys.executable, "-m", "boneage")
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(weights: Path, tmp_path: Path) -> Start:
    """Start ``boneage`` as a process of its own, in a shell where a redirection is wanted."""
    environment = {**os.environ, FOLDER_VARIABLE: str(weights)}

    def start(*arguments: object, redirect: str = "") -> subprocess.Popen[str]:
        command: list[str] = [*COMMAND, *map(str, arguments)]
        if redirect:
            command = ["bash", "-o", "pipefail", "-c", f'"$@" {redirect}', "bash", *command]
        return subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=tmp_path,
            # A job in the background of a shell ignores Ctrl-C, and so would its children.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )

    return start


@pytest.fixture
def folder(tmp_path: Path, film: Path) -> Path:
    """Of 300 links to one film: seconds of work."""
    many = tmp_path / "films"
    many.mkdir()
    for number in range(300):
        os.link(film, many / f"f{number:03}.png")
    return many


def rows_of(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_leaves_a_table_of_what_was_read(
    start: Start, folder: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = start("assess", folder, "--sex", "m", "--csv", "ages.csv")
    assert process.stdout is not None
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(number)
    _, message = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    rows = rows_of(tmp_path / "ages.csv")
    assert 4 <= len(rows) < 300
    assert {len(row) for row in rows} == {len(rows[0])}
    name = "" if number == signal.SIGINT else f" by {number.name}"
    assert message == f"stopped{name}; {301 - len(rows)} images not assessed\n"
    assert list(tmp_path.glob(".*.part")) == []


def test_signals_that_come_together_stop_once() -> None:
    with pytest.raises(Stopped) as stopped, stopped_by_signals():
        try:
            signal.raise_signal(signal.SIGTERM)
        finally:
            signal.raise_signal(signal.SIGHUP)  # does not disturb what is written last
    assert stopped.value.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_signal_that_is_ignored_stays_so() -> None:
    earlier = signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as under nohup
    try:
        with stopped_by_signals():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, earlier)


@pytest.mark.parametrize(
    ("redirect", "status", "message"),
    [
        (">&-", 1, "Error: standard output is closed; send it somewhere"),
        (">&- 2>&- <&-", 1, ""),
        ("> /dev/full", 1, "Error: standard output cannot be written: the disk is full"),
        ("| head -n 0", 141, ""),
    ],
)
@pytest.mark.parametrize("arguments", [("--help",), ("weights",)])
def test_standard_output_that_takes_nothing(
    start: Start, arguments: tuple[str, ...], redirect: str, status: int, message: str
) -> None:
    if arguments == ("--help",) and status == 141:
        status = 1  # of click itself
    process = start(*arguments, redirect=redirect)
    out, errors = process.communicate(timeout=60)
    assert out == ""
    assert errors.startswith(message)
    assert errors.count("\n") == bool(message)
    assert process.returncode == status


def test_a_full_disk_is_reported(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "m", "--csv", "/dev/full")
    assert result.exit_code == 1
    assert "'/dev/full' cannot be written further: the disk is full" in result.stderr


def test_the_table_may_go_to_standard_output(start: Start, film: Path, tmp_path: Path) -> None:
    for place in ("-", "/dev/stdout"):
        process = start("assess", film, "--sex", "m", "--csv", place, redirect="> out.csv")
        _, message = process.communicate(timeout=60)
        assert process.returncode == 0
        assert "Bone age" in message
        header, row = rows_of(tmp_path / "out.csv")
        assert len(header) == len(row)


def test_a_closed_pipe_ends_quietly_with_the_table_written(
    start: Start, folder: Path, tmp_path: Path
) -> None:
    process = start("assess", folder, "--sex", "m", "--csv", "ages.csv", redirect="| head -n 1")
    _, message = process.communicate(timeout=60)
    assert (process.returncode, message) == (141, "")
    assert 2 <= len(rows_of(tmp_path / "ages.csv")) < 300


NAMES = (
    b"\x1b]0;owned\x07\x1b[2J.png",
    b"a\nb.png: 3 years 0 months (36.0 months), male standard.png",
    b"caf\xe9.png",
    b"caf\xe8.png",
    "\u202egnp.\u2028\x9b.png".encode(),
    b"=1+1.png",
    b"x" * 251 + b".png",
)


@pytest.fixture
def strange(tmp_path: Path, film: Path) -> Path:
    folder = tmp_path / "strange"
    folder.mkdir()
    for name in NAMES:
        shutil.copy(film, folder / os.fsdecode(name))
    (folder / "bad\x1b.png").write_bytes(b"no film")
    return folder


def test_names_do_not_drive_the_terminal(run: Run, strange: Path, tmp_path: Path) -> None:
    result = run(
        *("assess", strange, "--sex", "m", "--csv", tmp_path / "a.csv"),
        *("--picture", tmp_path / "p", "--fhir", tmp_path / "f"),
    )
    assert not set(result.output) & set("\x1b\x07\x9b\u202e\u2028\udce9")
    lines = result.stdout.splitlines()
    assert sum("years" in line and "found" in line for line in lines) == len(NAMES)
    assert not any(line.startswith("b.png") for line in lines)
    assert "bad\\x1b.png: failed: 'bad\\x1b.png' is text" in result.stderr
    assert len(rows_of(tmp_path / "a.csv")) == len(NAMES) + 2
    assert len(list((tmp_path / "p").iterdir())) == len(NAMES)
    assert len(list((tmp_path / "f").iterdir())) == len(NAMES)


def test_json_names_films_as_they_are(run: Run, strange: Path) -> None:
    result = run("assess", strange, "--sex", "m", "--json")
    names = {Path(film["film"]).name for film in json.loads(result.stdout)["films"]}
    assert {"\x1b]0;owned\x07\x1b[2J.png", "=1+1.png", r"caf\xe9.png", r"caf\xe8.png"} <= names


def test_regions_of_films_with_strange_names(run: Run, strange: Path, tmp_path: Path) -> None:
    out = tmp_path / "regions"
    first = run("regions", strange, "--out", out)
    assert first.exit_code == 1
    assert f"{len(NAMES) + 1} images: {len(NAMES)} annotated, 1 failed" in first.stdout
    header, *rows = rows_of(out / "regions.csv")
    assert len({row[0] for row in rows}) == len(NAMES)
    assert "'=1+1.png" in {row[0] for row in rows}
    assert all((out / row[header.index("crop")]).is_file() for row in rows)
    again = run("regions", strange, "--out", out)
    assert f"{len(NAMES)} images done before" in again.stderr


def test_two_commands_do_not_share_a_folder_of_regions(
    run: Run, strange: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with locked(tmp_path / "out"):
        result = run("regions", strange, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "another command is writing into" in result.stderr


def test_an_error_that_quotes_a_name_is_one_harmless_line(monkeypatch: pytest.MonkeyPatch) -> None:
    @click.command()
    def fails() -> None:
        raise OSError(28, "No space left on device", "a\nb\x1b[2J")

    monkeypatch.setattr(Commands, "get_command", lambda *_: fails)
    result = CliRunner().invoke(main, ["fails"])
    assert result.stderr == ("Error: the disk is full (No space left on device): 'a\\nb\\x1b[2J'\n")
    unknown = CliRunner().invoke(main, ["\x1b[2J\nError: forged"])
    assert "\x1b" not in unknown.output


def test_skipped_files_of_a_folder_are_reported(run: Run, film: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    shutil.copy(film, folder / "scan.01.doc")
    (folder / "hand.dcm.gz").touch()
    (folder / "link").symlink_to(tmp_path)
    message = "left out: 1 archive (hand.dcm.gz); 1 link to a folder (link)\n"
    for arguments in (
        ("assess", folder, "--sex", "m"),
        ("assess", folder, "--sex", "m", "--out", tmp_path / "big", "--workers", 1),
        ("regions", folder, "--out", tmp_path / "regions"),
    ):
        result = run(*arguments)
        assert result.exit_code == 0
        assert message in result.stderr
