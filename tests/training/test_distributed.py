"""Several processes, really, that train one model together: as one process would."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from click.testing import CliRunner

from boneage.apps.cli import main
from boneage.errors import GroupError
from boneage.inference.assessor import Assessor
from boneage.training.batches import Batches
from boneage.training.distributed.group import ALONE, ProcessGroup
from boneage.training.distributed.jax_group import RESUME_ADVICE, Membership
from boneage.training.fitting import FINAL
from boneage.training.monitoring import LOG, read_log
from tests.training.distributed_training import BEGUN, SILENT_SECONDS, WEIGHTS
from tests.training.test_stages import write_films

pytest.importorskip("jax", reason='JAX is not installed (pip install ".[distributed]")')

ROOT = Path(__file__).parents[2]
LIMIT_SECONDS = 240
"""Of a training that takes a few seconds: the machine may be busy."""
TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
Weights = list[npt.NDArray[np.float32]]


PROFILE = Path(__file__).parent / "two_processes.toml"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="module", autouse=True)
def _compiled_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what XLA compiles for the next training: that is most of the time of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JAX_COMPILATION_CACHE_DIR", str(tmp_path_factory.mktemp("compiled")))
        patch.setenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
        yield


def start(folder: Path, *options: str, **variables: str) -> subprocess.Popen[str]:
    """Start one process of a training."""
    return start_module("distributed_training", str(folder), *options, **variables)


def start_module(module: str, *options: str, **variables: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if k not in {"KERAS_BACKEND", "XLA_FLAGS"}}
    environment |= {"TF_CPP_MIN_LOG_LEVEL": "2", **variables}
    command = [sys.executable, "-m", f"tests.training.{module}", *options]
    return subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def start_two(folder: Path, *moments: str) -> list[subprocess.Popen[str]]:
    """Start two processes that train together, each with its own moment or both with one."""
    folder.mkdir(parents=True, exist_ok=True)
    coordinator = f"127.0.0.1:{free_port()}"
    return [
        start(folder, coordinator, "2", str(process), moments[min(process, len(moments) - 1)])
        for process in (0, 1)
    ]


def ends(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[int, str]]:
    """Wait for all; the exit status and the stderr of each."""
    end = time.monotonic() + LIMIT_SECONDS
    try:
        messages = [p.communicate(timeout=max(1, end - time.monotonic()))[1] for p in processes]
    finally:
        for process in processes:
            process.kill()
    return [(p.returncode, text) for p, text in zip(processes, messages, strict=True)]


def trained(folder: Path, process: int = 0) -> Weights:
    with np.load(folder / WEIGHTS.format(process=process)) as arrays:
        return [arrays[name] for name in arrays.files]


def largest_difference(some: Weights, others: Weights) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(some, others, strict=True))


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a training by one process on one device."""
    folder = tmp_path_factory.mktemp("single")
    [(status, messages)] = ends([start(folder)])
    assert status == 0, messages
    return folder


@pytest.fixture(scope="module")
def double(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same training by two processes."""
    folder = tmp_path_factory.mktemp("double")
    for status, messages in ends(start_two(folder, "none")):
        assert status == 0, messages
    return folder


def assert_same_training(folder: Path, single: Path) -> None:
    assert largest_difference(trained(folder), trained(single)) < 1e-5
    rows, others = read_log(folder), read_log(single)
    assert [row["epoch"] for row in rows] == [row["epoch"] for row in others] == [0, 1, 2]
    for row, other in zip(rows, others, strict=True):
        for name in ("loss", "mae_months", "val_loss", "val_mae_months"):
            assert row[name] == pytest.approx(other[name], rel=1e-4), name


def test_two_processes_end_with_the_same_weights(double: Path) -> None:
    assert largest_difference(trained(double, 0), trained(double, 1)) == 0


def test_two_processes_train_as_one_does(double: Path, single: Path) -> None:
    assert_same_training(double, single)


def test_the_training_went_somewhere(single: Path) -> None:
    with np.load(single / BEGUN) as arrays:
        begun = [arrays[name] for name in arrays.files]
    for before, after in zip(begun, trained(single), strict=True):
        assert np.abs(after - before).max() > 0.01


def test_only_the_first_process_writes(double: Path) -> None:
    names = sorted(path.name for path in double.iterdir())
    assert names == [BEGUN, LOG, FINAL, "tensorboard", "weights-0.npz", "weights-1.npz"]
    assert len(list((double / "tensorboard" / "train").iterdir())) == 1


def test_two_devices_of_one_process_train_as_one_does(single: Path, tmp_path: Path) -> None:
    process = start(tmp_path, **TWO_DEVICES)
    out, messages = process.communicate(timeout=LIMIT_SECONDS)
    assert process.returncode == 0, messages
    assert out.startswith("2 devices\n")
    assert_same_training(tmp_path, single)


def test_a_killed_process_ends_the_other_and_the_same_commands_resume(
    single: Path, tmp_path: Path
) -> None:
    (status, messages), (killed, _) = ends(start_two(tmp_path, "killed"))
    assert killed == -9
    assert status == 1, messages
    assert "Error: process 1 has not responded" in messages
    assert RESUME_ADVICE in messages
    assert not (tmp_path / FINAL).exists()
    assert len(read_log(tmp_path)) == 1

    for status, messages in ends(start_two(tmp_path, "none")):
        assert status == 0, messages
    assert_same_training(tmp_path, single)


def test_whoever_waits_for_the_first_process_is_missed_too(tmp_path: Path) -> None:
    (status, messages), (killed, _) = ends(start_two(tmp_path, "waiting"))
    assert killed == -9
    assert status == 1, messages
    assert f"Error: process 1 has not responded for {SILENT_SECONDS:g} s" in messages


def test_processes_that_were_asked_for_different_things_end(tmp_path: Path) -> None:
    first, second = ends(start_two(tmp_path, "none", "other"))
    assert second[0] == 2
    assert "Error: process 1 has another moment than process 0" in second[1]
    assert first[0] == 1
    assert "Error: process 1 has ended: process 1 has another moment" in first[1]


@pytest.mark.parametrize("process", ["0", "1"])
def test_a_process_does_not_wait_for_ever_for_one_that_is_not_started(
    process: str, tmp_path: Path
) -> None:
    coordinator = f"127.0.0.1:{free_port()}"
    [(status, messages)] = ends([start(tmp_path, coordinator, "2", process, "lonely")])
    assert status == 1
    assert f"Error: process {process} of 2 did not find the others by {coordinator}" in messages


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        coordinator = f"127.0.0.1:{taken.getsockname()[1]}"
        [(_, messages)] = ends([start(tmp_path, coordinator, "2", "0", "none")])
    assert f"process 0 cannot listen at '{coordinator}'" in messages


def test_the_whole_command_by_two_processes_ends_with_weights_that_answer(tmp_path: Path) -> None:
    data, run = write_films(tmp_path / "films"), tmp_path / "run"
    command = ["train", "--profile", str(PROFILE), "--data", str(data), "--run", str(run)]
    together = ["--coordinator", f"127.0.0.1:{free_port()}", "--processes", "2", "--process"]
    processes = [
        # Its backbone is known to a Keras that is imported before the command is read.
        start_module("small_training", *command, *together, str(process), KERAS_BACKEND="jax")
        for process in (0, 1)
    ]
    for status, messages in ends(processes):
        assert status == 0, messages
    answer = Assessor(run / "weights").assess(data / "boneage-training-dataset" / "20.png", "male")
    assert set(answer.age_by_network) == {"whole_hand", "carpal"}
    logs = sorted(path.parent.relative_to(run).as_posix() for path in run.rglob(LOG))
    assert logs == ["attention/phase-0", "carpal/phase-0", "fusion"]


def run_train(*options: str, tmp_path: Path) -> Any:
    command = ["train", "--data", str(tmp_path), "--run", str(tmp_path / "run"), *options]
    return CliRunner().invoke(main, command)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--processes", "2"), "missing: --coordinator, --process"),
        (("--coordinator", "a:1", "--process", "0"), "missing: --processes"),
        (("--coordinator", "a:1", "--processes", "2", "--process", "2"), "so give 0 to 1"),
        (("--coordinator", "a", "--processes", "2", "--process", "0"), "is 'a'; give HOST:PORT"),
        (("--coordinator", "a:0", "--processes", "2", "--process", "0"), "give HOST:PORT"),
        (("--coordinator", "a:1", "--processes", "0", "--process", "0"), "not in the range x>=1"),
    ],
)
def test_options_that_don_t_fit_together_are_refused(
    options: tuple[str, ...], says: str, tmp_path: Path
) -> None:
    result = run_train(*options, tmp_path=tmp_path)
    assert result.exit_code == 2
    assert says in " ".join(result.output.split())


def test_the_environment_may_name_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BONEAGE_COORDINATOR", "10.0.0.1:29500")
    monkeypatch.setenv("BONEAGE_PROCESSES", "3")
    monkeypatch.setenv("BONEAGE_PROCESS", "3")
    result = run_train(tmp_path=tmp_path)
    assert result.exit_code == 2
    assert "process 3 of 3: they are counted from 0, so give 0 to 2" in result.output


def test_another_backend_is_not_taken_for_jax(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    result = run_train("--distributed", tmp_path=tmp_path)
    assert result.exit_code == 2
    assert "several devices train by 'jax': leave KERAS_BACKEND unset" in result.output


def test_a_place_is_one_of_those_there_are() -> None:
    assert Membership("host:29500", 2, 1).process == 1
    assert Membership("[::1]:29500", 1, 0).processes == 1


@pytest.mark.parametrize(
    ("batch", "films", "filled_up", "expected"),
    [(8, 40, False, 8), (8, 7, False, 6), (8, 7, True, 8), (8, 5, True, 6), (8, 1, True, 2)],
)
def test_batches_are_even(batch: int, films: int, filled_up: bool, expected: int) -> None:
    assert ProcessGroup(devices=2).even(batch, films, filled_up=filled_up) == expected


def test_alone_a_batch_may_be_any_number() -> None:
    assert ALONE.even(7, 40) == 7
    assert ALONE.even(7, 5) == ALONE.even(7, 5, filled_up=True) == 5


def test_a_batch_that_cannot_be_split_is_refused() -> None:
    with pytest.raises(GroupError, match="a batch of 16 images cannot be split evenly over 3"):
        ProcessGroup(devices=3).even(16, 100)
    with pytest.raises(GroupError, match="3 images are fewer than the 4 devices"):
        ProcessGroup(devices=4).even(16, 3)


def small(group: ProcessGroup, seed: int | None) -> Batches:
    images = np.arange(11 * 4, dtype=np.uint8).reshape(11, 2, 2)
    ages = np.arange(11, dtype=np.float32)
    return Batches({"film": images}, ages, 4, seed=seed, group=group)


def test_parts_of_a_batch_are_the_batch() -> None:
    whole = small(ALONE, 3)
    parts = [small(ProcessGroup(process, 2, 2), 3) for process in (0, 1)]
    assert [len(part) for part in parts] == [len(whole)] * 2
    for index in range(len(whole)):
        inputs, ages = whole[index]
        together = [part[index] for part in parts]
        assert np.array_equal(np.concatenate([p[0]["film"] for p in together]), inputs["film"])
        assert np.array_equal(np.concatenate([p[1] for p in together]), ages)


def test_what_fills_up_a_batch_has_no_weight() -> None:
    parts = [small(ProcessGroup(process, 2, 2), None) for process in (0, 1)]
    rows = [[part[index] for part in parts] for index in range(len(parts[0]))]
    ages = np.concatenate([part[1] for row in rows for part in row]) * 240
    weights = np.concatenate([part[2] for row in rows for part in row])
    assert ages[weights > 0].round().tolist() == list(range(11))
    assert weights.sum() == pytest.approx(len(weights))
    assert len(weights) == 12
