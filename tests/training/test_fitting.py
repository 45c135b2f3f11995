"""A phase of training: what it minimises, what it logs, and how it survives a kill."""

from __future__ import annotations

import math
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.training.augmentation import augmenter
from boneage.training.fitting import FINAL, fit, loss_of, mae_months, optimizer_of
from boneage.training.monitoring import LOG, read_log
from boneage.training.profile import Augmentation, PhaseSpec
from tests.training.drawn import SMALL_PHASE, small_batches, small_networks
from tests.training.killed_training import MOMENTS, train

ROOT = Path(__file__).parents[2]
LOGGED = {
    "in an epoch": 2,
    "in validation": 2,
    "before the log": 2,
    "in a checkpoint": 3,
    "after the last checkpoint": 4,
}
"""Epochs in the log of a training that was killed."""
EPOCHS = SMALL_PHASE.epochs
Weights = list[npt.NDArray[np.float32]]


def rates(phase: PhaseSpec, steps: int) -> npt.NDArray[np.float64]:
    rate = optimizer_of(phase, steps)._learning_rate
    return np.array([float(rate(step)) for step in range(steps + 1)])


def loss_months(name: Any, true: float, predicted: float, **options: float) -> float:
    loss = loss_of(PhaseSpec(1, 1, 1e-3, name, **options))  # type: ignore[arg-type]
    return float(np.mean(loss(np.array([true / 240]), np.array([[predicted / 240]]))))


def same(some: Weights, others: Weights, tolerance: float = 0.0) -> bool:
    pairs = zip(some, others, strict=True)
    return all(np.allclose(a, b, rtol=0, atol=tolerance) for a, b in pairs)


def logged_epochs(folder: Path) -> list[float]:
    return [row["epoch"] for row in read_log(folder)]


@pytest.fixture(scope="module")
def unkilled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training that was left alone."""
    folder = tmp_path_factory.mktemp("unkilled")
    train(folder)
    return folder


@pytest.fixture
def end_weights(unkilled: Path) -> Weights:
    network, _ = small_networks()
    network.load_weights(unkilled / FINAL)
    return list(network.get_weights())


def test_one_cycle_warms_up_then_decays() -> None:
    phase = PhaseSpec(1, 1, 1e-3, "huber", schedule="one_cycle")
    rate = rates(phase, 100)
    assert rate[0] == pytest.approx(1e-3 / 25)
    assert rate[15] == pytest.approx(1e-3)
    assert np.allclose(np.diff(rate[:16]), (1e-3 - 1e-3 / 25) / 15), "a straight warm-up"
    assert (np.diff(rate[15:]) < 0).all()
    assert rate[15 + 42] == pytest.approx(1e-3 * (1 + math.cos(math.pi * 42 / 85)) / 2, rel=1e-3)
    assert rate[100] == pytest.approx(0, abs=1e-9)


def test_a_single_step_has_a_schedule_too() -> None:
    assert np.isfinite(rates(PhaseSpec(1, 1, 1e-3, "huber", schedule="one_cycle"), 1)).all()


def test_a_constant_rate_stays() -> None:
    optimizer = optimizer_of(PhaseSpec(1, 1, 3e-4, "mean_squared_error"), 100)
    assert float(optimizer.learning_rate) == pytest.approx(3e-4)
    assert isinstance(optimizer, keras.optimizers.Adam)
    assert (optimizer.beta_1, optimizer.beta_2) == (0.9, 0.999)
    assert not optimizer.use_ema


def test_the_profile_names_the_optimizer() -> None:
    optimizer = optimizer_of(SMALL_PHASE, 100)
    assert isinstance(optimizer, keras.optimizers.AdamW)
    assert optimizer.weight_decay == 0.01
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)


def test_losses_are_what_one_works_out_by_hand() -> None:
    assert loss_months("mean_squared_error", 120, 144) == pytest.approx(2**2)  # 2 years
    assert loss_months("huber", 120, 126) == pytest.approx(0.5 * 0.5**2)  # within a year
    assert loss_months("huber", 120, 156) == pytest.approx(1 * (3 - 0.5))  # beyond it
    assert loss_months("huber", 120, 156, huber_months=24) == pytest.approx(2 * (3 - 1))
    assert loss_months("binary_crossentropy", 60, 120) == pytest.approx(math.log(2))
    crossentropy = -(0.25 * math.log(0.1) + 0.75 * math.log(0.9))
    assert loss_months("binary_crossentropy", 60, 24) == pytest.approx(crossentropy, rel=1e-5)


@pytest.mark.parametrize("name", ["mean_squared_error", "huber", "binary_crossentropy"])
def test_losses_pair_each_label_with_its_own_prediction(name: Any) -> None:
    true, predicted = np.array([0.1, 0.9], np.float32), np.array([[0.1], [0.9]], np.float32)
    loss = loss_of(PhaseSpec(1, 1, 1e-3, name))
    assert np.shape(loss(true, predicted)) == (2,)
    assert np.mean(loss(true, predicted)) < np.mean(loss(true, predicted[::-1]))


def test_errors_are_logged_in_months() -> None:
    errors = mae_months(np.array([0.5, 0.25]), np.array([[0.6], [0.25]]))
    assert np.allclose(errors, [24, 0])


def test_a_finished_phase_leaves_its_weights_and_no_checkpoint(unkilled: Path) -> None:
    assert sorted(path.name for path in unkilled.iterdir()) == [LOG, FINAL, "tensorboard"]


def test_the_log_has_the_pace_of_every_epoch(unkilled: Path) -> None:
    rows = read_log(unkilled)
    assert [row["epoch"] for row in rows] == [0, 1, 2, 3]
    for row in rows:
        assert row["films_per_second"] > 0
        assert 0 < row["data_share"] < 1
        assert {"loss", "mae_months", "val_loss", "val_mae_months"} <= set(row)
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_tensorboard_can_follow(unkilled: Path) -> None:
    for part in ("train", "validation"):
        events = list((unkilled / "tensorboard" / part).glob("events.out.tfevents.*"))
        assert events
        assert events[0].stat().st_size > 0


def test_the_log_of_a_phase_that_has_not_begun_is_empty(tmp_path: Path) -> None:
    assert read_log(tmp_path) == []


def test_training_without_held_out_films_is_logged_too(tmp_path: Path) -> None:
    phase = replace(SMALL_PHASE, average=0, epochs=2)
    fit(*small_networks(), phase, small_batches(7), None, tmp_path)
    rows = read_log(tmp_path)
    assert [row["epoch"] for row in rows] == [0, 1]
    assert "val_loss" not in rows[0]
    assert rows[0]["films_per_second"] > 0


def test_a_finished_phase_is_not_trained_again(
    unkilled: Path, end_weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert same(train(unkilled).get_weights(), end_weights)


class StoppedError(Exception):
    """Instead of a kill, where that costs seconds and shows no more."""


@contextmanager
def stopping_before(epoch: int) -> Iterator[None]:
    """Expect a training to begin inside, and stop it before an epoch."""

    def stop(_: Any, begun: int, logs: Any = None) -> None:
        if begun == epoch:
            raise StoppedError

    with pytest.MonkeyPatch.context() as patch, pytest.raises(StoppedError):
        patch.setattr(keras.callbacks.TensorBoard, "on_epoch_begin", stop)
        yield


@pytest.fixture(scope="module")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped")
    with stopping_before(EPOCHS - 1):
        train(folder)
    return folder


@pytest.fixture
def stopped(_stopped: Path, tmp_path: Path) -> Path:
    """The folder of a training that was stopped before its last epoch."""
    return Path(shutil.copytree(_stopped, tmp_path / "stopped"))


def checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.weights.h5"))


def test_two_checkpoints_are_kept(stopped: Path) -> None:
    names = [path.name for path in checkpoints(stopped)]
    assert names == ["epoch-0002.weights.h5", "epoch-0003.weights.h5"]


@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_checkpoint_that_was_cut_off_gives_way_to_the_one_before(
    kept: float, stopped: Path, end_weights: Weights
) -> None:
    newest = checkpoints(stopped)[-1]
    content = newest.read_bytes()
    newest.write_bytes(content[: int(kept * len(content))])
    assert same(train(stopped).get_weights(), end_weights, tolerance=1e-6)
    assert logged_epochs(stopped) == [0, 1, 2, 3]


def test_without_any_whole_checkpoint_a_phase_begins_anew(
    stopped: Path, end_weights: Weights
) -> None:
    for path in checkpoints(stopped):
        path.write_bytes(path.read_bytes()[:1000])
    assert same(train(stopped).get_weights(), end_weights, tolerance=1e-6)
    assert logged_epochs(stopped) == [0, 1, 2, 3]


def test_a_log_that_was_cut_off_in_a_line_is_trimmed(stopped: Path) -> None:
    with (stopped / LOG).open("a") as file:
        file.write("1")  # of a line that begins with 12, say
    train(stopped)
    assert logged_epochs(stopped) == [0, 1, 2, 3]


def test_random_layers_draw_the_same_after_a_restart(tmp_path: Path) -> None:
    everything = Augmentation(20, 0.1, 0.1, True, 0.1, 0.1, 0.3, 0.5)
    phase = replace(SMALL_PHASE, epochs=3)

    def trained(folder: Path) -> Weights:
        network, behind = small_networks(augmenter(everything, seed=3), dropout=0.3)
        fit(network, behind, phase, small_batches(7), None, folder)
        return list(network.get_weights())

    whole = trained(tmp_path / "whole")
    with stopping_before(2):
        trained(tmp_path / "stopped")
    assert same(trained(tmp_path / "stopped"), whole, tolerance=1e-6)


def test_the_weights_at_the_end_are_averaged(tmp_path: Path) -> None:
    plain = PhaseSpec(epochs=2, batch=20, learning_rate=0.01, loss="huber")

    def trained(folder: str, phase: PhaseSpec) -> Weights:
        network, behind = small_networks()
        fit(network, behind, phase, small_batches(7, batch=20), None, tmp_path / folder)
        return list(network.get_weights())

    first = trained("one step", replace(plain, epochs=1))
    second = trained("two steps", plain)
    averaged = trained("averaged", replace(plain, average=0.9))
    expected = [0.9 * a + 0.1 * b for a, b in zip(first, second, strict=True)]
    assert same(averaged, expected, tolerance=1e-6)
    assert not same(averaged, second, tolerance=1e-4)


def test_a_training_that_diverges_stops_and_is_not_passed_off_as_finished(tmp_path: Path) -> None:
    phase = PhaseSpec(epochs=3, batch=4, learning_rate=1e30, loss="mean_squared_error")
    with pytest.raises(ProfileError, match=r"diverged; learning_rate is 1e\+30"):
        fit(*small_networks(), phase, small_batches(7), None, tmp_path)
    assert not (tmp_path / FINAL).exists()
    assert not list(tmp_path.glob("epoch-*"))


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_training_resumes_as_if_nothing_had_been(
    moment: str, tmp_path: Path, unkilled: Path, end_weights: Weights
) -> None:
    folder = tmp_path
    command = [sys.executable, "-m", "tests.training.killed_training", str(folder), moment]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert not (folder / FINAL).exists()
    assert logged_epochs(folder) == list(range(LOGGED[moment])), "killed at that moment"

    network = train(folder)

    assert logged_epochs(folder) == [0, 1, 2, 3]
    assert sorted(path.name for path in folder.iterdir()) == [LOG, FINAL, "tensorboard"]
    assert same(network.get_weights(), end_weights, tolerance=1e-6)
    for row, other in zip(read_log(folder), read_log(unkilled), strict=True):
        assert row["loss"] == pytest.approx(other["loss"], rel=1e-5)
        assert row["val_mae_months"] == pytest.approx(other["val_mae_months"], rel=1e-5)
