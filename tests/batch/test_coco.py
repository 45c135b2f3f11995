"""Regions as COCO."""

from __future__ import annotations

import json

from boneage.batch.annotation import AnnotatedFilm, AnnotatedRegion, coco
from boneage.domain.assessment import CARPAL, PHALANX, Box, WeightsName

WEIGHTS = WeightsName("tiny-1", "tiny", "ab" * 32)


def test_coco_holds_what_went_in() -> None:
    films = [
        AnnotatedFilm("a/ä.png", 300, 200, (AnnotatedRegion(CARPAL, Box(10, 20, 40, 60), True),)),
        AnnotatedFilm("b.png", 30, 20, (AnnotatedRegion(PHALANX, Box(0, 0, 30, 20), False),)),
        AnnotatedFilm("c.png", 30, 20, ()),
    ]
    document = json.loads(json.dumps(coco(films, WEIGHTS)))
    names = {category["id"]: category["name"] for category in document["categories"]}
    assert list(names.values()) == ["carpal", "metacarpal", "phalanx"]
    images = {image["id"]: image for image in document["images"]}
    assert [image["file_name"] for image in images.values()] == ["a/ä.png", "b.png", "c.png"]
    first, second = document["annotations"]
    assert first["bbox"] == [20, 10, 40, 30], "x, y, width, height"
    assert first["area"] == 1200
    assert names[first["category_id"]] == "carpal"
    assert images[first["image_id"]]["width"] == 200
    assert second["id"] != first["id"]
    assert second["attributes"] == {"attention_found": False}
    assert WEIGHTS.sha256 in document["info"]["version"]
