"""Answers as CSV."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

from boneage.domain.assessment import Assessment, Failure
from boneage.reports.table import COLUMNS, row, write_table


def written(*answers: Assessment | Failure) -> list[dict[str, str]]:
    file = io.BytesIO()
    write_table(file, [row(answer) for answer in answers])
    return list(csv.DictReader(io.StringIO(file.getvalue().decode("utf-8"))))


def test_a_row_states_everything(answer: Assessment) -> None:
    (cells,) = written(answer)
    assert tuple(cells) == COLUMNS
    assert cells["status"] == "read"
    assert cells["age_months"] == "122.4"
    assert cells["age_text"] == "10 years 2 months"
    assert (cells["interval_low_months"], cells["interval_high_months"]) == ("110.0", "134.5")
    assert cells["interval_level"] == "0.9"
    text = "90 % prediction interval: 9 years 2 months to 11 years 2 months (110.0 to 134.5 months)"
    assert cells["interval_text"] == text
    assert (cells["calibration"], cells["calibration_date"]) == ("St Anna", "2026-11-30")
    assert (cells["uncalibrated_months"], cells["calibration_films"]) == ("119.5", "120")
    assert cells["calibration_sha256"] == "cd" * 32
    assert cells["chronological_age_months"] == "120.0"
    assert cells["carpal_months"] == "119.8"
    corners = ("min_row", "min_col", "max_row", "max_col")
    assert [int(cells[f"carpal_{c}"]) for c in corners] == [300, 120, 400, 240]
    assert cells["metacarpal_attention_found"] == "0"
    assert cells["phalanx_min_row"] == ""
    assert cells["warnings"] == "The film is marked as a right hand."


def test_failures_have_rows_too(answer: Assessment) -> None:
    good, bad = written(answer, Failure('ä, "b"\n.png', "truncated", "it is cut off"))
    assert good["message"] == ""
    assert bad["film"] == 'ä, "b"\n.png'
    assert (bad["status"], bad["code"], bad["message"]) == ("failed", "truncated", "it is cut off")
    assert bad["age_months"] == ""


def test_a_region_of_unknown_name_breaks_nothing(answer: Assessment) -> None:
    detection = replace(answer.detections[0], region="ulna")
    (cells,) = written(replace(answer, detections=(detection,), age_by_network={"ulna": 1.0}))
    assert tuple(cells) == COLUMNS
