"""Analysing an image for the page, and the words and pictures of the result."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from msgspec import structs
from PIL import Image

from boneage.apps.dashboard import downloads, markup, pictures
from boneage.apps.dashboard.analysis import AnalysedImage, analyse_image, blacked_out_mask
from boneage.apps.dashboard.entry import Entry
from boneage.apps.dashboard.uploads import Choice, UploadedImage
from boneage.clinical.growth import growth_of
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Failure, Interval
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex
from boneage.errors import FilmError, WeightsError
from boneage.imaging.preparing import placement
from boneage.imaging.regions import crop_box, find_regions
from boneage.inference.assessor import Assessor
from boneage.inference.session import DECODING, steps_of

EXTENTS = ("box", "box_to_lower_edge", "rows_to_lower_edge")
FILM_SIZES = ((480, 360), (300, 500), (97, 64))


def shown(jpeg: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_it_is_the_assessors_answer(
    assessor: Assessor, film: UploadedImage, answered: AnalysedImage
) -> None:
    direct = assessor.assess(film.radiograph(), "female", chronological_age_months=120)
    assert answered.assessment.age_months == direct.age_months
    assert answered.assessment.film == "hand.png"
    assert answered.assessment.seconds > 0


def test_every_step_is_reported_once_and_in_order(assessor: Assessor, film: UploadedImage) -> None:
    reported: list[str] = []
    analyse_image(assessor, film, Choice(Sex.MALE), reported.append)
    assert tuple(reported) == steps_of(assessor)
    assert reported[0] == DECODING


def test_a_film_that_fails_does_not_stop_the_others(
    assessor: Assessor, film: UploadedImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise reason

    monkeypatch.setattr(assessor, "assess", fail)
    reason: Exception = FilmError("truncated", "'hand.png' is cut off")
    assert analyse_image(assessor, film, Choice(Sex.MALE)) == Failure(
        "hand.png", "truncated", "'hand.png' is cut off"
    )
    reason = RuntimeError("something else")
    failed = analyse_image(assessor, film, Choice(Sex.MALE))
    assert isinstance(failed, Failure)
    assert failed.code == "unexpected"
    reason = WeightsError("the weights are gone")
    with pytest.raises(WeightsError):
        analyse_image(assessor, film, Choice(Sex.MALE))


def picture_of(analysed: AnalysedImage, view: str) -> npt.NDArray[np.uint8]:
    entry = Entry(analysed.image, Sex.FEMALE, outcome=analysed)
    drawn = pictures.draw(entry, view)
    assert drawn is not None, view
    return shown(drawn[0])


def test_crops_are_what_the_networks_read(assessor: Assessor, answered: AnalysedImage) -> None:
    plan = assessor.weights.manifest.plan
    for number, detection in enumerate(answered.assessment.detections):
        cut = crop_box(detection.box, plan, answered.image.height, answered.image.width)
        rows, cols = picture_of(answered, f"crop-{number}").shape[:2]
        assert max(rows, cols) == pictures.CROP_PX
        assert rows / cols == pytest.approx(cut.height / cut.width, rel=0.05)


def test_every_view_is_drawn_and_nothing_else(answered: AnalysedImage) -> None:
    size = answered.image.height, answered.image.width
    assert picture_of(answered, "original").shape[:2] == size
    assert picture_of(answered, "analysed").shape[:2] == answered.orientation.size
    for view in ("thumbnail", "preview", "upright", "step-0", "heat-original", "heat-upright"):
        assert picture_of(answered, view).ndim == 3
    assert picture_of(answered, "heat-upright")[..., 3].max() > 0, "attention is opaque"
    entry = Entry(answered.image, None)
    assert pictures.draw(entry, "original") is not None
    for view in ("analysed", "step-0"):
        assert pictures.draw(entry, view) is None, "not analysed"
    for view in ("step-9", "crop-x", "nothing"):
        assert pictures.draw(Entry(answered.image, None, outcome=answered), view) is None


def test_the_headline_sets_the_bone_age_beside_the_chronological_one(
    answered: AnalysedImage,
) -> None:
    known = with_clinical_findings(answered.assessment, Child(chronological_age_months=120.0))
    growth = growth_of(142.0, 120.0, Sex.FEMALE)
    assert known.clinical is not None
    shown = markup.headline(replace(known, clinical=replace(known.clinical, growth=growth)))
    assert "22.0 months ahead of chronological age 10 years 0 months" in shown
    unknown = replace(answered.assessment, clinical=None)
    assert "chronological" not in markup.headline(unknown)


def test_the_interval_is_shown_when_there_is_one(answered: AnalysedImage) -> None:
    assert "no prediction interval" in markup.headline(answered.assessment)
    with_one = replace(answered.assessment, interval=Interval(108.0, 132.0, 0.95))
    ages = "9 years 0 months to 11 years 0 months (108.0 to 132.0 months)"
    interval = f"95 % prediction interval: {ages}"
    assert interval in markup.headline(with_one)


def test_a_later_step_shows_the_mask_of_the_earlier_ones(answered: AnalysedImage) -> None:
    picture = picture_of(answered, "step-1")
    size = picture.shape[1], picture.shape[0]
    film = answered.image.height, answered.image.width
    black = blacked_out_mask(answered.assessment.detections, 1, film, answered.manifest)
    inside = cv2.erode(
        cv2.resize(black.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST),
        np.ones((9, 9), np.uint8),
    )
    assert inside.any()
    # Under the colours of the attention nothing of the bone is left.
    assert picture[inside > 0].std() < picture_of(answered, "step-0")[inside > 0].std() + 40


def test_downloads_hold_every_answer(answered: AnalysedImage) -> None:
    given: list[AnalysedImage | Failure] = [
        answered,
        Failure("bad.png", "damaged", "it is damaged"),
        answered,
    ]
    rows = list(csv.DictReader(io.StringIO(downloads.csv_of(given).decode())))
    assert [row["status"] for row in rows] == ["read", "failed", "read"]
    document = json.loads(downloads.json_of(given))
    assert (document["read"], document["failed"]) == (2, 1)
    assert document["films"][0]["age_months"] == float(rows[0]["age_months"])
    with zipfile.ZipFile(io.BytesIO(downloads.pictures_of(given))) as archive:
        assert archive.namelist() == ["hand.boneage.png", "hand-2.boneage.png"]
        assert archive.testzip() is None
        assert Image.open(archive.open("hand.boneage.png")).format == "PNG"


def test_what_others_wrote_is_shown_as_it_is() -> None:
    name = "<img src=x onerror=alert(1)>.png"
    assert "<img" not in markup.metadata_list([("File", name)])
    assert "<b>" not in markup.metadata_list([("Body part", "<b>hand</b>")])
    assert markup.escape_markdown("a*b* [c](d) :red[e] $f$") == (
        r"a\*b\* \[c\]\(d\) \:red\[e\] \$f\$"
    )


@pytest.mark.parametrize("extent", EXTENTS)
@pytest.mark.parametrize("fit", ["pad", "squeeze"])
@pytest.mark.parametrize("film_size", FILM_SIZES)
def test_it_is_what_find_regions_blacked_out(
    assessor: Assessor,
    film_size: tuple[int, int],
    fit: Literal["pad", "squeeze"],
    extent: Literal["box", "box_to_lower_edge", "rows_to_lower_edge"],
) -> None:
    manifest = assessor.weights.manifest
    manifest = replace(
        manifest,
        plan=replace(manifest.plan, carpal_mask=extent),
        preparation=structs.replace(manifest.preparation, fit=fit),
    )
    size = manifest.networks["attention"].input
    assert size is not None
    place = placement(*film_size, size, fit)
    rng = np.random.default_rng(3)
    seen: list[npt.NDArray[np.uint8]] = []

    def attend(canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        seen.append(canvases[0].copy())
        peak: npt.NDArray[np.float32] = rng.random((1, 12, 8)).astype(np.float32)
        return peak

    white: npt.NDArray[Any] = np.full((1, *size), 255, np.uint8)
    detections = find_regions(white, [place], [film_size], attend, manifest.plan)[0]
    for number, canvas in enumerate(seen):
        shown = blacked_out_mask(detections, number, film_size, manifest)
        placed = canvas[place.top : place.top + place.height, place.left : place.left + place.width]
        np.testing.assert_array_equal(shown, placed == 0)
        assert shown.shape == detections[number].heat_map.shape
        assert bool(number) == bool(shown.any())
