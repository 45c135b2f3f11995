"""Paths, bytes and file objects."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from boneage import read
from boneage.reading import source as source_module
from tests.reading.conftest import Refused
from tests.reading.drawn import GREY, UNIT, raster

CONTENT = raster("PNG")


@pytest.mark.parametrize("name", ["hand.png", "Hände 手 🦴.png", "no suffix", "film.dcm", "x.txt"])
def test_a_path_gives_the_film_its_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(CONTENT)
    for given in (path, str(path)):
        film = read(given)
        assert film.name == name
        assert film.metadata.format == "PNG"
        np.testing.assert_array_equal(film.pixels, UNIT)


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_are_a_film(kind: type) -> None:
    film = read(kind(CONTENT))
    assert film.name == "film"
    assert film.pixels.shape == GREY.shape


@pytest.mark.parametrize("position", [0, 10, len(CONTENT)])
def test_a_file_object_is_read_whole_and_put_back(position: int) -> None:
    file = io.BytesIO(CONTENT)
    file.seek(position)
    film = read(file)
    assert film.name == "film"
    np.testing.assert_array_equal(film.pixels, UNIT)
    assert file.tell() == position


def test_an_open_file_gives_its_name(tmp_path: Path) -> None:
    (tmp_path / "hand.png").write_bytes(CONTENT)
    with (tmp_path / "hand.png").open("rb") as file:
        assert read(file).name == "hand.png"


def test_a_stream_that_cannot_be_rewound_is_read() -> None:
    class Stream(io.RawIOBase):
        rest = CONTENT

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: object) -> int:
            view = memoryview(buffer)  # type: ignore[arg-type]
            part, self.rest = self.rest[: len(view)], self.rest[len(view) :]
            view[: len(part)] = part
            return len(part)

    np.testing.assert_array_equal(read(io.BufferedReader(Stream())).pixels, UNIT)


def test_missing_file(refused: Refused, tmp_path: Path) -> None:
    path = str(tmp_path / "nothing.png")
    assert repr(path) in str(refused(path, "missing"))
    (tmp_path / "file").write_bytes(CONTENT)
    refused(tmp_path / "file" / "below", "missing")
    refused("", "missing")
    refused("zero\0character", "missing")


def test_folder(refused: Refused, tmp_path: Path) -> None:
    assert repr(str(tmp_path)) in str(refused(tmp_path, "folder"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_permission_denied(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(CONTENT)
    path.chmod(0)
    assert "permission denied" in str(refused(path, "permission"))


def test_permission_denied_for_root_too(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deny(*_: object, **__: object) -> int:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "film.png").write_bytes(CONTENT)
    monkeypatch.setattr(os, "open", deny)
    assert "permission denied" in str(refused(tmp_path / "film.png", "permission"))
    refused(tmp_path, "folder")


def test_a_path_that_is_too_long(refused: Refused) -> None:
    refused("x" * 5000, "unreadable")


def test_a_device_is_not_waited_for(refused: Refused) -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    assert "device" in str(refused("/dev/zero", "unreadable"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_without_a_writer_is_empty(refused: Refused, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "empty")


@pytest.mark.skipif(not Path("/dev/stdin").exists(), reason="no /dev/stdin here")
def test_a_pipe_that_somebody_writes_to_is_read() -> None:
    code = "import boneage; print(boneage.read('/dev/stdin').pixels.shape)"
    done = subprocess.run(
        [sys.executable, "-c", code], input=CONTENT, capture_output=True, check=False
    )
    assert done.stdout.decode().strip() == str(GREY.shape), done.stderr


def test_empty(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "film.png").touch()
    assert "0 bytes" in str(refused(tmp_path / "film.png", "empty"))
    refused(b"", "empty")
    refused(io.BytesIO(), "empty")


def test_a_file_that_is_far_too_large_is_not_read_to_its_end(
    refused: Refused, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "MAX_FILE_BYTES", 100)
    (tmp_path / "film.png").write_bytes(CONTENT)
    refused(tmp_path / "film.png", "too_many_bytes")
    refused(io.BytesIO(CONTENT), "too_many_bytes")


def test_file_objects_that_cannot_be_read(refused: Refused, tmp_path: Path) -> None:
    closed = io.BytesIO(CONTENT)
    closed.close()
    refused(closed, "unreadable")
    assert "'rb'" in str(refused(io.StringIO("text"), "unreadable"))
    with (tmp_path / "out").open("wb") as writing:
        refused(writing, "unreadable")


def test_anything_else_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="3 is not an image"):
        read(3)  # type: ignore[arg-type]
