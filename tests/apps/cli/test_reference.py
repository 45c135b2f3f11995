"""``boneage reference``, and what uses its table."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from tests.apps.cli.conftest import Run


def write_assessments(path: Path, count: int) -> Path:
    """As ``boneage assess --csv`` writes them, with a row that failed; read 3 months ahead."""
    random = np.random.default_rng(3)
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["film", "sex", "age_months", "chronological_age_months"])
        for sex in ("female", "male"):
            for number, age in enumerate(random.uniform(60, 144, count)):
                bone_age = age + 3 + random.normal(0, 9)
                table.writerow([f"{sex}-{number}.png", sex, f"{bone_age:.1f}", f"{age:.1f}"])
        table.writerow(["broken.png", "male", "", "120"])
    return path


@pytest.fixture
def own(run: Run, tmp_path: Path) -> Path:
    table, out = write_assessments(tmp_path / "healthy.csv", 300), tmp_path / "St Anna.csv"
    result = run("reference", "--table", table, "--out", out)
    assert result.exit_code == 0, result.output
    assert "of 600 children; 1 rows without an age left out" in result.stdout
    return out


def test_an_assessment_compares_with_the_clinics_children(run: Run, own: Path, film: Path) -> None:
    given = ("assess", film, "--sex", "f", "--age", "10y", "--json", "--sds-reference")
    growth = json.loads(run(*given, own).stdout)["films"][0]["clinical"]["growth"]
    assert (growth["table"], growth["centre"]) == ("St Anna", "mean of the reference")
    assert growth["centre_months"] == pytest.approx(123, abs=2)
    assert growth["sd_months"] == pytest.approx(9, abs=1.5)
    atlas = json.loads(run(*given, "atlas").stdout)["films"][0]["clinical"]["growth"]
    assert atlas["table"] == "Greulich and Pyle 1959, Tables V and VI"
    text = run("assess", film, "--sex", "f", "--age", "10y", "--sds-reference", own).stdout
    assert "St Anna; centred on its mean" in " ".join(text.split())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--sds-reference", "none.csv"), "none.csv"),
        (("--sds-reference", "atlas", "--brush-mean"), "the Brush mean is no centre"),
    ],
)
def test_an_unusable_reference_ends_the_command(
    run: Run, film: Path, options: tuple[str, ...], says: str
) -> None:
    result = run("assess", film, "--sex", "f", "--age", "10y", *options)
    assert result.exit_code == 2
    assert says in result.stderr


def test_too_few_children_are_refused(run: Run, tmp_path: Path) -> None:
    table, out = write_assessments(tmp_path / "few.csv", 10), tmp_path / "own.csv"
    result = run("reference", "--table", table, "--out", out)
    assert result.exit_code == 2
    assert "10 boys are too few" in result.stderr
    assert not out.exists()
    table.write_text("sex,age_months\n")
    result = run("reference", "--table", table, "--out", out)
    assert "has no column 'chronological_age_months'" in result.stderr
