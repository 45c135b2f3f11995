"""The viewer: one radiograph, or two side by side, at full resolution; OpenSeadragon inside."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from boneage.apps.dashboard.components import ASSETS, component
from boneage.apps.dashboard.entry import Entry
from boneage.apps.dashboard.pictures import address
from boneage.apps.dashboard.visit import Visit
from boneage.domain.assessment import Box
from boneage.i18n.words import Words, noop
from boneage.reports.panels import colour_of
from boneage.reports.wording import region_label

LIBRARY = "openseadragon.min.js"
TEXTS: Mapping[str, str] = {
    "viewer": noop(
        "Radiograph; drag moves, the wheel or two fingers zoom, keys are on the buttons"
    ),
    "heat": noop("Heat map"),
    "boxes": noop("Regions"),
    "original": noop("Original"),
    "invert": noop("Invert"),
    "reset": noop("Reset"),
    "in": noop("Zoom in"),
    "out": noop("Zoom out"),
    "brightness": noop("Level"),
    "contrast": noop("Window"),
    "opacity": noop("Opacity of the heat map"),
    "compare": noop("Side by side with"),
    "nothing": noop("no other image"),
    "same": noop("same patient"),
    "asAnalysed": noop("as analysed"),
    "asDecoded": noop("as decoded"),
    "missing": noop("The viewer could not be loaded."),
    "radiograph": noop("The radiograph {name}, {how}"),
}


def viewer(visit: Visit, words: Words, *, hidden: bool) -> None:
    """Draw the viewer of the opened image; the others are at hand, so that rows open at once."""
    patients = visit.patients()
    entries = list(visit.entries.values())
    data = {
        "opened": visit.opened,
        "views": {one.key: _view(one, words, hidden=hidden) for one in entries},
        "patients": {one.key: one.image.header.patient for one in entries if one.key in patients},
        "words": {name: words.gettext(text) for name, text in TEXTS.items()},
        "library": f"/viewer/{LIBRARY}",
    }
    # Not isolated: OpenSeadragon measures its place in the page.
    component("viewer", isolated=False)(data=data, key="viewer")


def _view(entry: Entry, words: Words, *, hidden: bool) -> dict[str, Any]:
    image, analysed = entry.image, entry.analysed
    if hidden and entry.own_reading is None:
        analysed = None
    version = entry.version
    view: dict[str, Any] = {
        "name": image.name,
        "original": {
            "size": [image.width, image.height],
            "preview": address(entry.name, "preview"),
            "full": address(entry.name, "original"),
        },
    }
    if analysed is None:
        return view
    rows, cols = analysed.orientation.size
    detections = analysed.assessment.detections
    view["original"] |= {
        "heat": address(entry.name, "heat-original", version),
        "boxes": list(_boxes(detections, lambda box: box, words)),
    }
    view["analysed"] = {
        "size": [cols, rows],
        "preview": address(entry.name, "upright", version),
        "full": address(entry.name, "analysed", version),
        "heat": address(entry.name, "heat-upright", version),
        "boxes": list(_boxes(detections, analysed.orientation.box_upright, words)),
    }
    return view


def _boxes(
    detections: Iterable[Any], place: Callable[[Box], Box], words: Words
) -> Iterable[dict[str, Any]]:
    for detection in detections:
        box = place(detection.box)
        yield {
            "label": region_label(detection, words),
            "colour": "#{:02x}{:02x}{:02x}".format(*colour_of(detection.region)),
            "box": [box.min_col, box.min_row, box.width, box.height],
        }


def _library(_request: Request) -> FileResponse:
    return FileResponse(ASSETS / LIBRARY, media_type="text/javascript")


ROUTES = [Route(f"/viewer/{LIBRARY}", _library)]
