"""A small training by one process of several, or by one process alone.

``python -m tests.training.distributed_training FOLDER [COORDINATOR PROCESSES PROCESS] [MOMENT]``
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from boneage.training.distributed.group import ProcessGroup
from boneage.training.distributed.jax_group import Membership, process_group

KILLED_EPOCH = 1
SILENT_SECONDS = 12.0
"""A process that is ended must not keep the test waiting for a minute."""
WEIGHTS = "weights-{process}.npz"
BEGUN = "begun.npz"


def train(folder: Path, group: ProcessGroup, moment: str) -> None:
    """Train, and write this process's weights and errors for the test to compare."""
    import keras  # noqa: PLC0415  its backend is chosen by now
    import numpy as np  # noqa: PLC0415

    from boneage.training.fitting import fit  # noqa: PLC0415
    from tests.training.distributed_networks import PHASE, networks, train_and_held_out  # noqa: PLC0415

    class Ending(keras.callbacks.Callback):  # type: ignore[misc]
        """Ends the second process, really, in the second epoch."""

        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            if moment == "killed" and epoch == KILLED_EPOCH and group.process == 1:
                os.kill(os.getpid(), signal.SIGKILL)

    network, training_model = networks()
    if group.is_first:
        np.savez(folder / BEGUN, *network.get_weights())
    fit_keras = keras.Model.fit

    def fit_with_ending(*args: object, **options: object) -> object:
        options["callbacks"] = [*options["callbacks"], Ending()]  # type: ignore[misc]
        return fit_keras(*args, **options)

    keras.Model.fit = fit_with_ending
    fit(network, training_model, PHASE, *train_and_held_out(group), folder)
    name = WEIGHTS.format(process=group.process)
    np.savez(folder / name, *network.get_weights())


def wait_in_vain(folder: Path, group: ProcessGroup) -> None:
    """The first process works for long on its own; the second one dies meanwhile."""
    if group.process == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    group.once(lambda: time.sleep(300))


def main() -> None:
    folder = Path(sys.argv[1])
    place = (
        Membership(sys.argv[2], int(sys.argv[3]), int(sys.argv[4])) if len(sys.argv) > 3 else None
    )
    moment = sys.argv[-1]
    with process_group(
        place, join_seconds=2 if moment == "lonely" else 60, silent_seconds=SILENT_SECONDS
    ) as group:
        print(f"{group.devices} devices", flush=True)
        group.agree("moment", moment)
        if moment == "waiting":
            wait_in_vain(folder, group)
        train(folder, group, moment)


if __name__ == "__main__":
    main()
