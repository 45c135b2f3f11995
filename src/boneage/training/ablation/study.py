"""Training the variants of a study one after the other; a finished one is not trained again."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.errors import DataError
from boneage.inference.weights import MONTHS_SCALE
from boneage.storage.parallel import Journal
from boneage.training.ablation.outcomes import Study, Variant, VariantOutcome
from boneage.training.batches import Batches

BATCH = 32
Report = Callable[[str], None]
Months = dict[str, float]
"""The age that a variant gave every held-out film, by id."""


@dataclass(frozen=True)
class Plan:
    """A study before it is carried out."""

    name: str
    baseline: str
    variants: tuple[Variant, ...]
    seeds: int
    held_out: tuple[Film, ...]
    train: Callable[[Variant, int, Path], Months]
    """Train a variant from the n-th seed in an empty folder, or resume in one
    that was left in the middle; then read the held-out films."""
    recipe: Mapping[str, Any]
    """JSON-able: what the readings depend on."""
    facts: Mapping[str, Any]
    """How the variants are trained, for the report; plain values."""
    facts_of: Callable[[Path], Mapping[str, Any]] | None = None
    """What is to be reported of one variant, from the folder in which it was trained."""


def carry_out(plan: Plan, out: Path, report: Report) -> Study:
    """Train what is not finished, and collect the ages that every variant gave.

    In ``out``, ``<name>.jsonl`` holds the ages of what is finished, ``work/`` the training
    in progress, ``logs/`` what Keras prints.
    """
    # It warns that many graphs are made; one a variant is what this is about.
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    work = out / "work" / f"{plan.name}-{_digest(plan.recipe)}"
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
                months = plan.train(*trainings[key], folder)
            if plan.facts_of:
                journal.add(_facts(key), plan.facts_of(folder))
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
    if plan.facts_of:
        facts["trained"] = {v.name: done[_facts(_key(v, 0))] for v in plan.variants}
    return Study(plan.name, films, plan.baseline, tuple(outcomes), facts)


def _key(variant: Variant, seed: int) -> str:
    return f"{variant.name}-seed-{seed}"


def _facts(key: str) -> str:
    return f"facts-{key}"


def _digest(recipe: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(recipe, sort_keys=True).encode()).hexdigest()[:12]


def labels_digest(films: tuple[Film, ...]) -> str:
    """Fingerprint of films for a recipe: ids, labels and sizes, whatever the folder."""
    rows = [[f.id, f.age_months, f.sex.code, f.path.stat().st_size] for f in films]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()


def read_ages(
    network: keras.Model, films: tuple[Film, ...], inputs: Mapping[str, npt.NDArray[Any]]
) -> Months:
    """Let a trained network read films: months by id."""
    ages = np.array([film.age_months for film in films], np.float32)
    answers = network.predict(Batches(inputs, ages, BATCH), verbose=0)
    months = np.asarray(answers["age"], np.float64).ravel() * MONTHS_SCALE
    return {film.id: float(value) for film, value in zip(films, months, strict=True)}
