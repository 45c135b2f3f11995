"""Tables as spreadsheets write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.errors import DataError
from boneage.storage.delimited import csv_text, escape_cell, read_delimited, unescape_cell


def table_of(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_cells_are_trimmed_and_lines_counted(tmp_path: Path, end: str) -> None:
    lines = ("\ufeff Path ;SEX", ' "a.png" ; m ;', ";", "", '"c\nd.png";f', " PATH;sex", "e;m")
    found = read_delimited(table_of(tmp_path, end.join(lines)))
    assert found.columns == ("path", "sex")
    assert [dict(row.cells) for row in found.rows] == [
        {"path": '"a.png"', "sex": "m"},  # quotes count at the start of a cell only
        {"path": "c\nd.png", "sex": "f"},
        {"path": "e", "sex": "m"},  # the header once more is no row
    ]
    assert [row.line for row in found.rows] == [2, 6, 8]


@pytest.mark.parametrize(("row", "count"), [("1", 1), ("1,2,3,4", 4)])
def test_a_row_of_other_length_is_not_guessed(tmp_path: Path, row: str, count: int) -> None:
    path = table_of(tmp_path, f"a,b,c\n1,2,3\n{row}\n4,5,6\n")
    with pytest.raises(DataError, match=rf"line 3: it has {count} cells, but there are 3 columns"):
        read_delimited(path)
    problems = [row.problem for row in read_delimited(path, ragged=True).rows]
    assert [problem is None for problem in problems] == [True, False, True]
    assert str(problems[1]).startswith("line 3 of the table is invalid")


@pytest.mark.parametrize(
    "header",
    ["sex,path,sex", "sex,path,Sex", "sex,path, SEX ", "sex,path,\ufeffsex", "sex,path,\uff33ex"],
)
def test_two_columns_of_one_name_are_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(DataError, match=r"2 columns of one name: 'sex' \(column 1\) and '.*3"):
        read_delimited(table_of(tmp_path, f"{header}\nm,a.png,f\n"))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("first", ["", "sep=;\r\n", "\n \n"])
def test_every_unicode_with_its_mark_is_read(tmp_path: Path, encoding: str, first: str) -> None:
    path = table_of(tmp_path, f"{first}ä,b;c\n1;2\n".encode(encoding))
    if not first.startswith("sep"):
        path.write_bytes(f"{first}ä;b\n1;2\n".encode(encoding))
    (row,) = read_delimited(path).rows
    assert list(row.cells.values()) == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'a,b\n1,2\n3,"4\n5,6\n', r"line 3: invalid CSV quoting .*unexpected end"),
        (b'a,b\n"1"x,2\n', r"line 2: invalid CSV quoting"),
        (b"a,b\n1,\x002\n", r"line 2: it contains a NUL character"),
        ("a,b\n1,2\n".encode("utf-16-le"), r"line 1: it contains a NUL character"),
        (b"a,b\n\xe4", r"not UTF-8 \(byte 4\); save it as CSV in UTF-8"),
        (b"\xff\xfea\x00\n", r"not UTF-16"),
        (b"\n \n", r"is empty"),
        (b'""\n', r"has no header row"),
    ],
)
def test_errors_of_a_table_state_the_line(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_delimited(table_of(tmp_path, content))


def test_columns_without_a_name_are_left_out(tmp_path: Path) -> None:
    found = read_delimited(table_of(tmp_path, ",a,,\n0,1,2,\n"))
    assert (found.columns, dict(found.rows[0].cells)) == (("a",), {"a": "1"})


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.csv' cannot be read: .*No such file"):
        read_delimited(tmp_path / "nowhere.csv")


@pytest.mark.parametrize("text", ["=1+1", "+1-1", "-1+1", "@a", "\t1", "\r=1", " =1", "-", "'=1"])
def test_a_formula_is_text(text: str) -> None:
    assert escape_cell(text) == f"'{text}"


@pytest.mark.parametrize("cell", ["-3.2", "+1", "-3,2", "-1e-5", "a=1", "'a", "", 3, -3.5, None])
def test_a_number_stays_one(cell: object) -> None:
    assert escape_cell(cell) == cell


@given(st.text())
def test_an_escaped_cell_is_read_unescaped(text: str) -> None:
    assert unescape_cell(str(escape_cell(text))) == text


def test_a_table_on_a_terminal_does_not_drive_it() -> None:
    assert csv_text([["\x1b[2J", 1]], terminal=True) == "\\x1b[2J,1\n"
    assert csv_text([["\x1b[2J", 1]]) == "\x1b[2J,1\n"
