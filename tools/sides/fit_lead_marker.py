"""Fit the marker network: ``src/boneage/inference/lead_marker.onnx``.

    python -m tools.sides.fit_lead_marker --data ../shared/data/rsna --out /tmp/lead_marker

It learns L and R, and both mirrored, from markers drawn onto training images, and what is none of
them from the other bright marks of these images. Those images have markers of their own, of unknown
letters: a first network, fitted without what lies outside the hand, finds them; what it is sure of
becomes examples (also in the mirror), and what it doubts is left out.
"""

from __future__ import annotations

import argparse
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import keras
import numpy as np
import numpy.typing as npt
import onnx
from keras import layers

from boneage.datasets.films import Film, load_films
from boneage.domain.radiograph import Pixels
from boneage.imaging.lead_marker import (
    PATCH_PX,
    Boxes,
    Patches,
    letter_boxes,
    letter_patches,
    reduced,
)
from boneage.inference.side import CLASSES, MIRRORED, OTHER
from tools.both_hands.measure import BOTH_HANDS, grey_image
from tools.sides.drawing import INITIALS, with_marker

SMALL_COPIES = 1500
"""Of the squeezed copies, beside all half-scale ones."""
SURE, DOUBTFUL = 0.9, 0.1
"""Likelihood of a letter from which a mark of the images is an example, and below which it is an
example of something else."""
HAND_SHARE = 0.06
"""Of the longer side: what is further from tissue than this is not on the hand."""
EPOCHS = (4, 12)
MOST_OTHERS = 40_000
"""Examples of something else; there are many more marks than letters."""
BATCH = 256
TURN_DEGREES = 12.0
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Marks:
    """The bright marks of some images."""

    patches: Patches
    labels: Labels
    """Numbers of ``CLASSES``; -1: not known."""
    on_hand: npt.NDArray[np.bool_]


def main() -> None:
    """Collect, fit twice, and write the network."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="a folder; marks are kept in it")
    parser.add_argument("--small-copies", type=int, default=SMALL_COPIES)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    marks = collected(options.data, options.out / "marks.npz", options.small_copies)
    keras.utils.set_random_seed(2017)
    known = np.where((marks.labels < 0) & marks.on_hand, CLASSES.index(OTHER), marks.labels)
    first = fitted(marks.patches, known, EPOCHS[0])
    labels = relabelled(marks, first)
    network = fitted(marks.patches, labels, EPOCHS[1])
    path = options.out / "lead_marker.onnx"
    network.export(str(path), format="onnx", verbose=False)
    onnx.checker.check_model(str(path))
    print(f"{path}: {path.stat().st_size} bytes, {network.count_params()} parameters")


def collected(data: Path, kept: Path, small_copies: int) -> Marks:
    """Collect the marks of the training images, with and without drawn markers."""
    if kept.is_file():
        with np.load(kept, allow_pickle=False) as file:
            return Marks(file["patches"], file["labels"], file["on_hand"])
    found = [marks_of(film) for film in training_films(data, small_copies)]
    marks = Marks(
        np.concatenate([some.patches for some in found]),
        np.concatenate([some.labels for some in found]),
        np.concatenate([some.on_hand for some in found]),
    )
    np.savez(kept, patches=marks.patches, labels=marks.labels, on_hand=marks.on_hand)
    return marks


def training_films(data: Path, small_copies: int) -> list[Film]:
    """The half-scale images of the training split, and some squeezed copies."""
    films = [f for f in load_films(data).select("best", "train") if f.id not in BOTH_HANDS]
    small = [film for film in films if film.squeezed]
    chosen = np.random.default_rng(0).permutation(len(small))[:small_copies]
    return [f for f in films if not f.squeezed] + [small[number] for number in sorted(chosen)]


def marks_of(film: Film) -> Marks:
    """The marks of one image: its own, and those of a marker drawn onto it."""
    random = np.random.default_rng(zlib.crc32(film.id.encode()))
    pixels = grey_image(film.path)
    tissue = tissue_of(pixels)
    grey = reduced(pixels)
    boxes = letter_boxes(grey)
    known = [letter_patches(grey, boxes)]
    labels = [np.full(len(boxes), -1)]
    of_hand = [on_hand(boxes, grey.shape, tissue)]
    for _ in range(3):
        number = int(random.integers(1, len(CLASSES)))
        letter, mirrored = CLASSES[number][0], CLASSES[number].endswith(MIRRORED)
        if random.random() < 0.25:  # another letter is something else
            number, letter = CLASSES.index(OTHER), str(random.choice(list(INITIALS)))
        drawn = with_marker(pixels, ~tissue, random, letter, mirrored=mirrored)
        if drawn is None:
            continue
        grey = reduced(drawn.pixels)
        boxes = letter_boxes(grey)
        scale = grey.shape[0] / pixels.shape[0]
        left, top, right, bottom = (scale * side for side in drawn.box)
        middle = boxes[:, :2] + boxes[:, 2:] / 2
        inside = (middle > (left, top)).all(axis=1) & (middle < (right, bottom)).all(axis=1)
        tall = boxes[:, 2:].max(axis=1)
        letterlike = inside & (tall > 1.2 * (right - left)) & (tall < 3.4 * (right - left))
        known.append(letter_patches(grey, boxes[letterlike]))
        labels.append(np.full(int(letterlike.sum()), number))
        of_hand.append(np.zeros(int(letterlike.sum()), bool))
    return Marks(np.concatenate(known), np.concatenate(labels), np.concatenate(of_hand))


def tissue_of(pixels: Pixels) -> npt.NDArray[np.bool_]:
    """Where there is tissue, bone or a marker: brighter than a blurred half of the image."""
    blurred = cv2.GaussianBlur(pixels, (0, 0), max(pixels.shape) / 150)
    level, _ = cv2.threshold(cv2.convertScaleAbs(blurred, alpha=255), 0, 255, cv2.THRESH_OTSU)
    side = max(3, max(pixels.shape) // 40)
    bright = (blurred * 255 > level).astype(np.uint8)
    return np.asarray(cv2.dilate(bright, np.ones((side, side), np.uint8)) > 0)


def on_hand(
    boxes: Boxes, shape: tuple[int, ...], tissue: npt.NDArray[np.bool_]
) -> npt.NDArray[np.bool_]:
    """Whether each mark lies in the largest area of tissue."""
    count, areas, stats, _ = cv2.connectedComponentsWithStats(tissue.astype(np.uint8))
    if count < 2:
        return np.zeros(len(boxes), bool)
    hand = areas == 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    scale = tissue.shape[0] / shape[0]
    middle = ((boxes[:, :2] + boxes[:, 2:] / 2) * scale).astype(int)
    rows = np.clip(middle[:, 1], 0, tissue.shape[0] - 1)
    cols = np.clip(middle[:, 0], 0, tissue.shape[1] - 1)
    return np.asarray(hand[rows, cols])


def relabelled(marks: Marks, network: keras.Model) -> Labels:
    """Label the images' own marks by what a first network is sure of."""
    shares = network.predict(marks.patches[..., np.newaxis], batch_size=1024, verbose=0)
    letter = 1 - shares[:, CLASSES.index(OTHER)]
    own = np.where(shares.max(axis=1) > SURE, shares.argmax(axis=1), -1)
    own[letter < DOUBTFUL] = CLASSES.index(OTHER)
    labels = np.where(marks.labels < 0, own, marks.labels)
    counts = {name: int((own[marks.labels < 0] == n).sum()) for n, name in enumerate(CLASSES)}
    print(f"the images' own marks: {counts}; doubtful {int((labels < 0).sum())}")
    return labels


def fitted(patches: Patches, labels: Labels, epochs: int) -> keras.Model:
    """Fit a network to labelled patches and their mirror images."""
    random = np.random.default_rng(2017)
    used = labels >= 0
    others = np.flatnonzero(labels == CLASSES.index(OTHER))
    used[random.permutation(others)[MOST_OTHERS:]] = False
    images = np.concatenate([patches[used], patches[used][:, :, ::-1]])[..., np.newaxis]
    names = [_in_the_mirror(name) for name in CLASSES]
    mirror = np.array([CLASSES.index(name) for name in names])
    targets = np.concatenate([labels[used], mirror[labels[used]]])
    counts = np.bincount(targets, minlength=len(CLASSES))
    weight = np.sqrt(counts.max() / np.maximum(counts, 1))
    network = marker_network()
    steps = epochs * math.ceil(len(images) / BATCH)
    schedule = keras.optimizers.schedules.CosineDecay(2e-3, steps)
    network.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=1e-3),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    order = random.permutation(len(images))
    held_out, rest = order[: len(order) // 10], order[len(order) // 10 :]
    network.fit(
        _Turned(images[rest], targets[rest], weight[targets[rest]], random),
        epochs=epochs,
        validation_data=(images[held_out], targets[held_out]),
        verbose=2,
    )
    return network


def _in_the_mirror(name: str) -> str:
    if name == OTHER:
        return name
    return name.removesuffix(MIRRORED) if name.endswith(MIRRORED) else name + MIRRORED


class _Turned(keras.utils.PyDataset):  # type: ignore[misc]
    """Batches whose patches are turned, shifted and scaled a little."""

    def __init__(
        self, images: Patches, labels: Labels, weights: Patches, random: np.random.Generator
    ) -> None:
        super().__init__()
        self.images, self.labels, self.weights, self.random = images, labels, weights, random
        self.on_epoch_end()

    def __len__(self) -> int:
        return math.ceil(len(self.order) / BATCH)

    def on_epoch_end(self) -> None:
        self.order = self.random.permutation(len(self.images))

    def __getitem__(self, number: int) -> tuple[Patches, Labels, Patches]:
        some = self.order[number * BATCH : (number + 1) * BATCH]
        moved = np.stack([self._moved(image[..., 0]) for image in self.images[some]])
        return moved[..., np.newaxis], self.labels[some], self.weights[some]

    def _moved(self, patch: Patches) -> Patches:
        middle = PATCH_PX / 2 - 0.5
        degrees = float(self.random.normal(0, TURN_DEGREES))
        scale = float(np.exp(self.random.normal(0, 0.06)))
        turn = cv2.getRotationMatrix2D((middle, middle), degrees, scale)
        turn[:, 2] += self.random.normal(0, 0.8, 2)
        moved = cv2.warpAffine(patch, turn, (PATCH_PX, PATCH_PX), borderMode=cv2.BORDER_REPLICATE)
        gain, noise = self.random.uniform(0.8, 1.2), self.random.uniform(0, 0.06)
        noisy = moved**gain + noise * self.random.standard_normal(moved.shape)
        return np.asarray(np.clip(noisy, 0, 1), np.float32)


def marker_network() -> keras.Model:
    """A small network that gives the likelihood of each class."""
    image = keras.Input((PATCH_PX, PATCH_PX, 1), name="patch")
    x = layers.Dense(48, activation="relu")(convolved(image))
    return keras.Model(image, layers.Dense(len(CLASSES), activation="softmax", name="class")(x))


def convolved(image: keras.KerasTensor) -> keras.KerasTensor:
    """Three convolutions of patches, flat."""
    x = image
    for filters in (16, 32, 48):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization()(x)
        x = layers.ReLU()(x)
        x = layers.MaxPooling2D(2)(x)
    return layers.Dropout(0.3)(layers.Flatten()(x))


if __name__ == "__main__":
    main()
