"""A whole training run: its stages in order, each resumed where it was cut off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from boneage.datasets.films import Films, Fold, load_films
from boneage.datasets.labels import CALIBRATION
from boneage.datasets.problems import in_words
from boneage.domain.assessment import WHOLE_HAND
from boneage.errors import DataError
from boneage.imaging.regions import with_fallback
from boneage.inference.manifest import read_manifest
from boneage.storage.parallel import default_workers
from boneage.storage.printable import printable
from boneage.training.batches import as_input
from boneage.training.distributed.group import ALONE, Group
from boneage.training.export import (
    Exported,
    commit_of,
    export_network,
    sha256_of,
    today,
    write_manifest,
)
from boneage.training.fine_tuning import begin_fine_tuning, profile_to_fine_tune
from boneage.training.fit_uncertainty.weights_interval import calibrate_weights
from boneage.training.fitting import FINAL
from boneage.training.fusion import FilmFeatures, compute_features, feature_names, train_fusion
from boneage.training.image_cache import CachedImages
from boneage.training.images import prepare_whole
from boneage.training.monitoring import LOG, draw_curves, read_log
from boneage.training.network_training import train_attention, train_region
from boneage.training.pretrained import find_pretrained, terms_of
from boneage.training.profile import PhaseSpec, Profile, load_profile, plain
from boneage.training.regions import (
    CachedCrops,
    find_all_regions,
    measured_fallback,
    prepare_crops,
    splits_of,
)
from boneage.training.run import Run
from boneage.uncertainty.intervals import LEAST_FILMS

DEFAULT_PROFILE = "compact"
STAGES = ("attention", "regions", "region-networks", "fusion", "export", "calibration")
EXPORT_CHECKED = 64
"""Films on which exported networks are compared with Keras."""


@dataclass
class Training:
    """What the stages hand on; each finds on disk what an earlier run finished."""

    profile: Profile
    films: Films
    run: Run
    crops: dict[str, CachedCrops] = field(default_factory=dict)
    networks: dict[str, keras.Model] = field(default_factory=dict)
    """The attention network under ``whole_hand``, and the regions'."""
    fallback: dict[str, Any] = field(default_factory=dict)

    def stages(self) -> dict[str, Callable[[], None]]:
        """What each stage does, in order."""
        steps = (
            self.train_attention,
            self.find_regions,
            self.train_regions,
            self.train_fusion,
            self.export,
            self.calibrate,
        )
        return dict(zip(STAGES, steps, strict=True))

    def train_attention(self) -> None:
        """Stage 1."""
        profile = self.profile
        self._begin("attention", preparation=profile.preparation, attention=profile.attention)
        self.networks[WHOLE_HAND] = train_attention(profile, self.films, self.run)

    def find_regions(self) -> None:
        """Stage 2."""
        profile, films, run = self.profile, self.films, self.run
        self._begin("regions", attention=self._source(WHOLE_HAND), regions=profile.regions)
        found = find_all_regions(self.networks[WHOLE_HAND], profile, films, run)
        train = {film.id for film in films.films if film.split == "train"}
        self.fallback = measured_fallback(r for r in found.values() if r.film_id in train)
        for split in splits_of(profile, films):
            try:
                self.crops[split] = prepare_crops(films, split, found, profile, run)
            except DataError:
                if split != films.monitored:
                    raise
            else:
                run.report_skipped(self.crops[split].crops)

    def train_regions(self) -> None:
        """Stage 3."""
        profile, attention = self.profile, self.networks[WHOLE_HAND]
        train, held_out = self.crops["train"], self.crops.get(self.films.monitored)
        for region in profile.regions.names:
            self._begin(
                region,
                attention=self._source(WHOLE_HAND),
                regions=profile.regions,
                region=profile.region,
                pooling=profile.fusion.pooling,
            )
            self.networks[region] = train_region(
                region, attention, profile, train, held_out, self.run
            )

    def train_fusion(self) -> None:
        """Stage 4."""
        spec, monitored = self.profile.fusion, self.films.monitored
        sources = {name: self._source(name) for name in feature_names(self.profile)}
        self._begin("fusion", fusion=spec, **sources)
        fitted = self._features(spec.fitted_on, spec.views)
        held_out = self._features(monitored, 1) if monitored in self.crops else None
        self.networks["fusion"] = train_fusion(
            self.profile, fitted, held_out, self.run, self.networks
        )

    def export(self) -> None:
        """Stage 5."""
        folder = self.run.folder / "weights"
        folder.mkdir(parents=True, exist_ok=True)
        exported: dict[str, Exported] = {}
        images = self._images("train")  # what is decided on them must not be held out
        features: dict[str, Any] = {}
        for name, cached in images.items():
            some = slice(0, EXPORT_CHECKED)
            sex = cached.sex_codes[some]
            inputs = {"film": as_input(np.asarray(cached.images[some])), "sex": sex}
            size = cached.images.shape[1], cached.images.shape[2]
            file = "attention" if name == WHOLE_HAND else name
            # To find the regions after the first, the heat map alone is needed.
            alone = ("heat_map",) if name == WHOLE_HAND else ()
            exported[file] = export_network(self.networks[name], file, folder, inputs, size, alone)
            feature = self.networks[name].predict_on_batch(inputs)["feature"]
            features |= {name: feature, "sex": sex}
        names = (*feature_names(self.profile), "sex")
        inputs = {name: features[name] for name in names}
        exported["fusion"] = export_network(self.networks["fusion"], "fusion", folder, inputs, None)
        write_manifest(folder, self._manifest(exported))
        for curve in draw_curves(self.run.folder):
            print(f"drawn: {curve}")  # noqa: T201
        print(f"weights: {folder}")  # noqa: T201

    def calibrate(self) -> None:
        """Stage 6."""
        calibrate_run(self.profile, self.films, self.run)

    def _manifest(self, exported: Mapping[str, Exported]) -> dict[str, Any]:
        profile, pretrained = self.profile, self.run.pretrained
        origin = {"fine_tuned_from": pretrained.origin} if pretrained else {}
        return {
            "name": f"{profile.name}{'-tuned' if pretrained else ''}-{today()}",
            "date": today(),
            "commit": commit_of(Path(__file__).parent),
            **origin,
            "profile": profile.to_dict(),
            "preparation": plain(profile.preparation),
            "regions": plain(with_fallback(profile.regions.plan, self.fallback)),
            "networks": plain(exported),
            "fusion": {
                "inputs": list(feature_names(profile)),
                "flip_average": profile.fusion.flip_average,
            },
            "data": self._data(),
            "metrics": {"held_back_mae_months": self._held_out_errors()},
        }

    def _data(self) -> dict[str, Any]:
        """How many films each kind of phase had, and what may be done with what they gave."""
        counts = {
            f"{kind}_{split}": len(self.run.limited(self.films.select(kind, split)))
            for kind in ("best", "detailed")
            for split in ("train", "validation")
        }
        held_out = len(self.run.limited(self.films.select("detailed", CALIBRATION)))
        counts |= {"detailed_calibration": held_out} if held_out else {}
        return {"films": counts, "limit": self.run.limit, "terms": terms_of(self.run.pretrained)}

    def _held_out_errors(self) -> dict[str, float]:
        """The last line of every log: monitored in training, never chosen by."""
        errors = {}
        for log in sorted(self.run.folder.rglob(LOG)):
            rows = read_log(log.parent)
            if rows and "val_mae_months" in rows[-1]:
                name = log.parent.relative_to(self.run.folder).as_posix()
                errors[name] = round(rows[-1]["val_mae_months"], 3)
        return errors

    def _features(self, split: str, views: int) -> FilmFeatures:
        folder = self.run.folder / "fusion" / f"features-{split}"
        images = self._images(split)
        wanted = {name: images[name] for name in feature_names(self.profile)}
        return compute_features(
            self.networks, wanted, self.profile, folder, views=views, group=self.run.group
        )

    def _images(self, split: str) -> dict[str, CachedImages]:
        """For each network its images of the same films, in the same order."""
        crops = self.crops[split].detailed  # as most films that will be read
        films, size = crops.crops.films, self.profile.attention.input
        whole = prepare_whole(films, self.profile, size, self.run, f"{split} films with regions")
        if whole.films != films:
            raise DataError(f"a {split} image can no longer be read: {whole.skipped[0]}")
        return {WHOLE_HAND: whole, **{name: crops.of(name) for name in crops.names}}

    def _begin(self, stage: str, **made_of: Any) -> None:
        profile, run = self.profile, self.run
        recipe = {key: plain(value) for key, value in made_of.items()}
        recipe |= {"seed": profile.seed, "epochs": run.epochs, "limit": run.limit}
        recipe |= {"augmentation": plain(profile.augmentation)}
        recipe |= {"degradation": plain(profile.degradation)}
        if run.fold:
            recipe |= {"fold": str(run.fold)}
        elif profile.calibration.share:  # else as it was before there was one
            recipe |= {"calibration": plain(profile.calibration)}
        if run.pretrained:  # likewise
            recipe |= {"set of weights": run.pretrained.identity}
        run.begin(stage, recipe)

    def _source(self, name: str) -> str:
        """The checksum of a trained network."""
        whole = name == WHOLE_HAND
        spec = self.profile.attention if whole else self.profile.region
        phases: tuple[PhaseSpec, ...] = spec.phases
        folder = self.run.folder / ("attention" if whole else name)
        return sha256_of(folder / f"phase-{len(phases) - 1}" / FINAL)


def check_held_out(profile: Profile, films: Films, run: Run) -> None:
    """Find, before hours of training, that too few films are held out for an interval."""
    share, count = profile.calibration.share, len(films.select("detailed", CALIBRATION))
    if share and count < LEAST_FILMS and not run.limit:
        raise DataError(
            f"calibration.share = {share:g} holds out {count} images of useful resolution, and "
            f"an interval needs {LEAST_FILMS}: raise it, or set it to 0 for no interval"
        )


def calibrate_run(profile: Profile, films: Films, run: Run) -> None:
    """Fit the interval of a run's exported weights; a film that was read is not read again."""
    held_out = run.limited(films.select("detailed", CALIBRATION))
    if not profile.calibration.share:
        print("the profile holds out no images: these weights state no prediction interval")  # noqa: T201
        return
    if run.limit and len(held_out) < LEAST_FILMS:
        print(f"{len(held_out)} images are too few for a prediction interval: none is stated")  # noqa: T201
        return
    folder = run.folder / "weights"
    networks = read_manifest(folder).networks.values()
    digest = hashlib.sha256("".join(n.sha256 for n in networks).encode()).hexdigest()
    calibrate_weights(
        folder,
        held_out,
        run.limited(films.select("detailed", "train")),
        workers=default_workers(),
        journal=run.folder / CALIBRATION / f"{digest[:12]}.jsonl",
    )


def train(
    profile_name: str | None,
    data: Path,
    run_folder: Path,
    *,
    stage: str | None = None,
    epochs: int | None = None,
    limit: int | None = None,
    strict: bool = False,
    initial_weights: Path | None = None,
    start_from: str | None = None,
    few: bool = False,
    fold: Fold | None = None,
    shared_images: Path | None = None,
    group: Group = ALONE,
) -> None:
    """Train weights from labelled films, or resume where an earlier run stopped.

    Everything goes into the run folder; see ``Run`` for the other options.

    Parameters
    ----------
    profile_name : str, optional
        A bundled profile, or the path of a TOML file. Default: ``compact``, or the
        profile of the weights that are fine-tuned.
    data : Path
        Labelled films; see :mod:`boneage.datasets.films`.
    stage : str, optional
        Stop after this one of ``STAGES``. What comes before it is found
        finished, or finished first.
    start_from : str, optional
        Pretrained weights to fine-tune: ``bundled``, or their folder. Of every network only
        the last phase is trained, as the profile's ``fine_tuning`` says; with ``few`` also
        on fewer than 200 films.
    fold : Fold, optional
        Of the training ids, held out of every network; training is monitored on them, and what
        is fitted on held-out films is fitted on them. Instead of the profile's
        ``calibration.share``.
    group : Group
        The processes that train together, up to the stage ``fusion``; each calls this alike.

    Raises
    ------
    ProfileError, DataError, WeightsError
        When the profile, the data, the run folder or the weights cannot be used.
    GroupError
        When processes that train together were started with different options.
    """
    if stage is not None and stage not in STAGES:
        raise DataError(f"no stage {stage!r}; the stages are {', '.join(STAGES)}")
    pretrained = find_pretrained(start_from) if start_from else None
    if pretrained:
        profile = profile_to_fine_tune(profile_name, pretrained)
    else:
        profile = load_profile(profile_name or DEFAULT_PROFILE)
    films = load_films(data, strict=strict)
    for problem in films.problems:
        print(printable(f"skipped {problem}"))  # noqa: T201  progress of a long command
    if films.problems:
        print(f"skipped: {in_words(films.problems)}")  # noqa: T201
    if pretrained:
        profile, films = begin_fine_tuning(pretrained, profile, films, few=few)
    films = films.hold_out_fold(fold) if fold else films.hold_out_share(profile.calibration.share)
    run = Run(
        run_folder,
        data,
        initial_weights,
        pretrained,
        epochs,
        limit,
        strict,
        group,
        shared_images,
        fold,
    )
    _check_agreement(run, profile, films, stage)
    check_held_out(profile, films, run)
    for name, step in Training(profile, films, run).stages().items():
        step()
        if name == stage:
            return


def _check_agreement(run: Run, profile: Profile, films: Films, stage: str | None) -> None:
    """Check that processes that train together train the same from the same files."""
    listed = sorted((film.id, str(film.path), film.split, film.age_months) for film in films.films)
    identity = run.pretrained.identity if run.pretrained else None
    options = [profile.to_dict(), identity, run.epochs, run.limit, run.strict, stage]
    for what, value in (("profile or option", options), ("list of images", listed)):
        digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        run.group.agree(what, digest)
    run.group.check_shared(run.folder)
