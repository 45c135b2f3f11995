"""A whole training run: its stages in order, each going on where it was cut off."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
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
from boneage.storage.printable import printable
from boneage.training.annotation import annotate, measured_fallback, plan_of, splits_of
from boneage.training.attention import prepare_whole, train_attention
from boneage.training.curves import draw_curves
from boneage.training.distributed.group import ALONE, Group
from boneage.training.export import (
    Exported,
    commit_of,
    export_network,
    networks_table,
    sha256_of,
    today,
    write_manifest,
)
from boneage.training.fine_tuning import begin_fine_tuning, profile_to_fine_tune
from boneage.training.finished import find_finished
from boneage.training.fitting import FINAL, LOG, read_log
from boneage.training.fusion import SeenFilms, feature_names, see, train_fusion
from boneage.training.held_back import calibrate_run, check_held_back
from boneage.training.prepared import PreparedFilms, as_input
from boneage.training.profile import Profile, load_profile
from boneage.training.region_networks import PreparedCrops, prepare_crops, train_region
from boneage.training.run import Run
from boneage.training.terms import terms_of

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
    attention: keras.Model | None = None
    crops: dict[str, PreparedCrops] = field(default_factory=dict)
    networks: dict[str, keras.Model] = field(default_factory=dict)
    """The attention network under ``whole_hand``, and the regions'."""
    fallback: dict[str, Any] = field(default_factory=dict)

    def train_attention(self) -> None:
        """Stage 1."""
        profile = self.profile
        self._begin("attention", preparation=profile.preparation, attention=profile.attention)
        self.attention = train_attention(profile, self.films, self.run)
        self.networks[WHOLE_HAND] = self.attention

    def find_regions(self) -> None:
        """Stage 2."""
        attention = self._trained(self.attention, "attention")
        made_by = self._checksum("attention", self.profile.attention.phases)
        self._begin("regions", attention=made_by, regions=self.profile.regions)
        found = annotate(attention, self.profile, self.films, self.run)
        train = self._ids("train")
        self.fallback = measured_fallback(r for r in found.values() if r.film_id in train)
        for split in splits_of(self.profile, self.films):
            try:
                self.crops[split] = prepare_crops(self.films, split, found, self.profile, self.run)
            except DataError:
                if split != self.films.monitored:
                    raise
            else:
                self.run.report_skipped(self.crops[split].crops)

    def train_regions(self) -> None:
        """Stage 3."""
        attention = self._trained(self.attention, "attention")
        made_by = self._checksum("attention", self.profile.attention.phases)
        for region in self.profile.regions.names:
            self._begin(
                region,
                attention=made_by,
                regions=self.profile.regions,
                region=self.profile.region,
                pooling=self.profile.fusion.pooling,
            )
            self.networks[region] = train_region(
                region,
                attention,
                self.profile,
                self.crops["train"],
                self.crops.get(self.films.monitored),
                self.run,
            )

    def train_fusion(self) -> None:
        """Stage 4."""
        sources = {name: self._source(name) for name in feature_names(self.profile)}
        self._begin("fusion", fusion=self.profile.fusion, **sources)
        fitted = self._see(self.profile.fusion.fitted_on, self.profile.fusion.views)
        watched = self.films.monitored
        held_back = self._see(watched, 1) if watched in self.crops else None
        self.networks["fusion"] = train_fusion(
            self.profile, fitted, held_back, self.run, self.networks
        )

    def export(self) -> None:
        """Stage 5."""
        folder = self.run.folder / "weights"
        folder.mkdir(parents=True, exist_ok=True)
        exported: dict[str, Exported] = {}
        images = self._images("train")  # what is decided on them must not be held back
        seen: dict[str, Any] = {}
        for name, prepared in images.items():
            some = slice(0, EXPORT_CHECKED)
            sex = prepared.sex_codes[some]
            inputs = {"film": as_input(np.asarray(prepared.images[some])), "sex": sex}
            size = prepared.images.shape[1], prepared.images.shape[2]
            file = "attention" if name == WHOLE_HAND else name
            # The looks after the first want the heat map alone.
            alone = ("heat_map",) if name == WHOLE_HAND else ()
            exported[file] = export_network(self.networks[name], file, folder, inputs, size, alone)
            seen |= {name: self.networks[name].predict_on_batch(inputs)["feature"], "sex": sex}
        joined = {name: seen[name] for name in (*feature_names(self.profile), "sex")}
        exported["fusion"] = export_network(self.networks["fusion"], "fusion", folder, joined, None)
        write_manifest(folder, self._manifest(exported))
        for curve in draw_curves(self.run.folder):
            print(f"drawn: {curve}")  # noqa: T201
        print(f"weights: {folder}")  # noqa: T201

    def calibrate(self) -> None:
        """Stage 6."""
        calibrate_run(self.profile, self.films, self.run)

    def _manifest(self, exported: Mapping[str, Exported]) -> dict[str, Any]:
        profile, finished = self.profile, self.run.finished
        origin = {"fine_tuned_from": finished.origin} if finished else {}
        return {
            "name": f"{profile.name}{'-tuned' if finished else ''}-{today()}",
            "date": today(),
            "commit": commit_of(Path(__file__).parent),
            **origin,
            "profile": profile.to_dict(),
            "preparation": asdict(profile.preparation),
            "regions": asdict(with_fallback(plan_of(profile), self.fallback)),
            "networks": networks_table(exported),
            "fusion": {
                "inputs": list(feature_names(profile)),
                "flip_average": profile.fusion.flip_average,
            },
            "data": self._data(),
            "metrics": {"held_back_mae_months": self._held_back_errors()},
        }

    def _data(self) -> dict[str, Any]:
        """How many films each kind of phase had, and what may be done with what they gave."""
        counts = {
            f"{kind}_{split}": len(self.run.limited(self.films.select(kind, split)))
            for kind in ("best", "detailed")
            for split in ("train", "validation")
        }
        held_back = len(self.run.limited(self.films.select("detailed", CALIBRATION)))
        counts |= {"detailed_calibration": held_back} if held_back else {}
        return {"films": counts, "limit": self.run.limit, "terms": terms_of(self.run.finished)}

    def _held_back_errors(self) -> dict[str, float]:
        """The last line of every log: watched in training, never chosen by."""
        errors = {}
        for log in sorted(self.run.folder.rglob(LOG)):
            rows = read_log(log.parent)
            if rows and "val_mae_months" in rows[-1]:
                name = log.parent.relative_to(self.run.folder).as_posix()
                errors[name] = round(rows[-1]["val_mae_months"], 3)
        return errors

    def _see(self, split: str, views: int) -> SeenFilms:
        folder = self.run.folder / "fusion" / f"features-{split}"
        images = self._images(split)
        wanted = {name: images[name] for name in feature_names(self.profile)}
        return see(self.networks, wanted, self.profile, folder, views=views, group=self.run.group)

    def _images(self, split: str) -> dict[str, PreparedFilms]:
        """For each network its images of the same films, in the same order."""
        crops = self.crops[split].detailed  # as most films that will be read
        films = crops.crops.films
        size = self.profile.attention.input
        whole = prepare_whole(films, self.profile, size, self.run, f"{split} films with regions")
        if whole.films != films:
            raise DataError(f"a {split} film vanished between two stages: {whole.skipped[0]}")
        return {WHOLE_HAND: whole, **{name: crops.of(name) for name in crops.names}}

    def _begin(self, stage: str, **made_of: Any) -> None:
        recipe = {
            k: asdict(v) if hasattr(v, "__dataclass_fields__") else v for k, v in made_of.items()
        }
        recipe |= {"seed": self.profile.seed, "epochs": self.run.epochs, "limit": self.run.limit}
        recipe |= {"augmentation": asdict(self.profile.augmentation)}
        recipe |= {"degradation": asdict(self.profile.degradation)}
        if self.run.fold:
            recipe |= {"fold": str(self.run.fold)}
        elif self.profile.calibration.share:  # else as it was before there was one
            recipe |= {"calibration": asdict(self.profile.calibration)}
        if self.run.finished:  # likewise
            recipe |= {"set of weights": self.run.finished.identity}
        self.run.begin(stage, recipe)

    def _source(self, name: str) -> str:
        if name == WHOLE_HAND:
            return self._checksum("attention", self.profile.attention.phases)
        return self._checksum(name, self.profile.region.phases)

    def _checksum(self, stage: str, phases: tuple[Any, ...]) -> str:
        return sha256_of(self.run.folder / stage / f"phase-{len(phases) - 1}" / FINAL)

    def _ids(self, split: str) -> set[str]:
        return {film.id for film in self.films.films if film.split == split}

    def _trained(self, network: keras.Model | None, stage: str) -> keras.Model:
        if network is None:
            raise DataError(
                f"the stage {stage!r} has not run yet; leave out --stage to run them all"
            )
        return network


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
    """Train weights from labelled films, or go on where an earlier run stopped.

    Parameters
    ----------
    profile_name : str, optional
        A bundled profile, or the path of a TOML file. Default: ``compact``, or the
        profile of the weights that are fine-tuned.
    data : Path
        A folder of labelled films; see :mod:`boneage.datasets.films`.
    run_folder : Path
        Everything the run makes goes there; the weights into ``weights/``.
    stage : str, optional
        Stop after this one of ``STAGES``. What comes before it is found
        finished, or finished first.
    epochs, limit : int, optional
        To try a profile small.
    strict : bool
        Stop at the first label or film that is no good.
    initial_weights : Path, optional
        The folder of the weights files that the profile names.
    start_from : str, optional
        Finished weights to fine-tune: ``bundled``, or their folder. Of every network only
        the last phase is trained, as the profile's ``fine_tuning`` says.
    few : bool
        Fine-tune on fewer than 200 films, too.
    fold : Fold, optional
        Of the training ids, held out of every network; training is watched on them, and what
        is fitted on held-out films is fitted on them. Instead of the profile's
        ``calibration.share``.
    shared_images : Path, optional
        A folder of prepared images that several runs share, instead of each its own.
    group : Group
        The processes that train together, up to the stage ``fusion``; each calls this alike.

    Raises
    ------
    ProfileError, DataError, WeightsError
        When the profile, the data, the run folder or the weights cannot be used.
    GroupError
        When processes that train together were asked for different things.
    """
    if stage is not None and stage not in STAGES:
        raise DataError(f"no stage {stage!r}; the stages are {', '.join(STAGES)}")
    finished = find_finished(start_from) if start_from else None
    if finished:
        profile = profile_to_fine_tune(profile_name, finished)
    else:
        profile = load_profile(profile_name or DEFAULT_PROFILE)
    films = load_films(data, strict=strict)
    for problem in films.problems:
        print(printable(f"skipped {problem}"))  # noqa: T201  progress of a long command
    if films.problems:
        print(f"skipped: {in_words(films.problems)}")  # noqa: T201
    if finished:
        profile, films = begin_fine_tuning(finished, profile, films, few=few)
    films = films.hold_out(fold) if fold else films.hold_back(profile.calibration.share)
    run = Run(
        run_folder,
        data,
        initial_weights,
        finished,
        epochs,
        limit,
        strict,
        group,
        shared_images,
        fold,
    )
    _agree(run, profile, films, stage)
    check_held_back(profile, films, run)
    training = Training(profile, films, run)
    steps: dict[str, Callable[[], None]] = {
        "attention": training.train_attention,
        "regions": training.find_regions,
        "region-networks": training.train_regions,
        "fusion": training.train_fusion,
        "export": training.export,
        "calibration": training.calibrate,
    }
    for name, step in steps.items():
        step()
        if name == stage:
            return


def _agree(run: Run, profile: Profile, films: Films, stage: str | None) -> None:
    """Check that processes that train together train the same from the same files."""
    listed = sorted((film.id, str(film.path), film.split, film.age_months) for film in films.films)
    identity = run.finished.identity if run.finished else None
    asked = [profile.to_dict(), identity, run.epochs, run.limit, run.strict, stage]
    for what, value in (("profile or option", asked), ("list of films", listed)):
        digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()
        run.group.agree(what, digest)
    run.group.check_shared(run.folder)
