"""What a fine-tuning takes over from a profile, and which films it takes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from msgspec.structs import replace as changed

from boneage.datasets.films import Film, Films, load_films
from boneage.domain.radiograph import Sex
from boneage.errors import DataError, ProfileError
from boneage.training.fine_tuning import (
    LEAST_TO_FINE_TUNE,
    Pretrained,
    begin_fine_tuning,
    fine_tuning_of,
    local_films,
    profile_to_fine_tune,
    without_small_calibration,
)
from boneage.training.profile import (
    CalibrationSpec,
    FineTuningSpec,
    Profile,
    load_profile,
    parse_profile,
    profile_of,
)
from boneage.uncertainty.intervals import LEAST_FILMS
from tests.training.drawn import TINY, tiny_profile
from tools.shifted_clinic import CLINIC, OTHERS, SHIFT_MONTHS, write_tables

ROOT = Path(__file__).parents[2]


def pretrained_by(profile: Profile) -> Pretrained:
    """Finished weights, as far as their manifest goes."""
    manifest = SimpleNamespace(name="tiny-1", table={"profile": profile.to_dict()})
    return Pretrained(Path("weights"), cast(Any, manifest))


def many(count: int, *, squeezed: bool = False) -> Films:
    films = [
        Film(str(i), Path(f"{i}.png"), 100.0, Sex.MALE, "train" if i % 10 else "validation")
        for i in range(count)
    ]
    copies = [replace(f, path=Path(f"t{f.id}.png"), shape=(200, 150)) for f in films]
    return Films(tuple(copies + films if squeezed else films))


@pytest.mark.parametrize("name", ["compact", "reference"])
def test_of_each_network_the_last_phase_remains_gently(name: str) -> None:
    profile = load_profile(name)
    tuned = fine_tuning_of(profile)
    for network, before in (
        (tuned.attention, profile.attention),
        (tuned.region, profile.region),
    ):
        (phase,) = network.phases
        last = before.phases[-1]
        assert phase.learning_rate == pytest.approx(last.learning_rate / 4)
        assert phase.epochs == 4
        assert (phase.films, phase.input, phase.squeezed_an_epoch) == ("detailed", None, 0)
        assert phase.average == min(last.average, 0.9)
        assert (phase.loss, phase.batch, phase.focus) == (last.loss, last.batch, last.focus)
        assert network.initial_weights == "none", "nothing but the finished weights is loaded"
        assert changed(network, phases=(), initial_weights="") == changed(
            before, phases=(), initial_weights=""
        )
    head, before_head = tuned.fusion.training, profile.fusion.training
    assert head.learning_rate == pytest.approx(before_head.learning_rate / 4)
    assert head.epochs == before_head.epochs
    assert tuned.calibration == profile.calibration


def test_fine_tuning_again_takes_no_smaller_steps() -> None:
    once = fine_tuning_of(load_profile("compact"))
    assert fine_tuning_of(profile_of(once.to_dict())) == once


def test_the_profile_states_how_gently_and_how_long() -> None:
    text = TINY + "\n[fine_tuning]\nlearning_rate_factor = 0.1\nepochs = 9\naverage = 0.5\n"
    phase = fine_tuning_of(parse_profile(text)).attention.phases[0]
    assert phase.learning_rate == pytest.approx(1e-4)
    assert phase.epochs == 9
    assert phase.average == 0, "a phase without an average gets none"
    assert parse_profile(TINY).fine_tuning == FineTuningSpec()


@pytest.mark.parametrize("bad", ["learning_rate_factor = 0.0", "learning_rate_factor = 2.0"])
def test_a_factor_that_is_none_is_refused(bad: str) -> None:
    with pytest.raises(ProfileError, match=r"factor is \d and .*epochs is 4; the factor must be"):
        parse_profile(f"{TINY}\n[fine_tuning]\n{bad}\n")
    with pytest.raises(ProfileError, match=r"epochs is 0; .* there must be an epoch"):
        parse_profile(f"{TINY}\n[fine_tuning]\nepochs = 0\n")


def test_without_a_profile_it_is_the_weights_own() -> None:
    assert profile_to_fine_tune(None, pretrained_by(tiny_profile())) == tiny_profile()


def test_a_profile_of_the_same_architecture_may_train_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TINY.replace("epochs = 1", "epochs = 3").replace("horizontal_flip = true", ""))
    found = profile_to_fine_tune(str(path), pretrained_by(tiny_profile()))
    assert found.attention.phases[0].epochs == 3


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("sex_units = 4", "sex_units = 8", "attention.sex_units is 8 in .* and 4 in the weights"),
        ("input = [32, 24]", "input = [64, 48]", r"attention.input is \(64, 48\)"),
        ("hidden = [4]", "hidden = [4, 4]", r"fusion.hidden is \(4, 4\)"),
        (', "phalanx"]', "]", r"regions.names is \['carpal', 'metacarpal'\] in the profile 'tiny'"),
        ("input = [16, 16]", "input = [16, 16]\nalpha = 0.5", "region.alpha is 0.5 .* and None"),
    ],
)
def test_another_architecture_is_refused(tmp_path: Path, old: str, new: str, named: str) -> None:
    path = tmp_path / "mine.toml"
    assert old in TINY
    path.write_text(TINY.replace(old, new))
    with pytest.raises(ProfileError, match=named):
        profile_to_fine_tune(str(path), pretrained_by(tiny_profile()))


def test_too_few_films_are_better_calibrated() -> None:
    few = many(LEAST_TO_FINE_TUNE - 1, squeezed=True)
    with pytest.raises(DataError, match=r"199 images .* below 200, .*'boneage calibrate', .*--few"):
        local_films(few)
    assert len(local_films(few, few=True).films) == 199, "the squeezed copies are left out"
    assert local_films(many(LEAST_TO_FINE_TUNE)) == many(LEAST_TO_FINE_TUNE)
    with pytest.raises(DataError, match="0 images of useful resolution"):
        local_films(Films(()), few=True)


def with_share(share: float) -> Profile:
    return changed(tiny_profile(), calibration=CalibrationSpec(share))


def test_films_too_few_for_an_interval_are_not_held_out(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert without_small_calibration(with_share(0.1), many(200)).calibration.share == 0
    output = capsys.readouterr().out
    assert "would hold out" in output
    assert "interval needs 30 of the clinic's own" in output
    assert "these weights state no interval; 'boneage calibrate'" in output
    assert without_small_calibration(with_share(0.1), many(600)) == with_share(0.1)
    assert without_small_calibration(with_share(0.0), many(200)) == with_share(0.0)
    assert capsys.readouterr().out == ""


def test_the_texts_state_the_same() -> None:
    training = (ROOT / "docs" / "training.md").read_text("utf-8")
    assert f"Fewer than {LEAST_TO_FINE_TUNE} images are refused without `--few`" in training
    spec, text = FineTuningSpec(), (ROOT / "docs" / "how-it-works.md").read_text("utf-8")
    assert f"by default a quarter, {spec.epochs} and {spec.average:g}" in text
    assert spec.learning_rate_factor == 0.25
    assert f"fewer than {LEAST_FILMS} images, none is held out" in text
    assert f"Below {LEAST_TO_FINE_TUNE} images the command refuses" in text


def test_it_begins_by_saying_on_what(capsys: pytest.CaptureFixture[str]) -> None:
    profile, films = begin_fine_tuning(pretrained_by(tiny_profile()), tiny_profile(), many(250))
    assert profile == fine_tuning_of(tiny_profile())
    assert films == many(250)
    output = capsys.readouterr().out
    assert output == (
        "fine-tuning tiny-1 on 225 images; 25 are for monitoring, 0 held out for the interval\n"
    )


@pytest.mark.films
def test_the_made_up_clinic_has_films_of_the_training_split_alone(
    real_films: Path, tmp_path: Path
) -> None:
    write_tables(tmp_path, real_films)
    real = {film.id: film for film in load_films(real_films).select("detailed", "train")}
    tables = [load_films(tmp_path / name).films for name in ("clinic.csv", "others.csv")]
    assert [len(films) for films in tables] == [CLINIC, OTHERS]
    assert not {film.id for film in tables[0]} & {film.id for film in tables[1]}
    for film in (*tables[0], *tables[1]):
        assert film.age_months - real[film.id].age_months == SHIFT_MONTHS[film.sex]
