from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.datasets.films import Film
from boneage.domain.assessment import Assessment, Failure, Finding, Severity, WeightsName
from boneage.domain.radiograph import ImageMetadata, Sex
from boneage.errors import DataError, FilmError, WeightsError
from boneage.evaluation.cases import films_of_split
from boneage.evaluation.robustness.cases import (
    ChangedAnswer,
    ChangedFilm,
    change_film,
    change_films,
    from_journal,
    journal_entry,
    recipe,
)
from boneage.evaluation.robustness.changes import Change, chosen
from boneage.inference.assessor import Assessor
from boneage.storage.parallel import Journal
from tests.conftest import drawn_hand, write_png

LARGE = (drawn_hand(560, 528) >> 6).astype(np.uint8)
SOME = ("rotate_plus_90", "inverted", "resolution_quarter")


def film_at(path: Path, name: str = "1", sex: Sex = Sex.FEMALE, age: float = 100) -> Film:
    return Film(name, path, age, sex, "validation")


@pytest.fixture
def films(tmp_path: Path) -> tuple[Film, ...]:
    """A large film, one too small to lose three quarters of its sides, and no film at all."""
    large = write_png(tmp_path / "1.png", LARGE)
    small = write_png(tmp_path / "2.png", drawn_hand(300, 260))
    (tmp_path / "3.png").write_bytes(b"no film")
    paths = (large, small, tmp_path / "3.png")
    return tuple(film_at(path, path.stem) for path in paths)


class Counting(Assessor):
    """Counts what it reads."""

    reads = 0

    def assess(self, film: Any, *rest: Any, **options: Any) -> Assessment:
        self.reads += 1
        return super().assess(film, *rest, **options)


def journal(path: Path, assessor: Assessor, films: tuple[Film, ...]) -> Journal:
    return Journal(path, recipe(assessor, films))


def test_films_are_changed_read_and_refused(
    films: tuple[Film, ...], assessor: Assessor, tmp_path: Path
) -> None:
    changes = chosen([*SOME, "png_16_bit"])
    with journal(tmp_path / "j", assessor, films) as noted:
        large, small, failure = change_films(assessor, films, changes, noted, 2)
    assert isinstance(large, ChangedFilm)
    assert list(large.outcomes) == [change.name for change in changes]
    assert large.unchanged_months == assessor.assess(films[0].path, Sex.FEMALE).age_months
    assert large.outcomes["png_16_bit"].months == pytest.approx(large.unchanged_months, abs=0.01)
    turned = write_png(tmp_path / "turned.png", np.rot90(LARGE, -1))
    months = large.outcomes["rotate_plus_90"].months
    assert months == assessor.assess(turned, Sex.FEMALE).age_months
    shift = large.shift_months("inverted")
    assert shift is not None
    assert abs(shift) > 1
    assert isinstance(small, ChangedFilm)
    assert small.outcomes["resolution_quarter"] == ChangedAnswer(None, "too_small")
    assert small.shift_months("resolution_quarter") is None
    assert isinstance(failure, Failure)
    assert (failure.film, failure.code) == ("3", "not_an_image")


def test_a_stopped_run_resumes(films: tuple[Film, ...], weights: Path, tmp_path: Path) -> None:
    assessor, path = Counting(weights), tmp_path / "j"
    changes = chosen(SOME)
    with journal(path, assessor, films) as noted:
        first = list(change_films(assessor, films[:1], changes, noted, 1))
    assert assessor.reads == 1 + len(SOME)
    with journal(path, assessor, films) as noted:
        again = list(change_films(assessor, films[:2], changes, noted, 2))
    assert again[:1] == first
    assert assessor.reads == 2 * (1 + len(SOME)) - 1  # too small at a quarter: never assessed
    assert not isinstance(again[1], Failure)


def test_only_new_changes_are_done(films: tuple[Film, ...], weights: Path, tmp_path: Path) -> None:
    assessor, path = Counting(weights), tmp_path / "j"
    with journal(path, assessor, films) as noted:
        list(change_films(assessor, films[:1], chosen(["inverted"]), noted, 1))
    with journal(path, assessor, films) as noted:
        both = chosen(["inverted", "flip_left_right"])
        (film,) = change_films(assessor, films[:1], both, noted, 1)
    assert isinstance(film, ChangedFilm)
    assert set(film.outcomes) == {"inverted", "flip_left_right"}
    assert assessor.reads == 4  # unchanged and changed, twice
    assert len(path.read_text().splitlines()) == 3


def test_a_journal_of_other_films_is_refused(
    films: tuple[Film, ...], assessor: Assessor, tmp_path: Path
) -> None:
    with journal(tmp_path / "j", assessor, films):
        pass
    write_png(films[0].path, drawn_hand(200, 200))
    with pytest.raises(DataError, match="other weights, images or settings"):
        journal(tmp_path / "j", assessor, films)


def test_a_note_is_json_and_meets_the_label_as_it_is_now() -> None:
    outcomes = {
        "a": ChangedAnswer(99.5, warnings=("no_attention",)),
        "b": ChangedAnswer(None, "too_small"),
    }
    film = ChangedFilm("1", Sex.MALE, 100, 98.25, outcomes)
    note = json.loads(json.dumps(journal_entry(film)))
    assert from_journal(film_at(Path("1.png"), sex=Sex.MALE), note) == film
    relabelled = from_journal(film_at(Path("1.png"), sex=Sex.MALE, age=120), note)
    assert (relabelled.label_months, relabelled.unchanged_months) == (120, 98.25)


class Warning_(Assessor):  # noqa: N801  a name that Python has taken
    """Warns that carpus and metacarpus were not found: of the unchanged film, of one of them."""

    def __init__(self) -> None:
        self.changed = False

    def assess(self, film: Any, sex: Any = None, **_: Any) -> Assessment:
        found = [Finding("no_attention", Severity.WARNING, "no carpal region")]
        found.append(Finding("dark", Severity.NOTE, "a dark film"))
        if self.changed:
            found.append(Finding("no_attention", Severity.WARNING, "no metacarpal region"))
        self.changed = True
        weights = WeightsName("none", "none", "00")
        metadata = ImageMetadata("PNG", 8)
        return Assessment(
            "1", Sex.parse(sex), 90.0, (), {}, weights, metadata, 1, 1, 0.1, findings=tuple(found)
        )


def test_only_new_warnings_count(films: tuple[Film, ...]) -> None:
    film = change_film(Warning_(), films[0], chosen(["inverted"]))
    assert isinstance(film, ChangedFilm)
    assert film.outcomes["inverted"] == ChangedAnswer(90.0, warnings=("no_attention",))


def test_one_change_that_breaks_leaves_the_others(
    films: tuple[Film, ...], assessor: Assessor
) -> None:
    def breaks(*_: Any) -> Any:
        raise ZeroDivisionError("by nothing")

    def refuses(*_: Any) -> Any:
        raise FilmError("blank", "a blank film")

    changes = [Change(f.__name__, "cut", "", "", f) for f in (breaks, refuses)]
    film = change_film(assessor, films[0], [*changes, *chosen(["inverted"])])
    assert isinstance(film, ChangedFilm)
    assert film.outcomes["breaks"] == ChangedAnswer(None, "unexpected")
    assert film.outcomes["refuses"] == ChangedAnswer(None, "blank")
    assert film.outcomes["inverted"].months is not None


def test_unusable_weights_stop_everything(films: tuple[Film, ...], weights_copy: Path) -> None:
    (weights_copy / "carpal.onnx").write_bytes(b"")
    with pytest.raises(WeightsError, match=r"carpal\.onnx"):
        change_film(Assessor(weights_copy), films[0], chosen(["inverted"]))


@pytest.mark.films
def test_another_file_of_the_same_greys_is_the_same_film(real_films: Path, bundled: Path) -> None:
    (film,) = films_of_split(real_films, "validation", 1)
    result = change_film(Assessor(bundled), film, chosen(["file"]))
    assert isinstance(result, ChangedFilm)
    assert result.shift_months("png_16_bit") == pytest.approx(0, abs=0.01)
    assert result.shift_months("dicom_monochrome1") == pytest.approx(0, abs=1)
