"""The assessment pipeline, from an image to a bone age."""

from __future__ import annotations

import csv
import io
import logging
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

import boneage
from boneage.datasets.films import load_films
from boneage.domain.assessment import (
    CARPAL,
    METACARPAL,
    PHALANX,
    Assessment,
    Box,
    Case,
    Failure,
    Verdict,
)
from boneage.domain.child import Child
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import SexError, UnsuitableError, WeightsError
from boneage.inference.assessor import COMBINING, ESTIMATING, Assessor
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.inference.session import assess_case
from boneage.synthetic.film import draw
from tests.conftest import build_weights, drawn_hand, write_png

EXAMPLE = Path(__file__).parents[2] / "examples" / "synthetic_hand_girl.png"


def radiograph(**metadata: Any) -> Radiograph:
    pixels = (drawn_hand() / 65535).astype(np.float32)
    return Radiograph(pixels, ImageMetadata("PNG", 16, **metadata))


def test_the_regions_are_where_they_were_drawn(assessor: Assessor) -> None:
    answer = assessor.assess(radiograph(), "female")
    centres = {}
    for region in (CARPAL, METACARPAL, PHALANX):
        box = answer.box(region)
        assert box is not None
        centres[region] = (box.min_row + box.max_row) / 2 / answer.film_height
    assert centres[CARPAL] == pytest.approx(0.75, abs=0.05)
    assert centres[METACARPAL] == pytest.approx(0.5, abs=0.05)
    assert centres[PHALANX] == pytest.approx(0.2, abs=0.05)
    assert all(detection.attention_found for detection in answer.detections)


def test_reading_twice_gives_the_same(assessor: Assessor) -> None:
    one, two = (assessor.assess(radiograph(), "female") for _ in range(2))
    assert one.age_months == two.age_months
    assert [detection.box for detection in one.detections] == [
        detection.box for detection in two.detections
    ]


def test_the_answer_is_the_mean_that_the_small_fusion_takes(assessor: Assessor) -> None:
    answer = assessor.assess(radiograph(), "female")
    assert answer.age_months == pytest.approx(
        np.mean(list(answer.age_by_network.values())), abs=0.01
    )


def test_sex_reaches_the_answer(assessor: Assessor) -> None:
    girl = assessor.assess(radiograph(), "female").age_months
    boy = assessor.assess(radiograph(), "male").age_months
    assert boy - girl == pytest.approx(12, abs=0.01)


def test_both_standards_come_from_one_assessment(assessor: Assessor) -> None:
    girl, boy = (assessor.assess(radiograph(), sex) for sex in ("female", "male"))
    assert girl.by_standard == boy.by_standard
    assert girl.by_standard == {Sex.FEMALE: girl.age_months, Sex.MALE: boy.age_months}


def test_the_mirror_image_reads_the_same_when_both_are_averaged(assessor: Assessor) -> None:
    film = radiograph()
    mirrored = replace(film, pixels=np.ascontiguousarray(film.pixels[:, ::-1]))
    one, two = assessor.assess(film, "f"), assessor.assess(mirrored, "f")
    assert one.age_by_network["whole_hand"] == pytest.approx(
        two.age_by_network["whole_hand"], abs=0.5
    )


def test_the_mirror_image_has_the_same_regions(bundled_assessor: Assessor) -> None:
    film = draw(120.0, Sex.FEMALE).radiograph.pixels  # its hand is not its own mirror image
    for ours, theirs in zip(
        bundled_assessor.find_regions(Radiograph(film, ImageMetadata("PNG", 8))),
        bundled_assessor.find_regions(Radiograph(film[:, ::-1].copy(), ImageMetadata("PNG", 8))),
        strict=True,
    ):
        # At the edge of what was blacked out, pixels may fall to either side.
        differs = np.abs(ours.heat_map - theirs.heat_map[:, ::-1]) > 0.05
        assert differs.mean() < 0.02
        width = film.shape[1]
        assert abs(ours.box.min_col - (width - theirs.box.max_col)) <= 0.02 * width
        assert abs(ours.box.min_row - theirs.box.min_row) <= 0.02 * width


def test_defect_3_what_the_region_network_sees_is_cut_from_the_original(
    assessor: Assessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    original = cv2.resize

    def spy(image: npt.NDArray[Any], *args: Any, **kwargs: Any) -> Any:
        seen.append(image.shape)
        return original(image, *args, **kwargs)

    monkeypatch.setattr(cv2, "resize", spy)
    film = Radiograph((drawn_hand(2000, 1500) / 65535).astype(np.float32), ImageMetadata("PNG", 16))
    box = assessor.assess(film, "female").box(CARPAL)
    assert box is not None
    assert box.height > 150, "of the 2000 rows, not of the 96 the network saw"
    assert any(box.height <= shape[0] < 600 for shape in seen)


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "P", "I;16", "1", "CMYK"])
def test_defect_7_films_of_every_kind_of_pixel_go_through(
    assessor: Assessor, tmp_path: Path, mode: str
) -> None:
    grey = Image.fromarray((drawn_hand() >> 6).astype(np.uint8))
    film = Image.fromarray(drawn_hand()) if mode == "I;16" else grey.convert(mode)
    path = tmp_path / f"film.{'tif' if mode == 'CMYK' else 'png'}"
    film.save(path)
    answer = assessor.assess(path, "female")
    assert answer.film == path.name
    assert 0 <= answer.age_months <= 240
    if mode not in {"1", "CMYK"}:
        assert answer.detections[0].attention_found


@pytest.mark.parametrize("shape", [(1, 1), (1, 900), (900, 1), (40, 30)])
def test_odd_films_never_crash(assessor: Assessor, shape: tuple[int, int]) -> None:
    pixels = np.random.default_rng(3).random(shape, dtype=np.float32)
    answer = assessor.assess(Radiograph(pixels, ImageMetadata("PNG", 8)), "male")
    assert all(detection.box.max_row <= shape[0] for detection in answer.detections)


def test_films_come_as_paths_bytes_and_files(assessor: Assessor, film: Path) -> None:
    ages = {
        assessor.assess(source, "female").age_months
        for source in (film, str(film), film.read_bytes(), io.BytesIO(film.read_bytes()))
    }
    assert len(ages) == 1


def test_sex_comes_from_the_film_when_none_is_given(assessor: Assessor) -> None:
    assert assessor.assess(radiograph(sex=Sex.MALE)).sex is Sex.MALE


def test_sex_must_come_from_somewhere(assessor: Assessor) -> None:
    with pytest.raises(SexError, match="give 'male' or 'female'"):
        assessor.assess(radiograph())
    with pytest.raises(SexError, match="'x' is not a sex"):
        assessor.assess(radiograph(), "x")


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        ({"sex": Sex.MALE}, "sex_differs"),
        ({"laterality": "R"}, "right_hand"),
        ({"body_part": "CHEST"}, "other_body_part"),
    ],
)
def test_warnings(assessor: Assessor, metadata: dict[str, Any], code: str) -> None:
    answer = assessor.assess(radiograph(**metadata), "female")
    assert [finding.code for finding in answer.warnings] == [code]


@pytest.mark.parametrize("part", ["HAND", "Left hand", "WRIST", None])
def test_hands_give_no_warning(assessor: Assessor, part: str | None) -> None:
    assert not assessor.assess(radiograph(body_part=part, laterality="L"), "f").warnings


def test_the_given_chronological_age_takes_precedence(assessor: Assessor) -> None:
    film = radiograph(chronological_age_months=100.0)
    assert assessor.assess(film, "f").chronological_age_months == 100.0
    given = assessor.assess(film, "f", chronological_age_months=0.0)
    assert given.chronological_age_months == 0.0


def test_defect_8_an_answer_is_never_a_raw_number(assessor: Assessor) -> None:
    answer = assessor.assess(radiograph(), "female")
    assert boneage.years_and_months(answer.age_months).count("year") == 1
    assert len(answer.detections) == 3
    assert all(detection.heat_map.max() == pytest.approx(1) for detection in answer.detections)
    assert set(answer.age_by_network) == {"whole_hand", CARPAL, METACARPAL, PHALANX}
    assert answer.weights.sha256
    assert (answer.film_height, answer.film_width) == (480, 360)


def test_a_failure_does_not_stop_the_others(assessor: Assessor, tmp_path: Path, film: Path) -> None:
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no film")
    cases: list[Case | Path] = [film, bad, tmp_path / "missing.png", Case(film, Sex.MALE)]
    answers = list(assessor.assess_many(cases, "female"))
    kinds = [type(answer) for answer in answers]
    assert kinds == [Assessment, Failure, Failure, Assessment]
    assert isinstance(answers[3], Assessment)
    assert answers[3].sex is Sex.MALE, "a case's own sex is stronger"
    assert isinstance(answers[1], Failure)
    assert answers[1].film == "bad.png"
    assert answers[1].message


def test_each_of_many_is_interpreted_for_its_child(assessor: Assessor, film: Path) -> None:
    case = Case(film, Sex.FEMALE, child=Child(120.0, height_cm=140.0))
    (answer,) = assessor.assess_many([case])
    assert isinstance(answer, Assessment)
    assert answer.chronological_age_months == 120.0
    assert answer.clinical is not None
    assert answer.clinical == assess_case(assessor, case).assessment.clinical
    assert answer.clinical.adult_height is not None


def test_a_film_without_sex_fails_alone(assessor: Assessor, film: Path) -> None:
    (answer,) = assessor.assess_many([film])
    assert isinstance(answer, Failure)
    assert answer.code == "sex"


def test_an_unexpected_error_fails_its_image_alone(
    assessor: Assessor,
    film: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def surprise(*_: object, **__: object) -> Assessment:
        raise ZeroDivisionError("surprise")

    monkeypatch.setattr(Assessor, "assess", surprise)
    with caplog.at_level(logging.CRITICAL):
        (answer,) = assessor.assess_many([film], "f")
    assert isinstance(answer, Failure)
    assert answer.code == "unexpected"


def test_damaged_weights_are_an_error_not_a_failure(weights_copy: Path, film: Path) -> None:
    (weights_copy / "fusion.onnx").write_bytes(b"")
    with pytest.raises(WeightsError):
        list(Assessor(weights_copy).assess_many([film, film], "female"))


def test_regions_need_the_attention_network_alone(weights_copy: Path) -> None:
    for network in ("carpal", "metacarpal", "phalanx", "fusion"):
        (weights_copy / f"{network}.onnx").unlink()
    detections = Assessor(weights_copy).find_regions(radiograph())
    assert [detection.region for detection in detections] == [CARPAL, METACARPAL, PHALANX]


def test_regions_are_the_same_with_and_without_reading(assessor: Assessor) -> None:
    film = radiograph()
    read = [detection.box for detection in assessor.assess(film, "male").detections]
    assert [detection.box for detection in assessor.find_regions(film)] == read


def test_a_region_may_be_detected_without_a_network_of_its_own(tmp_path: Path) -> None:
    def only_looked_for(manifest: dict[str, Any]) -> None:
        manifest["regions"]["names"].append(METACARPAL)

    answer = Assessor(build_weights(tmp_path, [CARPAL], only_looked_for)).assess(radiograph(), "f")
    assert isinstance(answer.box(METACARPAL), Box)
    assert set(answer.age_by_network) == {"whole_hand", CARPAL}
    assert answer.box(PHALANX) is None


def test_the_short_way_opens_the_weights_once(
    weights: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(weights))
    boneage._bundled.cache_clear()
    try:
        first = boneage.assess(film, sex="female")
        monkeypatch.setenv(FOLDER_VARIABLE, "/nowhere")
        assert boneage.assess(film, sex="female").age_months == first.age_months
    finally:
        boneage._bundled.cache_clear()


@pytest.mark.films
def test_the_bundled_weights_read_a_real_film(bundled_assessor: Assessor, real_films: Path) -> None:
    film = next((real_films / "half-scale").iterdir())
    answer = bundled_assessor.assess(film, "female")
    assert 0 < answer.age_months < 240
    assert all(detection.attention_found for detection in answer.detections)


def test_the_bundled_weights_answer_for_a_hand_and_nothing_else(
    bundled_assessor: Assessor, tmp_path: Path
) -> None:
    assessor = bundled_assessor
    assert 0 <= assessor.assess(EXAMPLE, "female").age_months <= 240
    blobs = write_png(tmp_path / "hand.png", drawn_hand(1200, 900))
    with pytest.raises(UnsuitableError):
        assessor.assess(blobs, "female")
    assert assessor.assess(blobs, "female", force=True).verdict is Verdict.REFUSED


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_cores_that_a_film_may_use_do_not_change_its_answer(
    assessor: Assessor, threads: int
) -> None:
    several = Assessor(assessor.weights.folder, threads=threads)
    one, other = (a.assess(radiograph(), "female") for a in (assessor, several))
    assert other.age_months == pytest.approx(one.age_months, abs=1e-4)
    assert other.age_by_network == pytest.approx(one.age_by_network, abs=1e-4)
    assert [detection.box for detection in other.detections] == [
        detection.box for detection in one.detections
    ]
    assert other.findings == one.findings


def test_every_step_is_reported_in_its_order(assessor: Assessor) -> None:
    steps: list[str] = []
    assessor.assess(radiograph(), "female", on_step=steps.append)
    assert tuple(steps) == assessor.steps
    regions = [f"detecting the {name} region" for name in (CARPAL, METACARPAL, PHALANX)]
    assert steps == ["preparing the image", *regions, ESTIMATING, COMBINING]


def months_between_the_standards(youngest: float, oldest: float) -> list[float]:
    """How much later boys reach what the atlas first shows in girls or boys at these ages."""
    table = files("boneage.clinical") / "tables" / "greulich_pyle_maturity_events.csv"
    lines = [line for line in table.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = []
    for row in csv.DictReader(lines):
        boy, girl = row["male_first_plate_months"], row["female_first_plate_months"]
        if boy and girl and any(youngest <= float(age) <= oldest for age in (boy, girl)):
            found.append(float(boy) - float(girl))
    return found


@pytest.mark.films
def test_defect_4_the_sex_moves_the_answer_of_real_films_in_puberty(
    bundled_assessor: Assessor, real_films: Path
) -> None:
    """Girls mature two years earlier: the same skeleton is younger by their standard."""
    films = load_films(real_films)
    pubertal = [
        film
        for split in ("train", "validation")
        for film in [f for f in films.select("detailed", split) if 120 <= f.age_months <= 168][:20]
    ]
    assert len(pubertal) == 40
    assessor = bundled_assessor
    read = [assessor.assess(film.path, film.sex, force=True).by_standard for film in pubertal]
    older = np.array([months[Sex.MALE] - months[Sex.FEMALE] for months in read])
    atlas = np.median(months_between_the_standards(120, 168))
    assert atlas == 24
    assert np.mean(older > 0) >= 0.95
    assert older.mean() == pytest.approx(atlas, abs=12)
    again = assessor.assess(pubertal[0].path, "male", force=True)
    assert again.age_months == pytest.approx(read[0][Sex.MALE], abs=0.01)


def test_more_views_of_the_regions_are_one_mean(bundled: Path) -> None:
    """Read in crops of several sizes, a region says about what it says in its own."""
    film = draw(120.0, Sex.FEMALE).radiograph
    once, often = Assessor(bundled), Assessor(bundled)
    manifest = often.weights.manifest
    often.weights.manifest = replace(
        manifest,
        plan=replace(manifest.plan, exact=True, zooms=(0.97, 1.0, 1.03, 1.06)),
        preparation=msgspec.structs.replace(manifest.preparation, smooth=True),
    )
    one, mean = once.assess(film, "f"), often.assess(film, "f")
    assert set(one.age_by_network) == set(mean.age_by_network)
    assert one.age_months != mean.age_months
    assert mean.age_months == pytest.approx(one.age_months, abs=6)
    for region, months in mean.age_by_network.items():
        assert months == pytest.approx(one.age_by_network[region], abs=18), region
