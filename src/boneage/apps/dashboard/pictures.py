"""The pictures of a film and its answer, with words for those who don't see them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO

import cv2
import numpy as np
from PIL import Image

from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.films import Film
from boneage.domain.assessment import Look
from boneage.domain.geometry import HeatMap
from boneage.domain.radiograph import Radiograph
from boneage.reports.panels import HEAT_ALPHA, fitted, with_boxes, with_heat
from boneage.reports.wording import region_label

JPEG_QUALITY = 92
THUMBNAIL_PX = 128
LABEL_PX = 26
"""On a film of ``SHOWN_PX``, which the page shows at about half its size."""
LOOK_PX = 640
"""Longest side of the film in the picture of one look."""


@dataclass(frozen=True)
class Picture:
    """A picture as the browser gets it."""

    jpeg: bytes
    alt: str
    caption: str


def of_film(film: Film) -> Picture:
    """The film as read."""
    alt = f"The film {film.name} as read: grey, bone bright, {film.width} by {film.height} pixels."
    return Picture(_jpeg(Image.fromarray(film.shown)), alt, "The film as read")


def of_regions(answer: Answer, opacity: float = HEAT_ALPHA) -> Picture:
    """The film with its heat map and the boxes of its regions."""
    film, looks = answer.film, answer.assessment.looks
    shown = np.asarray(with_heat(film.shown, _together(looks), opacity)) if looks else film.shown
    picture = with_boxes(shown, looks, (film.height, film.width), LABEL_PX)
    alt = f"The film {film.name} under its heat map ({opacity:.0%} opaque), with {_places(looks)}."
    caption = "Regions, and the attention of all looks together: brighter is more"
    return Picture(_jpeg(picture), alt, caption)


def of_look(answer: Answer, number: int, opacity: float = HEAT_ALPHA) -> Picture:
    """What the attention network saw in one look, and where it looked."""
    look = answer.assessment.looks[number]
    film = fitted(answer.film.shown, LOOK_PX, LOOK_PX)
    black = cv2.resize(
        answer.black[number].astype(np.uint8),
        (film.shape[1], film.shape[0]),
        interpolation=cv2.INTER_NEAREST,
    )
    film[black > 0] = 0
    heat = with_heat(film, look.heat_map, opacity)
    before = " and ".join(earlier.region for earlier in answer.assessment.looks[:number])
    hidden = f", with {before} blacked out," if before else ""
    found = f"finds the {look.region} region" if look.attention_found else f"finds no {look.region}"
    alt = f"Look {number + 1}: the film{hidden} under the heat map that {found}."
    return Picture(_jpeg(heat), alt, f"Look {number + 1}{hidden} {found}")


def of_crop(answer: Answer, look: Look) -> Picture:
    """What the network of one region read."""
    reading = answer.assessment.readings.get(look.region)
    alone = f": alone {reading:.0f} months" if reading is not None else ""
    alt = f"The {region_label(look)} region cut from {answer.film.name} at full resolution."
    jpeg = _jpeg(Image.fromarray(answer.crops[look.region]))
    return Picture(jpeg, alt, f"{region_label(look).capitalize()}{alone}")


def thumbnail(film: Film) -> bytes:
    """A small picture of a film, beside its name."""
    return _jpeg(Image.fromarray(fitted(film.shown, THUMBNAIL_PX, THUMBNAIL_PX)))


def thumbnail_url(film: Film) -> str:
    """The same, for a table."""
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(film)).decode()}"


def _together(looks: Sequence[Look]) -> HeatMap:
    together: HeatMap = np.maximum.reduce([look.heat_map for look in looks])
    return together


def _places(looks: Sequence[Look]) -> str:
    if not looks:
        return "no regions"
    return "; ".join(
        f"a box round the {region_label(look)} region, rows {look.box.min_row} "
        f"to {look.box.max_row}, columns {look.box.min_col} to {look.box.max_col}"
        for look in looks
    )


def _size_of(film: Film) -> Radiograph:
    """Stand in for the film where only its size matters."""
    pixels = np.broadcast_to(np.float32(0), (film.height, film.width))
    return Radiograph(pixels, film.facts, film.name)


def _jpeg(image: Image.Image) -> bytes:
    file = BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()
