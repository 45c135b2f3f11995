"""The pictures of a report: the film with its regions, and what each look attended to."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from boneage.domain.assessment import Assessment, Look
from boneage.domain.radiograph import Radiograph
from boneage.i18n.words import Words
from boneage.imaging.preparing import stretch
from boneage.reports.panels import as_grey, fitted, with_boxes, with_heat
from boneage.reports.pdf.sentences import region_name

FILM_PX = 1000
"""Height of the film, 10 to the millimetre on the page; also its greatest width."""
LOOK_PX = 480
LABEL_PX = 32


@dataclass(frozen=True)
class LookPictures:
    """One look of the attention network."""

    caption: str
    heat: Image.Image
    """Its attention over the whole film."""
    crop: Image.Image
    """The region that it gave."""


@dataclass(frozen=True)
class ReportPictures:
    """All pictures of a report."""

    film: Image.Image
    looks: tuple[LookPictures, ...]


def report_pictures(answer: Assessment, radiograph: Radiograph, words: Words) -> ReportPictures:
    """Draw what a report shows of a film.

    Parameters
    ----------
    answer : Assessment
    radiograph : Radiograph
        The film that was read.
    words : Words
        The language of the regions' names.
    """

    def named(look: Look) -> str:
        name = region_name(look.region, words)
        if look.attention_found:
            return name
        return words.gettext("{region} (usual place)").format(region=name)

    grey = as_grey(stretch(radiograph.pixels))
    film = fitted(grey, FILM_PX, FILM_PX)
    small = fitted(grey, LOOK_PX, LOOK_PX)
    looks = []
    for look in answer.looks:
        box = look.box
        crop = fitted(grey[box.min_row : box.max_row, box.min_col : box.max_col], LOOK_PX, LOOK_PX)
        heat = with_heat(small, look.heat_map)
        looks.append(LookPictures(named(look), heat, Image.fromarray(crop)))
    boxes = with_boxes(film, answer.looks, radiograph, LABEL_PX, named)
    return ReportPictures(boxes, tuple(looks))
