"""Measure how images of two hands are answered: ``python -m tools.both_hands.measure``.

Of each image drawn from one split of the labelled films, half-scale ones, five are analysed:
it alone; beside its own altered mirror image (one child's hands, to be answered); beside the
mirror image of another child's; beside itself and beside another left hand (to be refused).
"""

from __future__ import annotations

import argparse
import csv
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from boneage import Assessor
from boneage.domain.radiograph import Facts, Radiograph
from boneage.errors import UnsuitableError
from tools.both_hands.pairs import Image, side_by_side

KINDS = ("one child", "two children", "two left hands", "left hands of two children")
BOTH_HANDS = ("1430", "2256")
CLEARLY_TWO_MONTHS = 24.0
"""Labels of two children that differ by more."""


@dataclass(frozen=True)
class Measured:
    """What became of one image."""

    kind: str
    film: str
    outcome: str
    """``one``: answered as one hand; ``both``: as both; else the code of the refusal."""
    moved_months: float | None = None
    """From the answer for the left hand's own image."""
    other_differs_months: float | None = None
    labels_differ_months: float | None = None
    warnings: str = ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/rsna"))
    parser.add_argument("--split", choices=("train", "validation"), default="train")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kinds", nargs="*", choices=KINDS, default=KINDS)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    rows = _films(options.data, options.split)
    chosen = [rows[place] for place in random.permutation(len(rows))[: options.count]]
    assessor = Assessor(threads=1)
    measured = []
    for number, row in enumerate(chosen):
        measured += _measure(assessor, options.data, row, chosen[number - 1], random, options.kinds)
    if options.out:
        options.out.write_text(json.dumps([asdict(one) for one in measured], indent=1))
    _report(measured)


def _measure(
    assessor: Assessor,
    data: Path,
    row: dict[str, str],
    other_row: dict[str, str],
    random: np.random.Generator,
    kinds: Sequence[str],
) -> list[Measured]:
    film, sex = row["id"], "male" if row["male"] == "True" else "female"
    left = _read(data / row["film"])
    plain, measured = _assessed(assessor, left, sex, "single", film)
    other = _read(data / other_row["film"])
    apart = abs(float(row["boneage"]) - float(other_row["boneage"]))
    found = [measured]
    for kind, (beside, mirror) in {
        "one child": (left, True),
        "two children": (other, True),
        "two left hands": (left, False),
        "left hands of two children": (other, False),
    }.items():
        image = side_by_side(left, beside, random, mirror=mirror)
        differ = apart if beside is other else None
        if kind in kinds:
            found.append(_assessed(assessor, image.pixels, sex, kind, film, plain, differ)[1])
    return found


def _assessed(
    assessor: Assessor,
    pixels: Image,
    sex: str,
    kind: str,
    film: str,
    plain: float | None = None,
    labels_differ: float | None = None,
) -> tuple[float | None, Measured]:
    try:
        answer = assessor.assess(Radiograph(pixels, Facts("drawn", 8)), sex)
    except UnsuitableError as error:
        return None, Measured(kind, film, error.code, labels_differ_months=labels_differ)
    other = answer.other_hand
    return answer.age_months, Measured(
        kind,
        film,
        "both" if other else "one",
        None if plain is None else answer.age_months - plain,
        None if other is None else other.age_months - answer.age_months,
        labels_differ,
        " ".join(finding.code for finding in answer.warnings),
    )


def _report(measured: list[Measured]) -> None:
    for kind in dict.fromkeys(one.kind for one in measured):
        these = [one for one in measured if one.kind == kind]
        _line(kind, these)
        if kind == "two children":
            far = [one for one in these if (one.labels_differ_months or 0) > CLEARLY_TWO_MONTHS]
            _line(f"  labels over {CLEARLY_TWO_MONTHS:.0f} months apart", far)


def _line(kind: str, these: list[Measured]) -> None:
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


def _films(data: Path, split: str) -> list[dict[str, str]]:
    with (data / "boneage-training-dataset.csv").open(newline="", encoding="utf-8") as file:
        labels = {row["id"]: row for row in csv.DictReader(file)}
    with (data / "films.csv").open(newline="", encoding="utf-8") as file:
        return [
            {**row, "male": labels[row["id"]]["male"], "boneage": labels[row["id"]]["boneage"]}
            for row in csv.DictReader(file)
            if row["split"] == split
            and row["film"].startswith("half-scale/")
            and row["id"] not in BOTH_HANDS
        ]


def _read(path: Path) -> Image:
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    return np.asarray(grey, np.float32) / np.float32(255)


if __name__ == "__main__":
    main()
