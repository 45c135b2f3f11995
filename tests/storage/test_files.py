"""Files that are there whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
import threading
from pathlib import Path

import pytest

from boneage.storage.files import atomically, locked, reason_of, write_json

linux = pytest.mark.skipif(sys.platform != "linux", reason="pipes, devices and links of Linux")


def test_a_file_takes_its_name_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "ä.csv"
    with atomically(path) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b", whole")
    assert path.read_bytes() == b"half, whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_after_an_error_the_earlier_file_is_untouched(
    tmp_path: Path, error: type[BaseException]
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"earlier")
    with pytest.raises(error), atomically(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"earlier"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError), atomically(tmp_path):
        pass


def test_a_missing_folder_is_noticed_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomically(tmp_path / "no" / "a.csv"):
        pytest.fail("the work began")


def test_others_may_read_the_file_as_any_other(tmp_path: Path) -> None:
    with atomically(tmp_path / "a") as file:
        file.write(b"1")
    (tmp_path / "b").write_bytes(b"1")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


def test_json_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "table.json"
    write_json(path, {"name": "Zoë", "share": 0.5})
    assert path.read_text("utf-8") == '{\n  "name": "Zoë",\n  "share": 0.5\n}\n'
    with pytest.raises(ValueError, match="JSON"):
        write_json(path, {"share": float("nan")})
    assert "Zoë" in path.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [path]


def test_rows_are_written_despite_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(KeyboardInterrupt), atomically(path, keep_partial=True) as file:
        file.write(b"row")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"row"
    with pytest.raises(KeyboardInterrupt), atomically(path, keep_partial=True):
        raise KeyboardInterrupt
    assert path.read_bytes() == b"row", "nothing was written"
    assert list(tmp_path.iterdir()) == [path]


@linux
def test_permissions_survive(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"earlier")
    path.chmod(0o640)
    with atomically(path) as file:
        file.write(b"1")
    assert path.stat().st_mode & 0o777 == 0o640
    path.chmod(0o604)
    with atomically(path, private=True) as file:
        file.write(b"1")
    assert path.stat().st_mode & 0o777 == 0o600


@linux
def test_a_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    link = tmp_path / "link.csv"
    link.symlink_to("sub/real.csv")
    for content in (b"made", b"replaced"):
        with atomically(link) as file:
            file.write(content)
        assert link.is_symlink()
        assert (tmp_path / "sub" / "real.csv").read_bytes() == content
    assert len(list((tmp_path / "sub").iterdir())) == 1


@linux
@pytest.mark.parametrize(
    ("target", "error"),
    [("no/where", FileNotFoundError), (".", IsADirectoryError), ("link", OSError)],
)
def test_a_broken_link_is_reported(tmp_path: Path, target: str, error: type[OSError]) -> None:
    (tmp_path / "link").symlink_to(target)
    with pytest.raises(error), atomically(tmp_path / "link"):
        pytest.fail("the work began")
    assert (tmp_path / "link").is_symlink()


@linux
def test_a_pipe_is_written_through(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    found: list[bytes] = []
    reader = threading.Thread(target=lambda: found.append(pipe.read_bytes()))
    reader.start()
    with atomically(pipe) as file:
        file.write(b"through")
    reader.join()
    assert found == [b"through"]
    assert pipe.is_fifo()


@linux
def test_a_full_device_is_reported_and_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:  # noqa: SIM117
        with atomically(Path("/dev/full")) as file:
            file.write(b"1")
    assert reason_of(caught.value) == "the disk is full (No space left on device)"
    assert Path("/dev/full").is_char_device()


def test_an_exclusive_file_replaces_none(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with atomically(path, exclusive=True) as file:
        file.write(b"1")
    with pytest.raises(FileExistsError), atomically(path, exclusive=True) as file:
        file.write(b"2")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"1"]


@linux
def test_a_folder_is_locked_until_it_is_left(tmp_path: Path) -> None:
    with locked(tmp_path) as first, locked(tmp_path) as second:
        assert (first, second) == (True, False)
    with locked(tmp_path) as third:
        assert third
    assert list(tmp_path.iterdir()) == []


def test_a_reason_is_given_in_words() -> None:
    assert reason_of(PermissionError(errno.EACCES, "Permission denied", "x")) == "Permission denied"
    assert reason_of(ValueError("what it says")) == "what it says"
