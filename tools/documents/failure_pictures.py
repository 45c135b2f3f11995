"""Pictures of failures: one drawn film, nobody's, as it is and as it should not be.

The changes are the worst that the stress test found of some kinds; each is read
by the weights and drawn as ``boneage assess --picture`` draws it.
"""

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
from boneage.evaluation.robustness.changes import CHANGES, Change
from boneage.evaluation.robustness.files import as_png
from boneage.evaluation.robustness.sheet import AGE_MONTHS, SEX, example_film
from boneage.imaging.perturbations import Grey
from boneage.inference.assessor import Assessor
from boneage.reading import read
from boneage.reports.panels import Rgb
from boneage.reports.picture import draw
from boneage.storage.files import EVIDENCE_FORMAT, atomically, write_json
from tools.documents.evidence import FILES, Table
from tools.documents.robustness import SHOWN, by_shift, most_silent

UNCHANGED = "unchanged"
WIDTH_PX = 1200
"""Of a picture: the words on it stay legible, and its file small."""
SMALL_HAND = 0.4
"""Of the frame's side that the film of the small hand takes."""
SEED = "failures"
"""Of the changes that have some chance in them."""


@dataclass(frozen=True)
class Scene:
    """The drawn film in one state."""

    name: str
    label: str
    words: str
    """What was done to it."""
    content: bytes
    """A file as a user would give it."""


def draw_failures(assessor: Assessor, stress: Table | None, folder: Path) -> dict[str, Any]:
    """Draw the pictures and write ``failures.json`` beside them.

    Parameters
    ----------
    assessor : Assessor
    stress : mapping, optional
        What ``stress.json`` holds.
    folder : Path
        Made when missing. Earlier pictures there are removed.

    Returns
    -------
    dict
        What ``failures.json`` now holds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shown = [_show(assessor, scene, folder) for scene in scenes(stress)]
    for path in set(folder.glob("*.png")) - {folder / p["file"] for p in shown if p["file"]}:
        path.unlink()
    table = {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "weights": asdict(assessor.weights.name),
        "film": f"a film drawn as of a {_child()} of {AGE_MONTHS} months",
        "pictures": shown,
    }
    write_json(folder / FILES["failures"].name, table)
    return table


def scenes(stress: Table | None) -> Iterator[Scene]:
    """The film unchanged, under the worst changes, and as a small hand in a large frame."""
    grey = example_film()
    yield Scene(UNCHANGED, UNCHANGED, "As it was drawn.", as_png(grey))
    for change in worst_changes(stress):
        yield Scene(change.name, change.label, change.words, change.file_of(grey, SEED))
    words = f"The film, {SMALL_HAND:g} as wide and tall, in a corner of a frame of its size."
    yield Scene("small_hand", "a small hand in a large frame", words, as_png(small_hand(grey)))


def worst_changes(stress: Table | None) -> list[Change]:
    """Of each kind the change that moves most films silently, and of these the worst, worst first.

    Where nothing is silent, those that move the answer most; without a stress
    test, one of each of the first kinds.
    """
    known = {change.name: change for change in CHANGES}
    if stress is None:
        worst = list(known.values())
    else:
        found = [change for change in stress["changes"] if change["name"] in known]
        ordered = most_silent(found) or by_shift([c for c in found if c["answered"]])
        worst = [known[change["name"]] for change in ordered]
    of_kind: dict[str, Change] = {}
    for change in worst:
        of_kind.setdefault(change.kind, change)
    return list(of_kind.values())[:SHOWN]


def small_hand(grey: Grey) -> Grey:
    """Put a film, made smaller, into the upper left corner of a frame of its size.

    The frame is as dark as the film is above the hand.
    """
    height, width = grey.shape
    size = round(width * SMALL_HAND), round(height * SMALL_HAND)
    frame = np.full_like(grey, round(float(np.median(grey[0]))))
    frame[: size[1], : size[0]] = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return frame


def _show(assessor: Assessor, scene: Scene, folder: Path) -> dict[str, Any]:
    facts = {"name": scene.name, "label": scene.label, "words": scene.words}
    try:
        radiograph = read(scene.content)
        answer = assessor.assess(radiograph, SEX)
    except FilmError as error:
        return {**facts, "file": None, "months": None, "refusal": error.code, "warnings": []}
    file = f"{scene.name}.png"
    _save(draw(answer, radiograph), folder / file)
    warned = [finding.code for finding in answer.warnings]
    return {**facts, "file": file, "months": answer.age_months, "refusal": None, "warnings": warned}


def _save(drawn: Rgb, path: Path) -> None:
    picture = Image.fromarray(drawn)
    picture.thumbnail((WIDTH_PX, WIDTH_PX), Image.Resampling.LANCZOS)
    with atomically(path) as file:
        picture.save(file, "PNG")


def _child() -> str:
    return "girl" if SEX.value == "female" else "boy"
