"""What a training leaves for people: a log of every epoch, its curves, and predictions."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.inference.weights import MONTHS_SCALE
from boneage.storage.delimited import csv_text
from boneage.storage.files import write_text
from boneage.training.batches import Batches, as_input
from boneage.training.distributed.group import local_copy, undistributed
from boneage.training.images import CachedImages

LOG = "epochs.csv"
CURVES = "curves.png"
CURVES_OF = {"loss": "loss", "mae_months": "mean absolute error, months"}
PREDICTIONS = "held-out.csv"
COLUMNS = ("id", "copy", "sex", "age_months", "predicted_months")
BATCH = 32


def read_log(folder: Path) -> list[dict[str, float]]:
    """The per-epoch log of a phase."""
    path = folder / LOG
    if not path.is_file():
        return []
    with path.open(newline="") as file:
        return [
            {k: float(v) for k, v in row.items() if v not in {None, "", "NA"}}
            for row in csv.DictReader(file)
        ]


def trim_log(folder: Path, epochs: int) -> None:
    """Remove logged epochs that the checkpoint does not have behind it."""
    path = folder / LOG
    if not path.is_file():
        return
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    whole = [row for row in rows[1:] if len(row) == len(rows[0])]
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows[:1] + [row for row in whole if int(row[0]) < epochs])


def draw_curves(run_folder: Path) -> list[Path]:
    """Draw ``curves.png`` beside every log of a run: loss, and error in months."""
    from matplotlib.figure import Figure  # noqa: PLC0415  slow to load; no window, no state

    drawn = []
    for log in sorted(run_folder.rglob(LOG)):
        rows = read_log(log.parent)
        if not rows:
            continue
        figure = Figure(figsize=(9, 3.6), layout="constrained")
        for axes, (name, label) in zip(figure.subplots(1, 2), CURVES_OF.items(), strict=True):
            epochs = [row["epoch"] + 1 for row in rows]
            axes.plot(epochs, [row[name] for row in rows], "o-", ms=3, label="training")
            if f"val_{name}" in rows[0]:
                monitored = [row[f"val_{name}"] for row in rows]
                axes.plot(epochs, monitored, "s--", ms=3, label="held out")
            axes.set(xlabel="epoch", ylabel=label, ylim=(0, None))
            axes.grid(alpha=0.3)
            axes.legend()
        figure.suptitle(log.parent.relative_to(run_folder).as_posix())
        path = log.with_name(CURVES)
        figure.savefig(path, dpi=120)
        drawn.append(path)
    return drawn


def write_predictions(network: keras.Model, held_out: CachedImages, path: Path) -> None:
    """Write a network's age in months, of image and mirror image on average, of each as CSV."""
    own = local_copy(network)
    with undistributed():
        predicted = _months(own, held_out)
    rows = [
        (f.id, "squeezed" if f.squeezed else "detailed", f.sex, f"{f.age_months:g}", f"{m:.2f}")
        for f, m in zip(held_out.films, predicted, strict=True)
    ]
    write_text(path, csv_text([COLUMNS, *rows], end="\r\n"))


def _months(network: keras.Model, held_out: CachedImages) -> list[float]:
    age = keras.Model(network.inputs, network.output["age"])
    predicted: list[float] = []
    for start in range(0, len(held_out.films), BATCH):
        some = slice(start, start + BATCH)
        images, sex = as_input(held_out.images[some]), held_out.sex_codes[some]
        plain, mirrored = (
            np.ravel(age.predict_on_batch({"film": views, "sex": sex}))
            for views in (images, images[:, :, ::-1])
        )
        predicted += list((plain + mirrored) / 2 * MONTHS_SCALE)
    return predicted


def read_ages(
    network: keras.Model, films: tuple[Film, ...], inputs: Mapping[str, npt.NDArray[Any]]
) -> dict[str, float]:
    """Let a trained network read films: months by id."""
    ages = np.array([film.age_months for film in films], np.float32)
    answers = network.predict(Batches(inputs, ages, BATCH), verbose=0)
    months = np.asarray(answers["age"], np.float64).ravel() * MONTHS_SCALE
    return {film.id: float(value) for film, value in zip(films, months, strict=True)}
