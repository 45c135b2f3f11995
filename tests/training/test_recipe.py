"""What a run remembers of how it was begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from boneage.errors import DataError, ProfileError
from boneage.training.profile import load_profile
from boneage.training.run import Run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path / "run", tmp_path)


def test_a_stage_resumes_from_the_same_recipe(run: Run) -> None:
    for _ in range(2):
        run.begin("attention", {"seed": 3, "input": (64, 64)})


@pytest.mark.parametrize(
    ("later", "named"),
    [
        ({"seed": 4, "limit": None}, "another seed;"),
        ({"seed": 4, "limit": 9}, "another limit and seed;"),
        ({"seed": 3, "limit": None, "epochs": 1}, "another epochs;"),
    ],
)
def test_a_stage_does_not_resume_from_another(
    run: Run, later: dict[str, object], named: str
) -> None:
    run.begin("attention", {"seed": 3, "limit": None})
    with pytest.raises(DataError, match=named):
        run.begin("attention", later)
    run.begin("carpal", later)


def test_initial_weights_that_nobody_gave_are_no_random_start(tmp_path: Path) -> None:
    named = load_profile("compact").attention
    with pytest.raises(ProfileError, match=r"starts from 'mobilenet_v2.*--initial-weights"):
        Run(tmp_path / "run", tmp_path).weights_folder(named)
    given = Run(tmp_path / "run", tmp_path, initial_weights=tmp_path)
    assert given.weights_folder(named) == tmp_path
    assert given.weights_folder(load_profile("reference").attention) is None


def test_nothing_is_loaded_unless_asked(run: Run) -> None:
    run.load_pretrained(None, "attention")
