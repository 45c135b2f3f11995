"""The regions of a whole folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from boneage.batch.annotation import AnnotatedFilm, Annotation
from boneage.domain.assessment import CARPAL, Failure
from boneage.errors import DataError, WeightsError
from boneage.inference.assessor import Assessor
from tests.conftest import build_weights, drawn_hand, write_png

Grey = npt.NDArray[np.uint8]


@pytest.fixture
def folder(tmp_path: Path, grey_film: Grey) -> Path:
    films = tmp_path / "films"
    write_png(films / "a.png", grey_film)
    write_png(films / "sub" / "a.png", np.ascontiguousarray(grey_film[:, ::-1]))
    write_png(films / "deep.png", drawn_hand(300, 200))
    (films / "bad.png").write_bytes(b"no film")
    return films


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "regions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def document(out: Path) -> dict[str, list[dict[str, object]]]:
    loaded: dict[str, list[dict[str, object]]] = json.loads((out / "regions.json").read_text())
    return loaded


def test_every_good_film_is_annotated(folder: Path, assessor: Assessor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcomes = list(Annotation(folder, out, assessor).run())
    assert [type(outcome) for outcome in outcomes].count(Failure) == 1
    assert {row["film"] for row in rows(out)} == {"a.png", "sub/a.png", "deep.png"}
    coco = document(out)
    assert len(coco["images"]) == 3
    assert len(coco["annotations"]) == len(rows(out)) == 9
    for annotation, row in zip(coco["annotations"], rows(out), strict=False):
        assert isinstance(annotation["bbox"], list)
        assert all(isinstance(value, int) for value in annotation["bbox"])
        assert (out / row["crop"]).is_file()


def test_defect_3_crops_are_the_films_own_pixels(
    folder: Path, assessor: Assessor, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    list(Annotation(folder, out, assessor).run())
    for row in rows(out):
        film = cv2.imread(str(folder / row["film"]), cv2.IMREAD_UNCHANGED)
        seen = cv2.imread(str(out / row["crop"]), cv2.IMREAD_UNCHANGED)
        assert film is not None
        assert seen is not None
        top, left, bottom, right = (
            int(row[corner]) for corner in ("min_row", "min_col", "max_row", "max_col")
        )
        assert seen.dtype == film.dtype
        np.testing.assert_array_equal(seen, film[top:bottom, left:right])


def test_a_second_run_resumes(folder: Path, assessor: Assessor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    whole = tmp_path / "whole"
    list(Annotation(folder, whole, assessor).run())
    run = Annotation(folder, out, assessor).run()
    next(run)
    run.close()
    assert len(document(out)["images"]) == 1, "what is done is written when it is stopped"
    with (out / "regions.csv").open("a") as file:
        file.write("sub/a.png,carpal,1,2")  # cut off in a line
    annotation = Annotation(folder, out, assessor)
    assert list(annotation.done) == ["a.png"]
    assert sum(isinstance(film, AnnotatedFilm) for film in annotation.run()) == 2
    assert document(out) == document(whole)
    key = lambda row: (row["film"], row["region"])  # noqa: E731
    assert sorted(rows(out), key=key) == sorted(rows(whole), key=key)
    assert not Annotation(folder, out, assessor).missing[1:], "only the bad film is tried again"


def test_what_is_not_whole_is_done_again(folder: Path, assessor: Assessor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    list(Annotation(folder, out, assessor).run())
    (out / rows(out)[0]["crop"]).unlink()
    assert rows(out)[0]["film"] in Annotation(folder, out, assessor).missing


def test_other_weights_start_anew(folder: Path, assessor: Assessor, tmp_path: Path) -> None:
    out = tmp_path / "out"
    list(Annotation(folder, out, assessor).run())
    other = Assessor(build_weights(tmp_path / "other", [CARPAL]))
    assert len(Annotation(folder, out, other).missing) == 4


def test_crops_inside_the_folder_are_no_films(folder: Path, assessor: Assessor) -> None:
    list(Annotation(folder, folder, assessor).run())
    assert Annotation(folder, folder, assessor).missing == ["bad.png"]


def test_images_that_differ_in_suffix_have_their_own_crops(
    tmp_path: Path, grey_film: Grey, assessor: Assessor
) -> None:
    films = tmp_path / "films"
    write_png(films / "a.png", grey_film)
    write_png(films / "a.png.dat", np.ascontiguousarray(grey_film[::-1]))
    write_png(films / "a.bmp", np.ascontiguousarray(grey_film[:, ::-1]))
    out = tmp_path / "out"
    list(Annotation(films, out, assessor).run())
    crops = [row["crop"] for row in rows(out)]
    assert len(set(crops)) == len(crops) == 9


def test_an_empty_folder_is_reported(tmp_path: Path, assessor: Assessor) -> None:
    with pytest.raises(DataError, match="no images"):
        Annotation(tmp_path, tmp_path / "out", assessor)


def test_damaged_weights_stop_it(folder: Path, weights_copy: Path, tmp_path: Path) -> None:
    (weights_copy / "attention.onnx").write_bytes(b"")
    with pytest.raises(WeightsError):
        list(Annotation(folder, tmp_path / "out", Assessor(weights_copy)).run())
