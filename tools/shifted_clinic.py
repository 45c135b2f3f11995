"""A made-up clinic that reads older than the labels, from real films; to measure fine-tuning.

``python -m tools.shifted_clinic FOLDER [DATA]`` writes two tables of films of the
training split: ``clinic.csv`` to fine-tune on, ``others.csv`` to measure before and after.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from pathlib import Path

from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import Sex
from tests.conftest import FILMS_FOLDER

SHIFT_MONTHS = {Sex.FEMALE: 10.0, Sex.MALE: 6.0}
YOUNGEST_MONTHS, OLDEST_MONTHS = 24, 204
"""So that every shifted label is still one that a reader could give."""
CLINIC, OTHERS = 200, 120


def write_tables(folder: Path, data: Path) -> None:
    """Write both tables; never a film of the validation split."""
    films = [
        film
        for film in load_films(data).select("detailed", "train")
        if YOUNGEST_MONTHS <= film.age_months <= OLDEST_MONTHS
    ]
    films.sort(key=lambda film: hashlib.sha256(f"clinic{film.id}".encode()).hexdigest())
    folder.mkdir(parents=True, exist_ok=True)
    _write(folder / "clinic.csv", films[:CLINIC])
    _write(folder / "others.csv", films[CLINIC : CLINIC + OTHERS])


def _write(table: Path, films: list[Film]) -> None:
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "path", "sex", "boneage", "split"])
        for film in films:
            shifted = film.age_months + SHIFT_MONTHS[film.sex]
            writer.writerow([film.id, film.path.resolve(), film.sex, shifted, "train"])


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]), Path(sys.argv[2]) if sys.argv[2:] else FILMS_FOLDER)
