"""Where the time of one film goes; and that a reading costs little beside its bounds."""

from __future__ import annotations

from pathlib import Path

import pytest

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from tools.bench.single import at_sizes
from tools.bench.steps import READING, WRITING, measure_steps

EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic_hand_girl_10y.png"
MOST = 1.8
"""Processor time of a reading over networks and decoding alone, which is 1.3 or so; threads
that wait in a loop would make it 3."""


def test_every_step_is_timed(weights: Path, film: Path) -> None:
    found = measure_steps(film, Sex.FEMALE, weights, runs=2)
    names = [step.name for step in found.steps]
    assert names == [READING, *Assessor(weights).steps, WRITING]
    assert all(step.seconds > step.networks_seconds >= 0 for step in found.steps)
    inside = {step.name for step in found.steps if step.networks_seconds}
    assert inside == set(names) - {READING, WRITING, "looking for the carpal region"}
    assert (found.width, found.height, found.runs) == (360, 480, 2)


@pytest.mark.slow
def test_a_reading_costs_little_beside_its_networks(bundled: Path, tmp_path: Path) -> None:
    found = measure_steps(at_sizes(EXAMPLE, tmp_path)[0], Sex.FEMALE, bundled, runs=5)
    assert found.networks_alone.processor_seconds > 0.03
    assert 1 < found.ratio < MOST
