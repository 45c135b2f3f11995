"""One image on its way: one function, one outcome, decoded once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from boneage.domain.assessment import Case, Failure
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex
from boneage.errors import WeightsError
from boneage.inference.assessor import Assessor
from boneage.inference.session import Session, assess_case, steps_of
from boneage.reading import read
from boneage.reading.source import NamedFile
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom


@pytest.fixture
def dicom() -> bytes:
    """A drawn radiograph of a boy of 12 years that states sex, birth and study date."""
    file = BytesIO()
    write_dicom(draw(144, Sex.MALE, height=240, width=184), file)
    return file.getvalue()


def failure_in(session: Session) -> Failure:
    assert isinstance(session.outcome, Failure), session.outcome
    return session.outcome


def test_it_is_the_assessors_answer_with_what_follows_for_the_child(
    assessor: Assessor, film: Path
) -> None:
    session = assess_case(assessor, film, sex="female", child=Child(136, height_cm=142.5))
    plain = assessor.assess(film, "female")
    assert session.assessment.age_months == plain.age_months
    assert session.assessment.film == session.image.name == film.name
    assert session.assessment.chronological_age_months == 136
    assert session.assessment.clinical is not None
    assert session.assessment.clinical.adult_height is not None
    assert session.assessment.seconds > 0
    assert session.file().read() == film.read_bytes()
    assert session.fingerprint == read(film).fingerprint


@pytest.mark.parametrize(
    "source_of",
    [
        lambda film: film,
        Case,
        lambda film: film.read_bytes(),
        lambda film: NamedFile(film.read_bytes(), "a.png"),
        read,
    ],
)
def test_every_kind_of_source(
    assessor: Assessor, film: Path, source_of: Callable[[Path], Any]
) -> None:
    session = assess_case(assessor, source_of(film), sex="male", name="mine")
    assert session.assessment.age_months == assessor.assess(film, "male").age_months
    assert session.outcome.film == "mine"


def test_what_a_case_states_is_stronger(assessor: Assessor, dicom: bytes, tmp_path: Path) -> None:
    path = tmp_path / "boy.dcm"
    path.write_bytes(dicom)
    case = Case(path, Sex.FEMALE, 100.0, Child(100, height_cm=130))
    answer = assess_case(assessor, case, sex=Sex.MALE, child=Child(height_cm=120)).assessment
    assert (answer.sex, answer.chronological_age_months) == (Sex.FEMALE, 100.0)
    assert answer.clinical is not None
    assert answer.clinical.context.height_cm == 130
    assert assess_case(assessor, path).assessment.sex is Sex.MALE, "as the image states"


def test_a_measurement_wants_no_clinical_findings(assessor: Assessor, dicom: bytes) -> None:
    assert assess_case(assessor, dicom, child=None).assessment.clinical is None


@pytest.mark.parametrize(
    ("content", "options", "code"),
    [
        (b"", {"sex": "m"}, "empty"),
        (b"no image", {"sex": "m"}, "not_an_image"),
        (None, {"sex": "x"}, "sex"),
        (None, {"level": 0.5}, "level"),
    ],
)
def test_what_is_wrong_is_a_failure_with_its_code(
    assessor: Assessor, dicom: bytes, content: bytes | None, options: dict[str, Any], code: str
) -> None:
    session = assess_case(assessor, dicom if content is None else content, **options)
    failure = failure_in(session)
    assert failure.code == code
    assert failure.message
    with pytest.raises(ValueError, match="there is no assessment"):
        _ = session.assessment


def test_a_child_that_cannot_be_is_a_failure(assessor: Assessor, film: Path) -> None:
    child = Child(birth_date=date(2009, 6, 1))
    session = assess_case(assessor, film, sex="m", child=child)
    assert failure_in(session).code == "age"
    assert session.radiograph is not None, "it was decoded all the same"


def test_a_failure_is_its_own_outcome(assessor: Assessor) -> None:
    failure = Failure("a.png", "table", "makes no sense")
    assert assess_case(assessor, failure).outcome is failure
    assert assess_case(assessor, failure, name="b").outcome.film == "b"


def test_a_level_of_its_own(sure_weights: Path, film: Path) -> None:
    sure = Assessor(sure_weights)
    half, usual = (assess_case(sure, film, sex="f", level=level) for level in (0.5, None))
    assert half.assessment.interval is not None
    assert usual.assessment.interval is not None
    assert (half.assessment.interval.level, usual.assessment.interval.level) == (0.5, 0.9)


def test_of_an_unexpected_error_only_the_kind_is_reported(
    assessor: Assessor,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    patient = "DOE^JANE"

    def surprise(*_: object, **__: object) -> None:
        raise ZeroDivisionError(patient)

    monkeypatch.setattr(assessor, "assess", surprise)
    with caplog.at_level(logging.DEBUG):
        failure = failure_in(assess_case(assessor, film, sex="f"))
    assert (failure.code, failure.message) == ("unexpected", "unexpected ZeroDivisionError")
    assert "surprise" in caplog.text, "where it arose"
    assert "DOE" not in caplog.text


def test_unusable_weights_are_raised(weights_copy: Path, film: Path) -> None:
    (weights_copy / "carpal.onnx").write_bytes(b"")
    with pytest.raises(WeightsError):
        assess_case(Assessor(weights_copy), film, sex="f")


def test_every_step_is_reported_once_and_in_order(assessor: Assessor, film: Path) -> None:
    steps: list[str] = []
    assess_case(assessor, film, sex="f", on_step=steps.append)
    assert tuple(steps) == steps_of(assessor)
