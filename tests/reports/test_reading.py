"""What a reader states is what every document states, with the program's beside it."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from fhir.resources.R4B.observation import Observation

from boneage.clinical.interpreting import with_reading
from boneage.domain.assessment import Assessment
from boneage.domain.reader import Decision, ReaderReading
from boneage.domain.reported import reported
from boneage.history.entry import visit_of
from boneage.reports.fhir import observation
from boneage.reports.picture import headlines
from boneage.reports.record import record


@pytest.fixture
def edited(interpreted: Assessment) -> Assessment:
    """Read by Dr. Roe as 130 months, after an own reading of 128."""
    program = reported(interpreted.age_months)
    reading = ReaderReading(Decision.EDITED, 130.0, program, 128.0, 14.0, "Roe^Jane")
    return with_reading(interpreted, reading)


def test_the_readers_value_takes_the_programs_place(
    interpreted: Assessment, edited: Assessment
) -> None:
    plain = record(edited)
    assert plain["age_months"] == 130
    assert plain["interval"] is None
    assert plain["clinical"]["growth"]["difference_months"] == 10
    assert plain["reading"] == {
        "decision": "edited",
        "program_months": 122.4,
        "own_months": 128,
        "seconds": 14,
    }
    accepted = ReaderReading(Decision.ACCEPTED, 122.4, 122.4)
    kept = with_reading(interpreted, accepted)
    assert kept.age_months == interpreted.age_months
    assert kept.interval == interpreted.interval
    with pytest.raises(ValueError, match="states no bone age"):
        with_reading(interpreted, ReaderReading(Decision.REJECTED, None, 122.4))


def test_the_picture_states_reading_difference_and_sds(
    interpreted: Assessment, edited: Assessment
) -> None:
    before, after = (" ".join(text for text, *_ in headlines(one)) for one in (interpreted, edited))
    assert "2.4 months ahead of chronological age 10 years 0 months" in before
    assert " SDS." in before
    assert "reader" not in before
    assert "10.0 months ahead of chronological age 10 years 0 months" in after
    assert "Stated by the reader: 10 years 10 months; by the program: 10 years 2 months." in after
    unknown = headlines(replace(interpreted, clinical=None))
    assert any(text.startswith("Chronological age 10 years") for text, *_ in unknown)


def test_fhir_is_final_with_the_program_beside_it(
    interpreted: Assessment, edited: Assessment
) -> None:
    assert observation(interpreted, "ab" * 32)["status"] == "preliminary"
    resource = observation(edited, "ab" * 32)
    Observation(**resource)
    assert resource["status"] == "final"
    assert resource["valueQuantity"]["value"] == 130
    assert resource["performer"][0]["display"] == "Roe^Jane"
    parts = {
        part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"]
        for part in resource["component"]
        if "valueQuantity" in part
    }
    assert (parts["program-bone-age"], parts["own-reading"]) == (122.4, 128)


def test_the_structured_report_is_verified_by_a_named_reader(
    interpreted: Assessment, edited: Assessment, dicom_film: Path
) -> None:
    pytest.importorskip("highdicom", reason="the dicom extra is not installed")
    from boneage.reports.dicom.source import read_source  # noqa: PLC0415  an extra
    from boneage.reports.dicom.structured_report import structured_report  # noqa: PLC0415

    report = structured_report(edited, read_source(BytesIO(dicom_film.read_bytes())))
    assert (report.PreliminaryFlag, report.VerificationFlag) == ("FINAL", "VERIFIED")
    assert report.VerifyingObserverSequence[0].VerifyingObserverName == "Roe Jane"
    assert edited.reading is not None
    nameless = replace(edited, reading=replace(edited.reading, reader=""))
    report = structured_report(nameless, read_source(BytesIO(dicom_film.read_bytes())))
    assert report.VerificationFlag == "UNVERIFIED", "DICOM requires the name of who verifies"


def test_the_history_keeps_both(interpreted: Assessment, edited: Assessment) -> None:
    assert edited.reading is not None
    visit = visit_of(interpreted, "ab" * 32, edited.reading)
    assert visit.bone_age_months == interpreted.age_months
    assert visit.interval_low_months is not None, "of the program's"
    assert (visit.reader_months, visit.own_reading_months, visit.reading_seconds) == (130, 128, 14)
    assert visit.decision == "edited"
    assert edited.clinical is not None
    assert edited.clinical.growth is not None
    assert visit.sds == edited.clinical.growth.sds
