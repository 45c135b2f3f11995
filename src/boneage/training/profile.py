"""A profile: one TOML file that names everything about a model.

Nothing about a model is hard-coded elsewhere. A key that is not known, or of
the wrong type, is an error that quotes it: a misspelt option must not be
silently ignored for twelve hours.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import msgspec

from boneage.datasets.films import FilmKind
from boneage.datasets.labels import CALIBRATION
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, WHOLE_HAND
from boneage.errors import ProfileError
from boneage.imaging.preparing import Preparation
from boneage.imaging.regions import RegionPlan
from boneage.storage.typed import converted

Size = tuple[int, int]


class ProfileTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of a profile; its numbers are finite and not negative."""

    def __post_init__(self) -> None:
        _check_numbers(self)


def _check_numbers(settings: msgspec.Struct, prefix: str = "") -> None:
    for name in settings.__struct_fields__:
        value = getattr(settings, name)
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and not 0 <= number < math.inf:
                raise ProfileError(
                    f"{prefix}{name} is {number!r}; it must be finite and not negative"
                )


class Augmentation(ProfileTable, frozen=True):
    """Random changes of the training films; 0 or false switches one off."""

    rotation_degrees: float = 0.0
    shift: float = 0.0
    """Largest shift, as a share of the side."""
    zoom: float = 0.0
    """Largest zoom in or out, as a share."""
    horizontal_flip: bool = False
    brightness: float = 0.0
    contrast: float = 0.0
    gamma: float = 0.0
    """Exponents are drawn between 1/(1+gamma) and 1+gamma."""
    erase: float = 0.0
    """Share of films with a random part blacked out, as it is to find the later regions."""


class PerturbationSettings(ProfileTable, frozen=True):
    """Perturbed copies of the training films of useful resolution; see ``images``.

    Each number is the worst that may happen; 0 switches a change off.
    """

    copies: int = 0
    """Of each film, beside the film as it is."""
    exposure: float = 0.0
    """Contrast and brightness, as shares of white; clipped as a film clips."""
    blur: float = 0.0
    """Standard deviation, as a share of the film's longer side."""
    shrink: float = 0.0
    """Resolution that is lost: 0.6 leaves 40 % of the rows."""
    noise: float = 0.0
    """Standard deviation, as a share of white."""
    jpeg: float = 0.0
    """JPEG quality that is lost, of 100."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shrink >= 1 or self.jpeg >= 100:
            raise ProfileError(
                f"shrink is {self.shrink:g} and jpeg is {self.jpeg:g}; "
                "they must leave something: less than 1, less than 100"
            )


class PhaseSpec(ProfileTable, frozen=True):
    """One run of ``fit``."""

    epochs: int
    batch: int
    learning_rate: float
    loss: Literal["binary_crossentropy", "mean_squared_error", "huber"]
    films: FilmKind = "best"
    """The best copy of every film; only films at half scale or better; only the
    squeezed copies, one of every film."""
    detailed_times: int = 1
    """How often each film of useful resolution comes in an epoch, varied each time."""
    squeezed_an_epoch: int = 0
    """Of the squeezed copies so many an epoch, others every time; 0: all of them."""
    evened: float = 0.0
    """How far sampling evens out the ages of each sex: 0, each film alike; 1, each age
    alike. See ``batches.evening_weights``."""
    input: Size | None = None
    """Rows and columns, where they differ from the network's final input."""
    optimizer: Literal["adam", "adamw"] = "adam"
    weight_decay: float = 0.0
    schedule: Literal["constant", "one_cycle"] = "constant"
    """``one_cycle``: up to the learning rate in a warm-up, then down by a half cosine."""
    warm_up: float = 0.15
    """Share of a cycle in which the learning rate rises, from a 25th of the peak."""
    end_learning_rate: float = 0.0
    """Where a cycle ends. A phase that begins no higher than the one before it ended
    continues one long cycle; one that begins higher restarts it."""
    average: float = 0.0
    """Momentum of the running average of the weights; 0 for none. Batch-normalisation
    statistics are estimated anew for the average; see ``averaging``."""
    focus: float = 0.0
    """Price of an attention that is spread over the whole film; see
    ``networks.layers.SpatialAttention``. Where the profile has a second CBAM for
    the heat map, that one learns only in phases with a price."""
    huber_months: float = 12.0
    """Where the Huber loss turns from square to straight."""
    label_months: float = 6.0
    """How far a label spreads over the ages of a distribution, as a standard deviation:
    about the error of a single reading."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("epochs", "batch", "learning_rate", "detailed_times", "label_months"):
            if getattr(self, name) <= 0:
                raise ProfileError(f"{name} is {getattr(self, name)}; give more than 0")
        if self.warm_up >= 1 or self.evened > 1 or self.end_learning_rate > self.learning_rate:
            raise ProfileError(
                f"warm_up is {self.warm_up:g}, evened {self.evened:g} and end_learning_rate "
                f"{self.end_learning_rate:g}; the warm-up must be below 1, evened at "
                f"most 1, and the end no higher than learning_rate = {self.learning_rate:g}"
            )


NOT_A_FILE = frozenset({"none", "imagenet", "attention"})
"""Initial weights that are no file's name."""


class NetworkSpec(ProfileTable, frozen=True):
    """An attention network or a region network."""

    backbone: str
    """The name of a model in ``keras.applications``, ``EfficientNetLite0`` to ``4``, or
    ``ViTTiny``."""
    input: Size
    output: Literal["sigmoid", "relu", "linear", "distribution"]
    """Of the head: one number, or a probability for each of many ages, whose mean is the
    answer; see ``networks.layers``."""
    phases: tuple[PhaseSpec, ...]
    initial_weights: str = "none"
    """``none``, ``imagenet``, ``attention`` (region networks: start from the
    attention network's backbone) or the name of a weights file."""
    alpha: float | None = None
    """Width multiplier, for backbones that have one."""
    batch_norm_momentum: float | None = None
    cbam_reduction: int = 16
    """Channels over the width of the channel attention's MLP; 0: no CBAM."""
    heat_map_after: str = ""
    """The backbone's layer that a second CBAM weighs for the heat map; empty:
    the heat map is that of the CBAM on the backbone's output."""
    sex_units: int = 0
    """Width of the sex embedding beside the pooled features; 0: sex is not seen."""
    hidden: tuple[int, ...] = ()
    dropout: float = 0.0


class RegionSpec(ProfileTable, frozen=True):
    """How heat maps become regions; see ``boneage.imaging.regions.RegionPlan``."""

    names: tuple[str, ...]
    threshold: float
    carpal_mask: Literal["box", "box_to_lower_edge", "rows_to_lower_edge"]
    peak_percentile: float = 100.0
    edge_cells: int = 0
    blur_cells: float = 0.0
    reach: float = 0.0
    follow: float = 0.0
    joined: bool = False
    margin: float = 0.0
    square: bool = False
    min_side: float = 0.0
    exact: bool = False
    zooms: tuple[float, ...] = ()

    @property
    def plan(self) -> RegionPlan:
        """The same, with the fallback boxes that every profile starts from."""
        return RegionPlan(**msgspec.structs.asdict(self))


class FusionSpec(ProfileTable, frozen=True):
    """The dense head that combines the regions and the sex."""

    hidden: tuple[int, ...]
    training: PhaseSpec
    pooling: Literal["flatten", "average"] = "flatten"
    whole_hand: bool = False
    """Use the attention network's own pooled feature, too."""
    sex_units: int = 0
    """Width of the sex embedding; 0: the bare code, 1 male and 0 female."""
    joins: Literal["features", "ages", "mean_of_ages"] = "features"
    """What of each network: its features, or the one age that its own head reads from
    them. ``ages`` are corrected, ``mean_of_ages`` is their weighted mean and nothing else."""
    shrinkage: float = 0.0
    """How strongly a weighted mean is drawn towards the plain one: what it costs, in squared
    years, when the logarithm of one weight lies 1 from the others'."""
    fitted_on: Literal["train", "calibration"] = "train"
    """The films the fusion is fitted on: the networks' own, or those held out from them. A
    network knows its own films in part by heart, and a fusion fitted there trusts it for that."""
    dropout: float = 0.0
    views: int = 1
    """How often each training film is shown: once as it is, then augmented."""
    flip_average: bool = False
    """Read each film and its mirror image, and answer the mean."""


class CalibrationSpec(ProfileTable, frozen=True):
    """What the interval is fitted on; see ``boneage.uncertainty.intervals``."""

    share: float = 0.0
    """Of the training ids of useful resolution, held out from every stage; 0: none,
    and the weights state no interval."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.share > 0.5:
            raise ProfileError(
                f"share is {self.share:g}; more than 0.5 leaves too little to train on"
            )


class FineTuningSpec(ProfileTable, frozen=True):
    """How pretrained weights learn from other films; see ``fine_tuning``."""

    learning_rate_factor: float = 0.25
    """Of the learning rate of each network's last phase; a tenth to a third is usual."""
    epochs: int = 4
    """Of the attention network and of each region's; the fusion keeps its own number."""
    average: float = 0.9
    """Momentum of the running average of the weights, where a phase has a larger one:
    200 films are 25 batches, and an average over 200 batches would hardly move."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.learning_rate_factor <= 1 or not self.epochs:
            raise ProfileError(
                f"learning_rate_factor is {self.learning_rate_factor:g} and "
                f"epochs is {self.epochs}; the factor must be above 0 and at most 1, "
                "and there must be an epoch"
            )


class Profile(ProfileTable, frozen=True):
    """Everything about a model."""

    name: str
    seed: int
    preparation: Preparation
    augmentation: Augmentation
    attention: NetworkSpec
    regions: RegionSpec
    region: NetworkSpec
    fusion: FusionSpec
    degradation: PerturbationSettings = PerturbationSettings()
    calibration: CalibrationSpec = CalibrationSpec()
    fine_tuning: FineTuningSpec = FineTuningSpec()

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_numbers(self.preparation, "preparation.")
        known = (CARPAL, METACARPAL, PHALANX)
        names = self.regions.names
        if not names or names != known[: len(names)]:
            raise ProfileError(
                f"regions.names is {list(names)}; each region is detected relative to the one "
                f"before, so it must be the first one, two or three of {list(known)}"
            )
        for label, network in (("attention", self.attention), ("region", self.region)):
            if not network.phases:
                raise ProfileError(f"{label}.phases is empty; give at least one phase")
        if any(phase.films == "squeezed" for phase in self.region.phases):
            raise ProfileError(
                'region.phases.films is "squeezed"; regions are cut from the best copy of each '
                'film, "best", or from those of useful resolution, "detailed"'
            )
        if self.attention.heat_map_after and not self.attention.cbam_reduction:
            raise ProfileError("attention.heat_map_after needs a CBAM, but cbam_reduction is 0")
        if self.fusion.joins != "features" and self.fusion.pooling != "average":
            raise ProfileError(
                f'fusion.joins = "{self.fusion.joins}" needs fusion.pooling = "average": '
                "the networks compute their ages from averaged features"
            )
        if self.fusion.fitted_on == CALIBRATION and not self.calibration.share:
            raise ProfileError(
                'fusion.fitted_on = "calibration" needs a calibration.share above 0: '
                "no images are held out to fit it on"
            )
        if self.attention.heat_map_after and not self.attention.phases[-1].focus:
            raise ProfileError(
                "attention.heat_map_after needs a focus above 0 in the last phase, "
                "or nothing teaches that heat map"
            )

    @property
    def networks(self) -> dict[str, NetworkSpec]:
        """The networks of the whole hand and of each region, by their names."""
        return {WHOLE_HAND: self.attention, **dict.fromkeys(self.regions.names, self.region)}

    @property
    def region_films(self) -> FilmKind:
        """The films that regions are cut from: all that any phase of theirs asks for."""
        every = any(phase.films != "detailed" for phase in self.region.phases)
        return "best" if every else "detailed"

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest."""
        table: dict[str, Any] = plain(self)
        return table


def plain(settings: Any) -> Any:
    """ProfileTable as plain values: a table, or whatever it is."""
    return msgspec.to_builtins(settings)


def bundled_profiles() -> list[str]:
    """The names of the profiles that ship with boneage."""
    folder = resources.files("boneage") / "profiles"
    return sorted(Path(p.name).stem for p in folder.iterdir() if p.name.endswith(".toml"))


def load_profile(name_or_path: str) -> Profile:
    """Read a bundled profile by name, or any profile by path; else a ProfileError."""
    if name_or_path in bundled_profiles():
        text = (resources.files("boneage") / "profiles" / f"{name_or_path}.toml").read_text("utf-8")
        return parse_profile(text, name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise ProfileError(
            f"no profile {name_or_path!r}; give a TOML file or one of {bundled_profiles()}"
        )
    try:
        return parse_profile(path.read_text("utf-8"), name_or_path)
    except UnicodeDecodeError as error:
        raise ProfileError(f"{name_or_path!r} is not text in UTF-8: {error}") from error


def parse_profile(text: str, source: str = "") -> Profile:
    """Read a profile from TOML text; ``source`` names it in errors."""
    where = f"the profile {source!r}" if source else "the profile"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ProfileError(f"{where} is not valid TOML: {error}") from error
    return converted(table, Profile, where, ProfileError)


def profile_of(table: Mapping[str, Any]) -> Profile:
    """Make a profile from the plain values of ``Profile.to_dict``, such as a manifest's.

    Names that earlier versions wrote are translated.
    """
    return converted(with_current_names(table), Profile, "the profile", ProfileError)


RENAMED = {"thumbnails": "squeezed", "thumbnails_an_epoch": "squeezed_an_epoch"}
"""What manifests and run folders of earlier versions call it, and what it is called now."""


def with_current_names(value: Any) -> Any:
    """Translate the keys and the words of a serialised profile, at any depth."""
    if isinstance(value, Mapping):
        return {RENAMED.get(k, k): with_current_names(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [with_current_names(v) for v in value]
    return RENAMED.get(value, value) if isinstance(value, str) else value
