"""Stage 1: films as the attention network gets them, and its training from phase to phase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest
from msgspec.structs import replace as changed

from boneage.datasets.films import load_films
from boneage.errors import FilmError
from boneage.training.fitting import FINAL
from boneage.training.images import draw_whole, prepare_whole
from boneage.training.monitoring import read_log
from boneage.training.network_training import sampling_of, train_attention, training_model
from boneage.training.networks import region as region_networks
from boneage.training.networks.region import build_attention_network
from boneage.training.profile import Augmentation, PhaseSpec
from boneage.training.run import Run
from tests.conftest import write_png
from tests.training.drawn import film_of, grey_hand, small_backbone, tiny_profile

PROFILE = tiny_profile()


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)


def test_a_film_is_drawn_at_the_size_of_the_input(tmp_path: Path) -> None:
    film = film_of(write_png(tmp_path / "1.png", grey_hand()))
    canvas = draw_whole(film, PROFILE, (32, 24))
    assert canvas.shape == (32, 24)
    assert canvas.dtype == np.uint8
    assert canvas[24, 12] > 200, "the carpus of a drawn hand is bright"


def test_a_squeezed_copy_gets_its_shape_back(tmp_path: Path) -> None:
    whole = grey_hand((200, 150))
    squeezed = film_of(write_png(tmp_path / "squeezed.png", grey_hand((150, 150))))
    whole_film = film_of(write_png(tmp_path / "whole.png", whole))
    drawn = draw_whole(replace(squeezed, shape=(200, 150)), PROFILE, (64, 48))
    expected = draw_whole(whole_film, PROFILE, (64, 48))
    wrong = draw_whole(squeezed, PROFILE, (64, 48))

    def off(canvas: object) -> float:
        return float(np.abs(np.asarray(canvas, float) - expected).mean())

    assert off(drawn) < 6
    assert off(drawn) < 0.5 * off(wrong)


def test_a_broken_film_is_skipped_or_stops_a_strict_run(official: Path, tmp_path: Path) -> None:
    (official / "boneage-training-dataset" / "2.png").write_bytes(b"no film at all")
    films = load_films(official).films
    prepared = prepare_whole(films, PROFILE, (32, 24), Run(tmp_path / "run", official), "hands")
    assert prepared.images.shape == (5, 32, 24)
    assert [sentence[:2] for sentence in prepared.skipped] == ["2:"]
    strict = Run(tmp_path / "strict", official, strict=True)
    with pytest.raises(FilmError):
        prepare_whole(films, PROFILE, (32, 24), strict, "hands")


def test_the_training_model_varies_films_in_training_only() -> None:
    profile = changed(PROFILE, augmentation=Augmentation(rotation_degrees=40, brightness=0.5))
    network = build_attention_network(profile.attention)
    behind = training_model(network, profile, (32, 24), seed=1)
    hand = grey_hand((32, 24))[np.newaxis, ..., np.newaxis].astype(np.float32)
    inputs = {"film": hand, "sex": np.ones(1, np.int32)}
    plain = np.asarray(network(inputs)["age"])
    assert np.allclose(np.asarray(behind(inputs, training=False)), plain)
    assert not np.allclose(np.asarray(behind(inputs, training=True)), plain, atol=1e-6)
    assert len(behind.trainable_variables) == len(network.trainable_variables)


@pytest.mark.parametrize("augmentation", [Augmentation(), Augmentation(horizontal_flip=True)])
def test_a_profile_may_do_without_augmentation(augmentation: Augmentation) -> None:
    profile = changed(PROFILE, augmentation=augmentation)
    network = build_attention_network(profile.attention)
    assert training_model(network, profile, (32, 24), seed=1).output_shape == (None, 1)


def test_phases_follow_each_other_and_are_found_finished(
    rich: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (rich / "squeezed" / "4.png").write_bytes(b"a held-out film that is broken")
    run = Run(tmp_path / "run", rich)
    films = load_films(rich)
    profile = changed(PROFILE, attention=changed(PROFILE.attention, phases=_phases_of_one_film()))
    network = train_attention(profile, films, run)
    assert network.input["film"].shape == (None, 32, 24, 1)
    text = capsys.readouterr().out
    assert "attention network, phase 0: squeezed at 16 x 12" in text
    assert "attention network, phase 1: detailed at 32 x 24" in text
    assert "skipped 4: " in text
    for number in (0, 1):
        folder = run.folder / "attention" / f"phase-{number}"
        assert (folder / FINAL).is_file()
        assert len(read_log(folder)) == 1
    assert len(list(run.images.glob("*.npy"))) == 4, "two sizes, each with its held-out films"

    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    again = train_attention(profile, films, run)
    for before, after in zip(network.get_weights(), again.get_weights(), strict=True):
        assert np.array_equal(before, after)


def test_a_phase_draws_squeezed_copies_beside_detailed_films(rich: Path, tmp_path: Path) -> None:
    profile, run = PROFILE, Run(tmp_path / "run", rich)
    films = load_films(rich).select("best", "train")
    train = prepare_whole(films, profile, (16, 12), run, "best films")
    phase = changed(profile.attention.phases[0], films="best")
    assert sampling_of(phase, train) is None
    sampling = sampling_of(changed(phase, detailed_times=3, squeezed_an_epoch=1), train)
    assert sampling is not None
    assert list(sampling.always) == [not film.squeezed for film in train.films]
    assert 0 < sampling.always.sum() < len(films)
    drawn = sampling.draw(np.random.default_rng(0))
    assert len(drawn) == 3 * sampling.always.sum() + 1


def _phases_of_one_film() -> tuple[PhaseSpec, ...]:
    return tuple(changed(phase, batch=1) for phase in PROFILE.attention.phases)


def test_the_network_ends_at_the_size_of_the_profile(rich: Path, tmp_path: Path) -> None:
    only_small = changed(PROFILE.attention, phases=PROFILE.attention.phases[:1])
    profile = changed(PROFILE, attention=only_small)
    network = train_attention(profile, load_films(rich), Run(tmp_path / "run", rich))
    assert network.input["film"].shape == (None, 32, 24, 1)
    finished = tmp_path / "run" / "attention" / "phase-0" / FINAL
    small = build_attention_network(only_small, (16, 12))
    small.load_weights(finished)
    assert np.array_equal(small.get_weights()[0], network.get_weights()[0])
