"""Stage 4: the fusion joins what the frozen networks saw with the child's sex."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.domain.assessment import WHOLE_HAND
from boneage.training.augmentation import augmenter
from boneage.training.distributed.group import ALONE, Group
from boneage.training.distributed.undistributed import own_copy, undistributed
from boneage.training.fitting import fit
from boneage.training.networks.fusion import build_fusion_network, take_heads
from boneage.training.prepared import Batches, PreparedFilms, as_input
from boneage.training.profile import Profile
from boneage.training.progress import films_bar
from boneage.training.run import Run

BATCH = 32

Features = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class SeenFilms:
    """What every network saw of some films, with their labels."""

    films: tuple[Film, ...]
    features: Features
    """By region; each of shape (films * views, width), film by film within a view."""
    views: int

    @property
    def inputs(self) -> dict[str, npt.NDArray[Any]]:
        """What the fusion takes."""
        codes = np.array([film.sex.code for film in self.films], dtype=np.int32)
        return {**self.features, "sex": np.tile(codes, self.views)}

    @property
    def ages_months(self) -> npt.NDArray[np.float32]:
        """Labels."""
        ages = np.array([film.age_months for film in self.films], dtype=np.float32)
        return np.tile(ages, self.views)


def feature_names(profile: Profile) -> tuple[str, ...]:
    """What the fusion joins, in order."""
    whole = (WHOLE_HAND,) if profile.fusion.whole_hand else ()
    return whole + profile.regions.names


def see(
    networks: Mapping[str, keras.Model],
    images: Mapping[str, PreparedFilms],
    profile: Profile,
    folder: Path,
    *,
    views: int,
    group: Group = ALONE,
) -> SeenFilms:
    """Run the trained networks over films, once a run.

    Parameters
    ----------
    networks : mapping of str to keras.Model
        By region, with an output ``feature``.
    images : mapping of str to PreparedFilms
        By region, the same films in the same order.
    folder : Path
        For the features, one array file a region: those of a flattened
        ResNet50 would not fit into memory.
    views : int
        The first one is the film as it is, the others are augmented.
    group : Group
        Its first process looks.
    """
    features = {}
    for number, (name, prepared) in enumerate(images.items()):
        path = folder / f"{name}.npy"
        missing = partial(_see_missing, networks[name], prepared, profile, number, path, views)
        group.once(missing)
        features[name] = np.load(path, mmap_mode="r")
    films = next(iter(images.values())).films
    return SeenFilms(films, features, views)


def _see_missing(
    network: keras.Model,
    prepared: PreparedFilms,
    profile: Profile,
    number: int,
    path: Path,
    views: int,
) -> None:
    if path.is_file():
        return
    print(f"{path.stem}: {len(prepared.films)} films seen {views} times")  # noqa: T201
    path.parent.mkdir(parents=True, exist_ok=True)
    own = own_copy(network)
    with undistributed():
        varied = _vary(profile, prepared, seed=profile.seed + 7000 + number)
        _see_all(own, prepared, varied, path, views)


def _vary(profile: Profile, prepared: PreparedFilms, seed: int) -> Callable[[Any], Any]:
    layers = augmenter(profile.augmentation, seed)
    if not layers.layers:
        return lambda images: images
    layers.build((None, *prepared.images.shape[1:], 1))
    return lambda images: layers(images, training=True)


def _see_all(
    network: keras.Model,
    prepared: PreparedFilms,
    vary: Callable[[Any], Any],
    path: Path,
    views: int,
) -> None:
    """Write the features beside their final name, so that a kill leaves nothing half done."""
    feature = keras.Model(network.inputs, network.output["feature"])
    count, width = len(prepared.films), feature.output.shape[-1]
    unfinished = path.with_suffix(".unfinished.npy")
    seen = np.lib.format.open_memmap(unfinished, "w+", np.float32, (views * count, width))
    progress = films_bar(views * count)
    codes = prepared.sex_codes
    for view in range(views):
        for start in range(0, count, BATCH):
            rows = slice(start, min(start + BATCH, count))
            images = as_input(prepared.images[rows])
            if view:
                images = vary(images)
            batch = {"film": images, "sex": codes[rows]}
            seen[view * count + start : view * count + rows.stop] = feature.predict_on_batch(batch)
            progress.update(view * count + rows.stop)
    seen.flush()
    unfinished.replace(path)


def train_fusion(
    profile: Profile,
    train: SeenFilms,
    held_back: SeenFilms | None,
    run: Run,
    heads: Mapping[str, keras.Model],
) -> keras.Model:
    """Train the dense head on the features; the networks stay as they are.

    ``heads`` has, by region, its network or another fusion of it: whose own
    ages are joined, where the profile says so.
    """
    spec, phase = profile.fusion, profile.fusion.training
    seed = profile.seed + 9000
    keras.utils.set_random_seed(seed)
    widths = {name: values.shape[1] for name, values in train.features.items()}
    network = build_fusion_network(spec, widths, profile.networks)
    run.start_from_finished(network, "fusion")
    # Last: a finished fusion has the heads of other networks.
    take_heads(network, {name: heads[name] for name in widths})
    inputs = {tensor.name: tensor for tensor in network.inputs}
    print(f"fusion of {', '.join(widths)}")  # noqa: T201
    fit(
        network,
        keras.Model(inputs, network(inputs)["age"]),
        phase,
        Batches(train.inputs, train.ages_months, phase.batch, seed=seed, group=run.group),
        Batches(held_back.inputs, held_back.ages_months, phase.batch, group=run.group)
        if held_back
        else None,
        run.folder / "fusion",
        epochs=run.epochs,
        group=run.group,
    )
    return network
