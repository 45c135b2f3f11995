"""Ablation of the fusion's inputs: its small head is trained anew on fewer of them.

The networks stay as a finished run trained them, and the features of all
films are taken from its folder: pooled ones, which hold nothing
of the child's sex: a network meets the sex only in a head of its own, after
the feature. To withhold the sex from a head, every child is given the same
one; the head's layers and its first weights then stay the same, too.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
from msgspec.structs import replace as changed

from boneage.datasets.films import Film, Films
from boneage.domain.assessment import CARPAL, METACARPAL, WHOLE_HAND
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.storage.delimited import read_delimited
from boneage.training.ablation.study import Facts, Plan, Variant, labels_digest
from boneage.training.export import sha256_of
from boneage.training.fitting import FINAL
from boneage.training.fusion import FilmFeatures, feature_names, train_fusion
from boneage.training.images import with_perturbed_copies
from boneage.training.monitoring import read_ages, read_log
from boneage.training.networks.fusion import build_fusion_network
from boneage.training.profile import PerturbationSettings, Profile, plain
from boneage.training.regions import TABLE
from boneage.training.run import RECIPE, Run

NAME = "inputs"
SEEDS = 2
SEX = "sex"
BOTH = (CARPAL, METACARPAL)
"""What "both" stands for at the beginning of a label."""
WITH_SEX, WITHOUT_SEX = "with sex", "without sex"
TOLERANCE_MONTHS = 0.05
"""Between the error that a run logged and the one that its features give now."""


@dataclass(frozen=True)
class RunFeatures:
    """The features of a run, and how its own fusion was trained."""

    train: FilmFeatures
    """Those that its fusion was fitted on."""
    held_out: FilmFeatures
    fusion: keras.Model
    """As the run finished it."""
    epochs: int | None
    """Instead of the profile's, where the run was tried small."""


def input_variants(profile: Profile) -> tuple[Variant, ...]:
    """Each region alone, the regions one more at a time, the whole hand; with and without sex.

    The last but one is the whole fusion, as the run has it.
    """
    regions, whole = list(profile.regions.names), [WHOLE_HAND] * profile.fusion.whole_hand
    sets = [[name] for name in [*regions[:2], *whole]]
    sets += [regions[:count] for count in range(2, len(regions) + 1)]
    sets.append([*regions, *whole])
    unique = list(dict.fromkeys(tuple(names) for names in sets))
    return tuple(
        Variant("+".join([*names, *sex]), _label(names), series)
        for names in unique
        for sex, series in (([SEX], WITH_SEX), ([], WITHOUT_SEX))
    )


def _label(names: tuple[str, ...]) -> str:
    words = [name.replace("_", " ") for name in names]
    if len(names) == 1:
        return f"{words[0]} alone"
    if len(names) > len(BOTH) and names[: len(BOTH)] == BOTH:
        words[: len(BOTH)] = ["both"]
    return " + ".join(words)


def inputs_baseline(profile: Profile) -> str:
    """The variant that joins all that the run's own fusion joins."""
    return next(v.name for v in reversed(input_variants(profile)) if v.series == WITH_SEX)


def plan_inputs(profile: Profile, films: Films, run_folder: Path) -> Plan:
    """Plan the study of a finished run."""
    run = load_run(profile, films, run_folder)
    features = sorted((run_folder / "fusion").glob("features-*/*.npy"))

    def train_head(variant: Variant, seed: int, folder: Path) -> tuple[dict[str, float], Facts]:
        names = variant.name.split("+")
        train, held_out = (only(seen, names) for seen in (run.train, run.held_out))
        seeded = changed(profile, seed=profile.seed + seed)  # 0: the run's own
        heads = dict.fromkeys(train.features, run.fusion)
        options = Run(folder, run_folder, epochs=run.epochs)
        head = train_fusion(seeded, train, held_out, options, heads)
        return read_ages(head, held_out.films, held_out.inputs), {}

    return Plan(
        name=NAME,
        baseline=inputs_baseline(profile),
        variants=input_variants(profile),
        seeds=SEEDS,
        held_out=run.held_out.films,
        train=train_head,
        recipe={
            "fusion": plain(profile.fusion),
            "seed": profile.seed,
            "epochs": run.epochs,
            "features": {f"{p.parent.name}/{p.name}": sha256_of(p) for p in features},
            "films": [labels_digest(seen.films) for seen in (run.train, run.held_out)],
        },
        facts={
            "train_films": len(run.train.films),
            "views": run.train.views,
            "epochs": run.epochs or profile.fusion.training.epochs,
        },
    )


def only(seen: FilmFeatures, names: Sequence[str]) -> FilmFeatures:
    """Withhold the features, and the sex, that are not named."""
    films = seen.films
    if SEX not in names:
        films = tuple(replace(film, sex=Sex.FEMALE) for film in films)
    features = {name: values for name, values in seen.features.items() if name in names}
    return FilmFeatures(films, features, seen.views)


def load_run(profile: Profile, films: Films, folder: Path) -> RunFeatures:
    """Find the features that a finished run computed of the films of a data set.

    On the held-out films its own fusion must err as the run has logged, or they are others.
    """
    path = folder / "fusion" / RECIPE
    if not (path.is_file() and (path.parent / FINAL).is_file()):
        raise DataError(f"the run {str(folder)!r} has no finished fusion; boneage train makes one")
    recipe = json.loads(path.read_text("utf-8"))
    train = _load(profile, films, folder, profile.fusion.fitted_on, recipe["limit"])
    held_out = _load(profile, films, folder, "validation", recipe["limit"])
    fusion = _load_fusion(profile, folder, held_out)
    _check(fusion, held_out, folder)
    return RunFeatures(train, held_out, fusion, recipe["epochs"])


def _load_fusion(profile: Profile, folder: Path, seen: FilmFeatures) -> keras.Model:
    widths = {name: values.shape[1] for name, values in seen.features.items()}
    network = build_fusion_network(profile.fusion, widths, profile.networks)
    try:
        network.load_weights(folder / "fusion" / FINAL)
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"the fusion of {str(folder)!r} is not the profile's: {error}") from error
    return network


def _load(
    profile: Profile, films: Films, folder: Path, split: str, limit: int | None
) -> FilmFeatures:
    features = {}
    for name in feature_names(profile):
        path = folder / "fusion" / f"features-{split}" / f"{name}.npy"
        if not path.is_file():
            raise DataError(f"the run {str(folder)!r} has no {split} features of {name!r}")
        features[name] = np.load(path, mmap_mode="r")
    views = profile.fusion.views if split == profile.fusion.fitted_on else 1
    chosen = _with_regions(films, folder, split, limit, profile.degradation)
    seen = FilmFeatures(chosen, features, views)
    for name, values in features.items():
        if len(values) != len(seen.films) * views:
            raise DataError(
                f"the run {str(folder)!r} has {len(values)} {split} features of {name!r}, "
                f"but there are {len(seen.films)} images here, seen {views} times"
            )
    return seen


def _with_regions(
    films: Films, folder: Path, split: str, limit: int | None, degradation: PerturbationSettings
) -> tuple[Film, ...]:
    """The films whose regions the run found, in the order in which it saw them."""
    path = folder / TABLE
    if not path.is_file():
        raise DataError(f"the run {str(folder)!r} has no {path.name}")
    found = {row.cells["id"] for row in read_delimited(path).rows}
    chosen = films.select("detailed", split)[:limit]
    with_regions = tuple(film for film in chosen if film.id in found)
    return with_perturbed_copies(with_regions, degradation) if split == "train" else with_regions


def _check(fusion: keras.Model, held_out: FilmFeatures, folder: Path) -> None:
    """Let the run's own fusion read, and compare its error with the last one logged."""
    months = read_ages(fusion, held_out.films, held_out.inputs)
    now = float(np.mean([abs(months[film.id] - film.age_months) for film in held_out.films]))
    logged = read_log(folder / "fusion")[-1]["val_mae_months"]
    if abs(now - logged) > TOLERANCE_MONTHS:
        raise DataError(
            f"the fusion of {str(folder)!r} erred by {logged:.2f} months when it was trained "
            f"and errs by {now:.2f} on these images: they are not those it was validated on"
        )
