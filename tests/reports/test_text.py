"""Answers in words."""

from __future__ import annotations

from dataclasses import replace

from boneage.domain.assessment import Assessment, Failure, Finding, Interval, Severity
from boneage.reports.text import LINE_WIDTH, full_text, one_line
from boneage.reports.wording import interval_basis


def test_defect_8_the_text_never_gives_a_raw_number(answer: Assessment) -> None:
    text = full_text(answer)
    for shown in (
        "10 years 2 months (122.4 months), female standard",
        "90 % prediction interval 9 years 2 months to 11 years 2 months (110.0 to 134.5 months). "
        "Based on 54 calibration radiographs of this sex. Wider than usual (× 1.5): ",
        "St Anna (2026-11-30, 120 radiographs); uncalibrated 9 years 11 months (119.5 ",
        "10 years 0 months (120.0 months)",
        "whole hand 121.0, carpal 119.8, metacarpal 125.1 months",
        "carpal      rows 300–400, columns 120–240",
        "metacarpal  rows 190–300, columns 80–280 (expected position)",
        "The film is marked as a right hand.",
        "Only a note.",
        "tiny-1 (profile tiny, sha256 abababababab)",
        "Not a medical device",
    ):
        assert shown in text or shown in " ".join(text.split()), "wrapped"


def test_nothing_is_written_that_is_not_there(answer: Assessment) -> None:
    bare = replace(answer, interval=None, calibrated=None)
    for text in (full_text(bare), one_line(bare)):
        assert "nterval" not in text
        assert "alibrated" not in text


def test_a_usual_interval_does_not_mention_its_width() -> None:
    assert "usual" not in interval_basis(Interval(1.0, 2.0, 0.9, 54, widening=1.1))
    assert "of both sexes" in interval_basis(Interval(1.0, 2.0, 0.9, 54))
    assert interval_basis(Interval(1.0, 2.0, 0.975)) == ""


def test_long_findings_wrap(answer: Assessment) -> None:
    long = replace(answer.findings[0], message="word " * 80)
    lines = full_text(replace(answer, findings=(long,))).splitlines()
    assert max(map(len, lines)) <= LINE_WIDTH


def test_one_line_of_many(answer: Assessment) -> None:
    assert one_line(answer).splitlines() == [
        "hand.dcm: 10 years 2 months (122.4 months), female standard; "
        "90 % prediction interval: 9 years 2 months to 11 years 2 months (110.0 to 134.5 months); "
        "site calibration: St Anna (2026-11-30, 120 radiographs); "
        "uncalibrated 9 years 11 months (119.5 months); regions found: carpal",
        "  Warning: The film is marked as a right hand.",
    ]
    assert "regions found: none" in one_line(replace(answer, detections=()))
    assert one_line(Failure("a.png", "x", "it is cut off")) == "a.png: failed: it is cut off"


def test_a_refusal_comes_before_the_number(answer: Assessment) -> None:
    refusal = Finding("not_a_hand", Severity.REFUSAL, "It looks like a chest.", 0.1, 0.2)
    forced = replace(answer, findings=(refusal, *answer.findings))
    text = full_text(forced)
    assert text.index("It looks like a chest.") < text.index("Bone age")
    assert text.count("It looks like a chest.") == 1
    assert "Quality check failed: It looks like a chest." in one_line(forced)
    refused = Failure("a.png", "not_a_hand", "'a.png' is refused", (refusal,))
    assert one_line(refused) == "a.png: refused: 'a.png' is refused"
