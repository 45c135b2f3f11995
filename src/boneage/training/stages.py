"""A whole training run: its stages in order, each resumed where it was cut off."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import keras

from boneage.datasets.films import Films, load_films
from boneage.datasets.labels import CALIBRATION, in_words
from boneage.domain.assessment import WHOLE_HAND
from boneage.errors import DataError
from boneage.imaging.regions import with_fallback
from boneage.inference.manifest import read_manifest
from boneage.storage.files import digest_of, today
from boneage.storage.parallel import default_workers
from boneage.storage.printable import printable
from boneage.training import fine_tuning, regions
from boneage.training.batches import as_input
from boneage.training.export import Exported, commit_of, export_network, sha256_of, write_manifest
from boneage.training.fit_uncertainty.weights_interval import calibrate_weights
from boneage.training.fitting import FINAL
from boneage.training.fusion import FilmFeatures, compute_features, feature_names, train_fusion
from boneage.training.images import CachedImages, prepare_whole
from boneage.training.monitoring import LOG, draw_curves, read_log
from boneage.training.network_training import train_attention, train_region
from boneage.training.profile import Profile, load_profile, plain
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
    crops: dict[str, regions.CachedCrops] = field(default_factory=dict)
    networks: dict[str, keras.Model] = field(default_factory=dict)
    """The attention network under ``whole_hand``, and the regions'."""
    fallback: dict[str, Any] = field(default_factory=dict)

    def stages(self) -> dict[str, Callable[[], None]]:
        """What each stage does, in order."""
        return {
            "attention": self.train_attention,
            "regions": self.find_regions,
            "region-networks": self.train_regions,
            "fusion": self.train_fusion,
            "export": self.export,
            "calibration": self.calibrate,
        }

    def train_attention(self) -> None:
        """The network of the whole hand."""
        profile = self.profile
        self._begin("attention", preparation=profile.preparation, attention=profile.attention)
        self.networks[WHOLE_HAND] = train_attention(profile, self.films, self.run)

    def find_regions(self) -> None:
        """The regions of every film, cut out."""
        profile, films, run = self.profile, self.films, self.run
        self._begin("regions", attention=self._source(WHOLE_HAND), regions=profile.regions)
        found = regions.find_all_regions(self.networks[WHOLE_HAND], profile, films, run)
        train = {film.id for film in films.films if film.split == "train"}
        self.fallback = regions.measured_fallback(r for r in found.values() if r.film_id in train)
        for split in regions.splits_of(profile, films):
            try:
                self.crops[split] = regions.prepare_crops(films, split, found, profile, run)
            except DataError:
                if split != films.monitored:
                    raise
            else:
                self.crops[split].crops.report_skipped()

    def train_regions(self) -> None:
        """The network of each region."""
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
        """What combines the features of all networks."""
        profile, monitored = self.profile, self.films.monitored
        sources = {name: self._source(name) for name in feature_names(profile)}
        self._begin("fusion", fusion=profile.fusion, **sources)
        fitted = self._features(profile.fusion.fitted_on, profile.fusion.views)
        held_out = self._features(monitored, 1) if monitored in self.crops else None
        self.networks["fusion"] = train_fusion(profile, fitted, held_out, self.run, self.networks)

    def export(self) -> None:
        """The folder of weights, and the curves of all trainings."""
        folder = self.run.folder / "weights"
        folder.mkdir(parents=True, exist_ok=True)
        exported: dict[str, Exported] = {}
        images = self._images("train")  # what is decided on them must not be held out
        features: dict[str, Any] = {}
        for name, cached in images.items():
            sex = cached.sex_codes[:EXPORT_CHECKED]
            inputs = {"film": as_input(cached.images[:EXPORT_CHECKED]), "sex": sex}
            size = cached.images.shape[1], cached.images.shape[2]
            file = "attention" if name == WHOLE_HAND else name
            # To find the regions after the first, the heat map alone is needed.
            alone = ("heat_map",) if name == WHOLE_HAND else ()
            exported[file] = export_network(self.networks[name], file, folder, inputs, size, alone)
            features[name] = self.networks[name].predict_on_batch(inputs)["feature"]
        inputs = {name: features[name] for name in feature_names(self.profile)} | {"sex": sex}
        exported["fusion"] = export_network(self.networks["fusion"], "fusion", folder, inputs, None)
        write_manifest(folder, self._manifest(exported))
        for curve in draw_curves(self.run.folder):
            print(f"drawn: {curve}")  # noqa: T201
        print(f"weights: {folder}")  # noqa: T201

    def calibrate(self) -> None:
        """Fit the interval of the exported weights; a film that was read is not read again."""
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
        held_back = {"fold": str(self.run.fold)} if self.run.fold else {}
        return {
            "films": counts,
            "limit": self.run.limit,
            **held_back,
            "terms": fine_tuning.terms_of(self.run.pretrained),
        }

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
        made_of |= {"augmentation": profile.augmentation, "degradation": profile.degradation}
        recipe = {key: plain(value) for key, value in made_of.items()}
        recipe |= {"seed": profile.seed, "epochs": run.epochs, "limit": run.limit}
        if run.fold:
            recipe["fold"] = str(run.fold)
        elif profile.calibration.share:  # else as it was before there was one
            recipe["calibration"] = plain(profile.calibration)
        if run.pretrained:  # likewise
            recipe["set of weights"] = run.pretrained.identity
        run.begin(stage, recipe)

    def _source(self, name: str) -> str:
        """The checksum of a trained network."""
        whole = name == WHOLE_HAND
        phases = (self.profile.attention if whole else self.profile.region).phases
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
    if not (run.fold or profile.calibration.share):
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
        squeezed=run.limited(films.select("squeezed", CALIBRATION)),
        workers=default_workers(),
        journal=run.folder / CALIBRATION / f"{digest[:12]}.jsonl",
    )


def train(
    profile_name: str | None,
    run: Run,
    *,
    stage: str | None = None,
    start_from: str | None = None,
    few: bool = False,
) -> None:
    """Train weights from labelled films, or resume where an earlier run stopped.

    Everything goes into the run's folder. Processes that train together, up to the stage
    ``fusion``, each call this alike, or there is a GroupError.

    Parameters
    ----------
    profile_name : str, optional
        A bundled profile, or the path of a TOML file. Default: ``compact``, or the profile of
        the weights that are fine-tuned.
    stage : str, optional
        Stop after this one of ``STAGES``. What comes before it is found finished, or finished
        first.
    start_from : str, optional
        Pretrained weights to fine-tune: ``bundled``, or their folder. Of every network only
        the last phase is trained, as the profile's ``fine_tuning`` says; with ``few`` also
        on fewer than 200 films.
    """
    if stage is not None and stage not in STAGES:
        raise DataError(f"no stage {stage!r}; the stages are {', '.join(STAGES)}")
    pretrained = fine_tuning.find_pretrained(start_from) if start_from else None
    if pretrained:
        profile = fine_tuning.profile_to_fine_tune(profile_name, pretrained)
    else:
        profile = load_profile(profile_name or DEFAULT_PROFILE)
    films = load_films(run.data, strict=run.strict)
    for problem in films.problems:
        print(printable(f"skipped {problem}"))  # noqa: T201  progress of a long command
    if films.problems:
        print(f"skipped: {in_words(films.problems)}")  # noqa: T201
    if pretrained:
        profile, films = fine_tuning.begin_fine_tuning(pretrained, profile, films, few=few)
        run = replace(run, pretrained=pretrained)
    if run.fold:
        films = films.hold_out_fold(run.fold)
    else:
        films = films.hold_out_share(profile.calibration.share)
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
        run.group.agree(what, digest_of(value))
    run.group.check_shared(run.folder)
