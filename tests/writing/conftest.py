"""An answer with everything in it."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from boneage.assessment import (
    Assessment,
    Box,
    Calibrated,
    Finding,
    Interval,
    Look,
    Severity,
    WeightsName,
)
from boneage.radiograph import Facts, Radiograph, Sex
from tests.conftest import drawn_hand


@pytest.fixture
def radiograph() -> Radiograph:
    facts = Facts("DICOM", 12, birth_date=date(2011, 2, 3), study_date=date(2021, 2, 3))
    return Radiograph((drawn_hand(480, 360) / 65535).astype(np.float32), facts, "hand.dcm")


@pytest.fixture
def answer(radiograph: Radiograph) -> Assessment:
    heat = np.linspace(0, 1, 24 * 18, dtype=np.float32).reshape(24, 18)
    return Assessment(
        film="hand.dcm",
        sex=Sex.FEMALE,
        age_months=122.374,
        looks=(
            Look("carpal", heat, Box(300, 120, 400, 240), attention_found=True),
            Look("metacarpal", heat[::-1].copy(), Box(190, 80, 300, 280), attention_found=False),
        ),
        readings={"whole_hand": 121.0, "carpal": 119.8, "metacarpal": 125.1},
        weights=WeightsName("tiny-1", "tiny", "ab" * 32),
        facts=radiograph.facts,
        film_height=480,
        film_width=360,
        seconds=0.12345,
        findings=(
            Finding("right_hand", Severity.WARNING, "The film is marked as a right hand."),
            Finding("old", Severity.NOTE, "Only a note."),
        ),
        interval=Interval(110.0, 134.5, 0.9, 54, by_sex=True, widening=1.456),
        chronological_age_months=120.0,
        unlikeness=1.234,
        calibrated=Calibrated("St Anna", "2026-11-30", 120, "cd" * 32, 119.5),
    )
