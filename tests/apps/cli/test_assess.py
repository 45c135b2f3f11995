"""``boneage assess``."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom
from tests.apps.cli.conftest import Run
from tests.classifiers import put_classifier
from tests.conftest import write_png

Grey = npt.NDArray[np.uint8]


@pytest.fixture
def folder(tmp_path: Path, grey_film: Grey) -> Path:
    """Two good films, of one name, and a bad one."""
    films = tmp_path / "films"
    write_png(films / "ä.png", grey_film)
    write_png(films / "sub" / "ä.png", np.ascontiguousarray(grey_film[::-1]))
    (films / "bad.png").write_bytes(b"no film")
    return films


@pytest.fixture
def dicom(tmp_path: Path) -> Path:
    """A drawn film of a boy of 12 years that states birth and study date."""
    path = tmp_path / "drawn.dcm"
    with path.open("wb") as file:
        write_dicom(draw(144, Sex.MALE), file)
    return path


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_one_film(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "female")
    assert result.exit_code == 0
    assert result.stderr == ""
    for message in (str(film), "years", "months)", "carpal", "tiny-1", "female standard"):
        assert message in result.stdout
    assert "images:" not in result.stdout


@pytest.mark.parametrize("sex", ["m", "F", "Male", "female", "1"])
def test_sex_as_people_write_it(run: Run, film: Path, sex: str) -> None:
    assert run("assess", film, "--sex", sex).exit_code == 0


def test_a_wrong_sex_is_wrong_usage(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "x")
    assert result.exit_code == 2
    assert "'x' is not a sex" in result.stderr


def test_a_film_without_sex_is_not_read(run: Run, film: Path) -> None:
    result = run("assess", film)
    assert result.exit_code == 1
    assert "the sex of" in result.stderr
    assert result.stdout == ""


def test_a_bad_film_never_stops_the_others(run: Run, folder: Path) -> None:
    result = run("assess", folder, folder / "missing.png", "--sex", "m")
    assert result.exit_code == 1
    assert "4 images: 2 assessed, 2 failed" in result.stdout
    assert "bad.png: failed: " in result.stderr
    assert "missing.png: failed: " in result.stderr
    assert result.stdout.count("regions found: carpal") == 2


def test_json_is_one_document(run: Run, folder: Path) -> None:
    result = run("assess", folder, "--sex", "m", "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["read"], document["failed"]) == (2, 1)
    films = [Path(film["film"]).relative_to(folder).as_posix() for film in document["films"]]
    assert films == ["bad.png", "sub/ä.png", "ä.png"]
    assert "3 images: 2 assessed, 1 failed" in result.stderr


def test_json_of_one_film_has_the_same_shape(run: Run, film: Path) -> None:
    document = json.loads(run("assess", film, "--sex", "m", "--json").stdout)
    (answer,) = document["films"]
    assert answer["film_size"] == {"height": 480, "width": 360}
    assert [region["name"] for region in answer["regions"]] == ["carpal", "metacarpal", "phalanx"]


def test_csv_has_a_row_for_every_film(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "ages.csv"
    assert run("assess", folder, "--sex", "m", "--csv", out).exit_code == 1
    assert [row["status"] for row in read_csv(out)] == ["failed", "read", "read"]


def test_the_three_outputs_agree(run: Run, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "ages.csv"
    result = run("assess", film, "--sex", "m", "--json", "--csv", out)
    (answer,) = json.loads(result.stdout)["films"]
    (row,) = read_csv(out)
    assert float(row["age_months"]) == answer["age_months"]
    assert row["age_text"] == answer["age_text"]
    box = answer["regions"][0]["box"]
    assert {corner: int(row[f"carpal_{corner}"]) for corner in box} == box
    assert answer["age_text"] in run("assess", film, "--sex", "m").stdout


def test_pictures_of_two_films_with_one_name(run: Run, folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "pictures"
    for _ in range(2):
        run("assess", folder, "--sex", "m", "--picture", out)
        assert sorted(path.name for path in out.iterdir()) == [
            "ä-2.boneage.png",
            "ä.boneage.png",
        ]


def test_pictures_beside_the_films_are_not_read(run: Run, folder: Path) -> None:
    run("assess", folder, "--sex", "m", "--picture", folder)
    assert "3 images: 2 assessed" in run("assess", folder, "--sex", "m").stdout


def test_a_picture_that_cannot_be_written_spares_the_answer(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("boneage.reports.exports.write_named", full)
    result = run("assess", film, "--sex", "m", "--picture", tmp_path / "out")
    assert result.exit_code == 1
    assert "the picture could not be written: " in result.stderr
    assert "Bone age" in result.stdout


def test_a_table_of_cases(run: Run, folder: Path, film: Path) -> None:
    table = folder / "cases.csv"
    lines = ["path,sex,age", "ä.png,female,100", f"{film},m,", "ä.png,,", "ä.png,zebra,"]
    table.write_text("\n".join(lines), encoding="utf-8")
    result = run("assess", "--table", table, "--json")
    assert result.exit_code == 1
    first, second, *rest = json.loads(result.stdout)["films"]
    assert (first["sex"], first["chronological_age_months"]) == ("female", 100.0)
    assert (second["sex"], second["chronological_age_months"]) == ("male", None)
    assert [film["code"] for film in rest] == ["sex", "sex"]
    given = json.loads(run("assess", "--table", table, "--sex", "f", "--json").stdout)
    assert (given["read"], given["failed"]) == (3, 1), "--sex fills what the table leaves open"
    assert given["films"][1]["sex"] == "male", "the table is stronger than --sex"


@pytest.mark.parametrize("table", ["", "path\na.png\n", "path,sex\n"])
def test_a_table_that_is_none_is_wrong_usage(run: Run, tmp_path: Path, table: str) -> None:
    path = tmp_path / "cases.csv"
    path.write_text(table)
    assert run("assess", "--table", path).exit_code == 2


def test_films_and_a_table_are_too_much(run: Run, film: Path, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text("path,sex\n")
    assert run("assess", film, "--table", table).exit_code == 2


def test_an_empty_folder_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("assess", tmp_path / "empty", "--sex", "m")
    assert result.exit_code == 2
    assert "no images in the folder" in result.stderr


def test_outputs_that_cannot_be_written_are_noticed_first(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        pytest.fail("a film was read")

    monkeypatch.setattr(Assessor, "assess", fail)
    for arguments in (
        ["--csv", tmp_path / "no" / "ages.csv"],
        ["--csv", film / "ages.csv"],
        ["--csv", tmp_path],
        ["--picture", film],
        ["--picture", film / "out"],
    ):
        result = run("assess", film, "--sex", "m", *arguments)
        assert result.exit_code == 2, result.output


def test_a_read_only_folder_is_wrong_usage(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write anywhere
    result = run("assess", film, "--sex", "m", "--picture", tmp_path / "out")
    assert result.exit_code == 2
    assert "read-only" in result.stderr, "and a film that looks unreadable is tried"


def test_weights_by_option(run: Run, film: Path, weights_copy: Path) -> None:
    assert run("assess", film, "--sex", "m", "--weights", weights_copy).exit_code == 0


def test_damaged_weights_stop_at_once(run: Run, folder: Path, weights_copy: Path) -> None:
    (weights_copy / "carpal.onnx").write_bytes(b"")
    out = folder / "ages.csv"
    result = run("assess", folder, "--sex", "m", "--weights", weights_copy, "--csv", out)
    assert result.exit_code == 2
    assert result.stderr.count("changed or cut off") == 1
    assert [path.name for path in folder.iterdir() if "ages" in path.name] == []


def test_finished_results_are_written_when_interrupted(
    run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Assessor.assess
    seen: list[Any] = []

    def interrupted(self: Assessor, film: Any, *rest: Any, **more: Any) -> Any:
        seen.append(film)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return original(self, film, *rest, **more)

    monkeypatch.setattr(Assessor, "assess", interrupted)
    out = tmp_path / "ages.csv"
    result = run("assess", folder, "--sex", "m", "--csv", out, "--json")
    assert result.exit_code == 130
    assert "1 image not assessed" in result.stderr
    assert len(read_csv(out)) == 2
    assert len(json.loads(result.stdout)["films"]) == 2


def test_the_bar_is_for_terminals(run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "%" not in run("assess", folder, "--sex", "m").stderr
    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda _: True, raising=False)
    result = run("assess", folder, "--sex", "m", "--json")
    assert "100%" in result.stderr
    assert json.loads(result.stdout)["read"] == 2


def test_a_failure_has_the_name_of_its_image(run: Run, tmp_path: Path) -> None:
    result = run("assess", tmp_path / "手.png", "--sex", "m", "--json")
    (film,) = json.loads(result.stdout)["films"]
    assert film["film"].endswith("手.png")
    assert result.exit_code == 1


def test_growth_and_height_of_a_film(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "f", "--age", "11y4m", "--height-cm", "142.5")
    assert result.exit_code == 0
    for message in (
        "11 years 4 months (136.0 months), as entered",
        "SDS",
        "Predicted adult height",
        "142.5 cm",
    ):
        assert message in result.stdout
    options = ("--birth-date", "2009-06-01", "--study-date", "2020-10-01", "--height-in", "56")
    result = run("assess", film, "--sex", "f", "--brush-mean", *options)
    assert "from the entered date of birth" in " ".join(result.stdout.split())
    assert "centred on its mean" in " ".join(result.stdout.split())
    assert "2009" not in result.output
    assert "2020" not in result.output


def test_dicom_states_the_age_itself(run: Run, dicom: Path, tmp_path: Path) -> None:
    out = tmp_path / "ages.csv"
    result = run("assess", dicom, "--json", "--csv", out)
    (answer,) = json.loads(result.stdout)["films"]
    assert answer["clinical"]["context"]["age_source"] == "birth and study date of the film"
    assert answer["clinical"]["growth"]["sds"] is not None
    (row,) = read_csv(out)
    assert float(row["chronological_age_months"]) == pytest.approx(144, abs=0.1)
    text = run("--verbose", "assess", dicom).output
    for secret in ("SYNTHETIC", "20080101", "2008-01-01", "2020-01-01", "20200101"):
        assert secret not in text
        assert secret not in result.output
        assert secret not in out.read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--age", "30y"), "'30y' is not a child's age: from 0 to 25 years"),
        (("--height-cm", "1.42"), "looks like metres; give centimetres: 142"),
        (("--height-in", "142"), "is it in centimetres?"),
        (("--height-cm", "142", "--height-in", "56"), "not both"),
        (("--birth-date", "1.6.2009"), "the birth date is not understood; write YYYY-MM-DD"),
        (
            ("--birth-date", "2021-01-01", "--study-date", "2020-01-01"),
            "the birth date lies after the study date",
        ),
    ],
)
def test_a_child_that_cannot_be_is_wrong_usage(
    run: Run, film: Path, options: tuple[str, ...], message: str
) -> None:
    result = run("assess", film, "--sex", "f", *options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_study_without_a_date_fails_alone(run: Run, film: Path, dicom: Path) -> None:
    result = run("assess", film, dicom, "--sex", "m", "--birth-date", "2009-06-01")
    assert result.exit_code == 1
    assert "2 images: 1 assessed, 1 failed" in result.stdout
    assert "states no study date" in result.stderr


@pytest.fixture
def ramp(tmp_path: Path) -> Path:
    """A picture that the hand-written gate takes for a chest."""
    grey = np.tile(np.linspace(0, 255, 360), (480, 1)).astype(np.uint8)
    return write_png(tmp_path / "pictures" / "ramp.png", grey)


def test_a_refused_film_has_no_answer(run: Run, ramp: Path, weights_copy: Path) -> None:
    result = run("assess", ramp, "--sex", "m", "--weights", put_classifier(weights_copy))
    assert result.exit_code == 1
    assert (
        "ramp.png: refused: 'ramp.png' is refused: The image looks like a radiograph of a chest"
        in (result.stderr)
    )
    assert "Bone age" not in result.stdout


def test_a_batch_writes_the_refusal_and_continues(
    run: Run, ramp: Path, film: Path, weights_copy: Path, tmp_path: Path
) -> None:
    out = tmp_path / "ages.csv"
    command = ["assess", ramp, film, "--sex", "m", "--weights", put_classifier(weights_copy)]
    result = run(*command, "--csv", out, "--json")
    assert result.exit_code == 1
    assert "2 images: 1 assessed, 1 refused, 0 failed" in result.stderr
    refused, read = read_csv(out)
    assert (refused["status"], refused["verdict"], refused["code"]) == (
        *("refused", "refused", "not_a_hand"),
    )
    assert refused["age_months"] == ""
    assert read["status"] == "read"
    document = json.loads(result.stdout)
    assert (document["read"], document["refused"], document["failed"]) == (1, 1, 0)
    (finding, *_) = document["films"][0]["findings"]
    assert (finding["severity"], finding["limit"]) == ("refusal", 0.2)
    assert finding["measured"] < 0.2


def test_force_shows_the_refusal_in_every_output(
    run: Run, ramp: Path, weights_copy: Path, tmp_path: Path
) -> None:
    put_classifier(weights_copy)
    out = tmp_path / "ages.csv"
    command = ["assess", ramp, "--sex", "m", "--weights", weights_copy, "--force"]
    result = run(*command)
    assert result.exit_code == 0
    assert result.stdout.index("Quality check failed") < result.stdout.index("Bone age")
    assert "Analysed at the user's request despite a failed quality check." in " ".join(
        result.stdout.split()
    )
    result = run(*command, "--json", "--csv", out, "--picture", tmp_path / "drawn")
    (answer,) = json.loads(result.stdout)["films"]
    assert (answer["status"], answer["verdict"]) == ("read", "refused")
    (row,) = read_csv(out)
    assert row["verdict"] == "refused"
    assert "not_a_hand" in row["findings"].split(";")
    assert "chest" in row["warnings"]
    assert (tmp_path / "drawn" / "ramp.boneage.png").is_file()
