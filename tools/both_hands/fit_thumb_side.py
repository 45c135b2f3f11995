"""Fit what shows the side of the thumb, to the training images: ``thumb_side.csv``.

    python -m tools.both_hands.fit_thumb_side --data ../shared/data/rsna --out \
        src/boneage/imaging/thumb_side.csv

Left hands on usual images have their thumb to the right. A few training images are mirrored,
or of right hands: what reads clearly as such is left out when it is fitted again.
"""

from __future__ import annotations

import argparse
import csv
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from boneage.datasets.films import load_films
from boneage.imaging.thumb import CELLS, DIRECTIONS, TABLE_COLUMNS, edge_directions, mirrored
from tools.both_hands.measure import BOTH_HANDS, grey_image

SMALL_COPIES = 5000
"""Of the squeezed copies, beside all half-scale ones."""
RIDGE = 1.0
ROUNDS = 3
MIRRORED = -0.3
"""What reads below is a right hand, or mirrored."""
TEST_SHARE = 0.2

Rows = npt.NDArray[np.float64]


def main() -> None:
    """Fit, test on a fifth of the images that was left out, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    rows = np.array([difference(path) for path in training_images(options.data)])
    random = np.random.default_rng(0)
    test = random.random(len(rows)) < TEST_SHARE
    held_out = rows[test] @ fitted(rows[~test])
    print(
        f"{test.sum()} images held out: {np.mean(held_out > 0):.2%} with the thumb to the right, "
        f"{np.mean(held_out > 0.3):.2%} clearly, {np.mean(held_out < MIRRORED):.2%} clearly left"
    )
    weights = fitted(rows).reshape(CELLS, CELLS, DIRECTIONS)
    with options.out.open("w", encoding="utf-8", newline="") as file:
        file.write(
            f"# Side of the thumb: fitted to {len(rows)} training images of the RSNA 2017 set by "
            "tools/both_hands/fit_thumb_side.py\n"
        )
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(TABLE_COLUMNS)
        for cell in product(range(CELLS), range(CELLS), range(DIRECTIONS)):
            writer.writerow([*cell, f"{weights[cell]:.4f}"])


def training_images(folder: Path) -> list[Path]:
    """List images of the training split: the half-scale ones, then squeezed copies."""
    films = [f for f in load_films(folder).select("best", "train") if f.id not in BOTH_HANDS]
    small = [film.path for film in films if film.squeezed]
    chosen = np.random.default_rng(0).permutation(len(small))[:SMALL_COPIES]
    return [f.path for f in films if not f.squeezed] + [small[number] for number in sorted(chosen)]


def difference(path: Path) -> Rows:
    """Subtract the mirror image's edges from the image's."""
    edges = edge_directions(grey_image(path))
    return np.asarray((edges - mirrored(edges)).ravel() / 2, np.float64)


def fitted(rows: Rows) -> Rows:
    """Fit weights that give 1 for left hands; ridge regression."""
    used = np.ones(len(rows), bool)
    for _ in range(ROUNDS):
        some = rows[used]
        square = some.T @ some + RIDGE * np.eye(rows.shape[1])
        weights = np.linalg.solve(square, some.sum(axis=0))
        used = rows @ weights > MIRRORED
    return np.asarray(weights)


if __name__ == "__main__":
    main()
