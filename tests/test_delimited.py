"""Tables as spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from boneage.delimited import read_delimited
from boneage.errors import DataError


def table_of(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_are_trimmed_and_lines_counted(tmp_path: Path, end: str) -> None:
    lines = ("\ufeff Path ;SEX", ' "a;b.png" ; m ;beyond', ";", "", '"c\nd.png";f')
    found = read_delimited(table_of(tmp_path, end.join(lines)))
    assert found.columns == ("path", "sex")
    assert [dict(row.cells) for row in found.rows] == [
        {"path": '"a', "sex": 'b.png"'},  # quotes count at the start of a cell only
        {"path": "c\nd.png", "sex": "f"},
    ]
    assert [row.line for row in found.rows] == [2, 6]


def test_a_row_may_be_short(tmp_path: Path) -> None:
    (row,) = read_delimited(table_of(tmp_path, "a,b,c\n1")).rows
    assert dict(row.cells) == {"a": "1", "b": "", "c": ""}


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv' cannot be read: .*No such file"):
        read_delimited(tmp_path / "nowhere.csv")


def test_the_first_byte_that_is_no_text_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"not UTF-8 \(byte 4\); save it as CSV in UTF-8"):
        read_delimited(table_of(tmp_path, b"a,b\n\xe4"))
