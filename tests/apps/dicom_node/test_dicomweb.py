"""Studies of Orthanc's DICOMweb, read and answered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner
from pydicom import dcmread

from boneage.apps.cli import main
from boneage.apps.dicom_node.dicomweb_http import authentication
from boneage.apps.dicom_node.dicomweb_replies import ArchiveError
from boneage.apps.dicom_node.dicomweb_study import Archive, ArchivedImage
from tests.apps.dicom_node.drawn import film
from tests.apps.dicom_node.orthanc import PLUGIN, Orthanc, orthanc
from tests.apps.dicom_node.peers import free_port

USER, PASSWORD = "ward", "secret"


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if not PLUGIN.exists():
        pytest.skip("Orthanc's DICOMweb is not here (apt-get install orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("orthanc")
    with orthanc(
        folder,
        free_port(),
        free_port(),
        Plugins=[str(PLUGIN)],
        DicomWeb={"Enable": True, "Root": "/dicom-web/"},
    ) as running:
        yield running


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if not PLUGIN.exists():
        pytest.skip("Orthanc's DICOMweb is not here (apt-get install orthanc-dicomweb)")
    folder = tmp_path_factory.mktemp("guarded")
    with orthanc(
        folder,
        free_port(),
        free_port(),
        AuthenticationEnabled=True,
        RegisteredUsers={USER: PASSWORD},
        Plugins=[str(PLUGIN)],
        DicomWeb={"Enable": True, "Root": "/dicom-web/"},
    ) as running:
        running.client.auth = (USER, PASSWORD)
        yield running


Ask = Callable[..., tuple[int, str]]


@pytest.fixture
def ask(weights: Path) -> Ask:
    def ask(archive: Orthanc, study: str, *options: str) -> tuple[int, str]:
        arguments = ["dicomweb", "--url", f"{archive.url}/dicom-web", "--study", study]
        result = CliRunner().invoke(main, [*arguments, "--weights", str(weights), *options])
        return result.exit_code, result.output

    return ask


def study_of(content: bytes) -> str:
    return str(dcmread(BytesIO(content), stop_before_pixels=True).StudyInstanceUID)


def series_in(archive: Orthanc, study: str) -> list[str]:
    (found,) = archive.client.post(
        "/tools/find",
        json={"Level": "Study", "Query": {"StudyInstanceUID": study}, "Expand": True},
    ).json()
    return sorted(
        archive.ask(f"/series/{name}")["MainDicomTags"]["Modality"] for name in found["Series"]
    )


def test_a_study_is_answered_once(archive: Orthanc, ask: Ask) -> None:
    content = film(11)
    study = study_of(content)
    archive.put(content)
    code, text = ask(archive, study, "--dry-run")
    assert (code, "nothing stored" in text) == (0, True), text
    assert series_in(archive, study) == ["DX"]
    code, text = ask(archive, study)
    assert (code, "stored picture and report" in text) == (0, True), text
    assert series_in(archive, study) == ["DX", "OT", "SR"]
    code, text = ask(archive, study)
    assert (code, "has its results" in text) == (0, True), text
    assert series_in(archive, study) == ["DX", "OT", "SR"]
    # One of the two is missing: it alone is stored.
    series = archive.ask("/series?expand")
    report = next(one for one in series if one["MainDicomTags"]["Modality"] == "SR")
    archive.client.delete(f"/series/{report['ID']}")
    code, text = ask(archive, study)
    assert "stored report" in text
    code, text = ask(archive, study, "--again")
    assert series_in(archive, study) == ["DX", "OT", "OT", "SR", "SR"]


def test_what_goes_wrong_is_reported(archive: Orthanc, ask: Ask) -> None:
    code, text = ask(archive, "1.2.3.4")
    assert (code, "is not in the archive" in text) == (2, True), text
    code, text = ask(archive, "1.2.x")
    assert (code, "is not a UID" in text) == (2, True), text
    nobody = film(12, PatientSex="")
    archive.put(nobody)
    code, text = ask(archive, study_of(nobody))
    assert (code, "the sex of" in text) == (1, True), text
    code, text = ask(archive, study_of(nobody), "--series", "1.2.3")
    assert (code, "the series 1.2.3" in text) == (2, True), text


def test_an_archive_that_is_not_there_is_reported(weights: Path) -> None:
    for url, words in (
        (f"http://127.0.0.1:{free_port()}/dicom-web", "cannot be reached"),
        ("ftp://127.0.0.1", "is not the address"),
        ("nonsense", "is not the address"),
    ):
        result = CliRunner().invoke(main, ["dicomweb", "--url", url, "--study", "1.2"])
        assert (result.exit_code, words in result.output) == (2, True), result.output


def test_a_guarded_archive_wants_its_word(guarded: Orthanc, ask: Ask, tmp_path: Path) -> None:
    content = film(13)
    guarded.put(content)
    word = tmp_path / "word"
    code, text = ask(guarded, study_of(content))
    assert (code, "denies access" in text) == (2, True), text
    word.write_text("no colon")
    code, text = ask(guarded, study_of(content), "--basic-file", str(word))
    assert (code, "no colon" in text) == (2, False), text
    word.write_text(f"{USER}:{PASSWORD}\n")
    code, text = ask(guarded, study_of(content), "--basic-file", str(word))
    assert (code, "stored picture and report" in text) == (0, True), text


def test_a_token_goes_with_every_request(tmp_path: Path) -> None:
    word = tmp_path / "token"
    word.write_text("abc.def\n")
    auth = authentication(word, None)
    assert auth is not None
    request = requests.Request("GET", "http://localhost").prepare()
    assert auth(request).headers["Authorization"] == "Bearer abc.def"
    word.write_text("two words")
    with pytest.raises(ArchiveError, match="contains no token") as raised:
        authentication(word, None)
    assert "two" not in str(raised.value)


def test_an_archive_that_cuts_its_lists_short_is_read_whole(
    tmp_path: Path,
) -> None:
    if not PLUGIN.exists():
        pytest.skip("Orthanc's DICOMweb is not here (apt-get install orthanc-dicomweb)")
    settings = {
        "Plugins": [str(PLUGIN)],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        # Without a warning, and whatever the offset.
        "LimitFindResults": 3,
        "LimitFindInstances": 3,
    }
    with orthanc(tmp_path, free_port(), free_port(), **settings) as running:
        for number in range(20, 26):
            running.put(film(number, StudyInstanceUID="1.2.3.4", SeriesInstanceUID="1.2.3.4.1"))
        for number in range(30, 36):
            running.put(film(number, StudyInstanceUID="1.2.3.5"))
        archive = Archive(f"{running.url}/dicom-web")
        for study in ("1.2.3.4", "1.2.3.5"):
            found = list(archive.images(study))
            assert [type(one) for one in found] == [ArchivedImage] * 6
