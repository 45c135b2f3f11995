"""Finished weights get an interval, and state it from then on."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.datasets.films import Fold, load_films
from boneage.datasets.labels import CALIBRATION
from boneage.domain.radiograph import ImageMetadata, Radiograph
from boneage.errors import DataError, WeightsError
from boneage.inference.assessor import Assessor
from boneage.inference.weights import Weights
from boneage.training.fit_uncertainty.weights_interval import (
    FEATURES,
    calibrate_weights,
    fit_interval,
    held_out_as,
)
from tests.conftest import drawn_hand


def manifest(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return table


def test_the_manifest_states_what_the_interval_stands_on(sure_weights: Path, weights: Path) -> None:
    table = manifest(sure_weights)
    assert table["format"] == 1
    assert {k: v for k, v in table.items() if k != "interval"} == manifest(weights)
    found = table["interval"]
    assert found["films"] == {"female": 35, "male": 35, "detailed": 70, "training_features": 40}
    assert [len(found["scores"][sex]) for sex in ("female", "male")] == [35, 35]
    content = (sure_weights / FEATURES).read_bytes()
    assert found["features"] == {"file": FEATURES, "sha256": hashlib.sha256(content).hexdigest()}
    assert "Lei et al." in found["method"]


def test_answers_state_it(sure_weights: Path, labelled: Path) -> None:
    assessor = Assessor(sure_weights)
    films = load_films(labelled).films
    answers = [assessor.assess(film.path, film.sex) for film in films]
    held = []
    for film, answer in zip(films, answers, strict=True):
        assert answer.interval is not None
        assert (answer.interval.level, answer.interval.films) == (0.9, 70)
        assert not answer.interval.by_sex, "35 of a sex are too few"
        assert answer.ood_score is not None
        held.append(answer.interval.low_months <= film.age_months <= answer.interval.high_months)
    assert np.mean(held) > 0.85


def test_it_is_wider_for_atypical_images(sure_weights: Path) -> None:
    def detection(pixels: Any) -> float:
        film = Radiograph(pixels.astype(np.float32), ImageMetadata("PNG", 8))
        interval = Assessor(sure_weights).assess(film, "male").interval
        assert interval is not None
        return interval.widening

    hand = drawn_hand(168, 128) / 65535
    white = np.random.default_rng(1).random((168, 128)) ** 0.1
    assert detection(white) > 1.5 * detection(hand)


def test_weights_without_one_state_none(assessor: Assessor, film: Path) -> None:
    answer = assessor.assess(film, "female")
    assert answer.interval is None
    assert answer.ood_score is None


def test_doing_it_again_changes_nothing(sure_copy: Path, labelled: Path) -> None:
    before = (sure_copy / "manifest.json").read_bytes()
    films = load_films(labelled).films
    text: list[str] = []
    calibrate_weights(sure_copy, films, films[:40], workers=2, report=text.append)
    assert (sure_copy / "manifest.json").read_bytes() == before
    assert "90 % interval of a median image: female ±" in text[-1]


def test_without_training_films_it_does_not_widen_for_films_unlike_them(
    sure_copy: Path, labelled: Path, film: Path
) -> None:
    calibrate_weights(sure_copy, load_films(labelled).films, report=lambda _: None)
    assert "features" not in manifest(sure_copy)["interval"]
    answer = Assessor(sure_copy).assess(film, "male")
    assert answer.ood_score is None
    assert answer.interval is not None


def test_too_few_films_are_refused_and_nothing_is_changed(sure_copy: Path, labelled: Path) -> None:
    before = (sure_copy / "manifest.json").read_bytes()
    with pytest.raises(DataError, match=r"29 calibration images can be read; .* needs at least 30"):
        calibrate_weights(sure_copy, load_films(labelled).films[:29])
    assert (sure_copy / "manifest.json").read_bytes() == before


def test_films_that_cannot_be_read_are_named(sure_copy: Path, labelled: Path) -> None:
    films = list(load_films(labelled).films[:40])
    films[3] = films[3].__class__(**{**films[3].__dict__, "path": labelled})
    text: list[str] = []
    table = calibrate_weights(sure_copy, films, report=text.append)
    assert table["films"]["female"] + table["films"]["male"] == 39
    assert any(line.startswith("skipped 3: ") for line in text)


def test_what_was_read_is_not_read_again(
    weights_copy: Path, labelled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films, journal = load_films(labelled).films, tmp_path / "run" / "readings.jsonl"
    first = calibrate_weights(weights_copy, films, journal=journal, report=lambda _: None)
    journal.write_bytes(journal.read_bytes()[:-20])  # killed in the last line
    tried: list[Any] = []
    original = Assessor.assess

    def spy(self: Assessor, film: Any, *rest: Any, **options: Any) -> Any:
        tried.append(film)
        return original(self, film, *rest, **options)

    monkeypatch.setattr(Assessor, "assess", spy)
    again = calibrate_weights(weights_copy, films, journal=journal, report=lambda _: None)
    assert len(tried) == 1
    assert again == first


@pytest.mark.parametrize(
    "stated",
    [{"data": {"fold": "1/3"}}, {"data": {}, "profile": {"calibration": {"share": 0.4}}}],
)
def test_films_are_held_out_as_in_training(labelled: Path, stated: dict[str, Any]) -> None:
    found = load_films(labelled)
    held = held_out_as(stated, found).select("detailed", CALIBRATION)
    expected = (
        found.hold_out_fold(Fold(1, 3)) if stated["data"] else found.hold_out_share(0.4)
    ).select("detailed", CALIBRATION)
    assert held == expected
    assert held


def test_without_held_out_films_there_is_no_interval(sure_copy: Path, labelled: Path) -> None:
    before = (sure_copy / "manifest.json").read_bytes()
    with pytest.raises(DataError, match="0 calibration images"):
        fit_interval(sure_copy, load_films(labelled), sure_copy)
    assert (sure_copy / "manifest.json").read_bytes() == before


def test_changed_features_are_not_used(sure_copy: Path, film: Path) -> None:
    path = sure_copy / FEATURES
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(WeightsError, match=r"training_features.zip' has sha256 .* changed or cut"):
        Assessor(sure_copy).assess(film, "female")
    path.unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        Assessor(sure_copy).assess(film, "female")


@pytest.mark.parametrize(
    ("where", "value", "text"),
    [
        (("features", "file"), "../x.zip", "is outside its folder"),
        (("scores", "female"), [1, 2], "scores; it needs 30"),
        (("scores", "female"), "many", "is not a manifest"),
        (("shape", "most"), None, "is not a manifest"),
        (("shape", "knots_months"), [5, 5], "do not ascend"),
    ],
)
def test_an_interval_that_was_tampered_with_is_refused(
    sure_copy: Path, where: tuple[str, str], value: Any, text: str
) -> None:
    table = manifest(sure_copy)
    part, key = where
    if key == "most":
        table["interval"][part]["widening"].pop("most")
    elif key == "female":
        table["interval"][part] = {"female": value, "male": [0.5] * 20}
    else:
        table["interval"][part][key] = value
    (sure_copy / "manifest.json").write_text(json.dumps(table))
    with pytest.raises(WeightsError, match=text):
        Weights(sure_copy)


@pytest.mark.films
@pytest.mark.slow
def test_real_films_give_real_intervals(bundled: Path, real_films: Path, tmp_path: Path) -> None:
    import shutil  # noqa: PLC0415

    folder = Path(shutil.copytree(bundled, tmp_path / "weights"))
    found = load_films(real_films)
    held_back = found.select("detailed", "validation")
    calibrate_weights(folder, held_back[:36], found.select("detailed", "train")[:30], workers=2)
    assessor = Assessor(folder, threads=1)
    for film in held_back[36:42]:
        interval = assessor.assess(film.path, film.sex).interval
        assert interval is not None
        assert 15 < interval.high_months - interval.low_months < 120
