"""What is said with an answer: levels, and a clinic's calibration."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from boneage.datasets.films import load_films
from boneage.domain.radiograph import Sex
from boneage.errors import CalibrationError, LevelError
from boneage.inference.assessor import Assessor
from boneage.training.fit_uncertainty.clinic import fit_clinic, write_calibration
from boneage.training.fit_uncertainty.error_model import estimate_films
from boneage.uncertainty.calibration import FILE_VARIABLE, checksum, read_calibration

WIDE = {sex: [1.0] * 10 + [9.0] * 25 for sex in ("female", "male")}
"""Scores whose interval of 50 % is narrow, and that of 90 % wide."""


def calibrated(weights: Path, labelled: Path, out: Path) -> Path:
    assessor = Assessor(weights, calibration="")
    answers = list(estimate_films(assessor, load_films(labelled).films))
    write_calibration(out, fit_clinic(answers, assessor, "films", "St Anna"))
    return out


@pytest.fixture(scope="module")
def _clinic(_built_weights: Path, labelled: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return calibrated(_built_weights, labelled, tmp_path_factory.mktemp("c") / "clinic.json")


@pytest.fixture
def clinic(_clinic: Path, tmp_path: Path) -> Path:
    """A calibration for weights that state no interval, to damage."""
    return Path(shutil.copy(_clinic, tmp_path))


def change(path: Path, where: tuple[str, ...], value: Any, *, sign: bool = True) -> None:
    table = json.loads(path.read_text())
    inner = table
    for key in where[:-1]:
        inner = inner[key]
    inner[where[-1]] = value
    if sign:
        table["sha256"] = checksum(table)
    path.write_text(json.dumps(table))


def test_levels_on_request(sure_weights: Path, film: Path) -> None:
    widths = []
    for level in (0.5, 0.8, 0.9):
        interval = Assessor(sure_weights, level=level).assess(film, "female").interval
        assert interval is not None
        assert interval.level == level
        widths.append(interval.high_months - interval.low_months)
    assert widths == sorted(widths)


def test_a_wide_interval_is_warned_about_at_any_level(sure_copy: Path, film: Path) -> None:
    def codes(level: float) -> set[str]:
        answer = Assessor(sure_copy, level=level).assess(film, "female")
        return {finding.code for finding in answer.findings}

    assert "wide_interval" not in codes(0.9)
    change(sure_copy / "manifest.json", ("interval", "scores"), WIDE, sign=False)
    assert "wide_interval" in codes(0.9)
    assert "wide_interval" in codes(0.5), "the interval of the default level decides"


def test_another_level_of_the_same_answer(sure_weights: Path, film: Path) -> None:
    assessor = Assessor(sure_weights)
    answer = assessor.assess(film, "female")
    half = Assessor(sure_weights, level=0.5).assess(film, "female")
    assert assessor.interval_predictor.around(answer, 0.5) == half.interval


def test_a_level_that_cannot_be_given_is_refused_at_once(sure_weights: Path, weights: Path) -> None:
    with pytest.raises(LevelError, match="needs at least 99 calibration images, and there are 70"):
        Assessor(sure_weights, level=0.99)
    with pytest.raises(LevelError, match=r"'tiny-1' state no interval, so none of level 0\.8"):
        Assessor(weights, level=0.8)


def test_a_calibration_moves_the_answer_and_is_recorded(
    weights: Path, clinic: Path, film: Path
) -> None:
    plain = Assessor(weights).assess(film, "female")
    moved = Assessor(weights, calibration=clinic).assess(film, "female")
    assert 5 < moved.age_months - plain.age_months < 12
    assert moved.uncalibrated_months == plain.age_months
    assert moved.age_by_network == plain.age_by_network
    assert moved.calibrated is not None
    assert (moved.calibrated.name, moved.calibrated.films) == ("St Anna", 70)
    assert moved.interval is not None, "of the clinic's films"
    assert moved.interval.low_months < moved.age_months < moved.interval.high_months
    assert plain.calibrated is None


def test_the_clinics_scores_stand_on_what_the_weights_expect(
    sure_weights: Path, labelled: Path, film: Path, tmp_path: Path
) -> None:
    clinic = calibrated(sure_weights, labelled, tmp_path / "clinic.json")
    assert json.loads(clinic.read_text())["interval"]["shape"] is None
    plain = Assessor(sure_weights).assess(film, "female").interval
    own = Assessor(sure_weights, calibration=clinic).assess(film, "female").interval
    assert plain is not None
    assert own is not None
    width = own.high_months - own.low_months
    assert width < 0.8 * (plain.high_months - plain.low_months), "the weights are 10 months off"


def test_the_variable_names_it_and_nothing_else_does(
    weights: Path, clinic: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FILE_VARIABLE, str(clinic))
    assert Assessor(weights).assess(film, "female").calibrated is not None
    assert Assessor(weights, calibration="").assess(film, "female").calibrated is None
    monkeypatch.delenv(FILE_VARIABLE)
    assert Assessor(weights).assess(film, "female").calibrated is None


def test_other_weights_refuse_it(sure_weights: Path, clinic: Path) -> None:
    with pytest.raises(CalibrationError, match=r"was made for the weights 'tiny-1' .* and these"):
        Assessor(sure_weights, calibration=clinic)


def test_a_file_that_was_changed_is_refused(weights: Path, clinic: Path) -> None:
    change(clinic, ("lines", "female", "intercept_months"), 3.0, sign=False)
    with pytest.raises(CalibrationError, match="was changed after it was written"):
        Assessor(weights, calibration=clinic)


@pytest.mark.parametrize(
    ("where", "value", "text"),
    [
        (("kind",), "manifest", "its kind is 'manifest'"),
        (("format",), 9, "is of format 9; this program reads 1"),
        (("lines", "female", "slope"), 3.0, "is invalid: slopes are from 0.8 to 1.25"),
        (("lines", "male", "intercept_months"), float("nan"), "intercepts finite"),
        (("lines",), {}, "is not a calibration"),
        (("interval", "scores"), {"female": [1.0], "male": [2.0]}, "has 2 scores; it needs 30"),
        (("interval", "scores", "female"), [2.0, 1.0], "do not ascend"),
        (("interval", "shape"), {"knots_months": [1]}, "is not a calibration"),
        (("interval", "shape"), None, "needs the interval of the weights"),
        (("name",), 7, "is not a calibration"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_even_when_signed(
    weights: Path, clinic: Path, where: tuple[str, ...], value: Any, text: str
) -> None:
    change(clinic, where, value)
    with pytest.raises(CalibrationError, match=text):
        Assessor(weights, calibration=clinic)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_file_that_is_none_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "clinic.json"
    path.write_bytes(content)
    with pytest.raises(CalibrationError, match="is not a calibration"):
        read_calibration(path)
    with pytest.raises(CalibrationError, match="cannot be read: No such file"):
        read_calibration(tmp_path / "none.json")


def test_the_file_holds_nothing_of_a_film(clinic: Path, labelled: Path) -> None:
    table = json.loads(clinic.read_text())
    assert set(table) == {
        *("kind", "format", "name", "date", "boneage", "weights", "films", "lines"),
        *("mae_months", "interval", "sha256"),
    }
    assert ".png" not in clinic.read_text()
    found = read_calibration(clinic)
    assert found.films == 70
    assert set(found.lines) == {Sex.FEMALE, Sex.MALE}
