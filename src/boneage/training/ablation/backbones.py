"""Backbones at equal cost: each is trained as long as the others, not for as many epochs.

On a processor the question is not which backbone is best once all are finished,
but what an hour of training makes of each. The budget is processor time, which
other work on the machine does not change. Every film is read by a network that
was not trained on it, by folds of the training films alone: a backbone chosen
by these figures is not chosen by the films that weights are reported on.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np

from boneage.datasets.films import Films
from boneage.datasets.labels import share_of
from boneage.errors import DataError
from boneage.training.ablation.networks import short_schedule, with_network
from boneage.training.ablation.outcomes import Variant
from boneage.training.ablation.study import Months, Plan, labels_digest, read_ages
from boneage.training.attention import prepare_whole, training_model
from boneage.training.export import sha256_of
from boneage.training.fitting import fit, loss_of, optimizer_of
from boneage.training.networks.region import build_attention_network
from boneage.training.prepared import Batches, PreparedFilms
from boneage.training.profile import NetworkSpec, Profile
from boneage.training.run import Run
from boneage.training.sampling import Sampling

NAME = "backbones"
BASELINE = "own"
INPUT = (128, 96)
"""Small, so that the slowest sees more than a few films."""
FOLDS = 2
FILMS_AN_EPOCH = 320
"""Drawn anew every time, so that a budget may end within a pass over all films."""
PACE_STEPS = 5
"""Timed, after one that is not."""
COST = "cost.json"
RANDOM = "from random numbers"

Variants = dict[str, tuple[Variant, Profile]]


@dataclass(frozen=True)
class Cost:
    """What a backbone takes."""

    parameters: int
    """Of the backbone alone."""
    films_per_second: float
    """Trained in a second of processor time."""
    films: int
    """Seen in training, copies counted, mean over the folds."""


def backbone_variants(profile: Profile) -> Variants:
    """The profile's own backbone as it starts, from random numbers, and others; by name."""
    short = short_schedule(profile, 1)
    spec = short.attention
    # An average of so few steps would still be the first numbers.
    phase = replace(spec.phases[0], average=0.0)
    base = with_network(short, input=INPUT, phases=(phase,))
    start = "as it starts" if spec.initial_weights == "none" else f"from {spec.initial_weights}"
    bare = {"initial_weights": "none", "alpha": None}
    made = {
        BASELINE: (f"{spec.backbone} {start}", base),
        "random": (f"{spec.backbone} {RANDOM}", with_network(base, initial_weights="none")),
        "convnext": (f"ConvNeXtTiny {RANDOM}", with_network(base, backbone="ConvNeXtTiny", **bare)),
        "vit": (f"ViTTiny {RANDOM}", with_network(base, backbone="ViTTiny", **bare)),
    }
    if spec.initial_weights == "none":
        del made["random"]
    return {name: (Variant(name, label), altered) for name, (label, altered) in made.items()}


def plan_backbones(
    profile: Profile,
    films: Films,
    data: Path,
    *,
    seconds: float,
    limit: int | None = None,
    initial_weights: Path | None = None,
) -> Plan:
    """Plan the study of backbones.

    Parameters
    ----------
    seconds : float
        Of processor time that each backbone is trained for, all folds together.

    Raises
    ------
    ProfileError
        When the profile starts from a weights file and no folder was given.
    DataError
        When a fold would have no film.
    """
    variants = backbone_variants(profile)
    base = variants[BASELINE][1]
    asked = Run(data, data, initial_weights, limit=limit)
    folder = asked.weights_folder(base.attention)
    start = base.attention.initial_weights
    chosen = asked.limited(films.select("detailed", "train"))
    if {fold_of(film.id) for film in chosen} != set(range(FOLDS)):
        raise DataError(f"{len(chosen)} training films do not fill {FOLDS} folds; give more")
    return Plan(
        name=NAME,
        baseline=BASELINE,
        variants=tuple(variant for variant, _ in variants.values()),
        seeds=1,
        held_back=chosen,
        train=partial(train_backbone, variants, films, asked, seconds),
        recipe={
            "profile": base.to_dict(),
            "start": sha256_of(folder / start) if folder else start,
            "films": labels_digest(chosen),
            "seconds": seconds,
            "folds": FOLDS,
        },
        facts={
            "train_films": len(chosen),
            "folds": FOLDS,
            "seconds": seconds,
            "input": list(INPUT),
            "start": start,
        },
        facts_of=cost_of,
    )


def fold_of(film: str) -> int:
    """Which fold a film is in, by its id alone: all its copies in one."""
    return min(FOLDS - 1, int(FOLDS * share_of(film, NAME)))


def cost_of(folder: Path) -> Mapping[str, Any]:
    """What ``train_backbone`` noted in its folder."""
    noted: Mapping[str, Any] = json.loads((folder / COST).read_text("utf-8"))
    return noted


def train_backbone(
    variants: Variants,
    films: Films,
    asked: Run,
    seconds: float,
    variant: Variant,
    seed: int,
    folder: Path,
) -> Months:
    """Train a backbone on all folds but one at a time, and read that one."""
    profile = variants[variant.name][1]
    profile = replace(profile, seed=profile.seed + seed)
    # Beside the work of all variants, which have the same images.
    run = replace(asked, folder=folder.parent)
    chosen = run.limited(films.select("detailed", "train"))
    prepared = prepare_whole(chosen, profile, INPUT, run, "films of all folds")
    folds = np.array([fold_of(film.id) for film in prepared.films])
    months: Months = {}
    costs = []
    for fold in range(FOLDS):
        keras.utils.set_random_seed(profile.seed + fold)
        network, cost = _train_for(
            seconds / FOLDS,
            profile,
            _some(prepared, folds != fold),
            run.weights_folder(profile.attention),
            folder / f"fold-{fold}",
        )
        costs.append(cost)
        held_back = _some(prepared, folds == fold)
        months |= read_ages(network, held_back.films, held_back.inputs)
    _note(folder, costs)
    return months


def _some(prepared: PreparedFilms, wanted: Any) -> PreparedFilms:
    films = tuple(film for film, kept in zip(prepared.films, wanted, strict=True) if kept)
    return PreparedFilms(films, prepared.images[wanted])


def _note(folder: Path, costs: list[Cost]) -> None:
    cost = {
        "parameters": costs[0].parameters,
        "films_per_second": round(float(np.mean([c.films_per_second for c in costs])), 2),
        "films": round(float(np.mean([c.films for c in costs]))),
    }
    (folder / COST).write_text(json.dumps(cost), "utf-8")


def _train_for(
    seconds: float,
    profile: Profile,
    train: PreparedFilms,
    weights_folder: Path | None,
    folder: Path,
) -> tuple[keras.Model, Cost]:
    """Train a network for so many seconds of processor time, as its pace foretells."""
    spec = profile.attention
    network = build_attention_network(spec, INPUT, weights_folder)
    start = network.get_weights()
    pace = films_per_second(network, profile, train)
    network.set_weights(start)
    batch = min(spec.phases[0].batch, len(train.films))
    an_epoch = max(1, min(FILMS_AN_EPOCH, len(train.films)) // batch) * batch
    epochs = max(1, round(seconds * pace / an_epoch))
    fit(
        network,
        training_model(network, profile, INPUT, profile.seed),
        spec.phases[0],
        _batches(spec, train, profile.seed),
        None,
        folder,
        epochs=epochs,
    )
    parameters = network.get_layer("backbone").count_params()
    return network, Cost(parameters, pace, epochs * an_epoch)


def _batches(spec: NetworkSpec, train: PreparedFilms, seed: int) -> Batches:
    drawn = Sampling(np.zeros(len(train.films), np.bool_), others=FILMS_AN_EPOCH)
    batch = spec.phases[0].batch
    return Batches(train.inputs, train.ages_months, batch, seed=seed, sampling=drawn)


def films_per_second(network: keras.Model, profile: Profile, train: PreparedFilms) -> float:
    """Films that a network is trained on in a second of processor time; its weights change."""
    phase = profile.attention.phases[0]
    model = training_model(network, profile, INPUT, profile.seed)
    model.compile(optimizer_of(phase, 1), loss_of(phase), jit_compile=False)
    batches = _batches(profile.attention, train, profile.seed)
    inputs, ages = batches[0]
    model.train_on_batch(inputs, ages)  # makes the graph
    begun = time.process_time()
    for _ in range(PACE_STEPS):
        model.train_on_batch(inputs, ages)
    return PACE_STEPS * len(ages) / (time.process_time() - begun)
