"""Answers in words."""

from __future__ import annotations

from dataclasses import replace

from boneage.assessment import Assessment, Failure
from boneage.writing.text import LINE_WIDTH, full_text, one_line


def test_defect_8_the_text_never_gives_a_raw_number(answer: Assessment) -> None:
    text = full_text(answer)
    for said in (
        "10 years 2 months (122.4 months), female standard",
        "110 to 134 months (90% of such films)",
        "10 years 0 months (120.0 months)",
        "whole hand 121.0, carpal 119.8, metacarpal 125.1 months",
        "carpal      rows 300–400, columns 120–240",
        "metacarpal  rows 190–300, columns 80–280 (usual place)",
        "The film is marked as a right hand.",
        "Only a note.",
        "tiny-1 (profile tiny, sha256 abababababab)",
        "Not a medical device",
    ):
        assert said in text


def test_long_findings_wrap(answer: Assessment) -> None:
    long = replace(answer.findings[0], message="word " * 80)
    lines = full_text(replace(answer, findings=(long,))).splitlines()
    assert max(map(len, lines)) <= LINE_WIDTH


def test_one_line_of_many(answer: Assessment) -> None:
    assert one_line(answer).splitlines() == [
        "hand.dcm: 10 years 2 months (122.4 months), female standard; found carpal",
        "  Warning: The film is marked as a right hand.",
    ]
    assert "no region found" in one_line(replace(answer, looks=()))
    assert one_line(Failure("a.png", "x", "it is cut off")) == "a.png: failed: it is cut off"
