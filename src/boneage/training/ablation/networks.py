"""Ablation of parts of the attention network, and other backbones compared with its own.

A whole training takes hours, so every variant is trained anew, briefly, from its initial
weights on the training films of useful resolution alone. The network is the whole-hand one,
with one CBAM, on the backbone's output; the profile's second CBAM, which only makes the heat
map, is a variant of its own.

*Networks* get the same short schedule: at half the input's size, the last phase's optimiser
and loss. *Backbones* are compared at equal cost. On a processor the question is not which is
best once all are finished, but what an hour of training makes of each. The budget is processor
time, which other work on the machine does not change. Every film is read by a network that was
not trained on it, by folds of the training films alone: a backbone chosen by these figures is
not chosen by the films that weights are reported on.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
from msgspec.structs import replace as changed

from boneage.datasets.films import Film, Films
from boneage.datasets.labels import share_of
from boneage.errors import DataError
from boneage.imaging.preparing import Preparation
from boneage.training.ablation.study import Facts, Months, Plan, Train, Variant, labels_digest
from boneage.training.batches import Batches, Sampling
from boneage.training.export import sha256_of
from boneage.training.fitting import fit, loss_of, optimizer_of
from boneage.training.images import CachedImages, prepare_whole
from boneage.training.monitoring import read_ages
from boneage.training.network_training import train_attention, training_model
from boneage.training.networks.region import build_attention_network
from boneage.training.profile import NetworkSpec, Profile
from boneage.training.run import Run

NETWORKS, BACKBONES = "networks", "backbones"
BASELINE, OWN_BACKBONE = "baseline", "own"
"""What the variants of each study are compared with."""
SMALLER = 2
"""The sides of the profile's input over those of the short schedule's."""
CLAHE_TILES = (8, 64)
CLAHE_CLIP = 2.0
CBAM_REDUCTION, SEX_UNITS = 16, 32
"""Where the profile has none, and a variant has it."""
INPUT = (128, 96)
"""Of the backbones: small, so that the slowest sees more than a few films."""
FOLDS = 2
FILMS_AN_EPOCH = 320
"""Drawn anew every time, so that a budget may end within a pass over all films."""
PACE_STEPS = 5
"""Timed, after one that is not."""
RANDOM = "from random numbers"

Variants = dict[str, tuple[Variant, Profile]]


def with_network(profile: Profile, **changes: object) -> Profile:
    """A profile whose attention network is another one."""
    return changed(profile, attention=changed(profile.attention, **changes))


def short_schedule(profile: Profile, epochs: int) -> Profile:
    """A profile whose attention network is trained briefly, at half its size."""
    spec = profile.attention
    rows, columns = spec.input
    phase = changed(
        spec.phases[-1],
        films="detailed",
        detailed_times=1,
        squeezed_an_epoch=0,
        input=None,
        epochs=epochs,
        focus=0.0,
    )
    return with_network(
        profile, input=(rows // SMALLER, columns // SMALLER), phases=(phase,), heat_map_after=""
    )


def network_variants(profile: Profile, epochs: int) -> Variants:
    """The profile on the short schedule, and the same with one part changed; by name."""
    base = short_schedule(profile, epochs)
    spec, whole = base.attention, profile.attention
    made = {BASELINE: ("baseline: " + _describe(base), base)}
    if spec.cbam_reduction:
        made["no-cbam"] = "without CBAM", with_network(base, cbam_reduction=0)
    else:
        made["cbam"] = "with CBAM", with_network(base, cbam_reduction=CBAM_REDUCTION)
    for name, label, preparation in _clahe(base.preparation):
        made[name] = label, changed(base, preparation=preparation)
    if spec.sex_units:
        made["no-sex"] = "sex not seen", with_network(base, sex_units=0)
    else:
        made["sex"] = "sex seen", with_network(base, sex_units=SEX_UNITS)
    if whole.heat_map_after:
        phase = changed(spec.phases[0], focus=whole.phases[-1].focus)
        made["heat-map-cbam"] = (
            "with a second CBAM, for the heat map",
            with_network(base, heat_map_after=whole.heat_map_after, phases=(phase,)),
        )
    return {name: (Variant(name, label), altered) for name, (label, altered) in made.items()}


def _clahe(own: Preparation) -> list[tuple[str, str, Preparation]]:
    """Every setting of CLAHE that is not the profile's own."""
    clip = own.clahe_clip_limit or CLAHE_CLIP
    none = changed(own, clahe_clip_limit=0.0)
    others = [("clahe-none", "no CLAHE", none)]
    for tiles in CLAHE_TILES:
        other = changed(own, clahe_clip_limit=clip, clahe_tiles=tiles)
        others.append((f"clahe-{tiles}", f"CLAHE {tiles} × {tiles}", other))
    same = own if own.clahe_clip_limit else none
    return [other for other in others if other[2] != same]


def _describe(profile: Profile) -> str:
    spec, preparation = profile.attention, profile.preparation
    tiles = f"CLAHE {preparation.clahe_tiles} × {preparation.clahe_tiles}"
    return ", ".join(
        (
            "CBAM" if spec.cbam_reduction else "no CBAM",
            tiles if preparation.clahe_clip_limit else "no CLAHE",
            "sex seen" if spec.sex_units else "sex not seen",
        )
    )


def backbone_variants(profile: Profile) -> Variants:
    """The profile's own backbone as it starts, from random numbers, and others; by name."""
    short = short_schedule(profile, 1)
    spec = short.attention
    # An average of so few steps would still be the first numbers.
    base = with_network(short, input=INPUT, phases=(changed(spec.phases[0], average=0.0),))
    start = "as it starts" if spec.initial_weights == "none" else f"from {spec.initial_weights}"
    bare = {"initial_weights": "none", "alpha": None}
    made = {
        OWN_BACKBONE: (f"{spec.backbone} {start}", base),
        "random": (f"{spec.backbone} {RANDOM}", with_network(base, initial_weights="none")),
        "convnext": (f"ConvNeXtTiny {RANDOM}", with_network(base, backbone="ConvNeXtTiny", **bare)),
        "vit": (f"ViTTiny {RANDOM}", with_network(base, backbone="ViTTiny", **bare)),
    }
    if spec.initial_weights == "none":
        del made["random"]
    return {name: (Variant(name, label), altered) for name, (label, altered) in made.items()}


def _plan(
    name: str,
    variants: Variants,
    options: Run,
    held_out: tuple[Film, ...],
    train: Train,
    recipe: Facts,
    facts: Facts,
) -> Plan:
    """Plan a study of attention networks, whose first variant is the baseline."""
    baseline, (_, base) = next(iter(variants.items()))
    spec = base.attention
    start = _initial_weights(options, spec)
    return Plan(
        name=name,
        baseline=baseline,
        variants=tuple(variant for variant, _ in variants.values()),
        seeds=1,
        held_out=held_out,
        train=train,
        recipe={"profile": base.to_dict(), "start": start, **recipe},
        facts={**facts, "input": list(spec.input), "start": spec.initial_weights},
    )


def _initial_weights(run: Run, spec: NetworkSpec) -> str:
    """The checksum of the weights file that a network starts from, or what it starts from."""
    folder = run.weights_folder(spec)
    return sha256_of(folder / spec.initial_weights) if folder else spec.initial_weights


def plan_networks(profile: Profile, films: Films, options: Run, epochs: int) -> Plan:
    """Plan the study of a profile's attention network."""
    variants = network_variants(profile, epochs)
    train, held_out = (
        options.limited(films.select("detailed", split)) for split in ("train", "validation")
    )

    def train_network(variant: Variant, seed: int, folder: Path) -> tuple[Months, Facts]:
        altered = variants[variant.name][1]
        altered = changed(altered, seed=altered.seed + seed)
        run = replace(options, folder=folder)
        network = train_attention(altered, films, run)
        cached = prepare_whole(held_out, altered, altered.attention.input, run, "held-out films")
        return read_ages(network, cached.films, cached.inputs), {}

    recipe = {"films": [labels_digest(some) for some in (train, held_out)]}
    facts = {"train_films": len(train), "epochs": epochs}
    return _plan(NETWORKS, variants, options, held_out, train_network, recipe, facts)


def plan_backbones(profile: Profile, films: Films, options: Run, seconds: float) -> Plan:
    """Plan the study of backbones: each is trained for so many seconds of processor time."""
    variants = backbone_variants(profile)
    chosen = options.limited(films.select("detailed", "train"))
    if {fold_of(film.id) for film in chosen} != set(range(FOLDS)):
        raise DataError(f"{len(chosen)} training images do not fill {FOLDS} folds; give more")

    def train_backbone(variant: Variant, seed: int, folder: Path) -> tuple[Months, Facts]:
        """Train a backbone on all folds but one at a time, and read that one."""
        altered = variants[variant.name][1]
        altered = changed(altered, seed=altered.seed + seed)
        # Beside the work of all variants, which have the same images.
        run = replace(options, folder=folder.parent)
        cached = prepare_whole(chosen, altered, INPUT, run, "films of all folds")
        folds = np.array([fold_of(film.id) for film in cached.films])
        weights = run.weights_folder(altered.attention)
        months: Months = {}
        costs = []
        for fold in range(FOLDS):
            keras.utils.set_random_seed(altered.seed + fold)
            train, held_out = _some(cached, folds != fold), _some(cached, folds == fold)
            place = folder / f"fold-{fold}"
            network, cost = _train_for(seconds / FOLDS, altered, train, weights, place)
            costs.append(cost)
            months |= read_ages(network, held_out.films, held_out.inputs)
        return months, {
            "parameters": costs[0].parameters,
            "films_per_second": round(float(np.mean([c.films_per_second for c in costs])), 2),
            "films": round(float(np.mean([c.films for c in costs]))),
        }

    how = {"folds": FOLDS, "seconds": seconds}
    recipe = {"films": labels_digest(chosen), **how}
    facts = {"train_films": len(chosen), **how}
    return _plan(BACKBONES, variants, options, chosen, train_backbone, recipe, facts)


def fold_of(film: str) -> int:
    """Which fold a film is in, by its id alone: all its copies in one."""
    return min(FOLDS - 1, int(FOLDS * share_of(film, BACKBONES)))


@dataclass(frozen=True)
class BackboneCost:
    """What training a backbone takes."""

    parameters: int
    """Of the backbone alone."""
    films_per_second: float
    """Trained in a second of processor time."""
    films: int
    """Seen in training, copies counted, mean over the folds."""


def _some(cached: CachedImages, wanted: npt.NDArray[np.bool_]) -> CachedImages:
    films = tuple(film for film, is_one in zip(cached.films, wanted, strict=True) if is_one)
    return CachedImages(films, cached.images[wanted])


def _train_for(
    seconds: float, profile: Profile, train: CachedImages, weights_folder: Path | None, folder: Path
) -> tuple[keras.Model, BackboneCost]:
    """Train a network for so many seconds of processor time, as its pace foretells."""
    phase = profile.attention.phases[0]
    network = build_attention_network(profile.attention, INPUT, weights_folder)
    start = network.get_weights()
    pace = films_per_second(network, profile, train)
    network.set_weights(start)
    batch = min(phase.batch, len(train.films))
    an_epoch = max(1, min(FILMS_AN_EPOCH, len(train.films)) // batch) * batch
    epochs = max(1, round(seconds * pace / an_epoch))
    model = training_model(network, profile, INPUT, profile.seed)
    fit(network, model, phase, _batches(profile, train), None, folder, epochs=epochs)
    parameters = network.get_layer("backbone").count_params()
    return network, BackboneCost(parameters, pace, epochs * an_epoch)


def _batches(profile: Profile, train: CachedImages) -> Batches:
    drawn = Sampling(np.zeros(len(train.films), np.bool_), others=FILMS_AN_EPOCH)
    batch = profile.attention.phases[0].batch
    return Batches(train.inputs, train.ages_months, batch, seed=profile.seed, sampling=drawn)


def films_per_second(network: keras.Model, profile: Profile, train: CachedImages) -> float:
    """Films that a network is trained on in a second of processor time; its weights change."""
    phase = profile.attention.phases[0]
    model = training_model(network, profile, INPUT, profile.seed)
    model.compile(optimizer_of(phase, 1), loss_of(phase), jit_compile=False)
    inputs, ages = _batches(profile, train)[0]
    model.train_on_batch(inputs, ages)  # makes the graph
    begun = time.process_time()
    for _ in range(PACE_STEPS):
        model.train_on_batch(inputs, ages)
    return PACE_STEPS * len(ages) / (time.process_time() - begun)
