"""Pictures of failures: a synthetic radiograph as it is, and changed as it should not be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from boneage._version import __version__
from boneage.errors import FilmError
from boneage.evaluation.robustness.changes import CHANGES, Change, as_png
from boneage.evaluation.robustness.figures import EXAMPLE, example_film
from boneage.imaging.perturbations import Grey
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.reports.picture import draw
from boneage.storage.files import EVIDENCE_FORMAT, atomically, write_json
from boneage.synthetic.examples import CHILDREN
from tools.documents.evidence import FILES, Table
from tools.documents.render import by_shift, most_silent

UNCHANGED = "unchanged"
SHOWN = 3
"""Changes that are shown, each of another kind."""
WIDTH_PX = 1200
"""Of a picture: its labels stay legible, and its file small."""
SMALL_HAND = 0.4
"""Of the frame's side that the image of the small hand takes."""
SEED = "failures"
"""Of the changes that have some chance in them."""


@dataclass(frozen=True)
class Scene:
    """The synthetic radiograph in one state."""

    name: str
    label: str
    words: str
    content: bytes


def draw_failures(assessor: Assessor, stress: Table | None, folder: Path) -> dict[str, Any]:
    """Draw the pictures and write ``failures.json``, in place of earlier ones; its content."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = [_show(assessor, scene, folder) for scene in scenes(stress)]
    for path in set(folder.glob("*.png")) - {folder / one["file"] for one in shown if one["file"]}:
        path.unlink()
    table = {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "weights": asdict(assessor.weights.name),
        "film": f"a synthetic {CHILDREN[EXAMPLE.sex]}'s hand of {EXAMPLE.age_months} months",
        "pictures": shown,
    }
    write_json(folder / Path(FILES["failures"]).name, table)
    return table


def scenes(stress: Table | None) -> Iterator[Scene]:
    """The image unchanged, under the worst changes, and as a small hand in a large frame."""
    grey = example_film()
    yield Scene(UNCHANGED, UNCHANGED, "As it was drawn.", as_png(grey))
    for change in worst_changes(stress):
        yield Scene(change.name, change.label, change.words, change.file_of(grey, SEED))
    words = f"The image, {SMALL_HAND:g} as wide and tall, in a corner of a frame of its size."
    yield Scene("small_hand", "a small hand in a large frame", words, as_png(small_hand(grey)))


def worst_changes(stress: Table | None) -> list[Change]:
    """The worst change of each kind, the worst first.

    The worst moves the answers of most radiographs far without a warning; where there is
    no such change, it moves the answer most. Without a robustness test, the first of each kind.
    """
    known = {change.name: change for change in CHANGES}
    if stress is None:
        worst = list(known.values())
    else:
        found = [change for change in stress["changes"] if change["name"] in known]
        ordered = most_silent(found) or by_shift([one for one in found if one["answered"]])
        worst = [known[change["name"]] for change in ordered]
    of_kind: dict[str, Change] = {}
    for change in worst:
        of_kind.setdefault(change.kind, change)
    return list(of_kind.values())[:SHOWN]


def small_hand(grey: Grey) -> Grey:
    """Put an image, made smaller, into a corner of a frame as dark as what is above the hand."""
    height, width = grey.shape
    size = round(width * SMALL_HAND), round(height * SMALL_HAND)
    frame = np.full_like(grey, round(float(np.median(grey[0]))))
    frame[: size[1], : size[0]] = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return frame


def _show(assessor: Assessor, scene: Scene, folder: Path) -> dict[str, Any]:
    shown = {"name": scene.name, "label": scene.label, "words": scene.words}
    try:
        radiograph = read(scene.content)
        answer = assessor.assess(radiograph, EXAMPLE.sex)
    except FilmError as error:
        return {**shown, "file": None, "months": None, "refusal": error.code, "warnings": []}
    file = f"{scene.name}.png"
    picture = Image.fromarray(draw(answer, radiograph))
    picture.thumbnail((WIDTH_PX, WIDTH_PX), Image.Resampling.LANCZOS)
    with atomically(folder / file) as output:
        picture.save(output, "PNG")
    warned = [finding.code for finding in answer.warnings]
    return {**shown, "file": file, "months": answer.age_months, "refusal": None, "warnings": warned}
