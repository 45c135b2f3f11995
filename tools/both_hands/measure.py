"""Measure how images of two hands are answered: ``python -m tools.both_hands.measure``.

Of each image drawn from one split of the labelled films, half-scale ones, five are analysed:
it alone; beside its own altered mirror image (one child's hands, to be answered); beside the
mirror image of another child's; beside itself and beside another left hand (to be refused).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from boneage import Assessor
from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import ImageMetadata, Radiograph
from boneage.errors import UnsuitableError
from boneage.imaging.perturbations import tilted

KINDS = ("one child", "two children", "two left hands", "left hands of two children")
CLEARLY_TWO_MONTHS = 24.0
"""Labels of two children that differ by more."""
Image = npt.NDArray[np.float32]
"""Shape (height, width), 0 to 1."""
BOTH_HANDS = ("1430", "2256")
"""Images of the data set that show both already."""


@dataclass(frozen=True)
class PairOutcome:
    """What became of one image."""

    kind: str
    film: str
    outcome: str
    """``one``: answered as one hand; ``both``: as both; else the code of the refusal."""
    age_months: float | None = None
    moved_months: float | None = None
    """From the answer for the left hand's own image."""
    other_differs_months: float | None = None
    labels_differ_months: float | None = None
    warnings: str = ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/rsna"))
    parser.add_argument("--split", choices=("train", "validation"), default="train")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    films = load_films(options.data).select("detailed", options.split)
    films = tuple(film for film in films if film.id not in BOTH_HANDS)
    chosen = [films[place] for place in random.permutation(len(films))[: options.count]]
    assessor = Assessor(threads=1)
    measured = []
    for number, film in enumerate(chosen):
        measured += _measure(assessor, film, chosen[number - 1], random, options.kinds)
    if options.out:
        options.out.write_text(json.dumps([asdict(one) for one in measured], indent=1))
    _report(measured)


def _measure(
    assessor: Assessor, film: Film, other: Film, random: np.random.Generator, kinds: Sequence[str]
) -> list[PairOutcome]:
    left, right = grey_image(film.path), grey_image(other.path)
    found = [_assessed(assessor, left, film, "single")]
    apart = abs(film.age_months - other.age_months)
    pairs = ((left, True, None), (right, True, apart), (left, False, None), (right, False, apart))
    for kind, (beside, mirror, differ) in zip(KINDS, pairs, strict=True):
        image = side_by_side(left, beside, random, mirror=mirror)
        if kind in kinds:
            outcome = _assessed(assessor, image, film, kind, found[0].age_months)
            found.append(replace(outcome, labels_differ_months=differ))
    return found


def _assessed(
    assessor: Assessor, pixels: Image, film: Film, kind: str, plain: float | None = None
) -> PairOutcome:
    try:
        answer = assessor.assess(Radiograph(pixels, ImageMetadata("drawn", 8)), film.sex)
    except UnsuitableError as error:
        return PairOutcome(kind, film.id, error.code)
    other = answer.other_hand
    return PairOutcome(
        kind,
        film.id,
        "both" if other else "one",
        answer.age_months,
        moved_months=None if plain is None else answer.age_months - plain,
        other_differs_months=other.age_months - answer.age_months if other else None,
        warnings=" ".join(finding.code for finding in answer.warnings),
    )


def _report(measured: list[PairOutcome]) -> None:
    for kind in dict.fromkeys(one.kind for one in measured):
        these = [one for one in measured if one.kind == kind]
        _line(kind, these)
        if kind == "two children":
            far = [one for one in these if (one.labels_differ_months or 0) > CLEARLY_TWO_MONTHS]
            _line(f"  labels over {CLEARLY_TWO_MONTHS:.0f} months apart", far)


def _line(kind: str, these: list[PairOutcome]) -> None:
    outcomes = Counter(one.outcome for one in these)
    silent = [one.film for one in these if one.outcome == "one" and not one.warnings]
    counts = ", ".join(f"{outcome} {count}" for outcome, count in outcomes.most_common())
    print(f"{kind}: {len(these)} images: {counts}; {len(silent)} as one hand without a warning")
    both = [one for one in these if one.outcome == "both"]
    for name in ("moved_months", "other_differs_months"):
        values = [abs(getattr(one, name)) for one in both if getattr(one, name) is not None]
        if values:
            quantiles = np.quantile(values, (0.5, 0.9, 0.95, 1))
            print(
                f"  {name}: median, 90 %, 95 %, most: "
                + ", ".join(f"{value:.1f}" for value in quantiles)
                + f"; {np.mean(np.array(values) <= 3):.0%} within 3"
            )


if __name__ == "__main__":
    main()


def grey_image(path: Path) -> Image:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey, np.float32) / np.float32(255)


def side_by_side(
    left: Image, other: Image, random: np.random.Generator, *, mirror: bool = True
) -> Image:
    """Lay a hand and another, mirrored and altered, side by side, in either order.

    The other one is turned a little, of another exposure and size, and shifted up or down;
    between them is a gap or none, around them black, grey or the left one's background.
    """
    beside = np.ascontiguousarray(other[:, ::-1]) if mirror else other
    if random.random() < 0.5:
        beside = tilted(beside, -float(random.normal(0, 4)))
    gamma = float(np.exp(random.normal(0, 0.15)))
    gain, offset = float(random.uniform(0.55, 1.0)), float(random.uniform(0, 0.12))
    beside = np.clip(beside**gamma * gain + offset, 0, 1)
    if random.random() < 0.5:
        scale = float(random.uniform(0.97, 1.03))
        beside = cv2.resize(beside, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if random.random() < 0.5:  # move the hands closer together
        trimmed = int(left.shape[1] * random.uniform(0, 0.05))
        left = left[:, trimmed : left.shape[1] - trimmed]
        beside = beside[:, trimmed : beside.shape[1] - trimmed]
    height = max(len(left), len(beside))
    shift = int(random.uniform(-0.18, 0.18) * height)
    gap = int(random.choice([0, 0, 0.03, 0.1]) * height)
    edge = np.concatenate([left[:, 0], left[:, -1], left[0]])
    ground = float(random.choice([0.0, 0.45, float(np.median(edge))]))
    parts = [(left, max(-shift, 0)), (beside, max(shift, 0))]
    if random.random() >= 0.5:
        parts.reverse()
    rows = max(top + len(part) for part, top in parts)
    pixels = np.full((rows, gap + left.shape[1] + beside.shape[1]), ground, np.float32)
    column = 0
    for part, top in parts:
        pixels[top : top + len(part), column : column + part.shape[1]] = part
        column += part.shape[1] + gap
    return np.asarray(np.rint(pixels * 255) / 255, np.float32)
