"""Region detection: from a heat map to box, mask, next step and crop.

The attention network is a function handed in, so that training (Keras, many images at once) and
inference (ONNX Runtime, one image) share the code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box, RegionDetection
from boneage.domain.geometry import Edges, HeatMap
from boneage.imaging.components import connected_components
from boneage.imaging.preparing import Canvas, Placement, Preparation, resampled

Attend: TypeAlias = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
"""Images (n, rows, cols) to raw heat maps (n, map rows, map cols)."""

Fractions: TypeAlias = tuple[float, float, float, float]
"""A box as fractions of the image: min row, min col, max row, max col."""

FALLBACK: Mapping[str, Fractions] = {
    CARPAL: (0.60, 0.25, 0.85, 0.75),
    METACARPAL: (0.40, 0.20, 0.70, 0.80),
    PHALANX: (0.05, 0.10, 0.50, 0.90),
}
"""The regions of an upright, centred hand, by anatomy: the boxes where no attention stands out and
training has measured nothing better (see ``RegionPlan.fallback``), and the middle of
``RegionPlan.reach``."""


@dataclass(frozen=True)
class RegionPlan:
    """Which regions are detected, and how a heat map becomes a box."""

    names: tuple[str, ...] = (CARPAL, METACARPAL)
    """In the order of the steps."""
    threshold: float = 0.7
    """Of the heat map after scaling to 0–1."""
    peak_percentile: float = 100.0
    """Of the heat map, that becomes 1: below 100, one small hot spot, such as a lead marker, does
    not suppress the rest."""
    edge_cells: int = 0
    """Outermost cells of the network's heat map that count as cold: half of a convolution's input
    there is padding."""
    blur_cells: float = 0.0
    """Standard deviation of a blur of the heat map, so that the joints of a
    region become one area."""
    reach: float = 0.0
    """How far from its usual place a region may be: the standard deviation, as a share of the
    image's side, of a Gaussian around the middle of ``FALLBACK`` that weights the heat; 0 for no
    weights. After about 13 years the fingers carry more information than the carpus, and would be
    detected in its place."""
    follow: float = 0.0
    """As ``reach``, for the steps after the first: around the usual distance from the region
    before, for a hand off the image's centre has all its regions there. 0: as ``reach``."""
    joined: bool = False
    """Let the metacarpal box begin in the middle of the carpal box: the mask of the first step
    hides the bases of the metacarpals; after about 13 years the box is on the fingers' joints."""
    carpal_mask: Literal["box", "box_to_lower_edge", "rows_to_lower_edge"] = "box_to_lower_edge"
    """What is masked with the carpal box: nothing else, all below it, or all below its first row
    across the image, and so the forearm."""
    margin: float = 0.0
    """Added to each side of a box for its crop, as a share of the box."""
    square: bool = False
    """Widen the crop to a square, so that bones keep their shape."""
    exact: bool = False
    """Let the edges of boxes and masks be between the canvas's pixels: a slight change of the image
    moves them slightly, not by a whole pixel or not at all."""
    min_side: float = 0.0
    """The least side of a crop, as a share of the image's longer side."""
    zooms: tuple[float, ...] = ()
    """Scales of the crops of a region, every second one mirrored, whose estimates are averaged: the
    mean varies less than any of them. Empty: its own crop and, where the weights use it, the
    mirror image."""
    fallback: Mapping[str, Fractions] = field(default_factory=lambda: dict(FALLBACK))


def scale_heat_map(raw: HeatMap, peak_percentile: float = 100.0) -> HeatMap:
    """Scale a heat map from its minimum and peak to 0–1; a constant map becomes 0: no attention."""
    low, high = float(raw.min()), float(raw.max())
    if not np.isfinite(high - low) or high - low <= 1e-12 * max(abs(high), 1.0):
        return np.zeros_like(raw, dtype=np.float32)
    if peak_percentile < 100.0:
        peak = float(np.percentile(raw, peak_percentile))
        high = peak if peak > low else high
    return np.asarray(np.clip((raw - low) / (high - low), 0.0, 1.0).astype(np.float32))


def mirror_mean(raw: HeatMap, mirrored: HeatMap) -> HeatMap:
    """Average the heat maps of an image and its mirror image: both then have the same regions."""
    return np.asarray((raw + mirrored[..., ::-1]) / np.float32(2))


def largest_box(heat_map: HeatMap, threshold: float) -> Box | None:
    """Box of the largest connected area above the threshold; None when there is none."""
    areas = connected_components((heat_map > threshold).view(np.uint8))
    if not len(areas):
        return None
    left, top, width, height, _ = areas[areas[:, 4].argmax()].tolist()
    return Box(top, left, top + height, left + width)


def exact_edges(heat_map: HeatMap, threshold: float) -> Edges | None:
    """As :func:`largest_box`, but where the interpolated heat crosses the threshold."""
    around = np.pad(heat_map, 1)
    box = largest_box(around, threshold)
    if box is None:
        return None
    heat = around[box.min_row - 1 : box.max_row + 1, box.min_col - 1 : box.max_col + 1]
    # How far beyond the middle of the outermost pixels, on each of the four sides.
    top, left, bottom, right = (
        _reach(np.rot90(heat, turns)[:2, 1:-1], threshold) for turns in (0, 3, 2, 1)
    )
    height, width = heat_map.shape
    return Edges(
        max(0.0, box.min_row - 0.5 - top),
        max(0.0, box.min_col - 0.5 - left),
        min(float(height), box.max_row - 1.5 + bottom),
        min(float(width), box.max_col - 1.5 + right),
    )


def _reach(heat: HeatMap, threshold: float) -> float:
    """How far above the middle of the second row heat falls to the threshold, 0 to 1."""
    outside, inside = heat
    hot = (inside > threshold) & (outside <= threshold)
    reach = (inside[hot] - threshold) / (inside[hot] - outside[hot])
    return float(reach.max(initial=0.0))


def coverage_of(
    edges: Edges, shape: tuple[int, ...], extent: str = "box"
) -> npt.NDArray[np.float32]:
    """Return how much of each pixel of a canvas is masked, 0 to 1; as :func:`mask_of`."""
    bottom = edges.bottom if extent == "box" else float(shape[0])
    left, right = edges.left, edges.right
    if extent == "rows_to_lower_edge":
        left, right = 0.0, float(shape[1])
    rows, cols = (
        np.clip(np.minimum(np.arange(n) + 1, end) - np.maximum(np.arange(n), start), 0.0, 1.0)
        for n, start, end in ((shape[0], edges.top, bottom), (shape[1], left, right))
    )
    return np.asarray(np.outer(rows, cols).astype(np.float32))


def mask_of(box: Box, shape: tuple[int, ...], extent: str = "box") -> npt.NDArray[np.bool_]:
    """Return where a canvas is masked for a box; extents as ``RegionPlan.carpal_mask``."""
    return coverage_of(box.edges, shape, extent) > 0


def box_from_fractions(fractions: Fractions, film_height: int, film_width: int) -> Box:
    """Scale a box from shares of the image to its pixels."""
    box = Box(*(round(share * 10_000) for share in fractions))
    return Placement(0, 0, 10_000, 10_000).to_film(box, film_height, film_width)


def find_regions(
    canvases: npt.NDArray[np.uint8],
    places: Sequence[Placement],
    film_sizes: Sequence[tuple[int, int]],
    attend: Attend,
    plan: RegionPlan,
) -> list[tuple[RegionDetection, ...]]:
    """Detect one region after the other, masking those detected before.

    ``canvases`` are prepared images, shape (images, rows, columns), with the place of each and the
    size of the original. Gives one tuple an image, in the order of ``plan.names``.
    """
    masked = canvases.copy()
    black = np.zeros(canvases.shape, dtype=np.float32)
    detections: list[tuple[RegionDetection, ...]] = [() for _ in places]
    for region in plan.names:
        raw = attend(masked)
        extent = plan.carpal_mask if region == CARPAL else "box"
        for i, (place, size) in enumerate(zip(places, film_sizes, strict=True)):
            expected = _expected(region, detections[i], size, plan)
            detection = _one_detection(raw[i], region, black[i], place, size, plan, expected)
            if plan.joined and region == METACARPAL:
                detection = _joined(detection, detections[i][-1], size)
            detections[i] += (detection,)
            np.maximum(
                black[i], _coverage(detection, extent, black[i].shape, place, size), out=black[i]
            )
        masked = np.rint(canvases * (1 - black)).astype(np.uint8)
    return detections


def _coverage(
    detection: RegionDetection,
    extent: str,
    shape: tuple[int, ...],
    place: Placement,
    film_size: tuple[int, int],
) -> npt.NDArray[np.float32]:
    edges = place.to_canvas(detection.box, *film_size).edges
    if detection.edges:
        edges = place.edges_on_canvas(detection.edges, *film_size)
    return coverage_of(edges, shape, extent)


class _Place(NamedTuple):
    """Where a region is expected: its middle and how far around it, as shares of the image."""

    row: float
    col: float
    reach: float


def _expected(
    region: str, before: Sequence[RegionDetection], film_size: tuple[int, int], plan: RegionPlan
) -> _Place | None:
    """Where a region is expected; None for anywhere."""
    row, col = _middle(FALLBACK[region])
    if not (before and plan.follow):
        return _Place(row, col, plan.reach) if plan.reach else None
    box, (height, width) = before[-1].box, film_size
    usual_row, usual_col = _middle(FALLBACK[before[-1].region])
    return _Place(
        row - usual_row + (box.min_row + box.max_row) / 2 / height,
        col - usual_col + (box.min_col + box.max_col) / 2 / width,
        plan.follow,
    )


def _middle(fractions: Fractions) -> tuple[float, float]:
    top, left, bottom, right = fractions
    return (top + bottom) / 2, (left + right) / 2


def _joined(
    detection: RegionDetection, carpal: RegionDetection, film_size: tuple[int, int]
) -> RegionDetection:
    """The metacarpal detection, its box from the middle row of the carpal box upwards."""
    if detection.edges and carpal.edges:
        half = (carpal.edges.top + carpal.edges.bottom) / 2
        edges = replace(
            detection.edges, bottom=max(detection.edges.bottom, half, detection.edges.top + 1)
        )
        return replace(detection, edges=edges, box=edges.within(*film_size))
    box = detection.box
    middle = max((carpal.box.min_row + carpal.box.max_row) // 2, box.min_row + 1)
    return replace(detection, box=replace(box, max_row=max(box.max_row, middle)))


def _one_detection(
    raw: HeatMap,
    region: str,
    black: npt.NDArray[np.float32],
    place: Placement,
    film_size: tuple[int, int],
    plan: RegionPlan,
    expected: _Place | None,
) -> RegionDetection:
    rows = slice(place.top, place.top + place.height)
    cols = slice(place.left, place.left + place.width)
    size = black.shape[1], black.shape[0]
    cells = _smoothed(raw.astype(np.float32), plan)
    on_canvas = cv2.resize(cells, size, interpolation=cv2.INTER_LINEAR)
    # The edge of what was masked must not be detected.
    share = 1 - black[rows, cols]
    visible = share > 0
    heat_map = np.zeros(visible.shape, np.float32)
    if visible.any():
        heat = on_canvas[rows, cols] - on_canvas[rows, cols][visible].min()
        if expected:
            heat = heat * _nearness(expected, heat.shape)
        heat_map[visible] = scale_heat_map(heat[visible], plan.peak_percentile)
        heat_map *= share
    if plan.exact:
        found = exact_edges(heat_map, plan.threshold)
        edges = Edges(*plan.fallback[region]).scaled(*film_size)
        if found:
            edges = place.edges_on_film(found, *film_size)
        return RegionDetection(region, heat_map, edges.within(*film_size), found is not None, edges)
    area = largest_box(heat_map, plan.threshold)
    box = box_from_fractions(plan.fallback[region], *film_size)
    if area:
        box = place.to_film(area, *film_size)
    return RegionDetection(region, heat_map, box, attention_found=area is not None)


def _smoothed(raw: HeatMap, plan: RegionPlan) -> HeatMap:
    edge = plan.edge_cells
    if edge:
        inner = raw[edge:-edge, edge:-edge]
        raw = np.full_like(raw, inner.min() if inner.size else 0.0)  # all edge: no attention
        if inner.size:
            raw[edge:-edge, edge:-edge] = inner
    if plan.blur_cells:
        raw = cv2.GaussianBlur(raw, (0, 0), plan.blur_cells, borderType=cv2.BORDER_REPLICATE)
    return raw


def _nearness(place: _Place, shape: tuple[int, ...]) -> HeatMap:
    """Weight each pixel of an image of this shape by its distance from a place."""
    rows = (np.arange(shape[0]) + 0.5) / shape[0] - place.row
    cols = (np.arange(shape[1]) + 0.5) / shape[1] - place.col
    near_row, near_col = (np.exp(-np.square(far / place.reach) / 2) for far in (rows, cols))
    return np.asarray(np.outer(near_row, near_col).astype(np.float32))


def crop_box(box: Box, plan: RegionPlan, film_height: int, film_width: int) -> Box:
    """The rectangle that is cropped for a region, in whole pixels."""
    return crop_edges(box.edges, plan, film_height, film_width).within(film_height, film_width)


def crop_edges(box: Edges, plan: RegionPlan, film_height: int, film_width: int) -> Edges:
    """The rectangle that is cropped for a region: the box with margin, inside the image."""
    height, width = box.height * (1 + 2 * plan.margin), box.width * (1 + 2 * plan.margin)
    least = plan.min_side * max(film_height, film_width)
    height, width = max(height, least), max(width, least)
    if plan.square:
        height = width = max(height, width)
    place = round if not plan.exact else float
    row, height = _inside((box.top + box.bottom) / 2, height, film_height, place)
    col, width = _inside((box.left + box.right) / 2, width, film_width, place)
    return Edges(row, col, row + height, col + width)


def _inside(
    centre: float, length: float, limit: int, place: Callable[[float], float]
) -> tuple[float, float]:
    """Start and length of an interval around ``centre``, shifted into 0–limit."""
    length = min(max(1, place(length)), limit)
    start = min(max(0, place(centre - length / 2)), limit - length)
    return start, length


def crop(
    normalised: Canvas,
    edges: Edges,
    plan: RegionPlan,
    size: tuple[int, int],
    preparation: Preparation,
) -> Canvas:
    """Cut a region from the image at full resolution and bring it to the network's size."""
    cut = crop_edges(edges, plan, *normalised.shape[:2])
    return resampled(normalised, cut, size, preparation)


def zoomed_crops(
    normalised: Canvas,
    edges: Edges,
    plan: RegionPlan,
    size: tuple[int, int],
    preparation: Preparation,
) -> list[Canvas]:
    """Cut a region once for each of the plan's zooms, every second one mirrored."""
    cut = crop_edges(edges, plan, *normalised.shape[:2])
    crops = [resampled(normalised, cut.zoomed(zoom), size, preparation) for zoom in plan.zooms]
    return [one[:, ::-1] if number % 2 else one for number, one in enumerate(crops)]


def with_fallback(plan: RegionPlan, measured: Mapping[str, Fractions]) -> RegionPlan:
    """The plan with fallback boxes measured on training images."""
    return replace(plan, fallback={**plan.fallback, **measured})
