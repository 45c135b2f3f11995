"""Fine-tuning: pretrained weights learn from a clinic's own labelled films."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace as changed

from boneage.datasets.films import Films
from boneage.datasets.labels import CALIBRATION
from boneage.errors import DataError, ProfileError, WeightsError
from boneage.inference.manifest import Manifest, bundled_folder, read_manifest
from boneage.training.export import sha256_of
from boneage.training.profile import (
    CalibrationSpec,
    FineTuningSpec,
    NetworkSpec,
    PhaseSpec,
    Profile,
    load_profile,
    profile_of,
)
from boneage.uncertainty.intervals import LEAST_FILMS

if TYPE_CHECKING:
    import keras

BUNDLED = "bundled"
"""Names the weights that ship with boneage, where others are named by their folder."""
TERMS = (
    "RSNA Pediatric Bone Age Challenge 2017: research and education, not commercial use. "
    "Cite Halabi et al., Radiology 2019;290:498-503."
)
LOCAL_TERMS = "Fine-tuned on local films: whoever holds those states their terms."
"""Of all films that weights learned from."""


@dataclass(frozen=True)
class Pretrained:
    """A folder of weights, with the Keras files to train on from."""

    folder: Path
    manifest: Manifest

    @property
    def profile(self) -> Profile:
        """The profile that the weights were trained by."""
        try:
            return profile_of(self.manifest.table["profile"])
        except ProfileError as error:
            raise WeightsError(
                f"the weights {self.manifest.name!r} state a profile that this version of boneage "
                f"cannot train by: {error}"
            ) from error

    @property
    def identity(self) -> dict[str, Any]:
        """The name, and the checksum of each Keras file: what a run that began from them notes."""
        checksums = {name: entry["keras_sha256"] for name, entry in self._entries.items()}
        return {"name": self.manifest.name, "networks": checksums}

    @property
    def origin(self) -> dict[str, Any]:
        """What the manifest of weights fine-tuned from these states of them."""
        table = self.manifest.table
        known = ("date", "commit", "data", "fine_tuned_from")
        stated = {key: table[key] for key in known if key in table}
        return {"name": self.manifest.name, "sha256": self.manifest.sha256, **stated}

    def load(self, network: keras.Model, name: str) -> None:
        """Load the weights of the pretrained network ``name``: attention, a region, or fusion."""
        entry = self._entries.get(name)
        if entry is None:
            raise WeightsError(f"the weights {self.manifest.name!r} have no {name!r} network")
        path = self.folder / Path(entry["keras_file"]).name
        if not path.is_file():
            raise WeightsError(f"no {path.name} to fine-tune from in {str(self.folder)!r}")
        if sha256_of(path) != entry["keras_sha256"]:
            raise WeightsError(
                f"{str(path)!r} does not have the sha256 that its manifest states; "
                "the file was changed or cut off"
            )
        try:
            network.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            raise ProfileError(
                f"{str(path)!r} does not fit the profile's {name} network: {error}"
            ) from error

    @property
    def _entries(self) -> dict[str, dict[str, Any]]:
        entries: dict[str, dict[str, Any]] = self.manifest.table["networks"]
        return entries


def find_pretrained(weights: str) -> Pretrained:
    """Find pretrained weights: ``bundled``, or the path of a folder of them."""
    folder = bundled_folder() if weights == BUNDLED else Path(weights)
    manifest = read_manifest(folder)
    for name, entry in manifest.table["networks"].items():
        if not {"keras_file", "keras_sha256"} <= entry.keys():
            raise WeightsError(
                f"the weights {manifest.name!r} have no Keras file of {name!r}; "
                "without them, they can be used, but not fine-tuned"
            )
    return Pretrained(folder, manifest)


def terms_of(pretrained: Pretrained | None) -> str:
    """The terms for the manifest.

    Fine-tuning takes none away: what binds the weights it started from binds
    all that descends from them.
    """
    if pretrained is None:
        return TERMS
    inherited: str = pretrained.manifest.table.get("data", {}).get("terms", TERMS)
    return f"{inherited.removesuffix(LOCAL_TERMS).rstrip()} {LOCAL_TERMS}"


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

    From a profile (see ``profile_to_fine_tune``) and local films, none held out yet, to a profile
    that trains each network through its last phase alone, and films of useful resolution. ``few``
    allows fewer than 200.
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
    last = _fine_tuning_phase(network.phases[-1], spec)
    films: dict[str, Any] = {"films": "detailed", "squeezed_an_epoch": 0, "input": None}
    phase = changed(last, epochs=spec.epochs, **films)
    return changed(network, initial_weights="none", phases=(phase,))


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
