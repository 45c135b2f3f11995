"""What the command line asked of a run, and the weights it starts from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from boneage.training.run import Run
from tests.training.drawn import number_films, prepared_of


def network(units: int = 3) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


def run_in(folder: Path, **options: Any) -> Run:
    return Run(folder / "run", folder, **options)


def test_a_run_may_be_limited(tmp_path: Path) -> None:
    films = tuple(number_films(5, tmp_path))
    assert run_in(tmp_path).limited(films) == films
    assert run_in(tmp_path, limit=2).limited(films) == films[:2]


def test_skipped_films_are_named_and_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    films = number_films(2, tmp_path)
    prepared_of(films).report_skipped()
    assert capsys.readouterr().out == ""
    prepared_of(films, ["3: cut off", "4: no film"]).report_skipped()
    assert capsys.readouterr().out.splitlines() == [
        "skipped 3: cut off",
        "skipped 4: no film",
        "2 images skipped",
    ]


def test_without_fine_tuning_a_network_stays_as_it_is(tmp_path: Path) -> None:
    fresh = network()
    before = fresh.get_weights()[0]
    run_in(tmp_path).load_pretrained(fresh, "attention")
    assert np.array_equal(fresh.get_weights()[0], before)
