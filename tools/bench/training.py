"""The overhead of training: the whole loop compared with bare ``train_on_batch``.

The loop is the one that :func:`boneage.training.fitting.fit` runs: batches from prepared
images and their perturbed copies, augmentation, the focus loss, the average of
the weights, callbacks, checkpoints. Bare is the same network with the same loss and optimiser
and none of these, on one batch in memory. Both are compiled alike and take turns in one
process, so that what else the machine does meets both.
"""

from __future__ import annotations

import io
import os
import re
import statistics
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from boneage.datasets.films import Film, Films, load_films
from boneage.errors import DataError
from boneage.training.batches import Batches
from boneage.training.fitting import callbacks_of, compile_for, loss_of, optimizer_of, run_epochs
from boneage.training.images import CachedImages, prepare_whole, with_perturbed_copies
from boneage.training.network_training import sampling_of, training_model
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import Augmentation, PhaseSpec, Profile, load_profile
from boneage.training.run import Run
from boneage.training.stages import DEFAULT_PROFILE
from tools.bench.measuring import JsonObject, TimeSpent, head, now, spent, this_machine

ROUNDS = 15
"""Short and many: where other work comes and goes, both turns of a round should meet it."""
BATCHES = 5
"""In each round, by the loop and bare; what the loop's first takes longer is counted to the
epoch, which it begins."""


@dataclass(frozen=True)
class Round:
    """One turn of each."""

    loop: TimeSpent
    """Of one batch, inside an epoch."""
    epoch: TimeSpent
    """Of one epoch beside its batches, never less than 0: weights swapped, log, checkpoint,
    and the start and the end of ``fit``, which a real phase has only once."""
    bare: TimeSpent

    def of_loop(self, kind: str, epoch_batches: int) -> float:
        """A batch and its part of what an epoch costs once."""
        return float(getattr(self.loop, kind) + getattr(self.epoch, kind) / epoch_batches)

    def ratio(self, kind: str, epoch_batches: int) -> float:
        """Loop over bare, of seconds or of processor time (the field's name)."""
        return self.of_loop(kind, epoch_batches) / float(getattr(self.bare, kind))


@dataclass(frozen=True)
class PhaseCost:
    """A phase of a network's training, measured in rounds; what it gives are their medians."""

    stage: str
    """Its folder in a training run, such as ``attention/phase-0``."""
    rows: int
    columns: int
    batch: int
    """Films."""
    epoch_batches: int
    """In an epoch of the whole data set."""
    rounds: tuple[Round, ...]

    def ratios(self, kind: str) -> list[float]:
        """Loop over bare of each round, of seconds or of processor time (the field's name)."""
        return [one.ratio(kind, self.epoch_batches) for one in self.rounds]

    @property
    def processor_ratio(self) -> float:
        """Processor time of the loop over bare, of all threads."""
        return statistics.median(self.ratios("processor_seconds"))

    def to_row(self) -> JsonObject:
        """Everything, for JSON; films a second of the loop with its epochs' ends."""
        seconds, processor = self.ratios("seconds"), self.ratios("processor_seconds")
        loop = statistics.median(one.of_loop("seconds", self.epoch_batches) for one in self.rounds)
        bare = statistics.median(one.bare.seconds for one in self.rounds)
        return {
            **asdict(self),
            "films_per_second": self.batch / loop,
            "bare_films_per_second": self.batch / bare,
            "seconds_ratio": statistics.median(seconds),
            "processor_ratio": self.processor_ratio,
            "seconds_ratios": seconds,
            "processor_ratios": processor,
        }


def measure(data: Path, report: Callable[[str], None]) -> JsonObject:
    """Measure the training of the compact profile on labelled films."""
    machine = this_machine()
    profile = load_profile(DEFAULT_PROFILE)
    phases = []
    for cost in measure_training(profile, data):
        row = cost.to_row()
        phases.append(row)
        report(
            f"{cost.stage}, {cost.rows} x {cost.columns}, batches of {cost.batch}: "
            f"{row['films_per_second']:.1f} images/s, the bare network "
            f"{row['bare_films_per_second']:.1f}; {row['seconds_ratio']:.2f} times the time, "
            f"{row['processor_ratio']:.2f} times the processor time"
        )
    named = {"profile": profile.name, "preloaded": preloaded()}
    return {**head(machine), **named, "phases": phases}


def measure_training(
    profile: Profile,
    data: Path,
    *,
    stages: Collection[str] | None = None,
    rounds: int = ROUNDS,
    batches: int = BATCHES,
) -> Iterator[PhaseCost]:
    """Measure the first and the last phase of the attention network, and a region network's first.

    Networks start from chance weights, and whole films stand in for a region's crops: neither
    changes the time of a batch.

    As many of the labelled films are prepared as the batches of a round need: two or more for
    loop and bare each. ``stages`` names some of the three, such as ``carpal/phase-0``.
    """
    films = load_films(data).hold_out_share(profile.calibration.share)
    with TemporaryDirectory() as folder:
        run = Run(Path(folder), data)
        for setting in _settings(profile):
            if stages is None or setting.stage in stages:
                yield _measure(setting, films, run, rounds, batches)


def preloaded() -> list[str]:
    """Name the libraries that the process was started with, such as another allocator."""
    return [Path(name).name for name in re.split("[ :]+", os.environ.get("LD_PRELOAD", "")) if name]


@dataclass(frozen=True)
class _Setting:
    """What is trained."""

    profile: Profile
    stage: str
    phase: PhaseSpec
    size: tuple[int, int]

    def network(self, *, focus: float) -> keras.Model:
        """Build the network of this phase, with chance weights."""
        profile = self.profile
        if not self.stage.startswith("attention/"):
            spec = replace(profile.region, initial_weights="none")
            return build_region_network(spec, flatten=profile.fusion.pooling == "flatten")
        spec = replace(profile.attention, initial_weights="none")
        return build_attention_network(spec, self.size, local=self.phase.focus > 0, focus=focus)

    def films(self, films: Films) -> tuple[Film, ...]:
        """Choose the films of this phase, and their perturbed copies."""
        return with_perturbed_copies(
            films.select(self.phase.films, "train"), self.profile.degradation
        )

    def epoch_batches(self, films: tuple[Film, ...]) -> int:
        """Batches in an epoch of these films, none of which is drawn for this."""
        ages = np.zeros(len(films), np.float32)
        sampling = sampling_of(self.phase, CachedImages(films, np.empty((0, 0, 0), np.uint8)))
        return len(Batches({}, ages, self.phase.batch, seed=0, sampling=sampling))


def _settings(profile: Profile) -> Iterator[_Setting]:
    phases = profile.attention.phases
    for number in dict.fromkeys((0, len(phases) - 1)):
        phase = phases[number]
        size = phase.input or profile.attention.input
        yield _Setting(profile, f"attention/phase-{number}", phase, size)
    stage = f"{profile.regions.names[0]}/phase-0"
    yield _Setting(profile, stage, profile.region.phases[0], profile.region.input)


def _measure(setting: _Setting, films: Films, run: Run, rounds: int, batches: int) -> PhaseCost:
    all_films = setting.films(films)
    batch = setting.phase.batch
    with redirect_stdout(io.StringIO()):  # the lines of a training are none of a measurement
        prepared = prepare_whole(
            _spread(all_films, batch * batches),
            setting.profile,
            setting.size,
            run,
            setting.stage.replace("/", " "),
        )
        train = Batches(prepared.inputs, prepared.ages_months, batch, seed=setting.profile.seed)
        if len(train) < 2:  # the first of a turn is counted to the epoch
            raise DataError(f"{train.films} images are too few for two batches of {batch}")
        epoch_batches = setting.epoch_batches(all_films)
        loop = _loop(setting, train, epoch_batches, run.folder / setting.stage)
        bare = _bare(setting, train, epoch_batches)
        loop(), bare()  # trace the graphs, outside the clock
        measured = []
        for place in range(rounds):  # each is first in every second round
            alone = bare() if place % 2 else None
            measured.append(Round(*loop(), alone or bare()))
    return PhaseCost(setting.stage, *setting.size, train.batch, epoch_batches, tuple(measured))


def _spread(films: tuple[Film, ...], count: int) -> tuple[Film, ...]:
    """Take so many films from all over the list, which has one kind after the other."""
    places = np.linspace(0, len(films) - 1, min(count, len(films))).astype(int)
    return tuple(films[place] for place in places)


def _loop(
    setting: _Setting, train: Batches, epoch_batches: int, folder: Path
) -> Callable[[], tuple[TimeSpent, TimeSpent]]:
    """Make what trains an epoch as ``fit`` does; it gives the cost of a batch, and of the rest."""
    folder.mkdir(parents=True)
    phase, seed = setting.phase, setting.profile.seed
    network = setting.network(focus=phase.focus)
    model = training_model(network, setting.profile, setting.size, seed)
    compile_for(model, phase, phase.epochs * epoch_batches)
    marks: list[npt.NDArray[np.float64]] = []
    marking = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: marks.append(now())
    )
    callbacks, epochs = [marking, *callbacks_of(phase, train, folder)], count()

    def turn() -> tuple[TimeSpent, TimeSpent]:
        start, done = now(), next(epochs)
        marks.clear()
        run_epochs(model, train, None, callbacks, done=done, epochs=done + 1)
        whole = now() - start
        batch = (marks[-1] - marks[0]) / (len(marks) - 1)
        return spent(batch), spent(np.maximum(whole - batch * len(marks), 0))

    return turn


def _bare(setting: _Setting, train: Batches, epoch_batches: int) -> Callable[[], TimeSpent]:
    """Make what trains the same network on one batch in memory; what a batch costs."""
    plain = replace(setting.profile, augmentation=Augmentation())
    model = training_model(setting.network(focus=0), plain, setting.size, plain.seed)
    phase = replace(setting.phase, average=0)
    optimizer = optimizer_of(phase, phase.epochs * epoch_batches)
    model.compile(optimizer, loss_of(phase), jit_compile=False)
    inputs, scaled_ages = train[0]

    def turn() -> TimeSpent:
        start = now()
        for _ in range(len(train)):
            model.train_on_batch(inputs, scaled_ages)
        return spent((now() - start) / len(train))

    return turn
