"""A hand of few points, as marks, and the two tables that marks come from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from boneage.evaluation.localization.anatomical_target import Marks, Proportions

Points = npt.NDArray[np.float64]

WRIST = np.array([100.0, 180.0])
JOINTS = np.array([[160, 130], [124, 84], [100, 80], [78, 88], [58, 100]], dtype=np.float64)
"""Thumb first, to the right of the others; wrist to third joint is 100 pixels long."""
FIRST_BASE = np.array([134.0, 150.0])
SIDEWAYS = np.array([15.0, 0.0])
"""From the wrist to the radius; the ulna lies as far on the other side."""
CARPUS = np.array([[80, 140], [135, 140], [135, 180], [80, 180]], dtype=np.float64)
SIZE = (240, 200)
"""Height and width of the film, in pixels."""
PROPORTIONS = Proportions(0.0, 0.4, 0.3, 0.34, "someone")


def points(wrist: Points = WRIST, joints: Points = JOINTS, base: Points = FIRST_BASE) -> Marks:
    """Key points, in pixels."""
    return Marks("key points", wrist, joints, first_base=base)


def boxes(wrist: Points = WRIST, joints: Points = JOINTS, reader: str = "someone") -> Marks:
    """What boxes give, in pixels."""
    return Marks(reader, wrist, joints, carpus=CARPUS)


def shares(marks: Marks, size: tuple[int, int] = SIZE) -> Marks:
    """From pixels to shares of a film of this height and width."""
    return marks.scaled(1 / size[0], 1 / size[1])


def write_marks(folder: Path, of_boxes: list[str], of_points: list[str]) -> Path:
    """Write both tables, with the same hand on every film."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["id,reader,centre,left,top,right,bottom"]
    lines += [",".join(row.values()) for name in of_boxes for row in box_rows(name)]
    (folder / "ossification_boxes.csv").write_text("\n".join(lines) + "\n")
    columns = point_row("0")
    rows = [",".join(columns), *(",".join(point_row(name).values()) for name in of_points)]
    (folder / "hand_keypoints.csv").write_text("\n".join(rows) + "\n")
    return folder


def box_rows(name: str, reader: str = "someone") -> list[dict[str, str]]:
    """The rows of one reader and film: joints not in the order of the hand."""
    centres = [("MCP", JOINTS[place]) for place in (3, 0, 4, 1, 2)]
    centres += [("Radius", WRIST + SIDEWAYS), ("Ulna", WRIST - SIDEWAYS)]
    rectangles = [(centre, *(at - 6), *(at + 6)) for centre, at in centres]
    rectangles.append(("Wrist", *CARPUS[0], *CARPUS[2]))
    height, width = SIZE
    return [
        {
            "id": name,
            "reader": reader,
            "centre": centre,
            "left": f"{left / width:.6f}",
            "top": f"{top / height:.6f}",
            "right": f"{right / width:.6f}",
            "bottom": f"{bottom / height:.6f}",
        }
        for centre, left, top, right, bottom in rectangles
    ]


def point_row(name: str) -> dict[str, str]:
    """The row of one film."""
    fingers = ("thumb2", "forefinger1", "middle_finger1", "ring_finger1", "pinky_finger1")
    places: Mapping[str, Points] = {
        "wrist": WRIST,
        "thumb1": FIRST_BASE,
        **dict(zip(fingers, JOINTS, strict=True)),
    }
    row = {"id": name}
    for point, (col, line) in places.items():
        row |= {f"{point}_x": f"{col / SIZE[1]:.6f}", f"{point}_y": f"{line / SIZE[0]:.6f}"}
    return row
