"""A study: variants of a training, one trained after the other, and the ages that each gave."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.datasets.labels import Film
from boneage.errors import DataError
from boneage.storage.files import digest_of
from boneage.storage.parallel import Journal


@dataclass(frozen=True)
class Variant:
    """One way to train."""

    name: str
    """For tables and the command line."""
    label: str
    """For people."""
    series: str = ""
    """What it has in common with other variants, where they come in rows of several."""


@dataclass(frozen=True)
class VariantOutcome:
    """The ages that a variant gave."""

    variant: Variant
    predicted_months: npt.NDArray[np.float64]
    """Shape (seeds, films)."""


@dataclass(frozen=True)
class Study:
    """Variants that differ in one part each, and the ages they gave the same films."""

    name: str
    films: tuple[Film, ...]
    """Held out from training."""
    baseline: str
    """The name of the variant that the others are compared with."""
    outcomes: tuple[VariantOutcome, ...]
    """Of shape (seeds, films) each, the baseline's among them."""
    facts: Mapping[str, Any]
    """How the variants were trained; plain values."""


Report = Callable[[str], None]
Facts = Mapping[str, Any]
"""Plain values."""
Months = dict[str, float]
"""The age that a variant gave every held-out film, by id."""


Train = Callable[[Variant, int, Path], tuple[Months, Facts]]


@dataclass(frozen=True)
class Plan:
    """A study before it is carried out."""

    name: str
    baseline: str
    variants: tuple[Variant, ...]
    seeds: int
    held_out: tuple[Film, ...]
    train: Train
    """Train a variant from the n-th seed in an empty folder, or resume in one that was left in
    the middle; then read the held-out films. Also gives what is to be reported of the training."""
    recipe: Facts
    """JSON-able: what the readings depend on."""
    facts: Facts
    """How the variants are trained, for the report."""


def carry_out(plan: Plan, out: Path, report: Report) -> Study:
    """Train what is not finished, and collect the ages that every variant gave.

    In ``out``, ``<name>.jsonl`` holds the ages of what is finished, ``work/`` the training
    in progress, ``logs/`` what Keras prints.
    """
    import keras  # noqa: PLC0415  reports need a study without it

    # It warns that many graphs are made; one a variant is what this is about.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    work = out / "work" / f"{plan.name}-{digest_of(plan.recipe)[:12]}"
    logs = out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    trainings = {_key(v, seed): (v, seed) for v in plan.variants for seed in range(plan.seeds)}
    with Journal(out / f"{plan.name}.jsonl", plan.recipe) as journal:
        missing = [key for key in trainings if key not in journal.done]
        for number, key in enumerate(missing):
            report(f"{plan.name}, {len(missing) - number} to train: {key}")
            folder = work / key
            folder.mkdir(parents=True, exist_ok=True)
            keras.backend.clear_session()  # or every training would leave its graph behind
            log = logs / f"{plan.name}-{key}.log"
            with log.open("a", encoding="utf-8") as file, redirect_stdout(file):
                months, facts = plan.train(*trainings[key], folder)
            if facts:
                journal.add(_facts(key), facts)
            journal.add(key, months)
            shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(work, ignore_errors=True)
        return _study(plan, journal.done)


def _study(plan: Plan, done: Mapping[str, Any]) -> Study:
    read = {v.name: [done[_key(v, seed)] for seed in range(plan.seeds)] for v in plan.variants}
    films = tuple(
        film
        for film in plan.held_out
        if all(film.id in months for runs in read.values() for months in runs)
    )
    if not films:
        raise DataError(
            "no held-out image was analysed by every variant; there is nothing to compare"
        )
    outcomes = [
        VariantOutcome(v, np.array([[m[film.id] for film in films] for m in read[v.name]]))
        for v in plan.variants
    ]
    facts = {**plan.facts, "seeds": plan.seeds}
    firsts = {v.name: _facts(_key(v, 0)) for v in plan.variants}
    trained = {name: done[key] for name, key in firsts.items() if key in done}
    facts |= {"trained": trained} if trained else {}
    return Study(plan.name, films, plan.baseline, tuple(outcomes), facts)


def _key(variant: Variant, seed: int) -> str:
    return f"{variant.name}-seed-{seed}"


def _facts(key: str) -> str:
    return f"facts-{key}"


def labels_digest(films: tuple[Film, ...]) -> str:
    """Fingerprint of films for a recipe: ids, labels and sizes, whatever the folder."""
    rows = [[f.id, f.age_months, f.sex.code, f.path.stat().st_size] for f in films]
    return digest_of(rows)
