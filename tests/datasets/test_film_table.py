"""Any table of labelled films in place of a folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from boneage.datasets.films import LABELS, Film, load_films
from boneage.datasets.labels import Kind, hash_split
from boneage.domain.radiograph import Sex
from boneage.errors import DataError


def write_table(folder: Path, *lines: str, films: tuple[str, ...] = ("a.png", "sub/b.dcm")) -> Path:
    for film in films:
        (folder / film).parent.mkdir(parents=True, exist_ok=True)
        (folder / film).touch()
    table = folder / "labels.csv"
    table.write_text("\n".join(lines), "utf-8")
    return table


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("age", ["boneage", "Bone_Age_Months"])
@pytest.mark.parametrize(("sex", "boy", "girl"), [("sex", "M", "f"), ("Male", "True", "0")])
def test_a_table(tmp_path: Path, delimiter: str, age: str, sex: str, boy: str, girl: str) -> None:
    rows = (["path", sex, age, "split"], ["a.png", boy, "0", "train"])
    last = [str(tmp_path / "sub" / "b.dcm"), girl, "120.5", "validation"]
    table = write_table(tmp_path, *(delimiter.join(row) for row in (*rows, last)))
    assert load_films(table, strict=True).films == (
        Film("a", tmp_path / "a.png", 0.0, Sex.MALE, "train"),
        Film("b", tmp_path / "sub" / "b.dcm", 120.5, Sex.FEMALE, "validation"),
    )


def test_a_stated_id_counts_and_is_split_by_its_hash(tmp_path: Path) -> None:
    table = write_table(tmp_path, "id,path,sex,boneage", "1391,a.png,m,60", "1377,sub/b.dcm,m,60")
    found = load_films(table).films
    assert [(film.id, film.split) for film in found] == [("1391", "validation"), ("1377", "train")]


def test_without_an_id_a_film_is_split_as_it_would_be_in_its_folder(tmp_path: Path) -> None:
    names = [f"{i}.png" for i in range(1380, 1400)]
    rows = [f"{name},m,60" for name in names]
    table = write_table(tmp_path, "path,sex,boneage", *rows, films=tuple(names))
    for film in load_films(table, strict=True).films:
        assert film.split == hash_split(film.path.stem)


def test_every_film_of_a_table_is_of_useful_resolution(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,sex,boneage,split", "a.png,m,60,validation")
    assert [film.id for film in load_films(table).select("detailed", "validation")] == ["a"]


@pytest.mark.parametrize(
    ("line", "message", "kind"),
    [
        (",m,60,train", "line 3: the row names no image", Kind.NO_ID),
        ("no.png,m,60,train", "no: image 'no.png' is missing", Kind.NO_FILM),
        ("sub,m,60,train", "sub: image 'sub' is missing", Kind.NO_FILM),
        ("./a.png,m,60,train", "a: id 'a' is labelled twice", Kind.DUPLICATE),
        ("sub/b.dcm,m,-1,train", "b: bone age '-1'", Kind.AGE_RANGE),
        ("sub/b.dcm,m,,train", "b: bone age ''", Kind.AGE_TEXT),
        ("sub/b.dcm,,60,train", "b: '' is not a sex", Kind.SEX),
        ("sub/b.dcm,m,60,test", "b: split 'test' in labels.csv", Kind.SPLIT),
        ("sub/b.dcm,m,60,", "b: split ''", Kind.SPLIT),
        ("sub/b.dcm,m,60", "b: line 3 of the table is invalid", Kind.CELLS),
        ("sub/b.dcm,m,60,5,train", "b: line 3 of the table is invalid", Kind.CELLS),
    ],
)
def test_a_row_that_makes_no_sense_is_named(
    tmp_path: Path, line: str, message: str, kind: Kind
) -> None:
    table = write_table(tmp_path, "path,sex,boneage,split", "a.png,m,60,train", line)
    found = load_films(table)
    assert [film.id for film in found.films] == ["a"]
    (problem,) = found.problems
    assert str(problem).startswith(message)
    assert problem.kind is kind
    with pytest.raises(DataError, match=f"^{message}"):
        load_films(table, strict=True)


def test_one_film_under_two_ids_counts_once(tmp_path: Path) -> None:
    table = write_table(
        tmp_path,
        "id,path,sex,boneage,split",
        "1,a.png,m,60,train",
        "2,sub/../a.png,m,60,validation",
    )
    found = load_films(table)
    assert [film.id for film in found.films] == ["1"]
    assert [problem.kind for problem in found.problems] == [Kind.DUPLICATE_FILM]


def test_an_empty_id_is_no_id(tmp_path: Path) -> None:
    table = write_table(tmp_path, "id,path,sex,boneage", ",a.png,m,60", "2,sub/b.dcm,m,60")
    assert [problem.kind for problem in load_films(table).problems] == [Kind.NO_ID]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("path,sex,boneage\n", "has no rows"),
        ("film,sex,boneage\na.png,m,60\n", "no column 'path'"),
        ("path,boneage\na.png,60\n", "no column 'sex' or 'male'"),
        ("path,sex\na.png,m\n", "no column 'boneage' or 'bone_age_months'"),
        (
            "path,sex,boneage\nno.png,m,60\nb.png,x,60\n",
            "none of the 2 .*1 label without image, 1 sex",
        ),
    ],
)
def test_a_table_that_cannot_be_used(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load_films(write_table(tmp_path, *content.split("\n")))


def test_the_official_labels_are_no_table_but_their_folder_is_data(tmp_path: Path) -> None:
    labels = tmp_path / LABELS
    labels.write_text("id,boneage,male\n1,60,True\n")
    with pytest.raises(DataError, match="give the folder it is in"):
        load_films(labels)


def test_neither_folder_nor_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no {LABELS}.*or a table with path, sex and boneage"):
        load_films(tmp_path / "nowhere")


@pytest.mark.parametrize(("male", "usable"), [("True", True), ("", True), ("False", False)])
def test_a_sex_stated_twice_must_agree(tmp_path: Path, male: str, usable: bool) -> None:
    rows = (f"a.png,m,{male},60", "sub/b.dcm,,False,60")
    found = load_films(write_table(tmp_path, "path,sex,male,boneage", *rows))
    assert [film.id for film in found.films] == ["a"] * usable + ["b"]
    assert [problem.kind for problem in found.problems] == [Kind.SEX] * (not usable)


def test_an_age_stated_twice_is_refused(tmp_path: Path) -> None:
    table = write_table(tmp_path, "path,sex,boneage,bone_age_months", "a.png,m,60,61")
    with pytest.raises(DataError, match="'boneage' and 'bone_age_months', which mean the same"):
        load_films(table)
