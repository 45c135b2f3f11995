"""Ablation: the error without a part of the method, everything else unchanged."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from boneage.datasets.films import load_films
from boneage.datasets.labels import in_words
from boneage.errors import DataError, ProfileError
from boneage.inference.manifest import MANIFEST
from boneage.training.ablation import inputs, networks
from boneage.training.ablation.networks import BACKBONES, NETWORKS
from boneage.training.ablation.study import Plan, Report, Study, carry_out
from boneage.training.profile import Profile, load_profile, profile_of
from boneage.training.run import Run


def profile_of_run(folder: Path) -> Profile:
    """The profile that a run was trained with, from the manifest of its weights."""
    path = folder / "weights" / MANIFEST
    try:
        return profile_of(json.loads(path.read_text("utf-8"))["profile"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ProfileError(
            f"{str(path)!r} does not state the run's profile ({error}); give it with --profile"
        ) from error


def selected_variants(
    profile: Profile, epochs: int, only: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """What to train of each study, its baseline always with it.

    Without ``only``, all but the backbones, which compare what might be, not what is.
    """
    studies = {  # name: (baseline, variants)
        inputs.NAME: (
            inputs.inputs_baseline(profile),
            [variant.name for variant in inputs.input_variants(profile)],
        ),
        NETWORKS: (networks.BASELINE, list(networks.network_variants(profile, epochs))),
        BACKBONES: (networks.OWN_BACKBONE, list(networks.backbone_variants(profile))),
    }
    known = [*studies, *(name for _, names in studies.values() for name in names)]
    for name in only:
        if name not in known:
            raise DataError(
                f"no study or variant is called {name!r}; give one of {', '.join(known)}"
            )
    wanted = {}
    for study, (baseline, names) in studies.items():
        whole = study in only or (not only and study != BACKBONES)
        chosen = [name for name in names if whole or name in only]
        if chosen:
            wanted[study] = tuple(n for n in names if n in chosen or n == baseline)
    return wanted


def ablate(
    run_folder: Path,
    data: Path,
    out: Path,
    *,
    profile_name: str | None = None,
    only: Sequence[str] = (),
    epochs: int,
    seconds: float,
    limit: int | None = None,
    initial_weights: Path | None = None,
    report: Report = print,
) -> tuple[Profile, tuple[Study, ...]]:
    """Train the variants and let them read the held-out films, or resume where that stopped.

    The run in ``run_folder`` is finished, and nothing is written there; ``data`` are the labelled
    films that it was trained with. Networks that are trained anew are trained for so many
    ``epochs``, or a backbone for so many ``seconds`` of processor time, on at most ``limit`` films
    of each split. For ``only`` see ``selected_variants``. A ProfileError or DataError comes before
    anything is trained, as far as can be known.
    """
    profile = load_profile(profile_name) if profile_name else profile_of_run(run_folder)
    selected = selected_variants(profile, epochs, only)
    films = load_films(data).hold_out_share(profile.calibration.share)
    if films.problems:
        report(f"skipped: {in_words(films.problems)}")
    options = Run(data, data, initial_weights, limit=limit)
    make: dict[str, Callable[[], Plan]] = {
        inputs.NAME: lambda: inputs.plan_inputs(profile, films, run_folder),
        NETWORKS: lambda: networks.plan_networks(profile, films, options, epochs),
        BACKBONES: lambda: networks.plan_backbones(profile, films, options, seconds),
    }
    plans = [_only(make[study](), names) for study, names in selected.items()]
    return profile, tuple(carry_out(plan, out, report) for plan in plans)


def _only(plan: Plan, names: Sequence[str]) -> Plan:
    return replace(plan, variants=tuple(v for v in plan.variants if v.name in names))
