"""A whole training run, killed again and again, and what comes out of it."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.errors import DataError, FilmError, ProfileError
from boneage.inference.assessor import Assessor
from boneage.training.run import Run
from boneage.training.stages import STAGES, train
from tests.conftest import drawn_hand, write_png
from tests.training.small_training import known_backbone

ROOT = Path(__file__).parents[2]
PROFILE = Path(__file__).parent / "small.toml"
FILMS = 30
BROKEN = "7"
KILL_AT = (
    "attention/phase-0/epoch-0001.weights.h5",
    "regions/regions.csv",
    "carpal/phase-0/epoch-0001.weights.h5",
    "fusion/features-train/whole_hand.npy",
    "weights/attention.onnx",
)
"""The run is killed when each of these appears: in the middle of every stage."""
LIMIT_SECONDS = 240


def write_films(folder: Path) -> Path:
    """Labelled films in the official layout; one of them is broken."""
    rows = ["id,boneage,male"]
    for number in range(1, FILMS + 1):
        # What can be learned: the older, the brighter the bones.
        age = 12 + 6 * number
        film = drawn_hand(240, 180, top=4_000 + 300 * number)
        write_png(folder / "boneage-training-dataset" / f"{number}.png", film)
        rows.append(f"{number},{age},{number % 2 == 0}")
    (folder / "boneage-training-dataset" / f"{BROKEN}.png").write_bytes(b"no film")
    (folder / "boneage-training-dataset.csv").write_text("\n".join(rows) + "\n")
    return folder


def start(data: Path, run: Path, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.training.small_training", "train"]
    command += ["--profile", str(PROFILE), "--data", str(data), "--run", str(run)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"}
    with log.open("ab") as file:
        return subprocess.Popen(command, stdout=file, stderr=file, env=environment, cwd=ROOT)


def kill_when(process: subprocess.Popen[bytes], path: Path) -> None:
    """SIGKILL the process as soon as a file is there."""
    end = time.monotonic() + LIMIT_SECONDS
    while not path.exists():
        assert process.poll() is None, f"the run ended before {path.name} was there"
        assert time.monotonic() < end, f"{path.name} never came"
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in every stage and came to its end all the same."""
    folder = tmp_path_factory.mktemp("run")
    log = folder / "log.txt"
    for name in KILL_AT:
        kill_when(start(data, folder, log), folder / name)
    assert start(data, folder, log).wait(LIMIT_SECONDS) == 0, log.read_text()[-3000:]
    return folder


def epochs(folder: Path) -> list[dict[str, str]]:
    with (folder / "epochs.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_killed_run_trains_every_epoch_once(run: Path) -> None:
    logged = {
        log.parent.relative_to(run).as_posix(): [row["epoch"] for row in epochs(log.parent)]
        for log in run.rglob("epochs.csv")
    }
    assert logged == {
        "attention/phase-0": ["0", "1"],
        "attention/phase-1": ["0", "1"],
        "carpal/phase-0": ["0"],
        "carpal/phase-1": ["0", "1"],
        "metacarpal/phase-0": ["0"],
        "metacarpal/phase-1": ["0", "1"],
        "fusion": ["0", "1", "2"],
    }


def test_logs_state_how_fast_and_how_long_it_waited(run: Path) -> None:
    for row in epochs(run / "attention" / "phase-1"):
        assert float(row["films_per_second"]) > 0
        assert 0 <= float(row["data_share"]) < 0.5
        assert float(row["val_mae_months"]) > 0


def test_every_phase_leaves_its_curves_and_tensorboard(run: Path) -> None:
    for log in run.rglob("epochs.csv"):
        assert (log.parent / "curves.png").read_bytes().startswith(b"\x89PNG")
        assert list((log.parent / "tensorboard").rglob("events.out.tfevents.*"))


def test_a_broken_film_is_named_and_counted(run: Path) -> None:
    output = (run / "log.txt").read_text()
    assert f"skipped {BROKEN}: " in output
    assert "1 images skipped" in output


def manifest(run: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((run / "weights" / "manifest.json").read_text())
    return table


def test_the_manifest_states_what_the_weights_are(run: Path) -> None:
    table = manifest(run)
    assert set(table["networks"]) == {"attention", "carpal", "metacarpal", "fusion"}
    for entry in table["networks"].values():
        for file, digest in (("file", "sha256"), ("keras_file", "keras_sha256")):
            content = (run / "weights" / entry[file]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == entry[digest]
        assert entry["keras_difference"] <= 1e-4
    assert table["profile"]["name"] == "small"
    assert table["fusion"] == {
        "inputs": ["whole_hand", "carpal", "metacarpal"],
        "flip_average": True,
    }
    assert table["data"]["films"]["best_train"] + table["data"]["films"]["best_validation"] == FILMS
    assert "not commercial" in table["data"]["terms"]
    assert table["metrics"]["held_back_mae_months"]["fusion"] > 0
    assert set(table["regions"]["fallback"]) >= {"carpal", "metacarpal"}


def test_the_weights_answer(run: Path, data: Path) -> None:
    assessor = Assessor(run / "weights")
    answer = assessor.assess(data / "boneage-training-dataset" / "20.png", "male")
    assert 0 <= answer.age_months <= 240
    assert set(answer.age_by_network) == {"whole_hand", "carpal", "metacarpal"}


def test_exported_and_keras_weights_are_the_same_network(run: Path) -> None:
    from boneage.inference.weights import Weights  # noqa: PLC0415
    from boneage.training.networks.region import build_attention_network  # noqa: PLC0415
    from boneage.training.profile import load_profile  # noqa: PLC0415

    with known_backbone():
        network = build_attention_network(load_profile(str(PROFILE)).attention)
    network.load_weights(run / "weights" / "attention.weights.h5")
    film = np.random.default_rng(1).uniform(0, 255, (2, 96, 64, 1)).astype(np.float32)
    inputs = {"film": film, "sex": np.array([0, 1], np.int32)}
    expected = network.predict_on_batch(inputs)
    got = Weights(run / "weights").run("attention", inputs)
    assert np.abs(expected["age"] - got["age"]).max() * 240 < 2, "rounded more than ONNX"


def test_going_on_with_another_profile_is_refused(run: Path, data: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(PROFILE.read_text().replace("clahe_tiles = 8", "clahe_tiles = 4"))
    with pytest.raises(DataError, match=r"'.*attention' was begun with another preparation"):
        train(str(other), Run(run, data))


def test_an_unknown_stage_is_named(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no stage 'export2'; the stages are attention, regions"):
        train(str(PROFILE), Run(tmp_path, data), stage="export2")
    assert "export" in STAGES


def test_what_cannot_be_used_is_named_and_counted(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "films"
    shutil.copytree(data, folder)
    with (folder / "boneage-training-dataset.csv").open("a") as file:
        file.write("98,60,True\n99,60,True\n1,60,True\n")
    with pytest.raises(ProfileError, match="--initial-weights"):  # as far as reading the films
        train("compact", Run(tmp_path / "run", folder, limit=9))  # with one, few may be held out
    output = capsys.readouterr().out
    assert "skipped 98: there is no image of this id" in output
    assert "skipped: 2 labels without image, 1 duplicate id" in output


def test_strict_stops_at_the_broken_film(data: Path, tmp_path: Path) -> None:
    text = f"'{BROKEN}.png' is text"
    with known_backbone(), pytest.raises(FilmError, match=text):
        train(str(PROFILE), Run(tmp_path, data, strict=True), stage="attention")
