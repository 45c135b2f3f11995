"""What is trained by several processes: a network with all that makes a difference there.

Batch normalisation and random layers see the whole batch; the held-out films leave an
incomplete batch. No bias goes into a batch normalisation: its gradient is rounding alone,
which Adam makes as large as any other.
"""

from __future__ import annotations

import keras
import numpy as np

from boneage.training.augmentation import augmenter
from boneage.training.batches import Batches
from boneage.training.distributed.group import ProcessGroup
from boneage.training.profile import Augmentation, PhaseSpec

SIZE = 12
PHASE = PhaseSpec(
    epochs=3,
    batch=8,
    learning_rate=0.02,
    loss="huber",
    optimizer="adamw",
    weight_decay=0.01,
    schedule="one_cycle",
    average=0.0,
)
VARIED = Augmentation(rotation_degrees=15, shift=0.1, horizontal_flip=True, gamma=0.3)


def networks() -> tuple[keras.Model, keras.Model]:
    """A network, and the same behind its augmentation."""
    first, last = (keras.initializers.GlorotUniform(seed=seed) for seed in (1, 2))
    film = keras.Input((SIZE, SIZE, 1), name="film")
    x = keras.layers.Rescaling(1 / 255)(film)
    x = keras.layers.Conv2D(6, 3, use_bias=False, kernel_initializer=first)(x)
    x = keras.layers.Activation("relu")(keras.layers.BatchNormalization(momentum=0.8)(x))
    x = keras.layers.Dropout(0.2, seed=4)(keras.layers.GlobalAveragePooling2D()(x))
    network = keras.Model({"film": film}, keras.layers.Dense(1, kernel_initializer=last)(x))
    seen = keras.Input((SIZE, SIZE, 1), name="film")
    varied = augmenter(VARIED, seed=3)(seen)
    return network, keras.Model({"film": seen}, network({"film": varied}))


def train_and_held_out(group: ProcessGroup) -> tuple[Batches, Batches]:
    """40 films to train on and 11 to watch: a batch, and 3 films more."""
    return batches(40, 7, group), batches(11, None, group)


def batches(count: int, seed: int | None, group: ProcessGroup) -> Batches:
    """What can be learned: the older, the more of the film is bright."""
    random = np.random.default_rng(count)
    ages = random.uniform(20, 200, count).astype(np.float32)
    bright = random.uniform(0, 240, (count, SIZE, SIZE)) < ages[:, None, None]
    images = np.where(bright, 200, 20).astype(np.uint8)
    return Batches({"film": images}, ages, PHASE.batch, seed=seed, group=group)
