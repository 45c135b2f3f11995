"""Which films to read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from boneage.batch.cases import Item, cases_of, read_cases
from boneage.domain.assessment import Case, Failure, Finding, Severity
from boneage.domain.child import Child
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.reading.folders import LeftOut, films_in


def cases_in(table: Path) -> list[Case | Failure]:
    return [case for _, case in read_cases(table)]


def fill(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_a_folder_stands_for_all_that_may_be_films(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", "a.DCM", "sub/IM0001", "sub/1.2.840.113619", "ü.tiff")
    fill(tmp_path, ".hidden.png", ".git/c.png", "t.csv", "x.JSON", "n.txt", "README.md")
    fill(tmp_path, "DICOMDIR", "b.boneage.png", "sub/hand.dcm.gz", "films.zip", "old\x1b.tgz")
    (tmp_path / "more").symlink_to(tmp_path / "sub")
    (tmp_path / "scan.01.doc").write_bytes(bytes(128) + b"DICM" + bytes(60))
    (tmp_path / ".kept.dcm").write_bytes(bytes(128) + b"DICM" + bytes(60))
    left_out = LeftOut()
    found = [path.relative_to(tmp_path).as_posix() for path in films_in(tmp_path)]
    assert found == ["a.DCM", "b.png", "scan.01.doc", "sub/1.2.840.113619", "sub/IM0001", "ü.tiff"]
    films_in(tmp_path, left_out=left_out)
    assert str(left_out) == (
        "left out: 3 archives (films.zip, old\\x1b.tgz, sub/hand.dcm.gz); "
        "4 documents (README.md, n.txt, t.csv, …); 1 link to a folder (more); "
        "1 hidden image (.kept.dcm); 1 hidden folder (.git); 1 index of DICOM files (DICOMDIR); "
        "1 result of boneage (b.boneage.png)"
    )


def test_a_folder_that_holds_films_alone_leaves_nothing_out(tmp_path: Path) -> None:
    fill(tmp_path, "b.png", ".DS_Store")
    left_out = LeftOut()
    films_in(tmp_path, left_out=left_out)
    assert str(left_out) == ""


def test_a_folder_can_be_left_out(tmp_path: Path) -> None:
    fill(tmp_path, "a.png", "out/crops/a.png")
    assert films_in(tmp_path, without=[tmp_path / "out" / "crops"]) == [tmp_path / "a.png"]


def test_paths_stay_in_order_and_missing_ones_stay_cases(tmp_path: Path) -> None:
    fill(tmp_path, "films/b.png", "films/a.png")
    paths = [tmp_path / "missing.png", tmp_path / "films"]
    assert [case.film for case in cases_of(paths)] == [
        tmp_path / "missing.png",
        tmp_path / "films" / "a.png",
        tmp_path / "films" / "b.png",
    ]


def test_an_empty_folder_is_reported(tmp_path: Path) -> None:
    fill(tmp_path, "films.zip")
    with pytest.raises(DataError, match=r"no images in the folder .*; left out: 1 archive \(films"):
        list(cases_of([tmp_path]))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("age", ["chronological_age_months", "age"])
def test_a_table(tmp_path: Path, delimiter: str, age: str) -> None:
    table = tmp_path / "cases.csv"
    lines = (["Path", "sex", age, "note"], ["a.png", "F", "120.5", ""], ["/b.png", "", "", "x"])
    text = "\r\n".join(delimiter.join(line) for line in lines)
    table.write_text(f"\ufeff{text}\r\n\r\n", encoding="utf-8")
    assert cases_in(table) == [
        Case(tmp_path / "a.png", Sex.FEMALE, 120.5),
        Case(Path("/b.png"), None, None),
    ]


@pytest.mark.parametrize(
    ("line", "code", "message"),
    [
        ("a.png,x,", "sex", "'x' is not a sex"),
        (
            "a.png,m,old",
            "table",
            "age 'old' is not understood; give years and months, such as 11y4m",
        ),
        ("a.png,m,nan", "table", "age 'nan' is not understood"),
        ("a.png,m,4000", "table", "from 0 to 25 years (300 months)"),
        (",m,", "table", "has no path"),
        ("a.png,m", "table", "line 2 of the table is invalid: it has 2 cells"),
        ("a.png,m,11,5", "table", "line 2 of the table is invalid: it has 4 cells"),
    ],
)
def test_a_row_that_makes_no_sense_fails_alone(
    tmp_path: Path, line: str, code: str, message: str
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(f"path,sex,age\n{line}\nb.png,m,\n")
    bad, good = cases_in(table)
    assert isinstance(bad, Failure)
    assert bad.code == code
    assert message in bad.message
    assert good == Case(tmp_path / "b.png", Sex.MALE)


def test_a_table_may_state_more_of_the_child(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(
        "path;sex;age;birth_date;study_date;height_cm;height_in\n"
        "a.png;m;11y4m;;;142,5;\n"
        "b.png;m;;2011-02-03;20210203;;60\n"
        "c.png;m;;;;;\n"
    )
    cases = [case for case in cases_in(table) if isinstance(case, Case)]
    assert [case.child for case in cases] == [
        Child(136, height_cm=142.5),
        Child(birth_date=date(2011, 2, 3), study_date=date(2021, 2, 3), height_cm=152.4),
        None,
    ]
    assert cases[0].chronological_age_months == 136


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("2021-02-03,2011-02-03,", "the birth date lies after the study date"),
        ("2.1.2011,,", "the birth date is not understood"),
        ("2011-02-03,x,", "the study date is not understood"),
        (",,1.42", "height 1.42 cm looks like metres; give centimetres: 142"),
        (",,tall", "height 'tall' is not a number"),
    ],
)
def test_a_child_that_cannot_be_fails_alone(tmp_path: Path, line: str, message: str) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(f"path,sex,birth_date,study_date,height_cm\na.png,m,{line}\nb.png,m,,,\n")
    bad, good = cases_in(table)
    assert isinstance(bad, Failure)
    assert (bad.film, bad.code) == ("a.png", "table")
    assert message in bad.message
    assert "2011" not in bad.message
    assert isinstance(good, Case)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"file,sex\na,m\n", "no column 'path'"),
        (b"path\na\n", "no column 'sex'"),
        (b"path,sex\n", "has no rows"),
        (b"path,sex\n\xff\xfe\n", "cannot be read"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, content: bytes, message: str) -> None:
    table = tmp_path / "cases.csv"
    table.write_bytes(content)
    with pytest.raises(DataError, match=message):
        cases_in(table)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("path,sex,Sex", "2 columns of one name: 'sex'"),
        ("path,film,sex", "the columns 'path' and 'film', which mean the same"),
        ("path,sex,age,age_months", "the columns 'age_months' and 'age', which"),
        ("path,sex,age_months,age_years", "the columns 'age_months' and 'age_years', which"),
    ],
)
def test_a_table_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, header: str, expected: str
) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(f"{header}\na.png,m,,\n")
    with pytest.raises(DataError, match=expected):
        cases_in(table)


def test_a_row_that_contradicts_itself_fails_alone(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(
        "film,sex,male,height_cm,height_in\n"
        "a.png,m,0,,\nb.png,m,,150,70\nc.png,m,True,152.4,60\n'=d.png,,False,,\n"
    )
    first, second, third, fourth = cases_in(table)
    assert isinstance(first, Failure)
    assert (first.code, first.message) == (
        "sex",
        "the columns 'sex' ('m') and 'male' ('0') contradict each other",
    )
    assert isinstance(second, Failure)
    assert "contradict each other" in second.message
    assert third == Case(tmp_path / "c.png", Sex.MALE, child=Child(height_cm=152.4))
    assert fourth == Case(tmp_path / "=d.png", Sex.FEMALE)


def test_an_age_in_years_is_one(tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("path;sex;age_years\na;m;10,5\nb;m;10y6m\nc;m;40\n")
    first, second, third = cases_in(table)
    assert first == Case(tmp_path / "a", Sex.MALE, 126)
    assert second == Case(tmp_path / "b", Sex.MALE, 126)
    assert isinstance(third, Failure)


@pytest.mark.parametrize(
    "case",
    [
        Case("/films/\udce9.png"),
        Case(
            *("/a.dcm", Sex.MALE, 100.0),
            Child(100.0, None, date(2020, 1, 1), 140.0, Centre.BRUSH_MEAN),
            "K17",
        ),
        Case("/b.dcm", child=Child(birth_date=date(2010, 2, 3))),
        Failure("c", "table", "none", (Finding("x", Severity.WARNING, "m", 1.0, 2.0),)),
    ],
)
def test_an_item_reaches_another_machine_as_it_is(case: Case | Failure) -> None:
    item = Item(b"\x00k", "a\n", case, 3)
    assert item.to_json().isascii()
    assert Item.from_json(item.to_json()) == item
