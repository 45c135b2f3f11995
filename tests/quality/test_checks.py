"""Findings from measures and metadata, and how the assessor uses them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boneage.domain.assessment import (
    AGE_RANGE_MONTHS,
    CARPAL,
    Box,
    Failure,
    Finding,
    Severity,
    Verdict,
    verdict_on,
)
from boneage.domain.orientation import Orientation, Tilt
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import UnsuitableError
from boneage.imaging.perturbations import with_border
from boneage.inference.assessor import Assessor
from boneage.quality.checks import ImageMeasures, findings_of
from boneage.quality.classifier import HAND, ORIENTATIONS, UPRIGHT, Judgement
from boneage.quality.image_quality import ImageQuality
from boneage.quality.side import LeadMarker, SideEvidence
from tests.classifiers import LIMITS, put_classifier
from tests.conftest import drawn_hand, write_png

METADATA = ImageMetadata("DICOM", 12)
SIZE = (800, 600)
UPRIGHT_ALONE = tuple(float(place == UPRIGHT) for place in range(len(ORIENTATIONS)))
GOOD = ImageMeasures(
    Orientation(Box(0, 0, *SIZE)),
    SIZE,
    ImageQuality(contrast=0.7, white=0.0, noise=0.01, sharpness=0.5),
    3,
    Judgement({HAND: 0.97, "chest": 0.02, "several": 0.01}, UPRIGHT_ALONE, 3.0, 1.0),
    SideEvidence(0.9, None),
    LIMITS,
)


def codes(
    measures: ImageMeasures, metadata: ImageMetadata = METADATA, age: float | None = None
) -> dict[str, Severity]:
    found = findings_of(metadata, Sex.MALE, measures=measures, chronological_age_months=age)
    assert all(finding.message.endswith(".") for finding in found)
    return {finding.code: finding.severity for finding in found}


def judged(**changes: object) -> ImageMeasures:
    return replace(GOOD, judgement=replace(GOOD.judgement, **changes))  # type: ignore[arg-type]


def measured(**changes: float) -> ImageMeasures:
    return replace(GOOD, quality=replace(GOOD.quality, **changes))


def sided(
    thumb: float, letter: str = "", likelihood: float = 0.99, *, mirrored: bool = False
) -> ImageMeasures:
    marker = LeadMarker(letter, mirrored, likelihood) if letter else None
    return replace(GOOD, side=SideEvidence(thumb, marker))


MEASURED: list[tuple[ImageMeasures, str, str]] = [
    (replace(GOOD, letters=5), "burnt_in_text", "warning"),
    (judged(kinds={HAND: 0.1, "chest": 0.9}), "not_a_hand", "refusal"),
    (judged(kinds={HAND: 0.1, "part": 0.9}), "part_of_a_hand", "refusal"),
    (judged(kinds={HAND: 0.1, "several": 0.9}), "several_hands", "refusal"),
    (judged(kinds={HAND: 0.3, "chest": 0.7}), "unsure_hand", "warning"),
    (judged(ood_score=31.0), "unlike", "refusal"),
    (judged(ood_score=21.0), "rather_unlike", "warning"),
    (judged(tilt_degrees=-25.0), "tilted", "warning"),
    (sided(-0.8), "looks_right", "warning"),
    (sided(-0.8, "L"), "thumb_left", "note"),
    (sided(-0.8, "L", mirrored=True), "mirrored_marker", "warning"),
    (sided(-0.8, "R", mirrored=True), "mirrored_marker", "warning"),
    (sided(0.1, "R"), "right_marker", "warning"),
    (sided(-0.8, "R"), "right_marker", "warning"),
    (sided(-0.8, "L", likelihood=0.5), "looks_right", "warning"),
    (measured(contrast=0.005), "no_contrast", "refusal"),
    (measured(contrast=0.02), "low_contrast", "warning"),
    (measured(noise=0.2), "noisy", "warning"),
    (measured(sharpness=0.0), "blurred", "warning"),
    (measured(white=0.95), "saturated", "warning"),
    (replace(GOOD, orientation=Orientation(Box(0, 0, *SIZE), 3)), "turned", "warning"),
    (
        replace(GOOD, orientation=Orientation(Box(0, 0, *SIZE), inverted=True)),
        "inverted",
        "warning",
    ),
    (replace(GOOD, orientation=Orientation(Box(0, 0, 500, 500))), "framed", "note"),
    (
        replace(
            GOOD, orientation=Orientation(Box(0, 0, *SIZE), tilt=Tilt(30.0, 400, 300, 600, 400))
        ),
        "tilt_corrected",
        "warning",
    ),
    (
        replace(
            GOOD, orientation=Orientation(Box(0, 0, *SIZE), tilt=Tilt(-5.0, 400, 300, 600, 500))
        ),
        "tilt_corrected",
        "note",
    ),
    (replace(GOOD, orientation=Orientation(Box(0, 0, 300, 200))), "framed", "warning"),
]
"""A film that something was measured of, and the finding it gives."""
STATED: list[tuple[dict[str, object], str]] = [
    ({"laterality": "R"}, "right_hand"),
    ({"body_part": "CHEST"}, "other_body_part"),
    ({"modality": "CT"}, "other_modality"),
    ({"burned_in_annotation": True}, "burned_in_annotation"),
    ({"chronological_age_months": 300.0}, "adult"),
    ({"sex": Sex.FEMALE}, "sex_differs"),
    ({"in_colour": True}, "in_colour"),
]
"""What a file states, and likewise."""


def test_a_good_film_is_accepted() -> None:
    assert codes(GOOD) == {}
    assert verdict_on(()) is Verdict.ACCEPTED


@pytest.mark.parametrize(("measures", "code", "severity"), MEASURED)
def test_each_measure_has_its_finding(measures: ImageMeasures, code: str, severity: str) -> None:
    assert codes(measures)[code] == severity


@pytest.mark.parametrize("letter", ["L", "R"])
@pytest.mark.parametrize("mirrored", [False, True])
def test_an_initial_beside_a_left_hand_is_no_finding(letter: str, mirrored: bool) -> None:
    """Technologists put their initials beside the marker."""
    assert codes(sided(0.8, letter, mirrored=mirrored)) == {}


def test_few_pixels_are_a_finding() -> None:
    small = replace(GOOD, orientation=Orientation(Box(0, 0, 60, 50)), image_size=(60, 50))
    assert codes(small) == {"low_resolution": Severity.WARNING}


@pytest.mark.parametrize(("metadata", "code"), STATED)
def test_what_the_file_states_is_compared(metadata: dict[str, object], code: str) -> None:
    assert codes(GOOD, replace(METADATA, **metadata)) == {code: Severity.WARNING}  # type: ignore[arg-type]


def test_metadata_that_fit_give_no_finding() -> None:
    fits = replace(
        METADATA, laterality="L", body_part="LEFT HAND", modality="CR", burned_in_annotation=False
    )
    assert codes(GOOD, fits, age=120.0) == {}


def test_the_age_that_is_given_counts_before_the_films() -> None:
    metadata = replace(METADATA, chronological_age_months=400.0)
    assert codes(GOOD, metadata, age=100.0) == {}


def test_refusals_come_first_with_their_measure_and_limit() -> None:
    measures = replace(judged(kinds={HAND: 0.1, "chest": 0.9}), quality=measured(noise=0.5).quality)
    first, second = findings_of(replace(METADATA, laterality="R"), Sex.MALE, measures=measures)[:2]
    assert (first.severity, first.measured, first.limit) == (Severity.REFUSAL, 0.1, 0.2)
    assert "chest" in first.message
    assert second.severity is Severity.WARNING


def test_fused_growth_plates_are_warned_about_where_the_check_can_tell() -> None:
    limits = replace(GOOD.limits, mature_warned=0.9)
    mature = replace(judged(maturity=0.95), limits=limits)
    assert codes(mature) == {"mature": Severity.WARNING}
    assert codes(replace(judged(maturity=0.9), limits=limits)) == {}
    assert codes(judged(maturity=0.95)) == {}, "no limit is known"
    assert codes(replace(judged(maturity=None), limits=limits)) == {}


def test_the_end_of_the_scale_is_a_note() -> None:
    (found,) = findings_of(METADATA, Sex.MALE, measures=GOOD, answer_months=AGE_RANGE_MONTHS[1])
    assert (found.code, found.severity) == ("end_of_scale", Severity.NOTE)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, _built_weights: Path) -> Assessor:
    folder = tmp_path_factory.mktemp("checked")
    for path in _built_weights.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return Assessor(put_classifier(folder))


def hand(grey: bool = False) -> Radiograph:
    pixels = (drawn_hand() / 65535).astype(np.float32) * 3
    return Radiograph(np.clip(pixels, 0, 1), ImageMetadata("PNG", 8), "hand.png")


def bright() -> Radiograph:
    """A ramp: half as bright as white all over, unlike any hand."""
    ramp = np.tile(np.linspace(0, 1, 360, dtype=np.float32), (480, 1))
    return Radiograph(ramp, ImageMetadata("PNG", 8), "ramp.png")


def test_a_hand_passes_the_quality_check(checked: Assessor, assessor: Assessor) -> None:
    answer = checked.assess(hand(), "female")
    assert answer.verdict is not Verdict.REFUSED
    assert answer.orientation is None or not (
        answer.orientation.quarters or answer.orientation.tilt
    )
    assert answer.age_months == assessor.assess(hand(), "female").age_months


def test_what_is_no_hand_is_refused_in_one_sentence(checked: Assessor) -> None:
    with pytest.raises(UnsuitableError, match="is refused: The image looks like") as caught:
        checked.assess(bright(), "female")
    assert caught.value.code == "not_a_hand"
    assert caught.value.findings[0].severity is Severity.REFUSAL


def test_force_assesses_it_and_keeps_the_refusal(checked: Assessor) -> None:
    answer = checked.assess(bright(), "female", force=True)
    assert answer.verdict is Verdict.REFUSED
    assert [refusal.code for refusal in answer.refusals] == ["not_a_hand"]
    assert answer.refusals[0] in answer.warnings


def test_a_batch_continues_after_a_refusal(checked: Assessor, tmp_path: Path) -> None:
    paths = [
        write_png(tmp_path / f"{name}.png", (film.pixels * 255).astype(np.uint8))
        for name, film in (("ramp", bright()), ("hand", hand()))
    ]
    refused, read = checked.assess_many(paths, "male")
    assert isinstance(refused, Failure)
    assert refused.refused
    assert not isinstance(read, Failure)
    forced, _ = checked.assess_many(paths, "male", force=True)
    assert not isinstance(forced, Failure)


def test_a_negative_is_read_as_its_positive(checked: Assessor) -> None:
    film = hand()
    negative = replace(film, pixels=1 - film.pixels)
    answer, usual = checked.assess(negative, "male"), checked.assess(film, "male")
    assert answer.orientation is not None
    assert answer.orientation.inverted
    assert "inverted" in {warning.code for warning in answer.warnings}
    assert answer.age_months == pytest.approx(usual.age_months, abs=0.5)
    assert answer.box(CARPAL) == usual.box(CARPAL)


def test_a_border_moves_neither_the_answer_nor_the_boxes(checked: Assessor) -> None:
    film = hand()
    grey = (film.pixels * 255).astype(np.uint8)
    plain = replace(film, pixels=grey.astype(np.float32) / np.float32(255))
    wide = replace(film, pixels=with_border(grey, 0.15, 1.0).astype(np.float32) / np.float32(255))
    answer, usual = checked.assess(wide, "male"), checked.assess(plain, "male")
    assert answer.age_months == pytest.approx(usual.age_months, abs=1.0)
    box, before = answer.box(CARPAL), usual.box(CARPAL)
    assert box is not None
    assert before is not None
    rows, cols = (round(0.15 * side) for side in film.pixels.shape)
    assert box.min_row == pytest.approx(before.min_row + rows, abs=8)
    assert box.min_col == pytest.approx(before.min_col + cols, abs=8)
    heat = answer.detections[0].heat_map
    assert heat[: heat.shape[0] // 10].max() == 0


def test_regions_of_a_negative_are_found_without_judging_it(checked: Assessor) -> None:
    film = hand()
    detections = checked.find_regions(replace(film, pixels=1 - film.pixels))
    assert [detection.box for detection in detections] == [
        detection.box for detection in checked.find_regions(film)
    ]


def test_a_finding_may_have_no_measure() -> None:
    assert Finding("a", Severity.NOTE, "A.").measured is None
