"""A drawn film as a PNG that says it is synthetic, and what is true of it as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from boneage.synthetic.film import SyntheticFilm

WORDS = "Synthetic: drawn by boneage, nobody's hand"


def write_png(film: SyntheticFilm, file: BinaryIO) -> None:
    """Write a film as an 8-bit grey PNG."""
    grey = np.rint(film.radiograph.pixels * 255).astype(np.uint8)
    words = PngInfo()
    words.add_text("Description", WORDS)
    Image.fromarray(grey).save(file, "PNG", pnginfo=words, optimize=True)


def write_regions(film: SyntheticFilm, name: str, file: BinaryIO) -> None:
    """Write the true boxes of a film as JSON."""
    radiograph = film.radiograph
    truth = {
        "film": name,
        "description": WORDS,
        "age_months": film.age_months,
        "sex": film.sex,
        "film_height": radiograph.height,
        "film_width": radiograph.width,
        "regions": {region: asdict(box) for region, box in film.regions.items()},
        "bones": {bone: asdict(box) for bone, box in film.bones.items()},
    }
    file.write((json.dumps(truth, indent=2) + "\n").encode())
