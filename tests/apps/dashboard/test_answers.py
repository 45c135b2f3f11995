"""Reading a film for the page, and the words and pictures of the answer."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from boneage.apps.dashboard import answers, downloads, markup, pictures
from boneage.apps.dashboard.answers import Answer, against_age, answer, interval_in_words
from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.films import Film
from boneage.domain.assessment import Failure, Interval
from boneage.domain.radiograph import Sex
from boneage.errors import FilmError, WeightsError
from boneage.imaging.regions import crop_box
from boneage.inference.assessor import Assessor
from boneage.inference.session import DECODING, steps_of
from boneage.reports.panels import fitted


def shown(jpeg: bytes) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(jpeg)))


def test_it_is_the_assessors_answer(assessor: Assessor, film: Film, answered: Answer) -> None:
    direct = assessor.assess(film.radiograph(), "female", chronological_age_months=120)
    assert answered.assessment.age_months == direct.age_months
    assert answered.assessment.film == "hand.png"
    assert answered.assessment.seconds > 0


def test_every_step_is_told_once_and_in_order(assessor: Assessor, film: Film) -> None:
    told: list[str] = []
    answer(assessor, film, Choice(Sex.MALE), told.append)
    assert tuple(told) == steps_of(assessor)
    assert told[0] == DECODING


def test_a_film_that_fails_does_not_stop_the_others(
    assessor: Assessor, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise reason

    monkeypatch.setattr(assessor, "assess", fail)
    reason: Exception = FilmError("truncated", "'hand.png' is cut off")
    assert answer(assessor, film, Choice(Sex.MALE)) == Failure(
        "hand.png", "truncated", "'hand.png' is cut off"
    )
    reason = RuntimeError("something else")
    failed = answer(assessor, film, Choice(Sex.MALE))
    assert isinstance(failed, Failure)
    assert failed.code == "unexpected"
    reason = WeightsError("the weights are gone")
    with pytest.raises(WeightsError):
        answer(assessor, film, Choice(Sex.MALE))


def test_crops_are_what_the_networks_read(assessor: Assessor, answered: Answer) -> None:
    plan = assessor.weights.manifest.plan
    for look in answered.assessment.looks:
        cut = crop_box(look.box, plan, answered.film.height, answered.film.width)
        rows, cols = answered.crops[look.region].shape[:2]
        assert max(rows, cols) == answers.CROP_PX
        assert rows / cols == pytest.approx(cut.height / cut.width, rel=0.05)


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (100.0, "20 months ahead"),
        (121.2, "1 month behind"),
        (119.6, "the same"),
    ],
)
def test_against_the_chronological_age(answered: Answer, age: float, said: str) -> None:
    assessment = replace(answered.assessment, age_months=120.0, chronological_age_months=age)
    assert against_age(assessment).endswith(f"the bone age is {said}.")
    assert against_age(replace(assessment, chronological_age_months=None)) == ""


def test_the_interval_is_said_when_there_is_one(answered: Answer) -> None:
    assert "no interval" in interval_in_words(answered.assessment)
    with_one = replace(answered.assessment, interval=Interval(108.0, 132.0, 0.95))
    assert interval_in_words(with_one) == (
        "95% interval 9 years 0 months to 11 years 0 months (108 to 132 months); "
        "it holds the bone age of 95% of such films."
    )
    assert "108 to 132 months" in markup.headline(with_one)


def test_without_opacity_the_film_shows_as_it_is(answered: Answer) -> None:
    picture = shown(pictures.of_look(answered, 0, 0.0).jpeg)
    film = fitted(answered.film.shown, pictures.LOOK_PX, pictures.LOOK_PX)
    assert np.abs(picture.astype(int) - film).mean() < 2
    assert np.abs(shown(pictures.of_look(answered, 0, 1.0).jpeg).astype(int) - film).mean() > 5


def test_a_later_look_shows_the_black_of_the_earlier_ones(answered: Answer) -> None:
    picture = shown(pictures.of_look(answered, 1, 1.0).jpeg)
    size = picture.shape[1], picture.shape[0]
    inside = cv2.erode(
        cv2.resize(answered.black[1].astype(np.uint8), size, interpolation=cv2.INTER_NEAREST),
        np.ones((9, 9), np.uint8),
    )
    assert inside.any()
    assert picture[inside > 0].max() < 12


def test_every_picture_has_words(answered: Answer) -> None:
    made = [pictures.of_film(answered.film), pictures.of_regions(answered)]
    made += [pictures.of_look(answered, number) for number in range(3)]
    made += [pictures.of_crop(answered, look) for look in answered.assessment.looks]
    assert all(picture.alt and picture.caption for picture in made)
    assert len({picture.alt for picture in made}) == len(made)
    box = answered.assessment.looks[0].box
    assert f"rows {box.min_row} to {box.max_row}" in made[1].alt
    assert "carpal and metacarpal blacked out" in made[4].alt
    assert pictures.thumbnail_url(answered.film).startswith("data:image/jpeg;base64,")


def test_downloads_hold_every_answer(answered: Answer) -> None:
    given: list[Answer | Failure] = [
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
    assert "<img" not in markup.film_name(name)
    assert "<b>" not in markup.facts_list([("Body part", "<b>hand</b>")])
    assert markup.plain("a*b* [c](d) :red[e] $f$") == (r"a\*b\* \[c\]\(d\) \:red\[e\] \$f\$")
