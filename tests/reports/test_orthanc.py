"""Answers as DICOM in an archive that other people wrote: Orthanc, on this machine alone."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from PIL import Image

from boneage import read
from boneage.domain.assessment import Assessment
from boneage.reports.dicom.source import read_source
from boneage.reports.picture import draw
from tests.reports.conftest import PATIENT_ID
from tests.reports.test_dicom import dicom_files

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def ask(url: str, content: bytes | None = None, accept: str = "*/*") -> bytes:
    with urlopen(Request(url, content, {"Accept": accept}), timeout=30) as answer:
        return bytes(answer.read())


def values(url: str) -> Any:
    return json.loads(ask(url))


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("Orthanc")
    if program is None:
        pytest.skip("Orthanc is not here (apt-get install orthanc)")
    folder = tmp_path_factory.mktemp("orthanc")
    port = free_port()
    settings = {
        "HttpPort": port,
        "DicomPort": free_port(),
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [],
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
        url = f"http://127.0.0.1:{port}"
        try:
            wait_for(url, server, folder / "log")
            yield url
        finally:
            server.terminate()
            server.wait(30)


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(10 * START_SECONDS):
        try:
            ask(f"{url}/system")
        except (URLError, ConnectionError):
            assert server.poll() is None, log.read_text("utf-8", "replace")
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"Orthanc does not answer after {START_SECONDS} seconds")


@pytest.fixture
def stored(archive: str, interpreted: Assessment, dicom_film: Path) -> dict[str, str]:
    """The address in the archive of the film and of both answers."""
    files = dicom_files(interpreted, read(dicom_film), read_source(dicom_film))
    addresses = {}
    for kind, content in {"film": dicom_film.read_bytes(), **files}.items():
        taken = json.loads(ask(f"{archive}/instances", content))
        assert taken["Status"] in {"Success", "AlreadyStored"}
        addresses[kind] = f"{archive}{taken['Path']}"
    return addresses


def test_the_archive_files_all_three_under_one_study(archive: str, stored: dict[str, str]) -> None:
    studies = {values(f"{address}/study")["ID"] for address in stored.values()}
    assert len(studies) == 1
    (study,) = studies
    assert values(f"{archive}/studies/{study}")["PatientMainDicomTags"]["PatientID"] == PATIENT_ID
    modalities = {
        kind: values(f"{address}/simplified-tags")["Modality"] for kind, address in stored.items()
    }
    assert modalities["report"] == "SR"
    assert len({values(f"{address}/series")["ID"] for address in stored.values()}) == 3


def test_the_archive_shows_the_picture_as_it_was_drawn(
    stored: dict[str, str], interpreted: Assessment, dicom_film: Path
) -> None:
    png = ask(f"{stored['picture']}/preview", accept="image/png")
    shown = np.asarray(Image.open(BytesIO(png)).convert("RGB"), np.int16)
    drawn = np.asarray(draw(interpreted, read(dicom_film)), np.int16)
    assert shown.shape == drawn.shape
    assert np.abs(shown - drawn).max() <= 1


def test_the_archive_reads_the_structured_report(
    stored: dict[str, str], interpreted: Assessment
) -> None:
    content = values(f"{stored['report']}/simplified-tags")["ContentSequence"]
    ages = [
        item["MeasuredValueSequence"][0]["NumericValue"]
        for item in every(content)
        if "37362-1" in json.dumps(item.get("ConceptNameCodeSequence", ""))
        and "MeasuredValueSequence" in item
    ]
    assert [float(age) for age in ages] == [pytest.approx(interpreted.age_months, abs=0.05)]


def every(items: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Every content item, at any depth."""
    for item in items:
        yield item
        yield from every(item.get("ContentSequence", []))
