"""An image's answer, and what of it cannot be written."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from pydicom import dcmread

from boneage.apps.dicom_node.assessing import NoResult, assess_film
from boneage.errors import OutputError
from boneage.inference.assessor import Assessor
from boneage.reports.dicom.writing import dicom_file
from tests.apps.dicom_node.drawn import film


def failing(monkeypatch: pytest.MonkeyPatch, *kinds: str, error: type[Exception]) -> None:

    def write(kind: str, *arguments: Any) -> bytes:
        if kind in kinds:
            raise error("DOE^JANE")
        return dicom_file(kind, *arguments)

    monkeypatch.setattr("boneage.reports.dicom.writing.dicom_file", write)


@pytest.mark.parametrize("error", [OutputError, TypeError])
@pytest.mark.parametrize(("kind", "other"), [("picture", "report"), ("report", "picture")])
def test_what_can_be_written_is(
    assessor: Assessor,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    other: str,
    error: type[Exception],
) -> None:
    failing(monkeypatch, kind, error=error)
    answer = assess_film(assessor, film(1), "x")
    assert list(answer.files) == [other]
    assert list(answer.unwritten) == [kind]


def test_an_answer_that_cannot_be_written_is_not_lost(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = assess_film(assessor, film(1), "x").assessment.age_months
    failing(monkeypatch, "picture", "report", error=TypeError)
    with pytest.raises(NoResult) as raised:
        assess_film(assessor, film(1), "x")
    assert raised.value.code == "output"
    assert f"{months:.1f} months" in raised.value.reason
    assert "DOE" not in raised.value.reason


def test_an_answer_to_an_image_without_a_study_is_in_one_of_its_own(assessor: Assessor) -> None:
    answer = assess_film(assessor, film(1, StudyInstanceUID=None), "x")
    studies = {dcmread(BytesIO(file)).StudyInstanceUID for _, file in answer.files.values()}
    assert len(answer.files) == 2
    assert len(studies) == 1
