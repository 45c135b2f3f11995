from __future__ import annotations

from pathlib import Path

import pytest

from boneage.errors import DataError
from boneage.evaluation.validation import collect, films_to_read, read_each
from boneage.radiograph import Sex
from tests.evaluation.drawn import DrawnAssessor, write_films


def test_only_readable_films_of_the_split_are_read(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    assert [film.id for film in films_to_read(folder, "validation")] == ["1", "2", "3"]
    assert [film.id for film in films_to_read(folder, "train")] == ["4"]
    assert {film.id for film in films_to_read(folder, "all")} == {"1", "2", "3", "4"}
    assert [film.id for film in films_to_read(folder, "validation", 2)] == ["1", "2"]


def test_a_folder_without_films_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing"):
        films_to_read(tmp_path / "nothing", "validation")
    folder = write_films(tmp_path / "films")
    rows = (folder / "films.csv").read_text().replace("train", "validation")
    (folder / "films.csv").write_text(rows)
    with pytest.raises(DataError, match="no 'train' film"):
        films_to_read(folder, "train")


def test_every_film_gives_a_reading_or_a_failure(tmp_path: Path) -> None:
    films = films_to_read(write_films(tmp_path / "films"), "validation")
    validation = collect(read_each(DrawnAssessor(), films))
    assert validation.films == 3
    first, second = validation.readings
    assert (first.case, first.sex, first.true_months) == ("1", Sex.MALE, 120)
    assert (first.predicted_months, first.error_months) == (100, -20)
    assert first.networks == {"whole_hand": 110, "carpal": 90}
    assert first.attention_found == {"carpal": True}
    assert second.attention_found == {"carpal": False}
    assert [(f.film, f.code) for f in validation.failures] == [("3", "blank")]
