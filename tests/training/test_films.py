"""Which labelled films a folder holds, and what could not be used."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.errors import DataError, SexError
from boneage.radiograph import Sex
from boneage.training.films import LABELS, Film, _split, load_films
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
    ("row", "said"),
    [
        ("99,120,True", "99: no film of this id"),
        ("1,120,True", "1: id '1' is labelled twice"),
        ("2,old,True", "2: bone age 'old'"),
        ("2,0,True", "2: bone age '0'"),
        ("2,-5,True", "2: bone age '-5'"),
        ("2,241,True", "2: bone age '241'"),
        ("2,nan,True", "2: bone age 'nan'"),
        ("2,,True", "2: bone age ''"),
        ("2,120,x", "2: sex 'x'"),
        ("2,120", "2: sex ''"),
    ],
)
def test_what_cannot_be_used_is_named_and_skipped(tmp_path: Path, row: str, said: str) -> None:
    write_official(tmp_path, 2)
    write_labels(tmp_path, ["1,60,True", row])
    found = load_films(tmp_path)
    assert ids(found.films) == ["1"]
    assert len(found.problems) == 1
    assert found.problems[0].startswith(said)
    with pytest.raises((DataError, SexError)):
        load_films(tmp_path, strict=True)


def test_of_two_labels_the_first_counts(tmp_path: Path) -> None:
    write_official(tmp_path, 1)
    write_labels(tmp_path, ["1,60,True", "1,200,False"])
    assert [film.age_months for film in load_films(tmp_path).films] == [60.0]


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"no {LABELS}.* in '{tmp_path}'"):
        load_films(tmp_path)


def test_a_folder_without_films_is_named_with_the_places_looked_at(tmp_path: Path) -> None:
    write_labels(tmp_path, ["1,60,True", "2,60,True"])
    with pytest.raises(DataError, match=rf"none of the 2 labelled films of '{tmp_path}'.*images"):
        load_films(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / LABELS).write_text("id,boneage,sex\n1,60,M\n")
    with pytest.raises(DataError, match=r"has no column 'male'; it has .*'sex'"):
        load_films(tmp_path)


def test_a_byte_order_mark_and_more_columns_do_no_harm(tmp_path: Path) -> None:
    write_official(tmp_path, 1)
    (tmp_path / LABELS).write_text("\ufeffid,boneage,male,ward\n1, 60 ,True,B,more\n", "utf-8")
    assert load_films(tmp_path).films[0].age_months == 60.0


def test_the_hash_split_holds_back_a_tenth_always_the_same() -> None:
    names = [str(i) for i in range(1000, 5000)]
    splits = [_split(name) for name in names]
    assert splits == [_split(name) for name in names]
    assert splits.count("validation") / len(names) == pytest.approx(0.1, abs=0.02)
    assert [_split(name) for name in ("1377", "1385", "1401")] == ["train", "train", "train"]
    assert _split("1391") == "validation"


@given(st.text())
def test_the_hash_split_knows_every_id(name: str) -> None:
    assert _split(name) in {"train", "validation"}
    assert _split(name) == _split(name)


def test_no_film_is_in_both_splits(official: Path) -> None:
    found = load_films(official)
    train, held_back = found.select("best", "train"), found.select("best", "validation")
    assert not set(ids(train)) & set(ids(held_back))
    assert len(train) + len(held_back) == 6


def test_the_richer_layout_knows_shapes_copies_and_splits(rich: Path) -> None:
    found = load_films(rich)
    assert found.problems == ()
    thumbnail, detailed = found.films[:2]
    assert (thumbnail.path, detailed.path) == (
        rich / "thumbnails" / "1.png",
        rich / "half-scale" / "1.png",
    )
    assert thumbnail.squeezed
    assert thumbnail.shape == (2000, 1500)
    assert not detailed.squeezed
    assert ids(found.select("detailed", "train")) == ["1"]
    assert ids(found.select("detailed", "validation")) == ["3"]
    assert ids(found.select("thumbnails", "train")) == ["1", "2"]
    assert ids(found.select("best", "train")) == ["1", "2"]
    assert [film.squeezed for film in found.select("best", "train")] == [False, True]


def test_without_thumbnails_the_best_copies_take_their_place(official: Path) -> None:
    found = load_films(official)
    assert found.select("thumbnails", "train") == found.select("best", "train")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("5,1500,2000,,valid", "5: split 'valid'"),
        ("5,1500,2000,,", "5: split ''"),
        ("5,,2000,,train", "5: original size ''"),
        ("5,1500,0,,train", "5: original size '0'"),
        ("5,1500,2000.5,,train", "5: original size '2000.5'"),
    ],
)
def test_a_bad_line_of_the_richer_layout_is_named(tmp_path: Path, line: str, said: str) -> None:
    folder = write_rich(tmp_path, (*RICH, line))
    found = load_films(folder)
    assert "5" not in ids(found.films)
    assert len(found.problems) == 1
    assert found.problems[0].startswith(said)
    with pytest.raises(DataError):
        load_films(folder, strict=True)


def test_what_the_richer_layout_lacks_is_named(rich: Path) -> None:
    (rich / "half-scale" / "1.png").unlink()
    (rich / "thumbnails" / "2.png").unlink()
    with (rich / LABELS).open("a") as file:
        file.write("9,60,True\n")
    assert load_films(rich).problems == (
        "1: film 'half-scale/1.png' is missing",
        "2: no film of this id is there",
        "9: films.csv does not know this id",
    )


@pytest.mark.films
def test_the_real_films_are_split_once_and_for_all(real_films: Path) -> None:
    found = load_films(real_films, strict=True)
    assert len(set(ids(found.films))) == 12_611
    assert len(found.select("detailed", "validation")) == 200
    assert len(found.select("detailed", "train")) == 1_105
    assert len(found.select("thumbnails", "validation")) == 1_000
    splits = Counter(film_id for film_id, _ in {(film.id, film.split) for film in found.films})
    assert set(splits.values()) == {1}, "an id in both splits"


@pytest.mark.films
def test_no_held_back_real_film_is_ever_trained_on(real_films: Path) -> None:
    with (real_films / "films.csv").open(newline="") as file:
        held_back = {row["id"] for row in csv.DictReader(file) if row["split"] == "validation"}
    assert len(held_back) == 1_000
    found = load_films(real_films)
    for kind in ("best", "detailed", "thumbnails"):
        chosen = found.select(kind, "train")
        assert not held_back & set(ids(chosen)), kind
