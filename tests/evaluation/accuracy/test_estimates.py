from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.datasets.films import Film, load_films
from boneage.domain.assessment import Failure
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation, assess_each
from boneage.evaluation.cases import choose, films_of_split, fingerprint
from boneage.inference.assessor import Assessor
from boneage.storage.parallel import Journal
from tests.conftest import drawn_hand, write_png
from tests.evaluation.drawn import DrawnAssessor, write_films


def collect(answers: Iterable[CaseEstimate | Failure]) -> Validation:
    found = list(answers)
    failures = tuple(answer for answer in found if isinstance(answer, Failure))
    return Validation(tuple(a for a in found if isinstance(a, CaseEstimate)), failures)


def test_only_readable_films_of_the_split_are_read(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    assert [film.id for film in films_of_split(folder, "validation")] == ["1", "2", "3"]
    assert [film.id for film in films_of_split(folder, "train")] == ["4"]
    assert {film.id for film in films_of_split(folder, "all")} == {"1", "2", "3", "4"}
    assert [film.id for film in films_of_split(folder, "validation", 2)] == ["1", "2"]


def test_squeezed_copies_are_read_in_their_true_shape(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    found = load_films(folder)
    assert [f.id for f in choose(found, folder, "all", copies="best")] == ["4", "1", "2", "3", "5"]
    (film,) = choose(found, folder, "validation", copies="squeezed")
    write_png(film.path, (drawn_hand(150, 150) >> 8).astype(np.uint8))
    seen: list[tuple[float, bool]] = []

    class Watching(DrawnAssessor):
        def assess(self, film: Any, sex: Any = None, *, force: bool = False, **_: Any) -> Any:
            seen.append((film.pixel_aspect, force))
            return super().assess(film.name, sex)

    validation = collect(assess_each(Watching(), [film], force=True))
    assert [reading.case for reading in validation.readings] == ["5"]
    ((aspect, force),) = seen
    assert aspect == pytest.approx(1200 / 1000)
    assert force


def test_a_folder_without_films_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nothing"):
        films_of_split(tmp_path / "nothing", "validation")
    folder = write_films(tmp_path / "films")
    rows = (folder / "films.csv").read_text().replace("train", "validation")
    (folder / "films.csv").write_text(rows)
    with pytest.raises(DataError, match="no detailed 'train' radiograph"):
        films_of_split(folder, "train")


def test_every_film_gives_a_reading_or_a_failure(tmp_path: Path) -> None:
    films = films_of_split(write_films(tmp_path / "films"), "validation")
    validation = collect(assess_each(DrawnAssessor(), films))
    assert validation.films == 3
    first, second = validation.readings
    assert (first.case, first.sex, first.true_months) == ("1", Sex.MALE, 120)
    assert (first.predicted_months, first.error_months) == (100, -20)
    assert first.networks == {"whole_hand": 110, "carpal": 90}
    assert first.attention_found == {"carpal": True}
    assert second.attention_found == {"carpal": False}
    assert [(f.film, f.code) for f in validation.failures] == [("3", "blank")]


def test_workers_change_nothing_but_the_time(
    tmp_path: Path, weights: Path, grey_film: npt.NDArray[np.uint8]
) -> None:
    films = real_films_of_split(tmp_path, grey_film)
    one, two = (
        collect(assess_each(Assessor(weights, threads=1), films, workers=workers))
        for workers in (1, 2)
    )
    assert [r.case for r in two.readings] == [film.id for film in films]
    assert [replace(r, seconds=0) for r in one.readings] == [
        replace(r, seconds=0) for r in two.readings
    ]


def test_what_was_read_before_is_compared_with_the_label_of_today(
    tmp_path: Path, weights: Path, grey_film: npt.NDArray[np.uint8]
) -> None:
    films = real_films_of_split(tmp_path, grey_film)
    with Journal(tmp_path / "journal", {}) as journal:
        first = collect(assess_each(Assessor(weights), films[:2], journal))
    older = [replace(film, age_months=film.age_months + 5) for film in films]
    films[0].path.unlink()  # whoever reads it again fails
    with Journal(tmp_path / "journal", {}) as journal:
        assert list(journal.done) == ["1", "2"]
        again = collect(assess_each(Assessor(weights), older, journal))
        assert list(journal.done) == ["1", "2", "3", "4"]
    for before, after in zip(first.readings, again.readings, strict=False):
        assert after == replace(before, true_months=before.true_months + 5)


def test_the_fingerprint_notices_films_and_sexes(
    tmp_path: Path, grey_film: npt.NDArray[np.uint8]
) -> None:
    films = real_films_of_split(tmp_path, grey_film)
    seen = {fingerprint(films), fingerprint(films[:3])}
    seen.add(fingerprint([replace(films[0], sex=Sex.FEMALE), *films[1:]]))
    assert fingerprint(films) in seen
    write_png(films[0].path, grey_film[:-1])
    seen.add(fingerprint(films))
    assert len(seen) == 4


def test_each_film_is_read_by_both_standards(
    tmp_path: Path, weights: Path, grey_film: npt.NDArray[np.uint8]
) -> None:
    """The small weights read 12 months more for boys."""
    films = real_films_of_split(tmp_path, grey_film)
    assessor = Assessor(weights)
    for reading, film in zip(collect(assess_each(assessor, films)).readings, films, strict=True):
        assert reading.by_standard[reading.sex] == reading.predicted_months
        other = assessor.assess(film.path, Sex.FEMALE).age_months
        assert reading.by_standard[Sex.FEMALE] == pytest.approx(other)


def real_films_of_split(folder: Path, grey: npt.NDArray[np.uint8]) -> list[Film]:
    return [
        Film(str(n), write_png(folder / f"{n}.png", grey[:, n:]), 60.0 + n, Sex.MALE, "validation")
        for n in (1, 2, 3, 4)
    ]


def test_intervals_of_several_levels_are_checked(
    sure_weights: Path, labelled: Path, tmp_path: Path
) -> None:
    films = load_films(labelled).films[:3]
    with Journal(tmp_path / "journal", {}) as journal:
        first = collect(assess_each(Assessor(sure_weights), films, journal)).readings
    assert [interval.level for interval in first[0].intervals] == [0.5, 0.8, 0.9]
    with Journal(tmp_path / "journal", {}) as journal:
        again = collect(assess_each(Assessor(sure_weights), films, journal)).readings
    ends = [[(i.low_months, i.high_months) for i in reading.intervals] for reading in first]
    assert [r.by_standard for r in again] == [r.by_standard for r in first]
    assert ends == [[(i.low_months, i.high_months) for i in r.intervals] for r in again]
