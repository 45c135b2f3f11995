"""Interim."""
from dataclasses import dataclass
from pathlib import Path
import cv2
import numpy as np
from boneage.errors import FilmError
from boneage.radiograph import Facts, Radiograph


@dataclass(frozen=True)
class Limits:
    min_side_px: int = 128
    max_megapixels: float = 100.0


def read(source, *, limits=Limits()):
    grey = cv2.imread(str(source), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        raise FilmError("unreadable", f"{source!r} cannot be read")
    return Radiograph((grey / np.float32(255.0)).astype(np.float32), Facts("PNG", 8), Path(source).name)
