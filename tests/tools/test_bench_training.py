"""What training costs around its network; and that it is little beside the network's own step."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import pytest
from click.testing import CliRunner

from boneage.errors import DataError
from boneage.training.networks import region
from boneage.training.profile import load_profile
from tests.training.drawn import small_backbone, tiny_profile, write_labels, write_official
from tools.bench import training as training_bench
from tools.bench.__main__ import bench
from tools.bench.measuring import TimeSpent
from tools.bench.training import PhaseCost, Round, measure_training
from tools.documents.evidence import Evidence
from tools.documents.render import block

MOST = 1.2
"""Processor time of the loop over bare, of a network that works half as long as MobileNetV2;
it is 1.07 or so, and what surrounds MobileNetV2 costs a tenth when this is reached."""
EPOCH_BATCHES = 123
"""Of a region network on the films of RSNA, the fewest of any network that sees films."""


def phase_cost() -> PhaseCost:
    """Loops of 4.4, 2.2 and 3 s a batch, and half a second of an epoch's end; bare 2 s."""
    epoch = TimeSpent(5.0, 1.0)
    rounds = [Round(TimeSpent(s, 2 * s), epoch, TimeSpent(2.0, 4.0)) for s in (4.4, 2.2, 3.0)]
    return PhaseCost("attention/phase-0", 128, 96, 32, 10, tuple(rounds))


def test_an_epochs_end_is_shared_by_its_batches() -> None:
    cost = phase_cost().to_row()
    assert cost["seconds_ratios"] == pytest.approx([4.9 / 2, 2.7 / 2, 3.5 / 2])
    assert cost["seconds_ratio"] == pytest.approx((3.0 + 0.5) / 2)
    assert cost["processor_ratio"] == pytest.approx((6.0 + 0.1) / 4)
    assert cost["films_per_second"] == pytest.approx(32 / 3.5)
    assert cost["bare_films_per_second"] == pytest.approx(16)


def test_phases_of_both_kinds_of_network_are_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "build_backbone", small_backbone)
    data = write_official(tmp_path / "official", 9)
    found = list(measure_training(tiny_profile(), data, rounds=2, batches=3))
    shapes = [(cost.stage, cost.rows, cost.columns, cost.batch) for cost in found]
    assert shapes == [
        ("attention/phase-0", 16, 12, 2),
        ("attention/phase-1", 32, 24, 2),
        ("carpal/phase-0", 16, 16, 2),
    ]
    for cost in found:
        assert cost.epoch_batches >= 3
        assert len(cost.rounds) == 2
        for measured in cost.rounds:
            assert measured.loop.seconds > 0 < measured.loop.processor_seconds
            assert measured.bare.seconds > 0 < measured.bare.processor_seconds
            assert measured.epoch.seconds >= 0 <= measured.epoch.processor_seconds


def test_too_few_films_are_an_error(tmp_path: Path) -> None:
    data = write_official(tmp_path / "official", 3)
    with pytest.raises(DataError, match="too few for two batches of 2"):
        list(measure_training(tiny_profile(), data, rounds=1, batches=3))


def test_libraries_before_others_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LD_PRELOAD", raising=False)
    assert training_bench.preloaded() == []
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libjemalloc.so.2:libother.so")
    assert training_bench.preloaded() == ["libjemalloc.so.2", "libother.so"]


def test_the_command_writes_what_it_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measured(*_: object) -> Iterator[PhaseCost]:
        yield phase_cost()

    monkeypatch.setattr(training_bench, "measure_training", measured)
    monkeypatch.setenv("LD_PRELOAD", "libjemalloc.so.2")
    out = tmp_path / "training-loop.json"
    command = ["--training", str(tmp_path), "--out", str(out)]
    result = CliRunner().invoke(bench, command)
    assert result.exit_code == 0, result.output
    assert "9.1 images/s, the bare network 16.0; 1.75 times the time, 1.52" in result.output
    table: dict[str, Any] = json.loads(out.read_text())
    assert (table["format"], table["profile"]) == (1, "compact")
    (phase,) = table["phases"]
    assert phase["rounds"][0]["bare"] == {"seconds": 2.0, "processor_seconds": 4.0}
    assert phase["seconds_ratio"] == pytest.approx(1.75)
    text = block("training-loop", Evidence({"training_loop": table}))
    assert "| attention, phase 1 | 128 × 96 | 32 | 9.1 | 16.0 | 1.75 × | 1.52 × |" in text
    assert "3 rounds" in text
    assert "with libjemalloc.so.2." in text


def quickly_traced_backbone(*_: object, **__: object) -> keras.Model:
    """In place of MobileNetV2, whose graph takes half a minute to trace; half its work."""
    film = keras.Input((None, None, 3))
    x = film
    for filters, strides in ((32, 2), (64, 2), (128, 2), (256, 1)):
        x = keras.layers.Conv2D(filters, 3, strides, padding="same", activation="relu")(x)
    return keras.Model(film, x, name="backbone")


@pytest.mark.slow
def test_the_loop_costs_little_beside_its_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(region, "build_backbone", quickly_traced_backbone)
    data = write_official(tmp_path / "official", 120)
    write_labels(data, [f"{i},{24 + i},{bool(i % 2)}" for i in range(1, 121)])
    stages = {"attention/phase-0"}
    (cost,) = measure_training(load_profile("compact"), data, stages=stages, rounds=5, batches=3)
    assert (cost.rows, cost.columns, cost.batch) == (128, 96, 32)
    as_of_all_films = replace(cost, epoch_batches=EPOCH_BATCHES)
    assert as_of_all_films.processor_ratio < MOST
