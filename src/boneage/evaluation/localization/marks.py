"""The marks that other people put on films: boxes and key points, read from CSV.

``ossification_boxes.csv`` has a row a box (``id,reader,centre,left,top,right,bottom``),
``hand_keypoints.csv`` a row a film; all positions are shares of the film.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import read_labels
from boneage.errors import DataError
from boneage.evaluation.localization.anatomical_target import (
    THIRD,
    Marks,
    Proportions,
    number_joints,
    proportions_of,
)

BOXES_FILE = "ossification_boxes.csv"
POINTS_FILE = "hand_keypoints.csv"
POINTS_READER = "key points"
BOXES, POINTS = "boxes", "points"
JOINT_POINTS = ("thumb2", "forefinger1", "middle_finger1", "ring_finger1", "pinky_finger1")
"""The MCP joints, thumb first."""
SIDES = ("left", "top", "right", "bottom")
BOX_COLUMNS = ("id", "reader", "centre", *SIDES)
POINT_COLUMNS = (
    "id",
    *(f"{point}_{axis}" for point in ("wrist", "thumb1", *JOINT_POINTS) for axis in "xy"),
)

Shape: TypeAlias = tuple[int, int]
"""True (height, width) of a film, in pixels of any size."""
Cells: TypeAlias = Mapping[str, str]
Rectangle: TypeAlias = npt.NDArray[np.float64]
"""Left, top, right, bottom, as shares of the film."""


@dataclass(frozen=True)
class Annotations:
    """Marks by film id, and what could not be used, one sentence each."""

    marks: Mapping[str, tuple[Marks, ...]]
    """As shares of the film; one entry a reader."""
    proportions: Proportions
    problems: tuple[str, ...] = ()

    @property
    def sources(self) -> dict[str, int]:
        """How many films have marks of which kind."""
        return dict(sorted(Counter(self.source_of(film) for film in self.marks).items()))

    def source_of(self, film: str) -> str:
        """Of which kind the marks of a film are: ``"boxes"`` or ``"points"``."""
        return BOXES if self.marks[film][0].boxes else POINTS

    def with_unfit(self, copies: Mapping[str, str]) -> Annotations:
        """Name the copies that marks do not fit, and why, by id."""
        unfit = sorted(set(copies) & set(self.marks))
        named = (f"{name}: {copies[name]}" for name in unfit)
        return replace(self, problems=(*self.problems, *named))


def load_annotations(folder: Path, shape_of: Callable[[str], Shape | None]) -> Annotations:
    """Read both files of a folder; a DataError when one is missing, wrong, or without usable marks.

    ``shape_of`` gives the true (height, width) of a film by id: shares of a film that is not square
    have no angles. None for a film that is not here; its marks are left out and named.
    """
    problems: list[str] = []
    marks: dict[str, tuple[Marks, ...]] = {}
    in_pixels: list[Marks] = []
    for name, columns in ((BOXES_FILE, BOX_COLUMNS), (POINTS_FILE, POINT_COLUMNS)):
        before = len(in_pixels)
        for (film, reader), rows in _grouped(folder / name, columns).items():
            named = f"{film}: {'key points' if reader is None else f'boxes of {reader!r}'}"
            shape = shape_of(film)
            if shape is None:
                problems.append(f"{named} left out: no labelled radiograph of this id is here")
                continue
            if reader is None and len(rows) > 1:
                problems.append(f"{named} are there twice; the first count")
            try:
                mark = (
                    _marks_of_points(rows[0])
                    if reader is None
                    else _marks_of_boxes(rows, reader, shape)
                )
            except DataError as error:
                problems.append(f"{named} left out: {error}")
                continue
            marks[film] = (*marks.get(film, ()), mark)
            in_pixels.append(mark.scaled(*shape))
        if len(in_pixels) == before:
            raise DataError(
                f"{str(folder / name)!r} has no usable marks for the radiographs that are here"
            )
    return Annotations(marks, proportions_of(in_pixels), tuple(problems))


def _grouped(path: Path, columns: Sequence[str]) -> dict[tuple[str, str | None], list[Cells]]:
    """Rows by the film's id and the reader, None for key points."""
    groups: dict[tuple[str, str | None], list[Cells]] = {}
    for row in read_labels(path, columns).rows:
        reader = row.cells["reader"] if "reader" in columns else None
        groups.setdefault((row.cells["id"], reader), []).append(row.cells)
    return groups


def _marks_of_boxes(rows: Sequence[Cells], reader: str, shape: Shape) -> Marks:
    boxes: dict[str, list[Rectangle]] = {}
    for row in rows:
        boxes.setdefault(row["centre"], []).append(_rectangle(row))
    wrist, radius, ulna = (_only(boxes, name) for name in ("Wrist", "Radius", "Ulna"))
    joints = [_centre(box) for box in boxes.get("MCP", [])]
    if len(joints) != len(JOINT_POINTS):
        raise DataError(f"{len(joints)} MCP boxes instead of {len(JOINT_POINTS)}")
    size = np.array(shape[::-1], dtype=np.float64)
    ordered = number_joints(np.stack(joints) * size, _centre(radius) * size, _centre(ulna) * size)
    if ordered is None:
        raise DataError("the MCP boxes do not lie as the five joints of a hand do")
    left, top, right, bottom = wrist
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    middle = (_centre(radius) + _centre(ulna)) / 2
    return _far_apart(Marks(reader, middle, ordered / size, carpus=corners))


def _marks_of_points(row: Cells) -> Marks:
    joints = np.stack([_point(row, name) for name in JOINT_POINTS])
    wrist, base = _point(row, "wrist"), _point(row, "thumb1")
    return _far_apart(Marks(POINTS_READER, wrist, joints, first_base=base))


def _far_apart(marks: Marks) -> Marks:
    """Refuse marks that give no hand: everything is measured from wrist to joint."""
    if not (marks.joints[THIRD] - marks.wrist).any():
        raise DataError("the wrist and the third MCP joint are one point")
    if not (marks.joints[1] - marks.joints[4]).any():
        raise DataError("the second and the fifth MCP joint are one point")
    return marks


def _only(boxes: Mapping[str, list[Rectangle]], name: str) -> Rectangle:
    found = boxes.get(name, [])
    if len(found) != 1:
        raise DataError(f"{len(found)} {name} boxes instead of one")
    return found[0]


def _rectangle(row: Cells) -> Rectangle:
    box = np.array([_share(row, side) for side in SIDES])
    if not (box[0] < box[2] and box[1] < box[3]):
        raise DataError(f"a {row['centre']} box is empty")
    return box


def _centre(box: Rectangle) -> npt.NDArray[np.float64]:
    return np.array([box[0] + box[2], box[1] + box[3]]) / 2


def _point(row: Cells, name: str) -> npt.NDArray[np.float64]:
    return np.array([_share(row, f"{name}_x"), _share(row, f"{name}_y")])


def _share(row: Cells, column: str) -> float:
    try:
        share = float(row[column])
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:  # NaN too
        raise DataError(f"{column} {row[column]!r} is not a share of the radiograph from 0 to 1")
    return share
