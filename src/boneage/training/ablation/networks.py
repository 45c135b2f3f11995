"""What parts of the attention network are worth: it is trained anew without each, briefly.

A whole training takes hours, so every variant gets the same short schedule
instead: from its initial weights, on the training films of useful resolution
alone, at half the input's size, the last phase's optimiser and loss. The
network is the whole-hand one, with one CBAM, on the backbone's output; the
profile's second CBAM, which only makes the heat map, is a variant of its own.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from boneage.datasets.films import Films
from boneage.imaging.preparing import Preparation
from boneage.training.ablation.outcomes import Variant
from boneage.training.ablation.study import Months, Plan, labels_digest, read_ages
from boneage.training.attention import prepare_whole, train_attention
from boneage.training.export import sha256_of
from boneage.training.profile import NetworkSpec, Profile
from boneage.training.run import Run

NAME = "networks"
BASELINE = "baseline"
SMALLER = 2
"""The sides of the profile's input over those of the short schedule's."""
CLAHE_TILES = (8, 64)
CLAHE_CLIP = 2.0
CBAM_REDUCTION, SEX_UNITS = 16, 32
"""Where the profile has none, and a variant has it."""

Variants = dict[str, tuple[Variant, Profile]]


def network_variants(profile: Profile, epochs: int) -> Variants:
    """The profile on the short schedule, and the same with one part changed; by name."""
    base = short_schedule(profile, epochs)
    spec = base.attention
    changed = [("", "baseline: " + _describe(base), base)]
    if spec.cbam_reduction:
        changed.append(("no-cbam", "without CBAM", with_network(base, cbam_reduction=0)))
    else:
        changed.append(("cbam", "with CBAM", with_network(base, cbam_reduction=CBAM_REDUCTION)))
    changed += [
        (name, label, replace(base, preparation=preparation))
        for name, label, preparation in _clahe(base.preparation)
    ]
    if spec.sex_units:
        changed.append(("no-sex", "sex not seen", with_network(base, sex_units=0)))
    else:
        changed.append(("sex", "sex seen", with_network(base, sex_units=SEX_UNITS)))
    if profile.attention.heat_map_after:
        label = "with a second CBAM, for the heat map"
        changed.append(("heat-map-cbam", label, _with_heat_map(base, profile.attention)))
    return {
        name or BASELINE: (Variant(name or BASELINE, label), altered)
        for name, label, altered in changed
    }


def short_schedule(profile: Profile, epochs: int) -> Profile:
    spec = profile.attention
    rows, columns = spec.input
    phase = replace(
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


def with_network(profile: Profile, **changes: object) -> Profile:
    return replace(profile, attention=replace(profile.attention, **changes))  # type: ignore[arg-type]


def _with_heat_map(base: Profile, spec: NetworkSpec) -> Profile:
    phase = replace(base.attention.phases[0], focus=spec.phases[-1].focus)
    return with_network(base, heat_map_after=spec.heat_map_after, phases=(phase,))


def _clahe(own: Preparation) -> list[tuple[str, str, Preparation]]:
    """Every setting of CLAHE that is not the profile's own."""
    clip = own.clahe_clip_limit or CLAHE_CLIP
    others = [("clahe-none", "no CLAHE", replace(own, clahe_clip_limit=0.0))]
    others += [
        (
            f"clahe-{tiles}",
            f"CLAHE {tiles} × {tiles}",
            replace(own, clahe_clip_limit=clip, clahe_tiles=tiles),
        )
        for tiles in CLAHE_TILES
    ]
    same = own if own.clahe_clip_limit else others[0][2]
    return [other for other in others if other[2] != same]


def _describe(profile: Profile) -> str:
    spec, preparation = profile.attention, profile.preparation
    tiles = preparation.clahe_tiles
    parts = [
        "CBAM" if spec.cbam_reduction else "no CBAM",
        f"CLAHE {tiles} × {tiles}" if preparation.clahe_clip_limit else "no CLAHE",
        "sex seen" if spec.sex_units else "sex not seen",
    ]
    return ", ".join(parts)


def plan_networks(
    profile: Profile,
    films: Films,
    data: Path,
    *,
    epochs: int,
    limit: int | None = None,
    initial_weights: Path | None = None,
) -> Plan:
    """Plan the study of a profile's attention network.

    Raises
    ------
    ProfileError
        When the profile starts from a weights file and no folder was given.
    """
    variants = network_variants(profile, epochs)
    base = variants[BASELINE][1]
    spec = base.attention
    asked = Run(data, data, initial_weights, limit=limit)
    folder = asked.weights_folder(spec)
    start = folder / spec.initial_weights if folder else None
    train, held_back = (asked.limited(films.select("detailed", s)) for s in ("train", "validation"))
    return Plan(
        name=NAME,
        baseline=BASELINE,
        variants=tuple(variant for variant, _ in variants.values()),
        seeds=1,
        held_back=held_back,
        train=partial(train_variant, variants, films, asked),
        recipe={
            "profile": base.to_dict(),
            "start": sha256_of(start) if start else spec.initial_weights,
            "films": [labels_digest(some) for some in (train, held_back)],
        },
        facts={
            "train_films": len(train),
            "epochs": epochs,
            "input": list(spec.input),
            "start": spec.initial_weights,
        },
    )


def train_variant(
    variants: Variants, films: Films, asked: Run, variant: Variant, seed: int, folder: Path
) -> Months:
    """Train the attention network of a variant and read the held-back films."""
    profile = variants[variant.name][1]
    profile = replace(profile, seed=profile.seed + seed)
    run = replace(asked, folder=folder)
    network = train_attention(profile, films, run)
    held_back = run.limited(films.select("detailed", "validation"))
    size = profile.attention.input
    prepared = prepare_whole(held_back, profile, size, run, "held back films")
    return read_ages(network, prepared.films, prepared.inputs)
