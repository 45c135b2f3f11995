"""The command, on drawn films and with small but real weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

from boneage.apps.cli import main
from boneage.datasets.films import load_films
from boneage.domain.assessment import CARPAL, METACARPAL, Failure
from boneage.errors import WeightsError
from boneage.evaluation.localization import cases
from boneage.evaluation.localization.cases import (
    MeasuredFilm,
    films_to_measure,
    measure_films,
    true_shape,
)
from boneage.evaluation.localization.marks import load_annotations
from boneage.inference.assessor import Assessor
from boneage.storage.parallel import Journal
from tests.conftest import build_weights, drawn_hand, write_png
from tests.evaluation.hands import write_marks

BOXED, POINTED = ["1", "2"], ["3", "4", "5"]
AGES = {"1": (20, "F"), "2": (100, "M"), "3": (100, "F"), "4": (180, "M"), "5": (240, "F")}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_data(tmp_path / "data")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, weights, and what the command made of them in ``out``; don't change it."""
    folder = tmp_path_factory.mktemp("ruler")
    write_data(folder / "data")
    build_weights(folder / "weights", (CARPAL, METACARPAL))
    result = run(folder / "data", folder / "out", folder / "weights")
    assert result.exit_code == 0, result.output
    (folder / "output.txt").write_text(result.output)
    return folder


def write_data(folder: Path) -> Path:
    """Write drawn films, bright where the marks have the carpus; 4 is a squeezed copy only."""
    labels, metadata = ["id,boneage,male"], ["id,original_width,original_height,film,split"]
    for name, (age, sex) in AGES.items():
        labels.append(f"{name},{age},{sex}")
        film = "" if name == "4" else f"half-scale/{name}.png"
        metadata.append(f"{name},400,480,{film},{'validation' if name == '1' else 'train'}")
        write_png(folder / "squeezed" / f"{name}.png", _drawn(100, 100))
        if film:
            write_png(folder / film, _drawn(480, 400))
    (folder / "boneage-training-dataset.csv").write_text("\n".join(labels))
    (folder / "films.csv").write_text("\n".join(metadata))
    write_marks(folder / "regions", BOXED, POINTED)
    return folder


def _drawn(height: int, width: int) -> Any:
    return (drawn_hand(height, width) >> 6).astype(np.uint8)


def run(data: Path, out: Path, weights: Path, *more: str | Path) -> Result:
    options = ("--data", data, "--out", out, "--weights", weights, "--workers", "2", *more)
    return CliRunner().invoke(main, ["ruler", *map(str, options)])


def rows_of(out: Path) -> list[dict[str, str]]:
    with (out / "ruler.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_everything_is_written(finished: Path) -> None:
    out = finished / "out"
    assert "5 of 5 radiographs measured with tiny-1" in (finished / "output.txt").read_text()
    rows = rows_of(out)
    assert len(rows) == 5 * 7  # carpus, metacarpals, and each of five
    assert {(row["id"], row["target"]) for row in rows if "carpus" in row["target"]} == {
        *((name, "carpus") for name in BOXED),
        *((name, "carpus_from_points") for name in POINTED),
    }
    assert {row["id"] for row in rows if row["copy"] == "squeezed"} == {"4"}
    for row in rows:  # the tiny network looks at what is bright
        if "carpus" in row["target"]:
            assert float(row["crop_coverage"]) > 0.5
            assert row["attention_found"] == "1"
    table = json.loads((out / "ruler.json").read_text())
    groups = table["groups"]
    assert groups["overall"]["overall"]["count"] == 5
    assert groups["overall"]["overall"]["targets"]["carpus"]["count"] == 2
    assert list(groups["age_band_years"]) == ["0-2", "8-10", "14-16", "18-20"]
    assert groups["copy"]["squeezed"]["targets"]["metacarpals"]["crop"]["coverage"]["low"] is None
    mean = np.mean([float(row["crop_coverage"]) for row in rows if row["target"] == "carpus"])
    found = groups["source"]["boxes"]["targets"]["carpus"]["crop"]["coverage"]["value"]
    assert found == pytest.approx(mean, abs=1e-4)
    assert table["data"]["marked"] == {"boxes": 2, "points": 3}
    assert table["target"]["proportions"]["carpus_share"] == pytest.approx(0.4, abs=1e-3)
    assert not (out / "ruler.jsonl").exists()
    page = (out / "ruler.html").read_text()
    assert page.count("data:image/png;base64,") == 4
    for text in (*table["target"]["built"], "Least covered: Carpus (boxes)", "Nothing."):
        assert text.replace("'", "&#39;") in page


def test_the_same_films_give_the_same_files(finished: Path, tmp_path: Path) -> None:
    run(finished / "data", tmp_path, finished / "weights")
    for name in ("ruler.csv", "ruler.json", "ruler.html"):
        assert (tmp_path / name).read_bytes() == (finished / "out" / name).read_bytes()


def test_a_film_that_cannot_be_read_is_named(data: Path, weights: Path, tmp_path: Path) -> None:
    (data / "half-scale" / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    out = tmp_path / "out"
    result = run(data, out, weights, "--films", "detailed")
    assert result.exit_code == 1
    assert "2: failed: " in result.output
    assert "3 of 4 radiographs measured" in result.output
    table = json.loads((out / "ruler.json").read_text())
    assert [failure["case"] for failure in table["failures"]] == ["2"]
    assert table["films"] == {"tried": 4, "measured": 3, "failed": 1}


def test_no_film_can_be_read(data: Path, weights: Path, tmp_path: Path) -> None:
    (data / "half-scale" / "1.png").write_bytes(b"no film")
    result = run(data, tmp_path / "out", weights, "--split", "validation")
    assert result.exit_code == 1
    assert "none of 1 radiographs could be measured" in result.output
    assert not (tmp_path / "out" / "ruler.csv").exists()


def test_a_table_of_films(data: Path, weights: Path, tmp_path: Path) -> None:
    rows = [f"half-scale/{name}.png,{AGES[name][1]},{AGES[name][0]}" for name in ("1", "3", "5")]
    table = data / "table.csv"
    table.write_text("\n".join(["path,sex,boneage", *rows]))
    result = run(table, tmp_path / "out", weights, "--limit", "2")
    assert result.exit_code == 0, result.output
    assert {row["id"] for row in rows_of(tmp_path / "out")} == {"1", "5"}
    left_out = json.loads((tmp_path / "out" / "ruler.json").read_text())["left_out"]
    assert "2: boxes of 'someone' left out: no labelled radiograph of this id is here" in left_out


def test_wrong_usage(data: Path, weights: Path, tmp_path: Path) -> None:
    write_marks(tmp_path / "others", ["2"], ["3"])
    options = ("--annotations", tmp_path / "others", "--split", "validation")
    result = run(data, tmp_path / "out", weights, *options)
    assert result.exit_code == 2
    assert "no radiograph of the kind 'all' in the split 'validation' has marks" in result.output
    (tmp_path / "others" / "hand_keypoints.csv").unlink()
    assert run(data, tmp_path / "out", weights, *options).exit_code == 2


def test_it_resumes_after_a_stop(data: Path, weights: Path, tmp_path: Path) -> None:
    films = load_films(data).films
    marks = load_annotations(data / "regions", true_shape(films))
    chosen = films_to_measure(films, marks.marks, (), "all", "all")
    assessor = Assessor(weights, threads=1)
    with Journal(tmp_path / "journal", {}) as journal:
        before = list(measure_films(assessor, chosen[:3], marks, journal))
        assert list(journal.done) == ["1", "2", "3"]
    for film in chosen[:3]:
        film.path.unlink()  # whoever looks again fails
    with Journal(tmp_path / "journal", {}) as journal:
        after = list(measure_films(assessor, chosen, marks, journal, workers=2))
        assert list(journal.done) == ["1", "2", "3", "4", "5"]
    assert after[:3] == before
    assert all(isinstance(one, MeasuredFilm) for one in after)


def test_a_batch_survives_what_nobody_expected(
    data: Path, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = load_films(data).films
    marks = load_annotations(data / "regions", true_shape(films))
    chosen = films_to_measure(films, marks.marks, (), "all", "all", 2)
    assessor = Assessor(weights)

    def broken(error: Exception) -> Any:
        def measure(*_: object) -> None:
            raise error

        monkeypatch.setattr(cases, "measure", measure)
        return list(measure_films(assessor, chosen, marks))

    found = broken(ZeroDivisionError("oh"))
    assert [(one.film, one.code) for one in found] == [("1", "unexpected"), ("5", "unexpected")]
    assert isinstance(found[0], Failure)
    with pytest.raises(WeightsError):
        broken(WeightsError("unusable"))


@pytest.mark.films
def test_real_films_are_measured(real_films: Path, bundled: Path) -> None:
    films = load_films(real_films).films
    marks = load_annotations(real_films / "regions", true_shape(films))
    chosen = films_to_measure(films, marks.marks, (), "squeezed", "all", 10)
    found = list(measure_films(Assessor(bundled, threads=1), chosen, marks, workers=2))
    assert all(isinstance(one, MeasuredFilm) for one in found)
    figures = [one.measured.figures for one in found if isinstance(one, MeasuredFilm)]
    assert np.mean([one["metacarpal_3"]["crop_coverage"] for one in figures]) > 0.2
