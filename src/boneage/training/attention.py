"""Stage 1: the attention network learns the age from the whole film."""

from __future__ import annotations

from dataclasses import asdict

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, Films
from boneage.imaging.framing import analysed, exposed_field
from boneage.imaging.preparing import Canvas, equalise, placement, put_on_canvas
from boneage.training.augmentation import augmenter
from boneage.training.degrading import degrade, random_of, with_spoilt
from boneage.training.fitting import FINAL, fit
from boneage.training.held_out import PREDICTIONS, write_predictions
from boneage.training.networks.region import build_attention_network
from boneage.training.prepared import Batches, PreparedFilms, prepare_films
from boneage.training.profile import NetworkSpec, Phase, Profile
from boneage.training.run import Run
from boneage.training.sampling import Sampling, evening_weights


def draw_whole(film: Film, profile: Profile, size: tuple[int, int]) -> npt.NDArray[np.uint8]:
    """Prepare a whole film for the attention network."""
    grey = equalised(film, profile)
    place = placement(grey.shape[0], grey.shape[1], size, profile.preparation.fit)
    return put_on_canvas(grey, size, place, profile.preparation)


def equalised(film: Film, profile: Profile) -> Canvas:
    """Bring a film to what is analysed of it, and even out its greys.

    A spoilt copy is spoilt in between.
    """
    radiograph = film.radiograph()
    pixels = analysed(radiograph, exposed_field(radiograph))
    if film.spoilt:
        pixels = degrade(pixels, profile.degradation, random_of(film, profile.seed))
    return equalise(pixels, profile.preparation)


def prepare_whole(
    films: tuple[Film, ...], profile: Profile, size: tuple[int, int], run: Run, label: str
) -> PreparedFilms:
    """Prepare whole films at one size, once a run."""
    recipe = {
        "whole": list(size),
        "preparation": asdict(profile.preparation),
        **spoilt_recipe(films, profile),
    }
    return prepare_films(
        films,
        lambda film: draw_whole(film, profile, size),
        recipe,
        run.prepared,
        label=label,
        strict=run.strict,
        group=run.group,
    )


def spoilt_recipe(films: tuple[Film, ...], profile: Profile) -> dict[str, object]:
    """What spoilt copies among the films are made by; nothing where there are none."""
    if not any(film.spoilt for film in films):
        return {}
    return {"degradation": asdict(profile.degradation), "seed": profile.seed}


def training_model(
    network: keras.Model, profile: Profile, size: tuple[int, int], seed: int
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


def train_attention(profile: Profile, films: Films, run: Run) -> keras.Model:
    """Train the attention network through its phases; resumable.

    Returns
    -------
    keras.Model
        At the profile's final input size.
    """
    spec = profile.attention
    trained: keras.Model | None = None  # a profile has at least one phase
    for number, phase in enumerate(spec.phases):
        size = phase.input or spec.input
        keras.utils.set_random_seed(profile.seed + number)
        network = build_attention_network(
            spec,
            size,
            run.weights_folder(spec) if trained is None else None,
            local=phase.focus > 0,
            focus=phase.focus,
        )
        if run.finished:
            start_finished(network, spec, run)
        if trained is not None:
            carry_over(trained, network)
        _fit_phase(network, profile, phase, size, films, run, number)
        trained = network
    if trained is None or (spec.phases[-1].input or spec.input) == spec.input:
        return trained
    final = build_attention_network(spec)
    carry_over(trained, final)
    return final


def carry_over(source: keras.Model, target: keras.Model) -> None:
    """Give a network the weights of another of its kind; layers only one has are left alone."""
    there = {layer.name: layer for layer in target.layers}
    for layer in source.layers:
        if layer.weights and layer.name in there:
            there[layer.name].set_weights(layer.get_weights())


def start_finished(network: keras.Model, spec: NetworkSpec, run: Run) -> None:
    """Start an attention network, with or without its second CBAM, from a finished one."""
    finished = build_attention_network(spec)
    run.start_from_finished(finished, "attention")
    carry_over(finished, network)


def sampling_of(phase: Phase, train: PreparedFilms) -> Sampling | None:
    """Which films come in an epoch of a phase; None for each of them once."""
    if phase.detailed_times == 1 and not phase.squeezed_an_epoch and not phase.evened:
        return None
    detailed = np.array([not film.squeezed for film in train.films])
    weights = evening_weights(train.films, phase.evened) if phase.evened else None
    return Sampling(detailed, phase.detailed_times, phase.squeezed_an_epoch, weights)


def training_batches(train: PreparedFilms, phase: Phase, run: Run, seed: int) -> Batches:
    """Give the shuffled batches that a phase learns from."""
    return Batches(
        train.inputs,
        train.ages_months,
        phase.batch,
        seed=seed,
        sampling=sampling_of(phase, train),
        group=run.group,
    )


def monitoring_batches(held_out: PreparedFilms | None, phase: Phase, run: Run) -> Batches | None:
    """Give the batches that a phase is watched on; None where nothing is held out."""
    if held_out is None:
        return None
    return Batches(held_out.inputs, held_out.ages_months, phase.batch, group=run.group)


def _fit_phase(
    network: keras.Model,
    profile: Profile,
    phase: Phase,
    size: tuple[int, int],
    films: Films,
    run: Run,
    number: int,
) -> None:
    folder = run.folder / "attention" / f"phase-{number}"
    if (folder / FINAL).is_file():
        network.load_weights(folder / FINAL)
        return
    print(f"attention network, phase {number}: {phase.films} at {size[0]} x {size[1]}")  # noqa: T201
    seed = profile.seed + 100 * number
    label = f"{phase.films} films {size[0]}x{size[1]}"
    train = prepare_whole(
        with_spoilt(run.limited(films.select(phase.films, "train")), profile.degradation),
        profile,
        size,
        run,
        label,
    )
    run.report_skipped(train)
    held_back = run.limited(films.select(phase.films, films.monitored))
    monitor = (
        prepare_whole(held_back, profile, size, run, f"{label} held back") if held_back else None
    )
    if monitor:
        run.report_skipped(monitor)
    fit(
        network,
        training_model(network, profile, size, seed),
        phase,
        training_batches(train, phase, run, seed),
        monitoring_batches(monitor, phase, run),
        folder,
        epochs=run.epochs,
        group=run.group,
    )
    if monitor:
        run.group.once(lambda: write_predictions(network, monitor, folder / PREDICTIONS))
