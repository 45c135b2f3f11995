from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from boneage.domain.assessment import Interval
from boneage.evaluation.accuracy.estimates import Validation
from boneage.evaluation.accuracy.evidence import summarise, write_evidence
from boneage.evaluation.report import Experiment, number, share


def test_one_row_a_film(tmp_path: Path, validation: Validation, experiment: Experiment) -> None:
    write_evidence(tmp_path / "new" / "folder", validation, experiment)
    with (tmp_path / "new" / "folder" / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["1377", "1378", "1379", "1380"]
    assert rows[2] == {
        "case": "1379",
        "sex": "male",
        "true_months": "60",
        "predicted_months": "75.00",
        "error_months": "15.00",
        "male_standard_months": "79.00",
        "female_standard_months": "71.00",
        "whole_hand_months": "77.00",
        "carpal_months": "71.00",
        "carpal_attention_found": "0",
        "metacarpal_attention_found": "1",
        "seconds": "0.250",
    }


def test_metrics_file(tmp_path: Path, validation: Validation, experiment: Experiment) -> None:
    returned = write_evidence(tmp_path, validation, experiment)
    table = json.loads((tmp_path / "metrics.json").read_text())
    assert table == returned
    assert table["weights"] == {"name": "compact-1", "profile": "compact", "sha256": "ab" * 32}
    assert table["date"] == "2026-01-02"
    assert table["films"] == {"tried": 5, "read": 4, "failed": 1, "unusable": 1}
    assert table["problems"] == {
        "by_kind": {"duplicate_id": 1},
        "named": ["1382: id '1382' is labelled twice"],
    }
    assert table["failures"] == [
        {"case": "1381", "code": "truncated", "message": "the file is cut off"}
    ]
    assert table["attention_found"] == {"carpal": 0.75, "metacarpal": 1.0}
    assert table["metrics"]["overall"]["mae_months"]["value"] == pytest.approx(24 / 4)
    assert table["metrics"]["male"]["bias_months"]["value"] == pytest.approx(6)
    # errors of the carpal network alone: 2, -7, 11, -4
    assert table["networks"]["carpal"]["overall"]["mae_months"]["value"] == pytest.approx(6)


def test_a_network_that_missed_films_is_measured_on_those_it_read(
    validation: Validation, experiment: Experiment
) -> None:
    first, *others = validation.readings
    only = replace(first, networks={"whole_hand": 100.0})
    table = summarise(replace(validation, readings=(only, *others)), experiment)
    assert table["networks"]["carpal"]["overall"]["count"] == 3
    assert table["networks"]["whole_hand"]["overall"]["count"] == 4


def test_no_result_is_reported_without_a_crash(
    experiment: Experiment, validation: Validation
) -> None:
    table = summarise(replace(validation, readings=()), experiment)
    assert table["films"] == {"tried": 1, "read": 0, "failed": 1, "unusable": 1}
    assert table["metrics"] == {}
    assert table["agreement"] == {}
    assert table["by_band"] == {}
    assert table["standards"] == {}


def test_bands_and_agreement_are_in_the_file(
    validation: Validation, experiment: Experiment
) -> None:
    table = summarise(validation, experiment)  # labels 60, 120, 150, 180; errors 15, 6, -3, 0
    mae = {band: found["mae_months"]["value"] for band, found in table["by_band"].items()}
    assert mae == pytest.approx({"4-6": 15, "10-12": 6, "12-14": 3, "14-16": 0})
    assert table["by_sex_and_band"] == {"male": {}, "female": {}}  # none has ten films
    limits = table["agreement"]["bland_altman"]
    deviation = math.sqrt(((15 - 4.5) ** 2 + (6 - 4.5) ** 2 + (-3 - 4.5) ** 2 + 4.5**2) / 3)
    assert limits["mean_months"]["value"] == pytest.approx(4.5)
    assert limits["upper_months"]["value"] == pytest.approx(4.5 + 1.96 * deviation)
    assert table["agreement"]["regression"]["slope"] < 1
    assert table["prediction_intervals"] is None


def test_both_standards_are_in_the_file(validation: Validation, experiment: Experiment) -> None:
    found = summarise(validation, experiment)["standards"]
    assert found["overall"]["count"] == 4
    assert found["overall"]["difference_months"]["value"] == pytest.approx(8)
    assert set(found["by_band"]) == {"4-6", "10-12", "12-14", "14-16"}
    difference, younger = found["overall"]["difference_months"], found["overall"]["female_younger"]
    assert (number(difference), share(younger)) == ("8.0 (8.0 to 8.0)", "100 (100 to 100) %")


def test_stated_intervals_are_written_and_checked(
    tmp_path: Path, validation: Validation, experiment: Experiment
) -> None:
    first, *others = (
        replace(
            r, intervals=(interval(r.predicted_months, 5), interval(r.predicted_months, 10, 0.9))
        )
        for r in validation.readings
    )
    stated = replace(validation, readings=(replace(first, intervals=()), *others))
    (half, most) = write_evidence(tmp_path, stated, experiment)["prediction_intervals"]["levels"]
    assert (half["level"], half["overall"]["count"]) == (0.5, 3)
    assert half["overall"]["share"]["value"] == pytest.approx(2 / 3)  # errors -3, 15, 0 within 5
    assert half["overall"]["mean_width_months"] == pytest.approx(10)
    assert most["by_band"]["4-6"]["share"]["value"] == 0
    assert sum(one["count"] for one in most["by_sex"].values()) == 3
    assert sum(one["count"] for one in most["informativeness"]["by_width"]) == 3
    with (tmp_path / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert (rows[0]["interval_50_low_months"], rows[0]["interval_90_high_months"]) == ("", "")
    assert (rows[1]["interval_50_low_months"], rows[1]["interval_90_high_months"]) == (
        "142.00",
        "157.00",
    )


def interval(middle: float, reach: float, level: float = 0.5) -> Interval:
    return Interval(middle - reach, middle + reach, level)
