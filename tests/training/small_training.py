"""``boneage train`` with a backbone that is built and exported in a second.

``python -m tests.training.small_training train --profile tests/training/small.toml ...``
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest.mock import patch

import keras

from boneage.apps.cli import main
from boneage.training.networks.backbone import OWN

NAME = "ThreeConvolutions"


def three_convolutions() -> keras.Model:
    """Each normalised by its batch, as in the backbones that ship."""
    film = keras.Input((None, None, 3))
    x = film
    for number, channels in enumerate((8, 16, 24)):
        x = keras.layers.Conv2D(channels, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization()(x)
        x = keras.layers.Activation("relu", name=f"relu_{number}")(x)
    return keras.Model(film, x)


def known_backbone() -> AbstractContextManager[object]:
    """Let profiles name the backbone."""
    return patch.dict(OWN, {NAME: three_convolutions})


if __name__ == "__main__":
    # What goes on with TensorFlow must know the backbone, too.
    program = patch("boneage.apps.cli.train.PROGRAM", ("-m", "tests.training.small_training"))
    with known_backbone(), program:
        main()
