"""Folds of the training ids: which there are, and that no network sees the one held out."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from boneage.apps.cli import main
from boneage.datasets.films import Film, Films, Fold, load_films
from boneage.datasets.labels import CALIBRATION
from boneage.errors import DataError
from boneage.training.monitoring import COLUMNS, PREDICTIONS, read_log
from boneage.training.networks import region as region_networks
from boneage.training.run import Run
from boneage.training.stages import train
from tests.training.drawn import TINY, small_backbone, write_official
from tests.training.test_held_out import KINDS, ids, many

FOLDS = 5


@pytest.mark.parametrize("text", ["0/10", "9/10", "1/2"])
def test_a_fold_is_read_as_it_is_written(text: str) -> None:
    assert str(Fold.parse(text)) == text


@pytest.mark.parametrize("text", ["10/10", "-1/10", "0/1", "0", "a/b", "0/10/2", "", "0.5/10"])
def test_what_is_no_fold_is_refused_and_quoted(text: str) -> None:
    with pytest.raises(DataError, match=r"fold"):
        Fold.parse(text)


def test_folds_part_the_training_ids(tmp_path: Path) -> None:
    films = many(tmp_path)
    held = [
        ids(films.hold_out_fold(Fold(k, FOLDS)).select("squeezed", CALIBRATION))
        for k in range(FOLDS)
    ]
    assert set().union(*held) == ids(films.select("squeezed", "train"))
    assert sum(map(len, held)) == len(films.select("squeezed", "train")), "no id in two"
    assert all(100 < len(fold) < 260 for fold in held), "of 900"


def test_a_fold_is_held_out_with_all_copies_and_validation_is_left_alone(tmp_path: Path) -> None:
    films = many(tmp_path)
    found = films.hold_out_fold(Fold(1, FOLDS))
    held = {film.id for film in found.films if film.split == CALIBRATION}
    for kind in KINDS:
        assert not held & ids(found.select(kind, "train")), kind
        assert found.select(kind, "validation") == films.select(kind, "validation")
    assert found.monitored == CALIBRATION
    assert films.monitored == "validation"


def test_fold_0_of_10_is_what_a_tenth_held_out_is_and_more(tmp_path: Path) -> None:
    films = many(tmp_path)
    fold, tenth = films.hold_out_fold(Fold(0, 10)), films.hold_out_share(0.1)
    assert fold.select("detailed", CALIBRATION) == tenth.select("detailed", CALIBRATION)
    assert ids(fold.select("best", CALIBRATION)) > ids(tenth.select("best", CALIBRATION))


def test_a_fold_without_any_id_is_an_error(tmp_path: Path) -> None:
    few: tuple[Film, ...] = many(tmp_path).films[-1:]
    empty = next(k for k in range(1000) if not Fold(k, 1000).has(few[0].id))
    with pytest.raises(DataError, match=rf"{empty}/1000: it has no training id"):
        Films(few).hold_out_fold(Fold(empty, 1000))


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    path = tmp_path / "mine.toml"
    path.write_text(TINY)
    return path


def test_training_is_watched_on_the_fold_and_leaves_an_answer_for_each_id(
    tmp_path: Path, profile: Path
) -> None:
    data, run, images = (
        write_official(tmp_path / "films", 40),
        tmp_path / "run",
        tmp_path / "shared",
    )
    fold = Fold(1, 4)
    options = Run(run, data, fold=fold, shared_images=images)
    train(str(profile), options, stage="attention")
    held = load_films(data).hold_out_fold(fold).select("best", CALIBRATION)
    last = sorted((run / "attention").glob("phase-*"))[-1]
    with (last / PREDICTIONS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == COLUMNS
    assert [row["id"] for row in rows] == [film.id for film in held]
    assert [float(row["age_months"]) for row in rows] == [film.age_months for film in held]
    assert {row["copy"] for row in rows} == {"detailed"}
    assert "val_mae_months" in read_log(last)[-1]
    assert list(images.glob("*.npy"))
    assert not (run / "prepared").exists()
    recipe = json.loads((run / "attention" / "recipe.json").read_text())
    assert recipe["fold"] == "1/4"
    with pytest.raises(DataError, match="was begun with another fold"):
        train(str(profile), Run(run, data, fold=Fold(2, 4)), stage="attention")


def test_fine_tuning_has_no_folds(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = ["train", "--data", str(tmp_path), "--run", str(tmp_path / "run")]
    with pytest.raises(SystemExit):
        main([*command, "--from", "bundled", "--fold", "0/10"])
    assert "leave out --from" in capsys.readouterr().err
