"""Films that are held out for the interval, and the stage that reads them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from msgspec.structs import replace as changed

from boneage.datasets.films import Film, Films, load_films
from boneage.datasets.labels import Split
from boneage.domain.radiograph import Sex
from boneage.errors import DataError, ProfileError
from boneage.inference.assessor import Assessor
from boneage.training import stages
from boneage.training.profile import CalibrationSpec, Profile, load_profile, parse_profile
from boneage.training.run import Run
from boneage.training.stages import calibrate_run, check_held_out
from tests.training.drawn import TINY, write_official

KINDS: tuple[Literal["best", "detailed", "squeezed"], ...] = ("best", "detailed", "squeezed")


def many(folder: Path, count: int = 1000) -> Films:
    """Films of ids that all have a squeezed copy, and each second one a film of use besides."""
    films: list[Film] = []
    for number in range(count):
        split: Split = "validation" if number % 10 == 0 else "train"
        film = Film(str(number), folder / f"{number}.png", 100.0, Sex.MALE, split)
        films.append(replace(film, path=folder / f"t{number}.png", shape=(2000, 1500)))
        films += [film] if number % 2 else []
    return Films(tuple(films))


def ids(films: tuple[Film, ...]) -> set[str]:
    return {film.id for film in films}


def test_a_share_of_the_readable_training_ids_is_held_out(tmp_path: Path) -> None:
    films = many(tmp_path)
    found = films.hold_out_share(0.2)
    held = ids(found.select("detailed", "calibration"))
    assert 60 < len(held) < 140, "of 500"
    assert held < ids(films.select("detailed", "train"))
    assert held == ids(films.hold_out_share(0.2).select("detailed", "calibration")), (
        "always the same"
    )
    assert held < ids(films.hold_out_share(0.3).select("detailed", "calibration")), "and some more"


def test_no_phase_trains_on_any_copy_of_them(tmp_path: Path) -> None:
    found = many(tmp_path).hold_out_share(0.2)
    held = ids(found.select("detailed", "calibration"))
    for kind in KINDS:
        assert not held & ids(found.select(kind, "train")), kind
        assert not held & ids(found.select(kind, "validation")), kind
    splits = {film_id: {f.split for f in found.films if f.id == film_id} for film_id in held}
    assert all(split == {"calibration"} for split in splits.values())


def test_validation_and_squeezed_copies_alone_are_left_where_they_are(tmp_path: Path) -> None:
    films = many(tmp_path)
    found = films.hold_out_share(0.5)
    for kind in KINDS:
        assert found.select(kind, "validation") == films.select(kind, "validation")
    alone = {film.id for film in films.films} - ids(films.select("detailed", "train"))
    assert not alone & ids(found.select("squeezed", "calibration"))


def test_a_share_of_0_holds_back_none(tmp_path: Path) -> None:
    films = many(tmp_path)
    assert films.hold_out_share(0.0) == films


def test_hold_back_is_not_the_split_by_hash_again(tmp_path: Path) -> None:
    films = load_films(write_official(tmp_path, 60))
    train = films.select("detailed", "train")
    held = films.hold_out_share(0.3).select("detailed", "calibration")
    assert 0.1 * len(train) < len(held) < 0.55 * len(train)


class StoppedError(Exception):
    pass


def test_training_is_handed_films_without_those_held_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = write_official(tmp_path / "films", 12)
    handed: list[Films] = []

    def stop(_profile: Profile, films: Films, _run: Run) -> None:
        handed.append(films)
        raise StoppedError

    monkeypatch.setattr(stages, "load_films", lambda *_, **__: many(tmp_path))
    monkeypatch.setattr(stages, "train_attention", stop)
    profile = tmp_path / "mine.toml"
    profile.write_text(TINY + "\n[calibration]\nshare = 0.2\n")
    with pytest.raises(StoppedError):
        stages.train(str(profile), Run(tmp_path / "run", data))
    assert handed[0] == many(tmp_path).hold_out_share(0.2)
    recipe = json.loads((tmp_path / "run" / "attention" / "recipe.json").read_text())
    assert recipe["calibration"] == {"share": 0.2}
    profile.write_text(TINY + "\n[calibration]\nshare = 0.3\n")
    with pytest.raises(DataError, match="was begun with another calibration"):
        stages.train(str(profile), Run(tmp_path / "run", data))


def test_profiles_of_before_hold_back_nothing_and_leave_their_runs_as_they_were() -> None:
    assert load_profile("reference").calibration.share == 0
    assert parse_profile(TINY).calibration == CalibrationSpec()
    with pytest.raises(ProfileError, match=r"calibration.share is 0.9; more than 0.5"):
        parse_profile(TINY + "\n[calibration]\nshare = 0.9\n")


def profile_with(share: float) -> Profile:
    return changed(parse_profile(TINY), calibration=CalibrationSpec(share))


def test_too_few_are_noticed_before_anything_is_trained(tmp_path: Path) -> None:
    films = many(tmp_path, 60).hold_out_share(0.2)
    run = Run(tmp_path / "run", tmp_path)
    with pytest.raises(DataError, match=r"share = 0.2 holds out \d images .* needs 30: raise it"):
        check_held_out(profile_with(0.2), films, run)
    check_held_out(profile_with(0.2), films, replace(run, limit=8))
    check_held_out(profile_with(0.0), films, run)


@pytest.fixture
def split_films(labelled: Path) -> Films:
    """All but ten of the labelled films held out."""
    found = load_films(labelled)
    return Films(
        tuple(
            replace(film, split="train" if i % 7 == 0 else "calibration")
            for i, film in enumerate(found.films)
        )
    )


def test_the_stage_writes_the_interval_and_resumes(
    weights_copy: Path,
    split_films: Films,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(tmp_path, tmp_path)  # weights_copy lies in its folder, as the export's do
    calibrate_run(profile_with(0.2), split_films, run)
    text = capsys.readouterr().out
    assert "analysing 60 calibration images" in text
    assert "features of 10 training images" in text
    interval = json.loads((weights_copy / "manifest.json").read_text())["interval"]
    assert interval["films"]["female"] + interval["films"]["male"] == 60
    assert Assessor(weights_copy).interval_predictor.model is not None

    def none(*_: Any) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr(Assessor, "assess", none)
    calibrate_run(profile_with(0.2), split_films, run)
    assert json.loads((weights_copy / "manifest.json").read_text())["interval"] == interval


def test_nothing_held_out_no_interval(
    weights_copy: Path, split_films: Films, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (weights_copy / "manifest.json").read_bytes()
    calibrate_run(profile_with(0.0), split_films, Run(tmp_path, tmp_path))
    calibrate_run(profile_with(0.2), split_films, Run(tmp_path, tmp_path, limit=20))
    assert (weights_copy / "manifest.json").read_bytes() == before
    text = capsys.readouterr().out
    assert "holds out no images" in text
    assert "20 images are too few for a prediction interval" in text


@pytest.mark.films
def test_a_tenth_of_the_real_films_is_enough(real_films: Path) -> None:
    found = load_films(real_films).hold_out_share(0.1)
    held = found.select("detailed", "calibration")
    assert 100 < len(held) < 160
    assert min(sum(film.sex is sex for film in held) for sex in Sex) >= 30
    for kind in KINDS:
        assert not ids(held) & ids(found.select(kind, "train"))
