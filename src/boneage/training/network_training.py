"""Stages 1 and 3: networks learn the age, from whole hands and from the crops of each region.

Both go through the phases of their profile, and resume where an earlier run stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Films
from boneage.errors import ProfileError
from boneage.inference.weights import MONTHS_SCALE
from boneage.training.augmentation import augmenter
from boneage.training.batches import Batches, Sampling, evening_weights
from boneage.training.fitting import FINAL, fit
from boneage.training.images import CachedImages, prepare_whole, with_perturbed_copies
from boneage.training.monitoring import PREDICTIONS, write_predictions
from boneage.training.networks.layers import bin_months
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import PhaseSpec, Profile, Size
from boneage.training.regions import CachedCrops
from boneage.training.run import Run


def training_model(
    network: keras.Model, profile: Profile, size: Sequence[int], seed: int
) -> keras.Model:
    """Put a network behind the profile's augmentation; its ages, one or two, are the output.

    After them comes the distribution, where the network has one.
    """
    film = keras.Input((*size, 1), name="film")
    sex = keras.Input((), dtype="int32", name="sex")
    varied = augmenter(profile.augmentation, seed)(film)
    outputs = dict(network.output)
    if network.get_layer("scaled_age").output.shape[-1] > 1:
        outputs["distribution"] = network.get_layer("scaled_age").output
    answers = keras.Model(network.input, outputs)({"film": varied, "sex": sex})
    ages = [answers[name] for name in ("age", "local_age", "distribution") if name in answers]
    together = keras.layers.Concatenate(name="ages")(ages) if len(ages) > 1 else ages[0]
    return keras.Model({"film": film, "sex": sex}, together)


def sampling_of(phase: PhaseSpec, train: CachedImages) -> Sampling | None:
    """Which films come in an epoch of a phase; None for each of them once."""
    if phase.detailed_times == 1 and not phase.squeezed_an_epoch and not phase.evened:
        return None
    detailed = np.array([not film.squeezed for film in train.films])
    weights = evening_weights(train.films, phase.evened) if phase.evened else None
    return Sampling(detailed, phase.detailed_times, phase.squeezed_an_epoch, weights)


def train_phase(
    network: keras.Model,
    profile: Profile,
    phase: PhaseSpec,
    train: CachedImages,
    held_out: CachedImages | None,
    run: Run,
    place: str,
    seed: int,
) -> None:
    """Train a network through one phase, in the folder ``place`` of a run."""
    folder, group = run.folder / place, run.group
    model = training_model(network, profile, train.images.shape[1:3], seed)
    drawn: dict[str, Any] = {"seed": seed, "sampling": sampling_of(phase, train), "group": group}
    batches = Batches(train.inputs, train.ages_months, phase.batch, **drawn)
    monitor = None
    if held_out:
        monitor = Batches(held_out.inputs, held_out.ages_months, phase.batch, group=group)
    fit(network, model, phase, batches, monitor, folder, epochs=run.epochs)
    if held_out and not (folder / PREDICTIONS).is_file():
        group.once(lambda: write_predictions(network, held_out, folder / PREDICTIONS))


def train_attention(profile: Profile, films: Films, run: Run) -> keras.Model:
    """Train the attention network through its phases; it has the profile's final input size."""
    spec = profile.attention
    trained: keras.Model | None = None  # a profile has at least one phase
    for number, phase in enumerate(spec.phases):
        size = phase.input or spec.input
        keras.utils.set_random_seed(profile.seed + number)
        folder = run.weights_folder(spec) if trained is None else None
        network = build_attention_network(
            spec, size, folder, local=phase.focus > 0, focus=phase.focus
        )
        if run.pretrained:
            # With its second CBAM, whether or not this phase has one.
            pretrained = build_attention_network(spec)
            run.load_pretrained(pretrained, "attention")
            copy_weights(pretrained, network)
        if trained is not None:
            copy_weights(trained, network)
        _attention_phase(network, profile, number, size, films, run)
        trained = network
    if trained is None or (spec.phases[-1].input or spec.input) == spec.input:
        return trained
    final = build_attention_network(spec)
    copy_weights(trained, final)
    return final


def _attention_phase(
    network: keras.Model, profile: Profile, number: int, size: Size, films: Films, run: Run
) -> None:
    phase, place = profile.attention.phases[number], f"attention/phase-{number}"
    final = run.folder / place / FINAL
    if final.is_file():  # its images need not be prepared
        network.load_weights(final)
        return
    print(f"attention network, phase {number}: {phase.films} at {size[0]} x {size[1]}")  # noqa: T201
    label = f"{phase.films} films {size[0]}x{size[1]}"
    chosen = run.limited(films.select(phase.films, "train"))
    copies = with_perturbed_copies(chosen, profile.degradation)
    train = prepare_whole(copies, profile, size, run, label)
    train.report_skipped()
    monitored = run.limited(films.select(phase.films, films.monitored))
    held_out = None
    if monitored:
        held_out = prepare_whole(monitored, profile, size, run, f"{label} held out")
        held_out.report_skipped()
    train_phase(network, profile, phase, train, held_out, run, place, profile.seed + 100 * number)


def copy_weights(source: keras.Model, target: keras.Model) -> None:
    """Give a network the weights of another of its kind; layers only one has are left alone."""
    there = {layer.name: layer for layer in target.layers}
    for layer in source.layers:
        if layer.weights and layer.name in there:
            there[layer.name].set_weights(layer.get_weights())


def train_region(
    region: str,
    attention: keras.Model,
    profile: Profile,
    train: CachedCrops,
    held_out: CachedCrops | None,
    run: Run,
) -> keras.Model:
    """Train the network of one region through the profile's phases."""
    spec = profile.region
    first_seed = profile.seed + 1000 * (profile.regions.names.index(region) + 1)
    keras.utils.set_random_seed(first_seed)
    flatten = profile.fusion.pooling == "flatten"
    network = build_region_network(spec, flatten=flatten, weights_folder=run.weights_folder(spec))
    if spec.initial_weights == "attention":
        start_from_attention(network, attention)
    start_at_mean_age(network, train.crops.ages_months, spec.output)
    run.load_pretrained(network, region)
    for number, phase in enumerate(spec.phases):
        if phase.input not in {None, spec.input}:
            raise ProfileError(f"region.phases.input is {phase.input}; regions keep {spec.input}")
        crops = train.of(region).of_kind(phase.films)
        monitored = held_out.of(region).of_kind(phase.films) if held_out else None
        print(f"{region} network, phase {number}: {len(crops.films)} crops")  # noqa: T201
        place, seed = f"{region}/phase-{number}", first_seed + 100 * number
        train_phase(network, profile, phase, crops, monitored, run, place, seed)
    return network


def start_from_attention(network: keras.Model, attention: keras.Model) -> None:
    """Give a region network the attention network's backbone."""
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

    The features it is given are strong already: with chance weights its first answers are years
    off, and the first epochs only carry them back.
    """
    mean = float(np.mean(ages_months)) / MONTHS_SCALE
    last = network.get_layer("scaled_age")
    weights, bias = last.get_weights()
    middle = np.log(mean / (1 - mean)) if output == "sigmoid" else mean
    if output == "distribution":
        middle = -0.5 * ((bin_months() - np.mean(ages_months)) / np.std(ages_months)) ** 2
    last.set_weights([np.zeros_like(weights), np.zeros_like(bias) + middle])
