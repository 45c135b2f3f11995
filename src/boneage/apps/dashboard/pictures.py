"""Pictures for the browser, drawn when it asks for them, at an address that cannot be guessed.

The images of all visits are found by random names, which end with the visit; of pixels, only the
last few images that were asked for are held.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from typing import Protocol
from weakref import WeakValueDictionary

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from boneage.apps.dashboard.analysis import (
    AnalysedImage,
    blacked_out_mask,
)
from boneage.apps.dashboard.uploads import UploadedImage, jpeg
from boneage.domain.radiograph import Radiograph
from boneage.imaging.preparing import stretch
from boneage.imaging.regions import crop_box
from boneage.reports.panels import (
    HEAT_ALPHA,
    Rgb,
    as_analysed,
    as_grey,
    fitted,
    heat_colours,
    upright_map,
    with_heat,
)

STEP_PX = 640
"""Longest side of the image in the picture of one step."""
CROP_PX = 520
HEAT_PX = 512
DECODED_HELD = 2
JPEG, PNG = "image/jpeg", "image/png"
Picture = tuple[bytes, str]
"""Content and media type."""


class Shown(Protocol):
    """What pictures are drawn of."""

    image: UploadedImage

    @property
    def analysed(self) -> AnalysedImage | None:
        """Its analysis; None: there is none."""


_shown: WeakValueDictionary[str, Shown] = WeakValueDictionary()


def publish(entry: Shown) -> str:
    """Give an entry a random name, which ends with the entry."""
    name = secrets.token_urlsafe(18)
    _shown[name] = entry
    return name


def address(name: str, view: str, version: int = 0) -> str:
    """Where a view of an entry is; another version is another address."""
    return f"/film/{name}/{view}?v={version}"


def draw(entry: Shown, view: str) -> Picture | None:
    """Draw a view: None where there is no such one."""
    if view in _OF_IMAGE:
        return _OF_IMAGE[view](entry.image), JPEG
    analysed, (kind, _, what) = entry.analysed, view.partition("-")
    if analysed is None:
        return None
    if view in _OF_ANALYSED:
        return _OF_ANALYSED[view](analysed)
    known = what.isdecimal() and int(what) < len(analysed.assessment.detections)
    if kind in _OF_REGION and known:
        return jpeg(_OF_REGION[kind](analysed, int(what))), JPEG
    return None


def _original(image: UploadedImage) -> bytes:
    return jpeg(as_grey(stretch(_decoded(image).pixels)))


_OF_IMAGE: Mapping[str, Callable[[UploadedImage], bytes]] = {
    "thumbnail": lambda image: image.thumbnail,
    "preview": lambda image: image.preview,
    "original": _original,
}


@lru_cache(maxsize=DECODED_HELD)
def _decoded(image: UploadedImage) -> Radiograph:
    return image.radiograph()


def _analysed(analysed: AnalysedImage) -> bytes:
    return jpeg(as_analysed(_decoded(analysed.image), analysed.orientation, None))


def forget_decoded() -> None:
    """Give back the pixels of the images that were asked for last."""
    _decoded.cache_clear()


def _together(analysed: AnalysedImage) -> npt.NDArray[np.float32] | None:
    detections = analysed.assessment.detections
    if not detections:
        return None
    maps: npt.NDArray[np.float32] = np.maximum.reduce([one.heat_map for one in detections])
    return maps


def _heat(analysed: AnalysedImage, *, upright: bool) -> bytes:
    """The attention of all steps, as transparent as it is low."""
    heat, image = _together(analysed), analysed.image
    size = image.height, image.width
    if heat is None:
        heat = np.zeros((2, 2), np.float32)
    if upright:
        heat = upright_map(heat, analysed.orientation, size, HEAT_PX)
    else:
        scale = HEAT_PX / max(size)
        cols, rows = (max(1, round(side * scale)) for side in size[::-1])
        heat = np.asarray(cv2.resize(heat, (cols, rows)), np.float32)
    clipped = np.clip(heat, 0.0, 1.0)
    alpha = np.rint(255 * clipped).astype(np.uint8)
    file = BytesIO()
    Image.fromarray(np.dstack([heat_colours(clipped), alpha])).save(file, "PNG")
    return file.getvalue()


def _step(analysed: AnalysedImage, number: int) -> Image.Image:
    """The input of the attention network in one step, with its attention."""
    image, assessment = analysed.image, analysed.assessment
    shown = fitted(np.asarray(Image.open(BytesIO(image.preview)).convert("RGB")), STEP_PX, STEP_PX)
    size = image.height, image.width
    black = blacked_out_mask(
        assessment.detections, number, size, analysed.manifest, analysed.assessment.orientation
    )
    small = cv2.resize(black.astype(np.uint8), shown.shape[1::-1], interpolation=cv2.INTER_NEAREST)
    shown[small > 0] = 0
    return with_heat(shown, assessment.detections[number].heat_map, HEAT_ALPHA)


def _crop(analysed: AnalysedImage, number: int) -> Rgb:
    """The input of one regional network, at full resolution."""
    oriented = analysed.orientation
    detection = analysed.assessment.detections[number]
    grey = stretch(oriented.upright(_decoded(analysed.image).pixels))
    cut = crop_box(oriented.box_upright(detection.box), analysed.manifest.plan, *oriented.size)
    return fitted(as_grey(grey[cut.slices]), CROP_PX, CROP_PX)


_OF_ANALYSED: Mapping[str, Callable[[AnalysedImage], Picture]] = {
    "upright": lambda analysed: (analysed.preview, JPEG),
    "analysed": lambda analysed: (_analysed(analysed), JPEG),
    "heat-original": lambda analysed: (_heat(analysed, upright=False), PNG),
    "heat-upright": lambda analysed: (_heat(analysed, upright=True), PNG),
}
_OF_REGION: Mapping[str, Callable[[AnalysedImage, int], Rgb | Image.Image]] = {
    "step": _step,
    "crop": _crop,
}


def _respond(request: Request) -> Response:
    entry = _shown.get(request.path_params["name"])
    drawn = None if entry is None else draw(entry, request.path_params["view"])
    if drawn is None:
        return Response("there is no such picture", 404, media_type="text/plain")
    content, media_type = drawn
    # Not on the browser's disk: it is a patient's.
    return Response(content, media_type=media_type, headers={"Cache-Control": "no-store"})


ROUTES = [Route("/film/{name}/{view}", _respond)]
