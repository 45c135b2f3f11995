"""Fine-tuning: pretrained weights learn from a clinic's own labelled films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from msgspec.structs import replace as changed

from boneage.datasets.films import Films
from boneage.datasets.labels import CALIBRATION
from boneage.errors import DataError, ProfileError
from boneage.training.pretrained import Pretrained
from boneage.training.profile import (
    CalibrationSpec,
    FineTuningSpec,
    NetworkSpec,
    PhaseSpec,
    Profile,
    load_profile,
)
from boneage.uncertainty.intervals import LEAST_FILMS

# A film's error spreads by about 8 months: the mean error of the tenth that is held out is
# known to no better than 1.7 months with 200 films, and with fewer it cannot be measured whether
# millions of numbers had learned more from them than the two of a calibration's line.
LEAST_TO_FINE_TUNE = 200
"""Films of useful resolution, those held out among them."""
TRAINING_SETTINGS = frozenset(
    {"phases", "training", "initial_weights", "batch_norm_momentum", "dropout", "views"}
    | {"flip_average"}
)
"""Settings of a network that may change from one training to the next: it stays the same one."""
SPLITS = ("train", "validation", CALIBRATION)


def profile_to_fine_tune(name_or_path: str | None, pretrained: Pretrained) -> Profile:
    """The profile that is asked for, or the weights' own."""
    if name_or_path is None:
        return pretrained.profile
    profile = load_profile(name_or_path)
    for setting, wanted, there in _differences(profile, pretrained.profile):
        raise ProfileError(
            f"{setting} is {wanted!r} in the profile {profile.name!r}, and {there!r} in the "
            f"weights {pretrained.manifest.name!r}: to fine-tune them, give a profile of the same "
            "architecture, or no --profile, for their own"
        )
    return profile


def _differences(wanted: Profile, there: Profile) -> Iterator[tuple[str, Any, Any]]:
    """Where the architectures of two profiles differ, as (setting, value, value)."""
    if wanted.regions.names != there.regions.names:
        yield "regions.names", list(wanted.regions.names), list(there.regions.names)
    for part in ("attention", "region", "fusion"):
        specs = getattr(wanted, part), getattr(there, part)
        for name in specs[0].__struct_fields__:
            values = [getattr(spec, name) for spec in specs]
            if name not in TRAINING_SETTINGS and values[0] != values[1]:
                yield f"{part}.{name}", *values


def begin_fine_tuning(
    pretrained: Pretrained, profile: Profile, films: Films, *, few: bool = False
) -> tuple[Profile, Films]:
    """How, and on what, pretrained weights are fine-tuned; reported before hours of it.

    From a profile (see ``profile_to_fine_tune``) and local films, none held out yet, to a
    profile that trains each network through its last phase alone, and films of useful
    resolution. ``few`` allows fewer than 200.
    """
    films = local_films(films, few=few)
    profile = without_small_calibration(fine_tuning_of(profile), films)
    parts = films.hold_out_share(profile.calibration.share)
    train, monitored, held_out = (len(parts.select("detailed", split)) for split in SPLITS)
    print(  # noqa: T201  progress of a long command
        f"fine-tuning {pretrained.manifest.name} on {train} images; "
        f"{monitored} are for monitoring, {held_out} held out for the interval"
    )
    return profile, films


def fine_tuning_of(profile: Profile) -> Profile:
    """The profile by which pretrained weights of a profile are fine-tuned.

    Of each image network the last phase alone, at full size: an earlier
    one would have it forget at a small size what it knows at the full one.
    Fine-tuning what was fine-tuned takes the same steps again, no smaller ones.
    """
    spec = profile.fine_tuning
    return changed(
        profile,
        attention=_last_phase(profile.attention, spec),
        region=_last_phase(profile.region, spec),
        fusion=changed(profile.fusion, training=_fine_tuning_phase(profile.fusion.training, spec)),
        fine_tuning=changed(spec, learning_rate_factor=1.0),
    )


def _last_phase(network: NetworkSpec, spec: FineTuningSpec) -> NetworkSpec:
    last = changed(
        _fine_tuning_phase(network.phases[-1], spec),
        epochs=spec.epochs,
        films="detailed",
        squeezed_an_epoch=0,
        input=None,
    )
    return changed(network, initial_weights="none", phases=(last,))


def _fine_tuning_phase(phase: PhaseSpec, spec: FineTuningSpec) -> PhaseSpec:
    return changed(
        phase,
        learning_rate=phase.learning_rate * spec.learning_rate_factor,
        average=min(phase.average, spec.average),
    )


def local_films(films: Films, *, few: bool = False) -> Films:
    """The films to fine-tune on: those of useful resolution."""
    detailed = tuple(film for film in films.films if not film.squeezed)
    if not detailed or (len(detailed) < LEAST_TO_FINE_TUNE and not few):
        raise DataError(
            f"{len(detailed)} images of useful resolution are too few to fine-tune on: below "
            f"{LEAST_TO_FINE_TUNE}, calibrate the estimates with 'boneage calibrate', "
            "or give --few to fine-tune anyway"
        )
    return replace(films, films=detailed)


def without_small_calibration(profile: Profile, films: Films) -> Profile:
    """The profile, with no films held out where they would be too few for an interval."""
    share = profile.calibration.share
    held_out = len(films.hold_out_share(share).select("detailed", CALIBRATION))
    if not share or held_out >= LEAST_FILMS:
        return profile
    print(  # noqa: T201  before hours of training
        f"calibration.share = {share:g} would hold out {held_out} images, but a prediction "
        f"interval needs {LEAST_FILMS} of the clinic's own: no image is held out, and these "
        "weights state no interval; 'boneage calibrate' can fit one later, to images that they "
        "have not seen"
    )
    return changed(
        profile,
        calibration=CalibrationSpec(share=0.0),
        fusion=changed(profile.fusion, fitted_on="train"),
    )
