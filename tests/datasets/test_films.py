"""Which labelled films a folder holds, and what could not be used."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from boneage.datasets.films import LABELS, Film, Fold, load_films
from boneage.datasets.labels import CALIBRATION, Kind, hash_split
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from tests.training.drawn import RICH, write_labels, write_official, write_rich


def ids(films: tuple[Film, ...]) -> list[str]:
    return [film.id for film in films]


def test_the_official_layout(official: Path) -> None:
    found = load_films(official)
    assert found.problems == ()
    first = found.films[0]
    assert (first.id, first.age_months, first.sex) == ("1", 36.0, Sex.MALE)
    assert found.films[1].sex is Sex.FEMALE
    assert first.path == official / "boneage-training-dataset" / "1.png"
    assert not any(film.squeezed for film in found.films)


@pytest.mark.parametrize(
    "name",
    [
        *("boneage-training-dataset/7.png", "images/7.jpg", "films/7.jpeg", "7.tif", "7.tiff"),
        *("images/7.webp", "7.bmp", "images/7.dcm", "images/7", "images/7.PNG", "7.DCM"),
    ],
)
def test_a_film_may_be_of_any_type(tmp_path: Path, name: str) -> None:
    write_labels(tmp_path, ["7,120,True"])
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"read later")
    assert load_films(tmp_path).films[0].path == tmp_path / name


@pytest.mark.parametrize(
    ("row", "message", "kind"),
    [
        ("99,120,True", "99: there is no image of this id", Kind.NO_FILM),
        (f"{'9' * 300},120,True", "9" * 300 + ": there is no image of this id", Kind.NO_FILM),
        ("1,120,True", "1: id '1' is labelled twice", Kind.DUPLICATE),
        ("2,old,True", "2: bone age 'old'", Kind.AGE_TEXT),
        ("2,-5,True", "2: bone age '-5'", Kind.AGE_RANGE),
        ("2,241,True", "2: bone age '241'", Kind.AGE_RANGE),
        ("2,inf,True", "2: bone age 'inf'", Kind.AGE_RANGE),
        ("2,nan,True", "2: bone age 'nan'", Kind.AGE_TEXT),
        ("2,,True", "2: bone age ''", Kind.AGE_TEXT),
        ("2,120,x", "2: 'x' is not a sex", Kind.SEX),
        ("2,120", "2: line 3 of the table is invalid: it has 2 cells", Kind.CELLS),
        (",120,True", "line 3: the row names no image", Kind.NO_ID),
    ],
)
def test_what_cannot_be_used_is_named_and_skipped(
    tmp_path: Path, row: str, message: str, kind: Kind
) -> None:
    write_official(tmp_path, 2 if row.startswith("2") else 1)
    write_labels(tmp_path, ["1,60,True", row])
    found = load_films(tmp_path)
    assert ids(found.films) == ["1"]
    assert len(found.problems) == 1
    assert str(found.problems[0]).startswith(message)
    assert found.problems[0].kind is kind
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        load_films(tmp_path, strict=True)


@pytest.mark.parametrize(("text", "age"), [("0", 0.0), ("240", 240.0), ("7.5", 7.5)])
def test_ages_from_newborn_to_20_years_are_ages(tmp_path: Path, text: str, age: float) -> None:
    write_official(tmp_path, 1)
    write_labels(tmp_path, [f"1,{text},True"])
    assert [film.age_months for film in load_films(tmp_path, strict=True).films] == [age]


def test_of_two_labels_the_first_counts(tmp_path: Path) -> None:
    write_official(tmp_path, 1)
    write_labels(tmp_path, ["1,60,True", "1,200,False"])
    assert [film.age_months for film in load_films(tmp_path).films] == [60.0]


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no {LABELS}.* in '{tmp_path}'"):
        load_films(tmp_path)


def test_a_folder_without_images_is_reported_with_the_expected_places(tmp_path: Path) -> None:
    write_labels(tmp_path, ["1,60,True", "2,60,True"])
    with pytest.raises(DataError, match=rf"none of the 2 labelled images of '{tmp_path}'.*images"):
        load_films(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("id,boneage,sex\n1,60,M\n")
    with pytest.raises(DataError, match=r"has no column 'male'; it has .*'sex'"):
        load_films(tmp_path)


def test_a_byte_order_mark_and_more_columns_do_no_harm(tmp_path: Path) -> None:
    write_official(tmp_path, 1)
    (tmp_path / LABELS).write_text("\ufeffid,boneage,male,ward\n1, 60 ,True,B,\n", "utf-8")
    assert load_films(tmp_path).films[0].age_months == 60.0


def test_the_hash_split_holds_back_a_tenth_always_the_same() -> None:
    names = [str(i) for i in range(1000, 5000)]
    splits = [hash_split(name) for name in names]
    assert splits == [hash_split(name) for name in names]
    assert splits.count("validation") / len(names) == pytest.approx(0.1, abs=0.02)
    assert [hash_split(name) for name in ("1377", "1385", "1401")] == ["train", "train", "train"]
    assert hash_split("1391") == "validation"


@given(st.text())
def test_the_hash_split_knows_every_id(name: str) -> None:
    assert hash_split(name) in {"train", "validation"}
    assert hash_split(name) == hash_split(name)


def test_no_film_is_in_both_splits(official: Path) -> None:
    found = load_films(official)
    train, held_back = found.select("best", "train"), found.select("best", "validation")
    assert not set(ids(train)) & set(ids(held_back))
    assert len(train) + len(held_back) == 6


def test_the_richer_layout_knows_shapes_copies_and_splits(rich: Path) -> None:
    found = load_films(rich)
    assert found.problems == ()
    squeezed, detailed = found.films[:2]
    assert (squeezed.path, detailed.path) == (
        rich / "squeezed" / "1.png",
        rich / "half-scale" / "1.png",
    )
    assert squeezed.squeezed
    assert squeezed.shape == (2000, 1500)
    assert not detailed.squeezed
    assert ids(found.select("detailed", "train")) == ["1"]
    assert ids(found.select("detailed", "validation")) == ["3"]
    assert ids(found.select("squeezed", "train")) == ["1", "2"]
    assert ids(found.select("best", "train")) == ["1", "2"]
    assert [film.squeezed for film in found.select("best", "train")] == [False, True]


def test_squeezed_copies_are_found_whatever_their_folder_and_format(rich: Path) -> None:
    (rich / "squeezed").rename(rich / "whatever")
    for path in (rich / "whatever").iterdir():
        with Image.open(path) as image:
            image.save(path.with_suffix(".webp"), lossless=True)
        path.unlink()
    (rich / "notes").mkdir()
    (rich / "notes" / "1.txt").write_text("about film 1")
    found = load_films(rich, strict=True).select("squeezed", "train")
    assert [film.path for film in found] == [rich / "whatever" / f"{n}.webp" for n in (1, 2)]
    assert all(film.squeezed for film in found)


def test_without_squeezed_copies_the_best_copies_take_their_place(official: Path) -> None:
    found = load_films(official)
    assert found.select("squeezed", "train") == found.select("best", "train")


@pytest.mark.parametrize(
    ("line", "message", "kind"),
    [
        ("5,1500,2000,,valid", "5: split 'valid'", Kind.SPLIT),
        ("5,1500,2000,,", "5: split ''", Kind.SPLIT),
        ("5,,2000,,train", "5: original size ''", Kind.SIZE),
        ("5,1500,0,,train", "5: original size '0'", Kind.SIZE),
        ("5,1500,2000.5,,train", "5: original size '2000.5'", Kind.SIZE),
        ("5,1500,2000,half-scale/1.png,train", "5: image '1.png' is listed", Kind.DUPLICATE_FILM),
    ],
)
def test_a_bad_line_of_the_richer_layout_is_named(
    tmp_path: Path, line: str, message: str, kind: Kind
) -> None:
    folder = write_rich(tmp_path, (*RICH, line))
    found = load_films(folder)
    assert "5" not in ids(found.films)
    assert len(found.problems) == 1
    assert str(found.problems[0]).startswith(message)
    assert found.problems[0].kind is kind
    with pytest.raises(DataError, match=f"^{re.escape(message)}"):
        load_films(folder, strict=True)


def test_what_the_richer_layout_lacks_is_named(rich: Path) -> None:
    (rich / "half-scale" / "1.png").unlink()
    (rich / "squeezed" / "2.png").unlink()
    with (rich / LABELS).open("a") as file:
        file.write("9,60,True\n")
    assert tuple(map(str, load_films(rich).problems)) == (
        "1: image 'half-scale/1.png' is missing",
        "2: there is no image of this id",
        "9: films.csv does not list this id",
    )


def test_the_first_split_of_a_duplicate_id_counts(tmp_path: Path) -> None:
    folder = write_rich(tmp_path, RICH)
    with (folder / "films.csv").open("a") as file:
        file.write("3,1600,2100,half-scale/3.png,train\n")
    found = load_films(folder)
    assert ids(found.select("detailed", "validation")) == ["3"]
    assert [str(problem) for problem in found.problems] == [
        "3: id '3' is listed twice in films.csv; the first row counts"
    ]


def test_films_without_label_are_named_in_the_official_layout(tmp_path: Path) -> None:
    folder = write_official(tmp_path, 2)
    films = folder / "boneage-training-dataset"
    for name in ("5.png", "1.2.840.113619", "1.jpg", ".hidden.png", "notes.txt", "5.dcm"):
        (films / name).touch()
    (films / "sub").mkdir()
    for name in ("LICENSE", "figure.png"):  # no film lies beside the labels
        (folder / name).touch()
    (folder / "images").mkdir()
    (folder / "images" / "6.tif").touch()
    found = load_films(folder)
    assert ids(found.films) == ["1", "2"]
    assert [str(problem) for problem in found.problems] == [
        "1.2.840.113619: image 'boneage-training-dataset/1.2.840.113619' has no label",
        "5: image 'boneage-training-dataset/5.dcm' has no label",
        "6: image 'images/6.tif' has no label",
    ]
    assert {problem.kind for problem in found.problems} == {Kind.NO_LABEL}
    with pytest.raises(DataError, match="has no label"):
        load_films(folder, strict=True)


def test_films_without_label_beside_the_labels(tmp_path: Path) -> None:
    write_labels(tmp_path, ["1,60,True", "2,bad,True"])
    for name in ("1.png", "2.png", "3.png", "LICENSE", "readme.md"):
        (tmp_path / name).touch()
    assert [str(problem) for problem in load_films(tmp_path).problems] == [
        "2: bone age 'bad' is not a number of months",
        "3: image '3.png' has no label",
    ]


def test_films_without_label_are_named_in_the_richer_layout(rich: Path) -> None:
    (rich / "half-scale" / "77.jpg").touch()
    (rich / "squeezed" / "77.png").touch()
    (rich / "squeezed" / "78.png").touch()
    with (rich / "films.csv").open("a") as file:
        file.write("79,1500,2000,../elsewhere/79.png,train\n80,1500,2000,/nowhere/80.png,train\n")
    assert [str(problem) for problem in load_films(rich).problems] == [
        "77: image 'half-scale/77.jpg' has no label",
        "78: image 'squeezed/78.png' has no label",
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are Linux's")
def test_a_film_whose_name_is_no_text_is_named(official: Path) -> None:
    folder = os.fsencode(official / "boneage-training-dataset")
    Path(os.fsdecode(folder + b"/\xff.png")).touch()
    (problem,) = load_films(official).problems
    assert (
        str(problem).encode()
        == "\ufffd: image 'boneage-training-dataset/\ufffd.png' has no label".encode()
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,boneage,male\n", "has no rows"),
        (b"id,boneage,male\n,,\n", "has no rows"),
        (b"id,boneage,male\n1,60,M\xe4nnlich\n", "is not UTF-8"),
        ("id,boneage,male\n1,60,True\n".encode("utf-16-le"), "it contains a NUL character"),
        (b"PK\x03\x04 no table", "no column 'id'"),
        (b'id,boneage,male\n1,60,"' + b"x" * 200_000, "cannot be read"),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_labels_that_are_none(tmp_path: Path, content: bytes, message: str, strict: bool) -> None:
    write_official(tmp_path, 1)
    (tmp_path / LABELS).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_films(tmp_path, strict=strict)


def test_labels_may_be_parted_as_spreadsheets_part_them(tmp_path: Path) -> None:
    write_official(tmp_path, 1)
    (tmp_path / LABELS).write_text("ID;BoneAge;Male\n1;60;True\n")
    assert load_films(tmp_path, strict=True).films[0].age_months == 60.0


@pytest.mark.films
def test_the_real_films_are_split_once_and_for_all(real_films: Path) -> None:
    found = load_films(real_films, strict=True)
    assert len(set(ids(found.films))) == 12_611
    assert len(found.select("detailed", "validation")) == 200
    assert len(found.select("detailed", "train")) == 1_272
    assert len(found.select("squeezed", "validation")) == 1_000
    splits = Counter(film_id for film_id, _ in {(film.id, film.split) for film in found.films})
    assert set(splits.values()) == {1}, "an id in both splits"


@pytest.mark.films
def test_fold_0_of_10_of_the_real_films_holds_what_the_shipped_weights_hold_out_fold(
    real_films: Path,
) -> None:
    films = load_films(real_films)
    fold = films.hold_out_fold(Fold(0, 10))
    assert len(fold.select("squeezed", CALIBRATION)) == 1_161
    assert len(fold.select("squeezed", "train")) == 11_611 - 1_161
    half_scale = films.hold_out_share(0.1).select("detailed", CALIBRATION)
    assert fold.select("detailed", CALIBRATION) == half_scale
    assert len(half_scale) == 142


@pytest.mark.films
def test_no_held_out_real_image_is_ever_trained_on(real_films: Path) -> None:
    with (real_films / "films.csv").open(newline="") as file:
        held_back = {row["id"] for row in csv.DictReader(file) if row["split"] == "validation"}
    assert len(held_back) == 1_000
    found = load_films(real_films)
    for kind in ("best", "detailed", "squeezed"):
        chosen = found.select(kind, "train")
        assert not held_back & set(ids(chosen)), kind
