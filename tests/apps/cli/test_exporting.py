"""``boneage assess``: picture, report, DICOM and FHIR."""

from __future__ import annotations

import json
import os
import weakref
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from pydicom import dcmread

from boneage.domain.radiograph import Radiograph, Sex
from boneage.inference.assessor import Assessor
from boneage.synthetic.film import draw, write_dicom
from tests.apps.cli.conftest import Run
from tests.conftest import write_png

Grey = npt.NDArray[np.uint8]


@pytest.fixture(scope="session")
def _drawn() -> bytes:
    file = BytesIO()
    write_dicom(draw(120, Sex.FEMALE, height=240, width=184), file)
    file.seek(0)
    dataset = dcmread(file)
    dataset.PatientName = "ZZYZX^QUENTIN"
    dataset.PatientID = "QZ-4711"
    changed = BytesIO()
    dataset.save_as(changed)
    return changed.getvalue()


@pytest.fixture
def dicom(tmp_path: Path, _drawn: bytes) -> Path:
    path = tmp_path / "hand.dcm"
    path.write_bytes(_drawn)
    return path


def test_all_three_of_one_film(run: Run, dicom: Path, tmp_path: Path) -> None:
    report, fhir, out = tmp_path / "r.pdf", tmp_path / "o.json", tmp_path / "out"
    options = ["--report", report, "--language", "de", "--paper", "letter"]
    result = run("assess", dicom, *options, "--fhir", fhir, "--dicom-out", out)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert report.read_bytes().startswith(b"%PDF-")
    assert b"612 792" in report.read_bytes()
    resource = json.loads(fhir.read_text())
    assert resource["resourceType"] == "Observation"
    assert sorted(path.name for path in out.iterdir()) == [
        "hand.picture.boneage.dcm",
        "hand.report.boneage.dcm",
    ]
    for message in (result.output, fhir.read_text(), report.read_bytes().decode("latin-1")):
        assert "ZZYZX" not in message
        assert "QZ-4711" not in message
    assert dcmread(out / "hand.report.boneage.dcm").PatientID == "QZ-4711"


def test_identity_only_on_request(run: Run, dicom: Path, tmp_path: Path) -> None:
    fhir = tmp_path / "o.json"
    assert run("assess", dicom, "--fhir", fhir, "--identify").exit_code == 0
    assert json.loads(fhir.read_text())["subject"]["identifier"]["value"] == "QZ-4711"
    assert run("assess", dicom, "--fhir", fhir, "--pseudonym", "child 7").exit_code == 0
    assert "QZ-4711" not in fhir.read_text()
    assert json.loads(fhir.read_text())["subject"]["identifier"]["value"] == "child 7"


def test_folders_for_many(run: Run, dicom: Path, tmp_path: Path, grey_film: Grey) -> None:
    films = dicom.parent / "films"
    write_png(films / "hand.png", grey_film)
    write_png(films / "sub" / "hand.png", np.ascontiguousarray(grey_film[::-1]))
    out = tmp_path / "out"
    for _ in range(2):  # the second time replaces what the first wrote
        result = run("assess", films, "--sex", "f", "--report", out, "--fhir", out)
        assert result.exit_code == 0, result.output
        assert sorted(path.name for path in out.iterdir()) == [
            "hand-2.boneage.json",
            "hand-2.boneage.pdf",
            "hand.boneage.json",
            "hand.boneage.pdf",
        ]


def test_a_film_that_is_no_dicom_spares_the_rest(
    run: Run, film: Path, dicom: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = ["--sex", "f", "--dicom-out", out, "--report", out]
    result = run("assess", film, dicom, *options)
    assert result.exit_code == 1
    assert "the DICOM could not be written: 'hand.png' is not a DICOM file" in result.stderr
    assert "2 images: 2 assessed, 0 failed" in result.stdout
    assert len(list(out.glob("*.pdf"))) == 2
    assert len(list(out.glob("*.dcm"))) == 2


def test_answers_beside_films_are_not_read_as_films(run: Run, dicom: Path) -> None:
    folder = dicom.parent
    for _ in range(2):
        result = run("assess", folder, "--dicom-out", folder, "--report", folder)
        assert result.exit_code == 0, result.output
        assert "images:" not in result.stdout


def test_identity_of_a_png_is_refused(run: Run, film: Path, tmp_path: Path) -> None:
    result = run("assess", film, "--sex", "f", "--report", tmp_path / "r.pdf", "--identify")
    assert result.exit_code == 1
    assert "is not a DICOM file" in result.stderr
    assert not (tmp_path / "r.pdf").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--report", "r.pdf", "--language", "xx"], "'xx'"),
        (["--report", "r.pdf", "--paper", "a5"], "a5"),
        (["--report", "no/r.pdf"], "cannot be written"),
        (["--fhir", "no/o.json"], "cannot be written"),
        (["--report", "r.pdf", "--pseudonym", " "], "at least one letter"),
    ],
)
def test_wrong_usage_is_noticed_first(
    run: Run,
    film: Path,
    options: list[str],
    message: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(Assessor, "assess", lambda *_, **__: pytest.fail("a film was read"))
    monkeypatch.chdir(tmp_path)
    result = run("assess", film, "--sex", "m", *options)
    assert result.exit_code == 2, result.output
    assert message in result.stderr


def test_a_table_names_each_child(run: Run, film: Path, tmp_path: Path) -> None:
    table, out = tmp_path / "cases.csv", tmp_path / "out"
    table.write_text(f"path,sex,pseudonym\n{film},f,K17\n{film},f,\n")
    options = ["--table", table, "--fhir", out, "--pseudonym", "all"]
    assert run("assess", *options).exit_code == 0
    (written,) = out.iterdir()  # the same film: the second replaced the first
    assert json.loads(written.read_text())["subject"]["identifier"]["value"] == "all"
    table.write_text(f"path,sex,pseudonym\n{film},f,K17\n")
    assert run("assess", *options).exit_code == 0
    assert json.loads(written.read_text())["subject"]["identifier"]["value"] == "K17"


def test_one_file_for_many_films(run: Run, film: Path, dicom: Path) -> None:
    for option in (["--report", "r.pdf"], ["--fhir", "o.json"]):
        result = run("assess", film, dicom, "--sex", "m", *option)
        assert result.exit_code == 2, result.output


def test_a_library_that_is_missing_is_named(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "reportlab", None)
    result = run("assess", film, "--sex", "m", "--report", tmp_path / "r.pdf")
    assert result.exit_code == 2
    assert '[report]"' in result.stderr


@pytest.mark.parametrize("kind", ["dicom", "png"])
def test_an_image_is_decoded_once_whatever_is_written(
    run: Run, film: Path, dicom: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoded: list[str] = []
    for function in ("dicom.reader.read_dicom", "raster.reader.read_raster"):
        module, _, name = f"boneage.reading.{function}".rpartition(".")
        original = getattr(import_module(module), name)

        def counted(*arguments: Any, name: str = name, original: Any = original) -> Any:
            decoded.append(name)
            return original(*arguments)

        monkeypatch.setattr(f"{module}.{name}", counted)
    out = tmp_path / "out"
    options = ["--sex", "f", "--picture", out, "--report", out, "--fhir", out, "--identify"]
    options += ["--json", "--csv", tmp_path / "ages.csv", "--height-cm", "140"]
    options += ["--history", tmp_path / "h.sqlite", "--pseudonym", "K17", "--dicom-out", out]
    if kind == "png":
        options.remove("--identify")
    path = dicom if kind == "dicom" else film
    result = run("assess", path, *options)
    assert result.exit_code == (0 if kind == "dicom" else 1), result.output
    assert decoded == ["read_dicom" if kind == "dicom" else "read_raster"]
    written = {"hand.boneage.png", "hand.boneage.pdf", "hand.boneage.json"}
    if kind == "dicom":
        written |= {"hand.picture.boneage.dcm", "hand.report.boneage.dcm"}
    assert {path.name for path in out.iterdir()} == written


def test_a_batch_releases_the_pixels_of_each_image(
    run: Run, dicom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = tmp_path / "films"
    films.mkdir()
    for number in range(4):
        os.link(dicom, films / f"{number}.dcm")
    alive: list[weakref.ref[Radiograph]] = []
    original = Assessor.assess

    def watched(self: Assessor, film: Radiograph, *rest: Any, **more: Any) -> Any:
        assert not [one for one in alive if one() is not None], "of the image before"
        alive.append(weakref.ref(film))
        return original(self, film, *rest, **more)

    monkeypatch.setattr(Assessor, "assess", watched)
    out = tmp_path / "out"
    result = run("assess", films, "--json", "--picture", out, "--fhir", out)
    assert result.exit_code == 0, result.output
    assert len(alive) == 4
