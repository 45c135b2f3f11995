"""Files that are there whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from boneage.writing.files import atomically, write_json


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
