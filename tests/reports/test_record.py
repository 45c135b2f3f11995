"""Answers as JSON."""

from __future__ import annotations

import json
from dataclasses import replace

from boneage import __version__
from boneage.domain.assessment import Assessment, Box, Failure, Finding, OtherHand, Severity
from boneage.domain.orientation import Orientation
from boneage.reports.record import batch, record
from boneage.reports.table import row
from boneage.reports.text import full_text, one_line


def test_a_record_states_everything(answer: Assessment) -> None:
    assert json.loads(json.dumps(record(answer))) == {
        "status": "read",
        "film": "hand.dcm",
        "verdict": "accepted with warnings",
        "sex": "female",
        "age_months": 122.4,
        "age_text": "10 years 2 months",
        "years": 10,
        "months": 2,
        "interval": {
            "low_months": 110.0,
            "high_months": 134.5,
            "level": 0.9,
            "low_text": "9 years 2 months",
            "high_text": "11 years 2 months",
            "films": 54,
            "by_sex": True,
            "widening": 1.46,
        },
        "calibration": {
            "name": "St Anna",
            "date": "2026-11-30",
            "films": 120,
            "sha256": "cd" * 32,
            "uncalibrated_months": 119.5,
            "uncalibrated_text": "9 years 11 months",
        },
        "unlikeness": 1.23,
        "chronological_age_months": 120.0,
        "clinical": None,
        "readings": {"whole_hand": 121.0, "carpal": 119.8, "metacarpal": 125.1},
        "regions": [
            {
                "name": "carpal",
                "box": {"min_row": 300, "min_col": 120, "max_row": 400, "max_col": 240},
                "attention_found": True,
            },
            {
                "name": "metacarpal",
                "box": {"min_row": 190, "min_col": 80, "max_row": 300, "max_col": 280},
                "attention_found": False,
            },
        ],
        "findings": [
            {
                "code": "right_hand",
                "severity": "warning",
                "message": "The film is marked as a right hand.",
                "measured": None,
                "limit": None,
            },
            {
                "code": "old",
                "severity": "note",
                "message": "Only a note.",
                "measured": None,
                "limit": None,
            },
        ],
        "stance": None,
        "other_hand": None,
        "reading": None,
        "weights": {"name": "tiny-1", "profile": "tiny", "sha256": "ab" * 32},
        "film_size": {"height": 480, "width": 360},
        "facts": {
            "format": "DICOM",
            "bits": 12,
            "modality": None,
            "laterality": None,
            "body_part": None,
            "pixel_spacing_mm": None,
        },
        "seconds": 0.123,
        "boneage": __version__,
    }


def test_no_date_of_the_child_is_written(answer: Assessment) -> None:
    assert "2011" not in json.dumps(record(answer))
    assert "2021" not in json.dumps(record(answer))


def test_boxes_come_back(answer: Assessment) -> None:
    regions = json.loads(batch([record(answer)]))["films"][0]["regions"]
    assert [Box(**region["box"]) for region in regions] == [
        detection.box for detection in answer.detections
    ]


def test_what_is_missing_is_null(answer: Assessment) -> None:
    bare = record(
        replace(
            answer, interval=None, chronological_age_months=None, ood_score=None, calibrated=None
        )
    )
    assert bare["interval"] is bare["calibration"] is bare["unlikeness"] is None
    assert bare["chronological_age_months"] is None


def test_a_batch_counts_and_keeps_the_order(answer: Assessment) -> None:
    failure = Failure("böse\udc80.png", "truncated", "cut off")
    text = batch([record(failure), record(answer)])
    document = json.loads(text.encode("ascii"))
    assert (document["read"], document["failed"]) == (1, 1)
    assert [film["status"] for film in document["films"]] == ["failed", "read"]
    assert document["films"][0]["film"] == failure.film
    assert document["films"][0]["code"] == "truncated"


REFUSAL = Finding("not_a_hand", Severity.REFUSAL, "It looks like a chest.", 0.123456, 0.2)


def test_a_refusal_is_no_failure(answer: Assessment) -> None:
    refused = Failure("a.png", "not_a_hand", "'a.png' is refused", (REFUSAL,))
    document = json.loads(batch([record(refused), record(answer)]))
    assert (document["read"], document["refused"], document["failed"]) == (1, 1, 0)
    (finding,) = document["films"][0]["findings"]
    assert (finding["measured"], finding["limit"]) == (0.1235, 0.2)


def test_a_forced_film_states_what_was_done_to_it(answer: Assessment) -> None:
    orientation = Orientation(Box(10, 20, 400, 300), 1, inverted=True)
    forced = record(replace(answer, findings=(REFUSAL,), orientation=orientation))
    assert (forced["status"], forced["verdict"]) == ("read", "refused")
    assert forced["stance"] == {
        "field": {"min_row": 10, "min_col": 20, "max_row": 400, "max_col": 300},
        "quarter_turns_clockwise": 1,
        "inverted": True,
        "tilt_degrees": 0.0,
        "pixel_aspect": 1.0,
    }


def test_the_other_hand_stands_beside_the_answer(answer: Assessment) -> None:
    both = replace(answer, other_hand=OtherHand(122.5, Box(0, 0, 480, 170)))
    assert record(both)["other_hand"] == {
        "age_months": 122.5,
        "age_text": "10 years 2 months",
        "box": {"min_row": 0, "min_col": 0, "max_row": 480, "max_col": 170},
    }
    assert row(both)["other_hand_months"] == "122.5"
    assert "Right hand                10 years 2 months (122.5 months)" in full_text(both)
    assert "right hand 10 years 2 months" in one_line(both)
    assert "other_hand_months" not in row(answer)
