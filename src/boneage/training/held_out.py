"""What a network answers on each image that was held out, as a table."""

from __future__ import annotations

import csv
from pathlib import Path

import keras
import numpy as np

from boneage.inference.weights import MONTHS_SCALE
from boneage.training.distributed.undistributed import own_copy, undistributed
from boneage.training.prepared import PreparedFilms, as_input

PREDICTIONS = "held-out.csv"
COLUMNS = ("id", "copy", "sex", "age_months", "predicted_months")
BATCH = 32


def write_predictions(network: keras.Model, prepared: PreparedFilms, path: Path) -> None:
    """Write a network's age of every image: the mean of the image and its mirror image.

    Parameters
    ----------
    network : keras.Model
        With an output ``age``.
    prepared : PreparedFilms
    path : Path
        A CSV file with ``COLUMNS``; ages in months.
    """
    own = own_copy(network)
    with undistributed():
        predicted = _months(own, prepared)
    unfinished = path.with_suffix(".unfinished")
    with unfinished.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for film, months in zip(prepared.films, predicted, strict=True):
            copy = "squeezed" if film.squeezed else "detailed"
            row = [film.id, copy, film.sex.value, f"{film.age_months:g}", f"{months:.2f}"]
            writer.writerow(row)
    unfinished.replace(path)


def _months(network: keras.Model, prepared: PreparedFilms) -> list[float]:
    age = keras.Model(network.inputs, network.output["age"])
    codes, predicted = prepared.sex_codes, []
    for start in range(0, len(prepared.films), BATCH):
        images = as_input(np.asarray(prepared.images[start : start + BATCH]))
        sex = codes[start : start + BATCH]
        plain, mirrored = (
            np.ravel(age.predict_on_batch({"film": views, "sex": sex}))
            for views in (images, images[:, :, ::-1])
        )
        predicted += list((plain + mirrored) / 2 * MONTHS_SCALE)
    return predicted
