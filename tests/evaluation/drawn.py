"""A folder of labelled films and an Assessor that needs no weights to read them."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np

from boneage.domain.assessment import Assessment, Box, RegionDetection, WeightsName
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import FilmError
from boneage.inference.assessor import Assessor

LABELS = {"1": (120, Sex.MALE), "2": (60, Sex.FEMALE), "3": (180, Sex.FEMALE), "4": (90, Sex.MALE)}
"""Film 4 is in the training split; film 3 gets no answer."""
FILM = np.arange(150 * 130).astype(np.uint8).reshape(150, 130)
WEIGHTS = WeightsName("drawn", "compact", "cd" * 32)


def write_films(folder: Path) -> Path:
    """Write a data set in the layout with ``films.csv``; one film is only a squeezed copy."""
    (folder / "half-scale").mkdir(parents=True)
    (folder / "squeezed").mkdir()
    labels = ["id,boneage,male", *(f"{i},{age},{sex.code}" for i, (age, sex) in LABELS.items())]
    films = ["id,original_width,original_height,film,split"]
    for name in LABELS:
        split = "train" if name == "4" else "validation"
        films.append(f"{name},1000,1200,half-scale/{name}.png,{split}")
        cv2.imwrite(str(folder / "half-scale" / f"{name}.png"), FILM)
    labels.append("5,100,False")
    films.append("5,1000,1200,,validation")
    cv2.imwrite(str(folder / "squeezed" / "5.png"), FILM)
    (folder / "boneage-training-dataset.csv").write_text("\n".join(labels))
    (folder / "films.csv").write_text("\n".join(films))
    return folder


class DrawnAssessor(Assessor):
    """Answers 100 months for every film but number 3, which it refuses."""

    def __init__(
        self,
        weights: str | os.PathLike[str] | None = None,
        *,
        threads: int | None = None,
        calibration: str = "",
    ) -> None:
        self.weights: Any = SimpleNamespace(name=WEIGHTS)

    def assess(self, film: Any, sex: Any = None, **_: Any) -> Assessment:
        name = film.name if isinstance(film, Radiograph) else Path(film).name
        if name == "3.png":
            raise FilmError("blank", "the film 3.png is blank")
        box = Box(1, 1, 5, 5)
        return Assessment(
            film=name,
            sex=Sex.parse(sex),
            age_months=100.0,
            detections=(
                RegionDetection("carpal", np.zeros((2, 2), np.float32), box, name == "1.png"),
            ),
            age_by_network={"whole_hand": 110.0, "carpal": 90.0},
            weights=WEIGHTS,
            metadata=ImageMetadata("PNG", 8),
            film_height=9,
            film_width=8,
            seconds=0.01,
        )
