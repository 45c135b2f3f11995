"""What training costs around its network: the whole loop beside bare ``train_on_batch``.

The loop is the one that :func:`boneage.training.fitting.fit` runs: batches from prepared
films and their spoilt copies, augmentation, the price of looking everywhere, the average of
the weights, callbacks, checkpoints. Bare is the same network with the same loss and optimiser
and none of these, on one batch in memory. Both are compiled alike and take turns in one
process, so that what else the machine does meets both.
"""

from __future__ import annotations

import io
import os
import re
import statistics
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import redirect_stdout
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from boneage.datasets.films import Film, Films, load_films
from boneage.errors import DataError
from boneage.training.batches import Batches
from boneage.training.fitting import (
    callbacks_of,
    compile_for,
    loss_of,
    optimizer_of,
    run_epochs,
)
from boneage.training.image_cache import CachedImages
from boneage.training.images import prepare_whole, with_perturbed_copies
from boneage.training.network_training import sampling_of, training_model
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import Augmentation, PhaseSpec, Profile
from boneage.training.run import Run
from tools.bench.steps import Cost

ROUNDS = 15
"""Short and many: where other work comes and goes, both turns of a round should meet it."""
BATCHES = 5
"""In each round, by the loop and bare; what the loop's first takes longer is counted to the
epoch, which it begins."""


@dataclass(frozen=True)
class Round:
    """One turn of each."""

    loop: Cost
    """Of one batch, inside an epoch."""
    epoch: Cost
    """Of one epoch beside its batches, never less than 0: weights swapped, log, checkpoint,
    and the start and the end of ``fit``, which a real phase has only once."""
    bare: Cost
    """Of one batch."""


@dataclass(frozen=True)
class PhaseCost:
    """A phase of a network's training, measured in rounds."""

    stage: str
    """Its folder in a training run, such as ``attention/phase-0``."""
    rows: int
    columns: int
    batch: int
    """Films."""
    epoch_batches: int
    """In an epoch of the whole data set."""
    rounds: tuple[Round, ...]

    @property
    def seconds_ratios(self) -> list[float]:
        """Time of the loop over bare, of each round."""
        return self._ratios(lambda cost: cost.seconds)

    @property
    def processor_ratios(self) -> list[float]:
        """Processor time of the loop over bare, of all threads, of each round."""
        return self._ratios(lambda cost: cost.processor_seconds)

    @property
    def seconds_ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.seconds_ratios)

    @property
    def processor_ratio(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.processor_ratios)

    @property
    def films_per_second(self) -> float:
        """Of the loop, epochs' ends included."""
        return self.batch / self._median(lambda r: self._loop(r, lambda cost: cost.seconds))

    @property
    def bare_films_per_second(self) -> float:
        """Of ``train_on_batch``."""
        return self.batch / self._median(lambda r: r.bare.seconds)

    def to_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            **asdict(self),
            "films_per_second": self.films_per_second,
            "bare_films_per_second": self.bare_films_per_second,
            "seconds_ratio": self.seconds_ratio,
            "processor_ratio": self.processor_ratio,
            "seconds_ratios": self.seconds_ratios,
            "processor_ratios": self.processor_ratios,
        }

    def _ratios(self, of: Callable[[Cost], float]) -> list[float]:
        return [self._loop(measured, of) / of(measured.bare) for measured in self.rounds]

    def _loop(self, measured: Round, of: Callable[[Cost], float]) -> float:
        """A batch and its part of what an epoch costs once."""
        return of(measured.loop) + of(measured.epoch) / self.epoch_batches

    def _median(self, of: Callable[[Round], float]) -> float:
        return statistics.median(map(of, self.rounds))


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

    Parameters
    ----------
    profile : Profile
    data : Path
        Labelled films; as many are prepared as the batches of a round need.
    stages : collection of str, optional
        Only these of the three, such as ``carpal/phase-0``.
    rounds, batches : int
        Turns of loop and bare, and batches of each in a turn: 2 or more.

    Raises
    ------
    DataError
        When there are too few films for two batches of a phase.
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
        """Choose the films of this phase, and their spoilt copies."""
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
            raise DataError(f"{train.films} films are too few for two batches of {batch}")
        epoch_batches = setting.epoch_batches(all_films)
        loop = _Loop(setting, train, epoch_batches, run.folder / setting.stage)
        bare = _Bare(setting, train, epoch_batches)
        loop.turn(), bare.turn()  # trace the graphs, outside the clock
        measured = tuple(_round(loop, bare, place) for place in range(rounds))
    return PhaseCost(setting.stage, *setting.size, train.batch, epoch_batches, measured)


def _spread(films: tuple[Film, ...], count: int) -> tuple[Film, ...]:
    """Take so many films from all over the list, which has one kind after the other."""
    places = np.linspace(0, len(films) - 1, min(count, len(films))).astype(int)
    return tuple(films[place] for place in places)


def _round(loop: _Loop, bare: _Bare, place: int) -> Round:
    """Let both have their turn, each first in every second round."""
    if place % 2:
        alone = bare.turn()
        return Round(*loop.turn(), alone)
    batch, epoch = loop.turn()
    return Round(batch, epoch, bare.turn())


class _Loop:
    """A phase as :func:`boneage.training.fitting.fit` trains it, an epoch a turn."""

    def __init__(self, setting: _Setting, train: Batches, epoch_batches: int, folder: Path) -> None:
        folder.mkdir(parents=True)
        network = setting.network(focus=setting.phase.focus)
        self.model = training_model(network, setting.profile, setting.size, setting.profile.seed)
        compile_for(self.model, setting.phase, setting.phase.epochs * epoch_batches)
        self.train = train
        self.marks = _Marks()
        self.callbacks = [self.marks, *callbacks_of(setting.phase, train, folder)]
        self.done = 0

    def turn(self) -> tuple[Cost, Cost]:
        """Train an epoch; what a batch costs, and the epoch beside its batches."""
        start = _now()
        self.marks.found = []
        run_epochs(
            self.model, self.train, None, self.callbacks, done=self.done, epochs=self.done + 1
        )
        self.done += 1
        whole = _now() - start
        marks = self.marks.found
        batch = (marks[-1] - marks[0]) / (len(marks) - 1)
        return _cost(batch), _cost(np.maximum(whole - batch * len(marks), 0))


class _Bare:
    """The same network with none of what a training puts around it, on one batch in memory."""

    def __init__(self, setting: _Setting, train: Batches, epoch_batches: int) -> None:
        plain = replace(setting.profile, augmentation=Augmentation())
        network = setting.network(focus=0)
        self.model = training_model(network, plain, setting.size, setting.profile.seed)
        phase = replace(setting.phase, average=0)
        optimizer = optimizer_of(phase, phase.epochs * epoch_batches)
        self.model.compile(optimizer, loss_of(phase), jit_compile=False)
        self.batches = len(train)
        self.inputs, self.scaled_ages = train[0]

    def turn(self) -> Cost:
        """What a batch costs."""
        start = _now()
        for _ in range(self.batches):
            self.model.train_on_batch(self.inputs, self.scaled_ages)
        return _cost((_now() - start) / self.batches)


class _Marks(keras.callbacks.Callback):  # type: ignore[misc]
    """The time at the end of every batch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[npt.NDArray[np.float64]] = []

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Look at the clock."""
        self.found.append(_now())


def _now() -> npt.NDArray[np.float64]:
    """Seconds by the clock, and of processor time of all threads."""
    return np.array([time.perf_counter(), time.process_time()])


def _cost(of: npt.NDArray[np.float64]) -> Cost:
    seconds, processor_seconds = of.tolist()
    return Cost(seconds, processor_seconds)
