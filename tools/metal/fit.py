"""Fit the metal network, ``src/boneage/inference/metal.onnx``, or measure the one that ships.

    python -m tools.metal.fit --data ../shared/data/rsna --out /tmp/metal
    python -m tools.metal.fit --data ../shared/data/rsna --measure docs/evidence/metal.json

It learns metal drawn onto half-scale training images, and what is none from all other bright marks
of these images, their lead markers among them. Real metal in a few of them counts as none: what a
first network is sure of is left out of the second fit. The limit is set on training images. No real
image with metal was at hand to test it on.
"""

from __future__ import annotations

import argparse
import math
import zlib
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import onnx
from keras import layers

from boneage.datasets.films import Film, load_films
from boneage.imaging.lead_marker import reduced
from boneage.imaging.metal import PATCH_PX, Patches, bright_boxes, object_patches
from boneage.inference.metal import metal_likelihood
from boneage.quality.checks import METAL_LIKELY
from boneage.storage.files import EVIDENCE_FORMAT, today, write_json
from boneage.storage.parallel import default_workers, in_parallel
from tools.both_hands.measure import BOTH_HANDS, grey_image
from tools.metal.drawing import KINDS, with_metal
from tools.sides.fit_lead_marker import convolved, tissue_of

DRAWN = 3
"""Objects drawn onto each image, one at a time."""
EPOCHS = (2, 5)
BATCH = 256
FILLED = 0.12
"""Share of a box that drawn metal fills, to be an example of it."""
SURE = 0.9
MOST_OTHERS = 20_000
FALSE_ALARMS = 0.005
"""Share of training images that may be warned about."""
Found = list[tuple[Patches, npt.NDArray[np.int64]]]


def main() -> None:
    """Fit and write the network, or measure the one that ships."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, help="a folder for the network")
    parser.add_argument("--measure", type=Path, help="a file for what the shipped one finds")
    options = parser.parse_args()
    films = load_films(options.data)
    training, unseen = (
        [film for film in films.select("detailed", split) if film.id not in BOTH_HANDS]
        for split in ("train", "validation")
    )
    if options.measure:
        write_json(options.measure, measured(training, unseen))
    if not options.out:
        return
    options.out.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(2017)
    found = collected(training)
    network = fitted(without_doubtful(found, fitted(found, EPOCHS[0])), EPOCHS[1])
    path = options.out / "metal.onnx"
    network.export(str(path), format="onnx", verbose=False)
    onnx.checker.check_model(str(path))
    print(f"{path}: {path.stat().st_size} bytes, {network.count_params()} parameters")


def measured(training: list[Film], unseen: list[Film]) -> dict[str, Any]:
    """What the shipped network finds: its limit, false alarms, and metal drawn onto images."""
    limit = float(np.quantile([plain(film) for film in training], 1 - FALSE_ALARMS))
    drawn: dict[str, list[float]] = {kind: [] for kind in KINDS}
    for film in unseen:
        kind, likelihood = drawn_on(film)
        drawn[kind].append(likelihood)
    return {
        "format": EVIDENCE_FORMAT,
        "date": today(),
        "limit_on_training_images": round(limit, 4),
        "limit": METAL_LIKELY,
        "images": len(unseen),
        "false_alarms": sum(plain(film) > METAL_LIKELY for film in unseen),
        "drawn": {
            kind: {"images": len(some), "found": sum(one > METAL_LIKELY for one in some)}
            for kind, some in drawn.items()
        },
        "real_images_with_metal": 0,
    }


def plain(film: Film) -> float:
    """How likely an image shows metal, as it is."""
    return metal_likelihood(grey_image(film.path))


def drawn_on(film: Film) -> tuple[str, float]:
    """How likely an image shows metal, of a kind that is drawn onto it."""
    random = np.random.default_rng(zlib.crc32(f"held out {film.id}".encode()))
    pixels = grey_image(film.path)
    drawn, _where, kind = with_metal(pixels, tissue_of(pixels), random)
    return kind, metal_likelihood(drawn)


def collected(films: list[Film]) -> Found:
    """The marks of each image, and those of metal drawn onto it: patches, and 1 for metal."""
    return list(in_parallel(marks_of, films, default_workers()))


def marks_of(film: Film) -> tuple[Patches, npt.NDArray[np.int64]]:
    """The marks of one image, without metal and with it."""
    random = np.random.default_rng(zlib.crc32(f"metal {film.id}".encode()))
    pixels = grey_image(film.path)
    tissue = tissue_of(pixels)
    grey = reduced(pixels)
    patches = [object_patches(grey, bright_boxes(grey))]
    labels = [np.zeros(len(patches[0]), np.int64)]
    for _ in range(DRAWN):
        drawn, where, _kind = with_metal(pixels, tissue, random)
        grey = reduced(drawn)
        boxes = bright_boxes(grey)
        scale = pixels.shape[0] / grey.shape[0]
        inside = [_holds(box, where, scale) for box in boxes.tolist()]
        patches.append(object_patches(grey, boxes[inside]))
        labels.append(np.ones(sum(inside), np.int64))
    return np.concatenate(patches), np.concatenate(labels)


def _holds(box: list[int], where: npt.NDArray[np.bool_], scale: float) -> bool:
    """Whether a box is that of drawn metal."""
    left, top, width, height = (int(scale * side) for side in box)
    part = where[top : top + height + 1, left : left + width + 1]
    return bool(part.size > 0 and part.mean() > FILLED)


def without_doubtful(found: Found, network: keras.Model) -> Found:
    """Leave out marks that no one drew and that a first network is sure are metal."""
    kept = []
    for patches, labels in found:
        likely = _likelihoods(network, patches)
        good = (labels == 1) | (likely < SURE)
        kept.append((patches[good], labels[good]))
    return kept


def _likelihoods(network: keras.Model, patches: Patches) -> npt.NDArray[np.float32]:
    return np.asarray(network.predict(patches, batch_size=1024, verbose=0))[:, 0]


def fitted(found: Found, epochs: int) -> keras.Model:
    """Fit a network to labelled patches and their mirror images."""
    random = np.random.default_rng(2017)
    patches = np.concatenate([one for one, _ in found])
    labels = np.concatenate([one for _, one in found])
    kept = labels == 1
    kept[random.permutation(np.flatnonzero(labels == 0))[:MOST_OTHERS]] = True
    patches, labels = patches[kept], labels[kept]
    images = np.concatenate([patches, patches[:, :, ::-1]])
    targets = np.concatenate([labels, labels]).astype(np.float32)
    weight = np.where(targets == 1, np.sqrt((targets == 0).sum() / max(1, targets.sum())), 1.0)
    print(f"{len(labels)} marks, {int(labels.sum())} of them metal")
    network = metal_network()
    steps = epochs * math.ceil(len(images) / BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-3)
    network.compile(optimizer=optimizer, loss="binary_crossentropy", metrics=["accuracy"])
    order = random.permutation(len(images))
    network.fit(
        images[order],
        targets[order],
        sample_weight=weight[order],
        epochs=epochs,
        batch_size=BATCH,
        verbose=2,
    )
    return network


def metal_network() -> keras.Model:
    """A small network that gives the likelihood of metal."""
    image = keras.Input((PATCH_PX, PATCH_PX, 2), name="patch")
    x = layers.Dense(32, activation="relu")(convolved(image))
    return keras.Model(image, layers.Dense(1, activation="sigmoid", name="metal")(x))


if __name__ == "__main__":
    main()
