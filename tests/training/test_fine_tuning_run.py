"""A whole fine-tuning of small but real networks, from a table of drawn films."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest

from boneage.errors import DataError, ProfileError
from boneage.inference.assessor import Assessor
from boneage.training.export import sha256_of
from boneage.training.fine_tuning import LOCAL_TERMS, TERMS
from boneage.training.fitting import FINAL
from boneage.training.monitoring import read_log
from boneage.training.networks.fusion import build_fusion_network
from boneage.training.networks.region import LOCAL, build_attention_network
from boneage.training.profile import load_profile
from boneage.training.run import Run
from boneage.training.stages import train
from tests.conftest import drawn_hand, write_png
from tests.training.small_training import known_backbone

# A fusion of the networks' own ages; and fewer epochs than the phases have.
PROFILE = (Path(__file__).parent / "small.toml").read_text("utf-8").replace(
    "whole_hand = true", "whole_hand = true\njoins = 'ages'"
) + "\n[fine_tuning]\nepochs = 1\nlearning_rate_factor = 0.1\n"
FILMS = 20
Arrays = dict[str, npt.NDArray[np.float32]]


def write_table(folder: Path, shift: float = 0.0) -> Path:
    """Labelled films, all to be trained on; the older, the brighter the bones."""
    rows = ["path,sex,boneage,split"]
    for number in range(FILMS):
        film = drawn_hand(168, 128, top=4_000 + 500 * number)
        write_png(folder / f"{number}.png", film)
        rows.append(f"{number}.png,{'mf'[number % 2]},{24 + 8 * number + shift},train")
    table = folder / "films.csv"
    table.write_text("\n".join([*rows, ""]))
    return table


@pytest.fixture(scope="module", autouse=True)
def _known_backbone() -> Iterator[None]:
    with known_backbone():
        yield


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "small.toml"
    path.write_text(PROFILE)
    return path


@pytest.fixture(scope="module")
def source(profile: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Finished weights of the small profile; don't change them."""
    folder = tmp_path_factory.mktemp("source")
    train(str(profile), Run(folder / "run", write_table(folder / "films"), epochs=1))
    return folder / "run" / "weights"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Other films, read 8 months older, none of them held out."""
    return write_table(tmp_path_factory.mktemp("local"), shift=8.0)


@pytest.fixture(scope="module")
def tuned(source: Path, local: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that fine-tuned them."""
    folder = tmp_path_factory.mktemp("tuned")
    train(None, Run(folder, local), start_from=str(source), few=True)
    return folder


def manifest(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((folder / "manifest.json").read_text("utf-8"))
    return table


def by_layer(network: keras.Model) -> Arrays:
    """All numbers of each layer that has any."""
    return {
        layer.name: np.concatenate([values.ravel() for values in layer.get_weights()])
        for layer in network.layers
        if layer.weights
    }


def attention_of(profile: Path, file: Path) -> keras.Model:
    network = build_attention_network(load_profile(str(profile)).attention)
    network.load_weights(file)
    return network


def test_only_the_last_phase_of_each_network_is_trained(tuned: Path) -> None:
    logs = {log.parent.relative_to(tuned).as_posix() for log in tuned.rglob("epochs.csv")}
    once = {"attention/phase-0", "carpal/phase-0", "metacarpal/phase-0"}
    assert logs == once | {"fusion"}
    assert all(len(read_log(tuned / name)) == 1 for name in once)
    assert len(read_log(tuned / "fusion")) == 3
    whole = [np.load(p, mmap_mode="r") for p in (tuned / "prepared").glob("*films*96x64*.npy")]
    assert len(whole) == 1
    assert not list((tuned / "prepared").glob("*64x64*")), "nothing at the size of phase 0"


def test_without_a_validation_split_nothing_is_watched(tuned: Path) -> None:
    assert all("val_mae_months" not in row for row in read_log(tuned / "attention" / "phase-0"))
    assert manifest(tuned / "weights")["metrics"] == {"held_back_mae_months": {}}


def test_it_starts_from_the_pretrained_networks(tuned: Path, source: Path, profile: Path) -> None:
    then = by_layer(attention_of(profile, source / "attention.weights.h5"))
    now = by_layer(attention_of(profile, tuned / "attention" / "phase-0" / FINAL))
    assert {name.startswith(LOCAL) for name in now} == {True, False}, "the heat map's CBAM is there"
    assert any(not np.array_equal(now[name], then[name]) for name in now), "something was learned"
    # A network begun anew would be as far from the finished one as that is from 0, or farther.
    for name in ("backbone", f"{LOCAL}hidden_0", "hidden_0"):
        moved = np.abs(now[name] - then[name]).mean() / np.abs(then[name]).mean()
        assert moved < 0.3, name


def test_the_fusion_gets_the_fine_tuned_networks_own_head(tuned: Path, profile: Path) -> None:
    spec = load_profile(str(profile))
    whole = attention_of(profile, tuned / "attention" / "phase-0" / FINAL)
    features = {p.stem: np.load(p) for p in (tuned / "fusion" / "features-train").glob("*.npy")}
    widths = {name: features[name].shape[1] for name in ("whole_hand", "carpal", "metacarpal")}
    fusion = build_fusion_network(spec.fusion, widths, spec.networks)
    fusion.load_weights(tuned / "fusion" / FINAL)
    heads = by_layer(fusion)
    own = by_layer(whole)
    for name in ("sex_embedding", "hidden_0", "scaled_age"):
        assert np.array_equal(heads[f"whole_hand_own_{name}"], own[name]), name


def test_the_source_is_left_as_it_was(source: Path, tuned: Path) -> None:
    assert tuned.is_dir()
    for entry in manifest(source)["networks"].values():
        assert sha256_of(source / entry["file"]) == entry["sha256"]
        assert sha256_of(source / entry["keras_file"]) == entry["keras_sha256"]


def test_the_manifest_states_what_they_descend_from(tuned: Path, source: Path) -> None:
    table, before = manifest(tuned / "weights"), manifest(source)
    assert table["name"].startswith("small-tuned-")
    assert table["fine_tuned_from"] == {
        "name": before["name"],
        "sha256": sha256_of(source / "manifest.json"),
        "date": before["date"],
        "commit": before["commit"],
        "data": before["data"],
    }
    assert table["data"]["films"] == {
        "best_train": FILMS,
        "best_validation": 0,
        "detailed_train": FILMS,
        "detailed_validation": 0,
    }
    assert table["data"]["terms"] == f"{TERMS} {LOCAL_TERMS}"
    (phase,) = table["profile"]["attention"]["phases"]
    assert phase["learning_rate"] == pytest.approx(1e-4)
    assert "interval" not in table


def test_the_fine_tuned_weights_answer(tuned: Path, local: Path) -> None:
    answer = Assessor(tuned / "weights").assess(local.parent / "12.png", "male")
    assert 0 < answer.age_months < 240
    assert set(answer.age_by_network) == {"whole_hand", "carpal", "metacarpal"}


def test_a_finished_run_is_not_trained_again(
    tuned: Path, source: Path, local: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    train(None, Run(tuned, local), start_from=str(source), few=True, stage="fusion")


def test_a_run_begun_from_other_weights_is_refused(
    tuned: Path, source: Path, local: Path, profile: Path, tmp_path: Path
) -> None:
    others = Path(shutil.copytree(source, tmp_path / "others"))
    table = manifest(others)
    (others / "manifest.json").write_text(json.dumps(table | {"name": "others"}))
    with pytest.raises(DataError, match="was begun with another set of weights;"):
        train(None, Run(tuned, local), start_from=str(others), few=True)
    with pytest.raises(DataError, match="was begun with another attention and set of weights;"):
        train(str(profile), Run(tuned, local))


def test_another_architecture_is_refused_before_anything_is_drawn(
    source: Path, local: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text(PROFILE.replace("sex_units = 4", "sex_units = 8"))
    with pytest.raises(ProfileError, match=r"attention.sex_units is 8 .* and 4 in the weights"):
        train(str(other), Run(tmp_path / "run", local), start_from=str(source), few=True)
    assert not (tmp_path / "run").exists()


def test_too_few_films_are_refused(source: Path, local: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{FILMS} images .* too few .*'boneage calibrate'"):
        train(None, Run(tmp_path / "run", local), start_from=str(source))
    assert not (tmp_path / "run").exists()
