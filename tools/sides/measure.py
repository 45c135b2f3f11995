"""Measure the warnings about right and flipped hands: ``python -m tools.sides.measure``.

Each labelled image is judged as it is, and in four other ways: flipped; flipped with its marker
masked; that with the R of a right hand drawn onto it; and as it is with its marker masked. By eye
some images of the data set are of right hands, or flipped: those that are warned about as they are
get listed, to be looked at.
"""

from __future__ import annotations

import argparse
import zlib
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import numpy as np

from boneage import __version__
from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import ImageMetadata, Pixels, Radiograph
from boneage.imaging.lead_marker import letter_boxes, reduced
from boneage.inference.assessor import Assessor
from boneage.inference.networks import first_pass
from boneage.quality.side import findings_of_side
from boneage.storage.files import EVIDENCE_FORMAT, today, write_json
from tools.both_hands.measure import BOTH_HANDS, grey_image
from tools.sides.drawing import with_marker
from tools.sides.fit_lead_marker import on_hand, tissue_of

WAYS = ("as it is", "flipped", "flipped, masked", "flipped, masked, R drawn", "masked")


def main() -> None:
    """Measure, print the shares, and write them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data/rsna"))
    parser.add_argument("--split", choices=("train", "validation"), default="train")
    parser.add_argument("--copies", choices=("detailed", "best"), default="detailed")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found = load_films(options.data).select(options.copies, options.split)
    films = [film for film in found if film.id not in BOTH_HANDS]
    order = np.random.default_rng(1).permutation(len(films))[: options.count]
    assessor = Assessor(threads=1, calibration="")
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    warned: dict[str, list[str]] = defaultdict(list)
    for place in sorted(order):
        film = films[place]
        for way, pixels in ways(film).items():
            warnings = warnings_of(assessor, film, pixels)
            codes[way].update(warnings)
            if warnings:
                warned[way].append(film.id)
    count = len(order)
    table = {
        way: {
            "images": count,
            "warned": len(warned[way]),
            "share": round(len(warned[way]) / count, 4),
            "codes": dict(sorted(codes[way].items())),
        }
        for way in WAYS
    }
    for way, row in table.items():
        print(f"{way:26} {row['warned']:4} of {count} warned about ({row['share']:.1%})")
    print("warned about as it is:", ", ".join(warned["as it is"]) or "none")
    if options.out:
        name = assessor.weights.name
        header = {
            "format": EVIDENCE_FORMAT,
            "date": today(),
            "boneage": __version__,
            "weights": {"name": name.name, "sha256": name.sha256},
            "data": {"split": options.split, "copies": options.copies},
        }
        write_json(options.out, {**header, "ways": table})


def ways(film: Film) -> dict[str, Pixels]:
    """The image in each of ``WAYS``."""
    pixels = grey_image(film.path)
    masked = without_marker(pixels)
    flipped, flipped_masked = (np.ascontiguousarray(one[:, ::-1]) for one in (pixels, masked))
    random = np.random.default_rng(zlib.crc32(film.id.encode()))
    free = ~tissue_of(flipped_masked)
    right = with_marker(flipped_masked, free, random, "R", mirrored=False)
    drawn = flipped_masked if right is None else right.pixels
    return dict(zip(WAYS, (pixels, flipped, flipped_masked, drawn, masked), strict=True))


def without_marker(pixels: Pixels) -> Pixels:
    """Fill whatever is like a letter, and not on the hand, with what is around it."""
    grey = reduced(pixels)
    boxes = letter_boxes(grey)
    boxes = boxes[~on_hand(boxes, grey.shape, tissue_of(pixels))]
    scale = pixels.shape[0] / grey.shape[0]
    mask = np.zeros(pixels.shape, np.uint8)
    for left, top, width, height in (boxes * scale).round().astype(int).tolist():
        edge = max(2, (width + height) // 6)
        mask[
            max(0, top - edge) : top + height + edge, max(0, left - edge) : left + width + edge
        ] = 1
    filled = cv2.inpaint(cv2.convertScaleAbs(pixels, alpha=255), mask, 5, cv2.INPAINT_TELEA)
    return np.where(mask > 0, filled.astype(np.float32) / np.float32(255), pixels)


def warnings_of(assessor: Assessor, film: Film, pixels: Pixels) -> list[str]:
    """The codes of the warnings about the side of the hand."""
    radiograph = Radiograph(pixels, ImageMetadata("drawn", 8), film.id)
    measures = first_pass(assessor.weights, radiograph, film.sex).measures
    if measures is None:
        raise SystemExit("these weights have no quality check")
    found = findings_of_side(measures.side)
    return [finding.code for finding in found if finding.severity == "warning"]


if __name__ == "__main__":
    main()
