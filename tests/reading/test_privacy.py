"""Nothing that says who the patient is comes out: in no fact, message, log or warning."""

from __future__ import annotations

import logging
import threading
import warnings
from io import BytesIO
from pathlib import Path

import pytest

from boneage import read
from boneage.errors import FilmError
from boneage.reading.quiet import quiet
from tests.reading.drawn import PATIENT, dataset, dicom, in_syntax, written

SURNAME = PATIENT.partition("^")[0]


def with_bad_values() -> bytes:
    """A film whose every text is the patient's name, also where a date or a number belongs."""
    content = dicom(
        PatientBirthDate="20100115",
        StudyDate="20200115",
        PatientAge="010Y",
        PatientSex="F",
        WindowCenter="10000000000000",
        WindowWidth="10000000000000",
        Laterality="L",
        SpecificCharacterSet="ISO_IR 100",
        RescaleSlope="10000000000000",
        RescaleIntercept="10000000000000",
    )
    name = PATIENT.encode().ljust(14)
    for value in (b"20100115", b"20200115", b"010Y", b"10000000000000", b"ISO_IR 100"):
        content = content.replace(value, name[: len(value)])
    return content


def test_no_fact_message_log_or_warning_names_the_patient(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    output: list[str] = []
    contents = [dicom(), with_bad_values(), in_syntax("1.2.840.10008.1.2.4.70")]
    contents += [content[: len(content) * n // 7] for content in contents for n in range(1, 7)]
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for content in contents:
            try:
                output.append(repr(read(content).metadata))
            except FilmError as error:
                cause = error.__cause__
                output += [str(error), repr(cause)]
    captured = capfd.readouterr()
    everything = [
        *output,
        caplog.text,
        captured.out,
        captured.err,
        *(str(w.message) for w in warned),
    ]
    assert SURNAME in contents[1].decode("latin-1")
    for text in everything:
        assert SURNAME[:4] not in text
    assert captured.err == ""
    assert not warned


def test_bad_values_are_no_metadata() -> None:
    metadata = read(with_bad_values()).metadata
    assert (metadata.birth_date, metadata.study_date, metadata.chronological_age_months) == (
        None,
    ) * 3
    assert metadata.sex is not None


def test_other_threads_and_later_warnings_are_heard() -> None:
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.WARNING)  # a test of the command line may have silenced it
    heard: list[str] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record.getMessage())

    listener = Listener()
    logger.addHandler(listener)
    before = list(warnings.filters)
    try:
        with quiet(), quiet():
            logger.warning("within")
            other = threading.Thread(target=logger.warning, args=("of another thread",))
            other.start()
            other.join()
        logger.warning("after")
    finally:
        logger.removeHandler(listener)
        logger.setLevel(level)
    assert heard == ["of another thread", "after"]
    assert list(warnings.filters) == before


def test_the_file_is_not_changed(tmp_path: Path) -> None:
    content = written(dataset())
    (tmp_path / "film.dcm").write_bytes(content)
    read(tmp_path / "film.dcm")
    assert (tmp_path / "film.dcm").read_bytes() == content
    assert BytesIO(content).getvalue() == content
