"""A small training that is killed, really, at a named moment.

``python -m tests.training.killed_training FOLDER MOMENT``
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from boneage.training.fitting import fit
from tests.training.drawn import SMALL_PHASE, small_batches, small_networks

KILLED_EPOCH = 2
MOMENTS: dict[str, tuple[Any, str]] = {
    "in an epoch": (keras.callbacks.TensorBoard, "on_train_batch_begin"),
    "in validation": (keras.callbacks.TensorBoard, "on_test_end"),
    "before the log": (keras.callbacks.CSVLogger, "on_epoch_end"),
    "in a checkpoint": (keras.optimizers.AdamW, "save_own_variables"),
    "after the last checkpoint": (keras.callbacks.TensorBoard, "on_train_end"),
}
"""What is called then; a part of Keras, so that no line of boneage knows of the test."""


def train(folder: Path) -> keras.Model:
    network, training_model = small_networks()
    fit(network, training_model, SMALL_PHASE, small_batches(7), small_batches(None), folder)
    return network


def kill_at(moment: str) -> None:
    """Arrange a SIGKILL: late in the third epoch, or at the end."""
    owner, name = MOMENTS[moment]
    called = 0
    # Calls before the one in the third epoch: 5 batches an epoch, else one an epoch.
    earlier = {"in an epoch": 5 * KILLED_EPOCH + 3, "after the last checkpoint": 0}
    original: Callable[..., Any] = getattr(owner, name)

    def killing(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal called
        if called == earlier.get(moment, KILLED_EPOCH):
            if moment == "in a checkpoint":
                args[0]["0"] = self.variables[0].numpy()  # the file is begun
            os.kill(os.getpid(), signal.SIGKILL)
        called += 1
        return original(self, *args, **kwargs)

    setattr(owner, name, killing)


if __name__ == "__main__":
    kill_at(sys.argv[2])
    train(Path(sys.argv[1]))
