"""Stage 4: the fusion combines the features of the frozen networks with the child's sex."""

from __future__ import annotations

from collections.abc import Mapping
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
from boneage.training.batches import Batches, as_input
from boneage.training.distributed.group import ALONE, ProcessGroup, local_copy, undistributed
from boneage.training.fitting import fit
from boneage.training.images import CachedImages, films_bar
from boneage.training.networks.fusion import build_fusion_network, copy_heads
from boneage.training.profile import Profile
from boneage.training.run import Run

BATCH = 32

Features = Mapping[str, npt.NDArray[np.float32]]


@dataclass(frozen=True)
class FilmFeatures:
    """The features of every network for some films, with their labels."""

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
    """What the fusion combines, in order."""
    whole = (WHOLE_HAND,) if profile.fusion.whole_hand else ()
    return whole + profile.regions.names


def compute_features(
    networks: Mapping[str, keras.Model],
    images: Mapping[str, CachedImages],
    profile: Profile,
    folder: Path,
    *,
    views: int,
    group: ProcessGroup = ALONE,
) -> FilmFeatures:
    """Run the trained networks over films, once a run.

    By region, ``networks`` have an output ``feature``, and ``images`` are of the same films in
    the same order. The first of the ``views`` is the film as it is, the others are augmented.
    Each region's features go into an array file in ``folder``: those of a flattened ResNet50
    would not fit into memory. The group's first process computes.
    """
    features = {}
    for number, (name, cached) in enumerate(images.items()):
        path, seed = folder / f"{name}.npy", profile.seed + 7000 + number
        group.once(partial(_write_features, networks[name], cached, profile, seed, path, views))
        features[name] = np.load(path, mmap_mode="r")
    return FilmFeatures(cached.films, features, views)


def _write_features(
    network: keras.Model, cached: CachedImages, profile: Profile, seed: int, path: Path, views: int
) -> None:
    """Write the features beside their final name, so that a kill leaves nothing half done."""
    if path.is_file():
        return
    count, codes = len(cached.films), cached.sex_codes
    print(f"{path.stem}: features of {count} images, {views} views of each")  # noqa: T201
    path.parent.mkdir(parents=True, exist_ok=True)
    own = local_copy(network)
    with undistributed():
        vary = augmenter(profile.augmentation, seed)
        feature = keras.Model(own.inputs, own.output["feature"])
        unfinished = path.with_suffix(".unfinished.npy")
        shape = (views * count, feature.output.shape[-1])
        rows = np.lib.format.open_memmap(unfinished, "w+", np.float32, shape)
        progress = films_bar(views * count)
        for view in range(views):
            for start in range(0, count, BATCH):
                some = slice(start, min(start + BATCH, count))
                images = as_input(cached.images[some])
                if view:
                    images = vary(images, training=True)
                batch = {"film": images, "sex": codes[some]}
                place = slice(view * count + start, view * count + some.stop)
                rows[place] = feature.predict_on_batch(batch)
                progress.update(place.stop)
    rows.flush()
    unfinished.replace(path)


def train_fusion(
    profile: Profile,
    train: FilmFeatures,
    held_out: FilmFeatures | None,
    run: Run,
    heads: Mapping[str, keras.Model],
) -> keras.Model:
    """Train the dense head on the features; the networks stay as they are.

    ``heads`` has, by region, its network or another fusion of it: whose own
    ages are combined, where the profile says so.
    """
    spec, phase = profile.fusion, profile.fusion.training
    seed = profile.seed + 9000
    keras.utils.set_random_seed(seed)
    widths = {name: values.shape[1] for name, values in train.features.items()}
    network = build_fusion_network(spec, widths, profile.networks)
    run.load_pretrained(network, "fusion")
    # Last: a pretrained fusion has the heads of other networks.
    copy_heads(network, {name: heads[name] for name in widths})
    inputs = {tensor.name: tensor for tensor in network.inputs}
    model = keras.Model(inputs, network(inputs)["age"])
    print(f"fusion of {', '.join(widths)}")  # noqa: T201
    group = run.group
    batches = Batches(train.inputs, train.ages_months, phase.batch, seed=seed, group=group)
    monitor = None
    if held_out:
        monitor = Batches(held_out.inputs, held_out.ages_months, phase.batch, group=group)
    fit(network, model, phase, batches, monitor, run.folder / "fusion", epochs=run.epochs)
    return network
