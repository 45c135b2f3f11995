"""Stage 3: a network for each region learns the age from that region's crops alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.errors import DataError, ProfileError
from boneage.imaging.regions import crop
from boneage.inference.weights import MONTHS_SCALE
from boneage.training.annotation import FoundRegion, plan_of
from boneage.training.attention import (
    equalised,
    monitoring_batches,
    spoilt_recipe,
    training_batches,
    training_model,
)
from boneage.training.degrading import with_spoilt
from boneage.training.fitting import fit
from boneage.training.held_out import PREDICTIONS, write_predictions
from boneage.training.networks.head import bin_months
from boneage.training.networks.region import build_region_network
from boneage.training.prepared import PreparedFilms, prepare_films
from boneage.training.profile import Profile
from boneage.training.run import Run

Found = Mapping[tuple[str, str], FoundRegion]
"""By film id and region."""


@dataclass(frozen=True)
class PreparedCrops:
    """The crops of all regions of some films, in the order of the profile's regions."""

    crops: PreparedFilms
    """Images of shape (films, regions, rows, columns)."""
    names: tuple[str, ...]

    @property
    def detailed(self) -> PreparedCrops:
        """Those of films of useful resolution."""
        return replace(self, crops=self.crops.of_kind("detailed"))

    def of(self, region: str) -> PreparedFilms:
        """One region's crops."""
        return replace(self.crops, images=self.crops.images[:, self.names.index(region)])


def prepare_crops(
    films: Films, split: str, found: Found, profile: Profile, run: Run
) -> PreparedCrops:
    """Cut every region from every film of a split that regions are learned from, once a run.

    Films without regions, which could not be read, are left out.
    """
    names = profile.regions.names
    chosen = tuple(
        film
        for film in run.limited(films.select(profile.region_films, split))
        if all((film.id, name) in found for name in names)
    )
    if not chosen:
        raise DataError(f"no {split} film has its regions")
    # The boxes belong to the recipe: another attention, other crops.
    edges = [asdict(found[film.id, name].edges) for film in chosen for name in names]
    if split == "train":
        chosen = with_spoilt(chosen, profile.degradation)
    recipe = {
        "crops": list(profile.region.input),
        "preparation": asdict(profile.preparation),
        "regions": asdict(profile.regions),
        "boxes": edges,
        **spoilt_recipe(chosen, profile),
    }
    crops = prepare_films(
        chosen,
        lambda film: draw_crops(film, found, profile),
        recipe,
        run.prepared,
        label=f"crops of the {split} films",
        strict=run.strict,
        group=run.group,
    )
    return PreparedCrops(crops, names)


def draw_crops(film: Film, found: Found, profile: Profile) -> npt.NDArray[np.uint8]:
    """Cut all regions of a film at full resolution: shape (regions, rows, columns)."""
    grey = equalised(film, profile)
    plan, preparation = plan_of(profile), profile.preparation
    edges = [found[film.id, name].edges for name in profile.regions.names]
    return np.stack([crop(grey, each, plan, profile.region.input, preparation) for each in edges])


def train_region(
    region: str,
    attention: keras.Model,
    profile: Profile,
    train: PreparedCrops,
    held_back: PreparedCrops | None,
    run: Run,
) -> keras.Model:
    """Train the network of one region through the profile's phases; resumable."""
    spec = profile.region
    number = profile.regions.names.index(region)
    keras.utils.set_random_seed(profile.seed + 1000 * (number + 1))
    network = build_region_network(
        spec, flatten=profile.fusion.pooling == "flatten", weights_folder=run.weights_folder(spec)
    )
    if spec.initial_weights == "attention":
        start_from_attention(network, attention)
    start_at_mean_age(network, train.crops.ages_months, spec.output)
    run.start_from_finished(network, region)
    for index, phase in enumerate(spec.phases):
        if phase.input not in {None, spec.input}:
            raise ProfileError(f"region.phases.input is {phase.input}; regions keep {spec.input}")
        seed = profile.seed + 1000 * (number + 1) + 100 * index
        crops, folder = (
            train.of(region).of_kind(phase.films),
            run.folder / region / f"phase-{index}",
        )
        monitor = held_back.of(region).of_kind(phase.films) if held_back else None
        print(f"{region} network, phase {index}: {len(crops.films)} crops")  # noqa: T201
        fit(
            network,
            training_model(network, profile, spec.input, seed),
            phase,
            training_batches(crops, phase, run, seed),
            monitoring_batches(monitor, phase, run),
            folder,
            epochs=run.epochs,
            group=run.group,
        )
        if monitor and not (folder / PREDICTIONS).is_file():
            run.group.once(partial(write_predictions, network, monitor, folder / PREDICTIONS))
    return network


def start_from_attention(network: keras.Model, attention: keras.Model) -> None:
    """Give a region network the attention network's backbone.

    Raises
    ------
    ProfileError
        When the two backbones differ.
    """
    try:
        network.get_layer("backbone").set_weights(attention.get_layer("backbone").get_weights())
    except ValueError as error:
        raise ProfileError(
            'region.initial_weights is "attention", which needs the attention network\'s '
            f"own backbone and alpha: {error}"
        ) from error


def start_at_mean_age(
    network: keras.Model, ages_months: npt.NDArray[np.float32], output: str
) -> None:
    """Let a new head answer the mean age whatever it sees.

    The features it is given are strong already: with chance weights its first answers
    are years off, and the first epochs only carry them back.
    """
    mean = float(np.mean(ages_months)) / MONTHS_SCALE
    last = network.get_layer("scaled_age")
    weights, bias = last.get_weights()
    middle = np.log(mean / (1 - mean)) if output == "sigmoid" else mean
    if output == "distribution":
        middle = -0.5 * ((bin_months() - np.mean(ages_months)) / np.std(ages_months)) ** 2
    last.set_weights([np.zeros_like(weights), np.zeros_like(bias) + middle])
