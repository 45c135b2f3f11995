"""An answer with everything in it."""

from __future__ import annotations

from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from pydicom import dcmread

from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import (
    Assessment,
    Box,
    Calibrated,
    ErrorDistribution,
    Finding,
    Interval,
    RegionDetection,
    Severity,
    WeightsName,
)
from boneage.domain.child import Child
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.synthetic.film import draw, write_dicom
from tests.conftest import drawn_hand

PATIENT = "ZZYZX^QUENTIN"
PATIENT_ID = "QZ-4711"


@pytest.fixture
def radiograph() -> Radiograph:
    metadata = ImageMetadata("DICOM", 12, birth_date=date(2011, 2, 3), study_date=date(2021, 2, 3))
    return Radiograph((drawn_hand(480, 360) / 65535).astype(np.float32), metadata, "hand.dcm")


@pytest.fixture
def answer(radiograph: Radiograph) -> Assessment:
    heat = np.linspace(0, 1, 24 * 18, dtype=np.float32).reshape(24, 18)
    return Assessment(
        film="hand.dcm",
        sex=Sex.FEMALE,
        age_months=122.374,
        detections=(
            RegionDetection("carpal", heat, Box(300, 120, 400, 240), attention_found=True),
            RegionDetection(
                "metacarpal", heat[::-1].copy(), Box(190, 80, 300, 280), attention_found=False
            ),
        ),
        age_by_network={"whole_hand": 121.0, "carpal": 119.8, "metacarpal": 125.1},
        weights=WeightsName("tiny-1", "tiny", "ab" * 32),
        metadata=radiograph.metadata,
        film_height=480,
        film_width=360,
        seconds=0.12345,
        findings=(
            Finding("right_hand", Severity.WARNING, "The film is marked as a right hand."),
            Finding("old", Severity.NOTE, "Only a note."),
        ),
        interval=Interval(110.0, 134.5, 0.9, 54, by_sex=True, widening=1.456),
        errors=ErrorDistribution(tuple(step / 20 for step in range(1, 55)), 9.0),
        chronological_age_months=120.0,
        ood_score=1.234,
        calibrated=Calibrated("St Anna", "2026-11-30", 120, "cd" * 32, 119.5),
    )


@pytest.fixture
def interpreted(answer: Assessment) -> Assessment:
    """The same with all that follows for a child of ten years and 138 cm."""
    child = Child(chronological_age_months=120.0, height_cm=138.0)
    return with_clinical_findings(answer, child)


@pytest.fixture(scope="session")
def _dicom_content() -> bytes:
    file = BytesIO()
    write_dicom(draw(120, Sex.FEMALE, height=480, width=360), file)
    file.seek(0)
    dataset = dcmread(file)
    dataset.PatientName = PATIENT
    dataset.PatientID = PATIENT_ID
    dataset.StudyID = "7"
    changed = BytesIO()
    dataset.save_as(changed)
    return changed.getvalue()


@pytest.fixture
def dicom_film(tmp_path: Path, _dicom_content: bytes) -> Path:
    """A drawn film as DICOM, of somebody whose name must not come out by itself."""
    path = tmp_path / "hand.dcm"
    path.write_bytes(_dicom_content)
    return path
