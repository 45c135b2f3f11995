"""Small data sets, profiles and networks for the tests of training."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import LABELS, Film
from boneage.domain.radiograph import Sex
from boneage.training.batches import Batches
from boneage.training.images import CachedImages
from boneage.training.profile import PhaseSpec, Profile, parse_profile
from tests.conftest import drawn_hand, write_png

FILM_SHAPE = (160, 128)
RICH = (
    "1,1500,2000,half-scale/1.png,train",
    "2,1500,2000,,train",
    "3,1600,2100,half-scale/3.png,validation",
    "4,1600,2100,,validation",
)
"""Films 1 and 3 have a copy of useful resolution; all have a squeezed copy."""

TINY = """
name = "tiny"
seed = 5

[preparation]
clahe_clip_limit = 0.0
fit = "pad"
antialias = true

[augmentation]
horizontal_flip = true

[attention]
backbone = "small_backbone"
input = [32, 24]
output = "linear"
cbam_reduction = 2
sex_units = 4

[[attention.phases]]
films = "squeezed"
input = [16, 12]
epochs = 1
batch = 2
learning_rate = 1e-3
loss = "huber"

[[attention.phases]]
films = "detailed"
epochs = 1
batch = 2
learning_rate = 1e-3
loss = "huber"

[regions]
names = ["carpal", "metacarpal", "phalanx"]
threshold = 0.7
carpal_mask = "rows_to_lower_edge"

[region]
backbone = "small_backbone"
input = [16, 16]
output = "linear"

[[region.phases]]
films = "detailed"
epochs = 1
batch = 2
learning_rate = 1e-3
loss = "huber"

[fusion]
hidden = [4]

[fusion.training]
epochs = 1
batch = 2
learning_rate = 1e-3
loss = "huber"
"""


def tiny_profile() -> Profile:
    return parse_profile(TINY)


def bundled_text(name: str) -> str:
    return (resources.files("boneage") / "profiles" / f"{name}.toml").read_text("utf-8")


def small_backbone(*_: object, **__: object) -> keras.Model:
    """In place of a backbone of keras.applications, which takes seconds to build."""
    film = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(film)
    x = keras.layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    return keras.Model(film, x, name="backbone")


def grey_hand(shape: tuple[int, int] = FILM_SHAPE) -> npt.NDArray[np.uint8]:
    return np.asarray(drawn_hand(*shape) >> 6, np.uint8)


def write_labels(folder: Path, rows: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / LABELS).write_text("\n".join(["id,boneage,male", *rows, ""]))
    return folder


def write_official(folder: Path, count: int) -> Path:
    rows = [f"{i},{24 + 12 * i},{bool(i % 2)}" for i in range(1, count + 1)]
    for i in range(1, count + 1):
        write_png(folder / "boneage-training-dataset" / f"{i}.png", grey_hand())
    return write_labels(folder, rows)


def write_rich(folder: Path, lines: Sequence[str]) -> Path:
    """Lines of ``id,original_width,original_height,film,split``; every id gets a squeezed copy."""
    rows = [line.split(",") for line in lines]
    for name, _, _, film, _ in rows:
        write_png(folder / "squeezed" / f"{name}.png", grey_hand((100, 100)))
        if film:
            write_png(folder / film, grey_hand())
    header = "id,original_width,original_height,film,split"
    (folder / "films.csv").write_text("\n".join([header, *lines, ""]))
    return write_labels(folder, [f"{row[0]},{12 * (i + 4)},True" for i, row in enumerate(rows)])


def film_of(path: Path, name: str = "1") -> Film:
    return Film(name, path, 120.0, Sex.MALE, "train")


def number_films(count: int, folder: Path) -> list[Film]:
    """Films that are not there, for a ``draw`` that draws them from their number."""
    return [
        Film(str(i), folder / f"{i}.png", 12.0 * (i + 1), Sex.parse("mf"[i % 2]), "train")
        for i in range(count)
    ]


def prepared_of(films: Sequence[Film], skipped: Sequence[str] = ()) -> CachedImages:
    return CachedImages(tuple(films), np.zeros((len(films), 4, 4), np.uint8), tuple(skipped))


def toml(table: dict[str, Any], path: str = "") -> str:
    """Just enough TOML to write a profile back."""
    lines, deeper = [], []
    for key, value in table.items():
        name = f"{path}{key}"
        if isinstance(value, dict):
            deeper.append(f"[{name}]\n" + toml(value, f"{name}."))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            deeper += [f"[[{name}]]\n" + toml(item, f"{name}.") for item in value]
        else:
            lines.append(f"{key} = {json.dumps(value)}")
    return "\n".join([*lines, *deeper]) + "\n"


def small_networks(
    vary: Callable[[Any], Any] = lambda films: films, dropout: float = 0.0
) -> tuple[keras.Model, keras.Model]:
    """A network, and the same behind its augmentation."""
    keras.utils.set_random_seed(1)
    film = keras.Input((12, 12, 1), name="film")
    x = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(film))
    x = keras.layers.Dropout(dropout)(keras.layers.Dense(8, "relu")(x))
    network = keras.Model({"film": film}, keras.layers.Dense(1)(x))
    seen = keras.Input((12, 12, 1), name="film")
    return network, keras.Model({"film": seen}, network({"film": vary(seen)}))


def small_batches(seed: int | None, batch: int = 4) -> Batches:
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (20, 12, 12), dtype=np.uint8)
    ages = random.uniform(20, 200, 20).astype(np.float32)
    return Batches({"film": images}, ages, batch, seed=seed)


SMALL_PHASE = PhaseSpec(
    epochs=4,
    batch=4,
    learning_rate=0.01,
    loss="huber",
    optimizer="adamw",
    weight_decay=0.01,
    schedule="one_cycle",
    average=0.9,
)
