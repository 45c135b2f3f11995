from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from boneage.evaluation.evidence import Setting, summarise, write_evidence
from boneage.evaluation.validation import Validation


def test_one_row_a_film(tmp_path: Path, validation: Validation, setting: Setting) -> None:
    write_evidence(tmp_path / "new" / "folder", validation, setting)
    with (tmp_path / "new" / "folder" / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["case"] for row in rows] == ["1377", "1378", "1379", "1380"]
    assert rows[2] == {
        "case": "1379",
        "sex": "male",
        "true_months": "60",
        "predicted_months": "75.00",
        "error_months": "15.00",
        "whole_hand_months": "77.00",
        "carpal_months": "71.00",
        "carpal_attention_found": "0",
        "metacarpal_attention_found": "1",
        "seconds": "0.250",
    }


def test_metrics_file(tmp_path: Path, validation: Validation, setting: Setting) -> None:
    returned = write_evidence(tmp_path, validation, setting)
    table = json.loads((tmp_path / "metrics.json").read_text())
    assert table == returned
    assert table["weights"] == {"name": "compact-1", "profile": "compact", "sha256": "ab" * 32}
    assert table["date"] == "2026-01-02"
    assert table["films"] == {"tried": 5, "read": 4, "failed": 1}
    assert table["failures"] == [
        {"case": "1381", "code": "truncated", "message": "the file is cut off"}
    ]
    assert table["attention_found"] == {"carpal": 0.75, "metacarpal": 1.0}
    assert table["metrics"]["overall"]["mae_months"]["value"] == pytest.approx(24 / 4)
    assert table["metrics"]["male"]["bias_months"]["value"] == pytest.approx(6)
    # errors of the carpal network alone: 2, -7, 11, -4
    assert table["networks"]["carpal"]["overall"]["mae_months"]["value"] == pytest.approx(6)


def test_a_network_that_missed_films_is_measured_on_those_it_read(
    validation: Validation, setting: Setting
) -> None:
    first, *others = validation.readings
    only = replace(first, networks={"whole_hand": 100.0})
    table = summarise(replace(validation, readings=(only, *others)), setting)
    assert table["networks"]["carpal"]["overall"]["count"] == 3
    assert table["networks"]["whole_hand"]["overall"]["count"] == 4


def test_nothing_read_is_said_not_crashed(setting: Setting, validation: Validation) -> None:
    table = summarise(Validation((), validation.failures), setting)
    assert table["films"] == {"tried": 1, "read": 0, "failed": 1}
    assert table["metrics"] == {}
