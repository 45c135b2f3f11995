"""One phase of training: ``fit`` with checkpoints that survive a kill at any moment."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
from keras import ops

from boneage.errors import ProfileError
from boneage.inference.weights import MONTHS_SCALE
from boneage.training.averaging import AveragedWeights, finish_average
from boneage.training.batches import Batches
from boneage.training.distributed.group import ProcessGroup, undistributed
from boneage.training.monitoring import LOG, trim_log
from boneage.training.networks.layers import bin_months
from boneage.training.profile import PhaseSpec

YEARS_SCALE = MONTHS_SCALE / 12
"""Errors enter the squared and Huber losses in years: numbers near one."""
FIRST_RATE = 1 / 25
"""Of a cycle's peak: what its warm-up begins with."""
KEPT_CHECKPOINTS = 2
"""A kill may cut off the last one while it is written; never both."""
BINS = len(bin_months())
MOST_AGES = 2
"""Answers that are ages; more: a distribution comes after them."""
DRAWS_AN_EPOCH = 1_000_000
"""More random draws than a layer makes in an epoch."""
FINAL = "final.weights.h5"
"""There once a phase is finished."""


def loss_of(phase: PhaseSpec) -> Callable[[Any, Any], Any]:
    """Loss of scaled ages, shape (n,), and answers, shape (n, answers).

    Answers are one age or two, and then a distribution over ``head.bin_months``, if there
    is one: its cross-entropy with the spread-out label is added.
    """
    delta = phase.huber_months / 12

    def loss(true: Any, predicted: Any) -> Any:
        width = predicted.shape[-1] if len(predicted.shape) > 1 else 1
        predicted = ops.reshape(predicted, (ops.shape(true)[0], -1))
        true = ops.reshape(true, (-1, 1))
        if width > MOST_AGES:
            ages, distribution = predicted[:, :-BINS], predicted[:, -BINS:]
            return of_ages(true, ages) + spread_crossentropy(true, distribution, phase)
        return of_ages(true, predicted)

    def of_ages(true: Any, predicted: Any) -> Any:
        true = true + ops.zeros_like(predicted)
        if phase.loss == "binary_crossentropy":
            return keras.losses.binary_crossentropy(true, predicted)
        true, predicted = true * YEARS_SCALE, predicted * YEARS_SCALE
        if phase.loss == "huber":
            return keras.losses.huber(true, predicted, delta=delta)
        return keras.losses.mean_squared_error(true, predicted)

    return loss


def spread_crossentropy(true: Any, distribution: Any, phase: PhaseSpec) -> Any:
    """Cross-entropy of distributions (n, bins) with labels (n, 1), spread as the phase says."""
    off = (ops.convert_to_tensor(bin_months()) - true * MONTHS_SCALE) / phase.label_months
    wanted = ops.softmax(-0.5 * ops.square(off), axis=-1)
    return -ops.sum(wanted * ops.log(ops.maximum(distribution, 1e-7)), axis=-1)


def mae_months(true: Any, predicted: Any) -> Any:
    """Absolute error of the first answer in months, for the logs."""
    first = ops.reshape(predicted, (ops.shape(true)[0], -1))[:, 0]
    return ops.abs(ops.reshape(true, (-1,)) - first) * MONTHS_SCALE


def optimizer_of(phase: PhaseSpec, steps: int) -> keras.optimizers.Optimizer:
    """The profile's optimiser and schedule for this many steps in all."""
    rate: Any = phase.learning_rate
    if phase.schedule == "one_cycle":
        warm_up = max(1, int(steps * phase.warm_up))
        rate = keras.optimizers.schedules.CosineDecay(
            phase.learning_rate * FIRST_RATE,
            decay_steps=max(1, steps - warm_up),
            alpha=phase.end_learning_rate / phase.learning_rate,
            warmup_target=phase.learning_rate,
            warmup_steps=warm_up,
        )
    options: dict[str, Any] = {"learning_rate": rate}
    if phase.average:
        options |= {"use_ema": True, "ema_momentum": phase.average}
    if phase.optimizer == "adamw":
        return keras.optimizers.AdamW(weight_decay=phase.weight_decay, **options)
    return keras.optimizers.Adam(**options)


class ThroughputLog(keras.callbacks.Callback):  # type: ignore[misc]
    """Films a second, and the share of time spent making batches, into the logs."""

    def __init__(self, batches: Batches) -> None:
        super().__init__()
        self.batches = batches

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.start = time.perf_counter()
        self.made = self.batches.seconds

    def on_test_begin(self, logs: dict[str, float] | None = None) -> None:
        """Stop the clock: validation is no training."""
        self.seconds = time.perf_counter() - self.start

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        seconds = getattr(self, "seconds", time.perf_counter() - self.start)
        films = len(self.batches) * self.batches.batch
        if logs is not None:
            logs["films_per_second"] = films / seconds
            logs["data_share"] = (self.batches.seconds - self.made) / seconds


class _ReseedEachEpoch(keras.callbacks.Callback):  # type: ignore[misc]
    """Random layers draw the same for the same epoch: checkpoints don't hold their state."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        for state in self.model.variables:
            if state.path.endswith("seed_generator_state"):
                seed = int(ops.convert_to_numpy(state)[0])
                state.assign(ops.cast([seed, epoch * DRAWS_AN_EPOCH], state.dtype))


class _StopOnNaN(keras.callbacks.Callback):  # type: ignore[misc]
    """Stop before a checkpoint is written of a network that is lost."""

    def __init__(self, phase: PhaseSpec) -> None:
        super().__init__()
        self.phase = phase

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise ProfileError(
                f"the loss is {loss} after batch {batch}: the training has diverged; "
                f"learning_rate is {self.phase.learning_rate:g}, try less"
            )


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("epoch-*.weights.h5"), reverse=True)


def _resume(model: keras.Model, folder: Path, group: ProcessGroup) -> int:
    """Load the newest checkpoint that can be read; return the epochs it has behind it."""
    model.optimizer.build(model.trainable_variables)
    done, cut_off = 0, []
    for path in _checkpoints(folder):
        try:
            model.load_weights(path)
            done = int(path.name[len("epoch-") :].split(".")[0])
            break
        except (OSError, KeyError, ValueError):  # cut off while it was written
            cut_off.append(path)
    group.wait()  # every process has tried the same files
    if group.is_first:
        for path in cut_off:
            path.unlink()
    return done


class _Checkpoint(keras.callbacks.ModelCheckpoint):  # type: ignore[misc]
    """Saves without the other processes: Keras makes variables for comparison when it saves."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder / "epoch-{epoch:04d}.weights.h5"), save_weights_only=True)
        self.folder = folder

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        with undistributed():
            super().on_epoch_end(epoch, logs)
        for path in _checkpoints(self.folder)[KEPT_CHECKPOINTS:]:
            path.unlink()


def compile_for(training_model: keras.Model, phase: PhaseSpec, steps: int) -> None:
    """Give a network its loss, its log and its optimiser for this many steps in all."""
    training_model.compile(
        optimizer_of(phase, steps),
        loss_of(phase),
        weighted_metrics=[mae_months],  # what only fills up a batch has no weight
        # XLA on a CPU makes depthwise convolutions slower; JAX knows nothing else.
        jit_compile=keras.backend.backend() == "jax",
    )


def callbacks_of(
    phase: PhaseSpec, train: Batches, folder: Path, *, resumed: bool = False, writes: bool = True
) -> list[keras.callbacks.Callback]:
    """List what comes between the batches and the epochs of a phase; the log may be resumed."""
    callbacks: list[keras.callbacks.Callback] = [AveragedWeights(train)] if phase.average else []
    callbacks += [_ReseedEachEpoch(), _StopOnNaN(phase), ThroughputLog(train)]
    if writes:
        callbacks += [
            keras.callbacks.CSVLogger(str(folder / LOG), append=resumed),
            keras.callbacks.TensorBoard(str(folder / "tensorboard"), write_graph=False),
            # After the log: a line too many is trimmed, a line too few could not be made up.
            _Checkpoint(folder),
        ]
    return callbacks


def run_epochs(
    training_model: keras.Model,
    train: Batches,
    monitor: Batches | None,
    callbacks: list[keras.callbacks.Callback],
    *,
    done: int,
    epochs: int,
) -> None:
    """Train a compiled network from the epochs it has behind it to so many in all."""
    training_model.fit(
        train,
        validation_data=monitor,
        epochs=epochs,
        initial_epoch=done,
        callbacks=callbacks,
        shuffle=False,  # the batches shuffle themselves, the same after a restart
        verbose=1 if sys.stdout.isatty() else 2,  # a bar, or a line an epoch in a log file
    )


def fit(
    network: keras.Model,
    training_model: keras.Model,
    phase: PhaseSpec,
    train: Batches,
    monitor: Batches | None,
    folder: Path,
    *,
    epochs: int | None = None,
) -> None:
    """Train a network through one phase, or resume where an earlier run stopped.

    It is loaded from and saved as ``folder/final.weights.h5``, beside its checkpoints, the
    per-epoch log and TensorBoard. The ``training_model`` is the same network behind its
    augmentation, with the scaled age as its only output; ``monitor`` is watched, never used to
    choose anything; ``epochs`` come instead of the phase's own number. Of the batches' group, the
    first process writes. A ProfileError when the training diverges.
    """
    final = folder / FINAL
    if final.is_file():
        network.load_weights(final)
        return
    group = train.group
    group.once(lambda: folder.mkdir(parents=True, exist_ok=True))
    epochs = epochs or phase.epochs
    compile_for(training_model, phase, epochs * len(train))
    done = _resume(training_model, folder, group)
    train.epoch = done
    train.shuffle()
    if group.is_first:
        trim_log(folder, done)
    callbacks = callbacks_of(phase, train, folder, resumed=done > 0, writes=group.is_first)
    if done < epochs:
        run_epochs(training_model, train, monitor, callbacks, done=done, epochs=epochs)
    elif phase.average:
        finish_average(training_model, train)
    group.once(lambda: _finish(network, folder))


def _finish(network: keras.Model, folder: Path) -> None:
    """Keep the weights of a finished phase, and no checkpoint."""
    unfinished = folder / "unfinished.weights.h5"
    with undistributed():
        network.save_weights(unfinished)
    unfinished.replace(folder / FINAL)
    for path in _checkpoints(folder):
        path.unlink()
