"""Names of outputs."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from boneage.storage.files import write_named

SUFFIX = ".boneage.pdf"


def write(folder: Path, film: str, mark: str) -> Path:
    return write_named(folder, film, SUFFIX, mark, f"of film {mark}".encode())


def test_the_same_film_replaces_its_output_and_no_other(tmp_path: Path) -> None:
    first = write(tmp_path, "ä/hand.dcm", "aa11")
    assert first == tmp_path / "hand.boneage.pdf"
    assert write(tmp_path, "hand.png", "aa11") == first
    second = write(tmp_path, "hand.png", "bb22")
    assert second == tmp_path / "hand-2.boneage.pdf"
    assert write(tmp_path, "hand.dcm", "cc33").name == "hand-3.boneage.pdf"
    assert first.read_text() == "of film aa11"


def test_what_cannot_be_read_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "hand.boneage.pdf").mkdir()
    (tmp_path / "hand-2.boneage.pdf").symlink_to("nowhere")
    assert write(tmp_path, "hand", "aa").name == "hand-3.boneage.pdf"


@pytest.mark.parametrize(
    ("film", "name"),
    [("", "film"), ("手" * 80 + ".png", "手" * 66), ("caf\udce9.png", "caf\udce9")],
)
def test_every_name_can_be_one_of_an_output(tmp_path: Path, film: str, name: str) -> None:
    found = write(tmp_path, film, "aa")
    assert found.is_file()
    assert found.name.startswith(name)


def _without_links(*_: object) -> None:
    raise OSError(95, "Operation not supported")


@pytest.mark.parametrize("links", [True, False])
def test_outputs_written_at_once_take_no_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, links: bool
) -> None:
    if not links:
        monkeypatch.setattr("os.link", _without_links)
    marks = [f"mark{number:02}" for number in range(12)]

    def work(mark: str) -> None:
        for _ in range(3):
            write(tmp_path, "hand.png", mark)

    threads = [threading.Thread(target=work, args=(mark,)) for mark in marks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    held = sorted(path.read_text() for path in tmp_path.iterdir())
    assert held == [f"of film {mark}" for mark in marks]
