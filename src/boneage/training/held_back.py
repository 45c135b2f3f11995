"""Stage 6: the finished weights read the films that were held back for their interval."""

from __future__ import annotations

import hashlib

from boneage.datasets.films import Films
from boneage.datasets.labels import CALIBRATION
from boneage.errors import DataError
from boneage.inference.weights import read_manifest
from boneage.storage.many import default_workers
from boneage.training.fit_uncertainty.weights_interval import calibrate_weights
from boneage.training.profile import Profile
from boneage.training.run import Run
from boneage.uncertainty.intervals import LEAST_FILMS


def check_held_back(profile: Profile, films: Films, run: Run) -> None:
    """Find, before hours of training, that too few films are held back for an interval.

    Raises
    ------
    DataError
        When there are; not where the run is tried with a limit of films.
    """
    share, count = profile.calibration.share, len(films.select("detailed", CALIBRATION))
    if share and count < LEAST_FILMS and not run.limit:
        raise DataError(
            f"calibration.share = {share:g} holds back {count} films of useful resolution, and "
            f"an interval needs {LEAST_FILMS}: raise it, or set it to 0 for no interval"
        )


def calibrate_run(profile: Profile, films: Films, run: Run) -> None:
    """Fit the interval of a run's exported weights; what was read is not read again."""
    held_back = run.limited(films.select("detailed", CALIBRATION))
    if not profile.calibration.share:
        print("the profile holds back no films: these weights state no interval")  # noqa: T201
        return
    if run.limit and len(held_back) < LEAST_FILMS:
        print(f"{len(held_back)} films are too few for an interval: none is stated")  # noqa: T201
        return
    folder = run.folder / "weights"
    networks = read_manifest(folder).networks.values()
    digest = hashlib.sha256("".join(n.sha256 for n in networks).encode()).hexdigest()
    calibrate_weights(
        folder,
        held_back,
        run.limited(films.select("detailed", "train")),
        workers=default_workers(),
        journal=run.folder / CALIBRATION / f"{digest[:12]}.jsonl",
    )
