"""The interval of weights: fitted on labelled films, written into the manifest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from boneage.datasets.films import Film, Films, Fold, evenly
from boneage.datasets.labels import CALIBRATION
from boneage.domain.assessment import Failure
from boneage.errors import BoneageError, DataError, WeightsError
from boneage.i18n.words import percent
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import MANIFEST, read_manifest
from boneage.inference.networks import whole_hand_feature
from boneage.quality.classifier import FeatureSpace, fit_space
from boneage.reading import read
from boneage.storage.files import atomically, today, write_text
from boneage.storage.parallel import Journal, in_parallel
from boneage.training.fit_uncertainty import error_model
from boneage.uncertainty.intervals import (
    DEFAULT_LEVEL,
    LEAST_FILMS,
    IntervalModel,
    scores_table,
    shape_table,
)

FEATURES = "training_features.zip"
"""Of arrays, as ``numpy.savez`` writes them."""
SPACE_FILMS = 500
"""Training films that the space of features is spanned by: more change it little."""
METHOD = (
    "normalised split-conformal (Lei et al. 2018), by sex (Vovk et al. 2005); each image scored "
    "by an expected error fitted without it (after Barber et al. 2021)"
)

Report = Callable[[str], None]


def fit_interval(
    folder: Path, films: Films, out: Path, *, workers: int = 1, report: Report = print
) -> dict[str, Any]:
    """Fit the interval of finished weights on the films that were held out from their training.

    ``out`` gets a journal, from which a run that was cut off resumes. A DataError when too few
    films were held out.
    """
    manifest = read_manifest(folder)
    digests = "".join(network.sha256 for network in manifest.networks.values())
    held = held_out_as(manifest.table, films)
    return calibrate_weights(
        folder,
        held.select("detailed", CALIBRATION),
        held.select("detailed", "train"),
        squeezed=held.select("squeezed", CALIBRATION),
        workers=workers,
        journal=out / f"interval-{hashlib.sha256(digests.encode()).hexdigest()[:12]}.jsonl",
        report=report,
    )


def held_out_as(manifest: Mapping[str, Any], films: Films) -> Films:
    """The films with those held out that a manifest says were held out in training."""
    fold = manifest.get("data", {}).get("fold")
    if fold:
        return films.hold_out_fold(Fold.parse(fold))
    share = manifest.get("profile", {}).get("calibration", {}).get("share", 0.0)
    return films.hold_out_share(float(share))


def calibrate_weights(
    folder: Path,
    calibration: Sequence[Film],
    training: Sequence[Film] = (),
    *,
    squeezed: Sequence[Film] = (),
    workers: int = 1,
    journal: Path | None = None,
    report: Report = print,
) -> dict[str, Any]:
    """Fit the interval of weights, and write it into their manifest; gives its new table.

    An earlier interval is replaced. The manifest's checksum, which names the weights, is another
    one afterwards. The films are of useful resolution: nothing in the weights was trained or chosen
    on those for ``calibration``; of those for ``training``, at most 500, evenly spaced, are used,
    and without any the interval does not widen for atypical ones. Of ``squeezed`` copies, likewise
    never seen, there are more; see :mod:`boneage.training.fit_uncertainty.error_model`. From the
    ``journal`` a run that was cut off resumes. A DataError when fewer than 30 of the calibration
    films can be read.
    """
    _check_count(len(calibration))
    _put(folder, None)  # whole at every moment, and read by the networks alone
    assessor = Assessor(folder, threads=1, calibration="")
    space = _space(assessor, training, workers, report)
    found = _read(assessor, calibration, space, workers, journal, report)
    _check_count(len(found))
    films = every = error_model.errors_of(found)
    if len(squeezed) > len(calibration):
        copies = journal and journal.with_stem(f"{journal.stem}-squeezed")
        every = error_model.errors_of(_read(assessor, squeezed, space, workers, copies, report))
    model = error_model.fit_interval(films, every)
    table = _table(films, every, model, min(len(training), SPACE_FILMS) if space else 0)
    if space:
        content = space.to_bytes()
        with atomically(folder / FEATURES) as file:
            file.write(content)
        table["features"] = {"file": FEATURES, "sha256": hashlib.sha256(content).hexdigest()}
    _put(folder, table)
    report(_summary(films, model))
    return table


def _check_count(films: int) -> None:
    if films < LEAST_FILMS:
        raise DataError(
            f"{films} calibration images can be read; an interval needs at least {LEAST_FILMS}"
        )


def _space(
    assessor: Assessor, training: Sequence[Film], workers: int, report: Report
) -> FeatureSpace | None:
    """Span the space of the training films' features."""
    if not training:
        return None
    some = evenly(training, SPACE_FILMS)
    report(f"computing the whole-hand features of {len(some)} training images")

    def feature_of(film: Film) -> Any:
        try:
            return whole_hand_feature(assessor.weights, read(film.path))
        except WeightsError:
            raise
        except BoneageError:
            return None

    features = [f for f in in_parallel(feature_of, some, workers) if f is not None]
    return fit_space(features) if len(features) > 1 else None


def _read(
    assessor: Assessor,
    films: Sequence[Film],
    space: FeatureSpace | None,
    workers: int,
    path: Path | None,
    report: Report,
) -> list[error_model.FilmEstimate]:
    report(f"analysing {len(films)} calibration images")
    quality = assessor.weights.quality_model
    recipe = {
        "networks": {k: n.sha256 for k, n in assessor.weights.manifest.networks.items()},
        "features": hashlib.sha256(space.to_bytes()).hexdigest() if space else None,
        "quality": quality.table["arrays_sha256"] if quality else None,
        "films": [film.id for film in films],
    }
    found = []
    with Journal(path, recipe) if path else nullcontext() as journal:
        answers = error_model.estimate_films(
            assessor, films, space=space, workers=workers, journal=journal
        )
        for answer in answers:
            if isinstance(answer, Failure):
                report(f"skipped {answer.film}: {answer.message}")
            else:
                found.append(answer)
    return found


def _table(
    films: error_model.Errors, every: error_model.Errors, model: IntervalModel, features: int
) -> dict[str, Any]:
    boys = int(every.male.sum())
    return {
        "method": METHOD,
        "date": today(),
        "films": {
            "female": len(every.male) - boys,
            "male": boys,
            "detailed": len(films.male),
            "training_features": features,
        },
        "mae_months": round(float(np.abs(films.errors).mean()), 3),
        "shape": shape_table(model.shape),
        "scores": scores_table(model.scores),
    }


def _summary(films: error_model.Errors, model: IntervalModel) -> str:
    """Report how wide the interval of a film in the middle is."""
    shape, scores = model.shape, model.scores
    widening = shape.widening(films.disagreement, films.ood_score)
    parts = []
    for sex in scores.by_sex:
        mask = films.of(sex)
        if not mask.any():
            continue
        threshold = scores.threshold(sex, DEFAULT_LEVEL)
        usual = shape.usual_months(sex, films.answers[mask])
        reach = float(np.median(usual * widening[mask])) * threshold.score
        basis = "images of this sex" if threshold.by_sex else "images of both sexes"
        parts.append(f"{sex} ±{reach:.1f} months by {threshold.films} {basis}")
    return f"{percent(DEFAULT_LEVEL)} interval of a median image: {', '.join(parts)}"


def _put(folder: Path, interval: dict[str, Any] | None) -> None:
    """Write an interval into a manifest, or take it out."""
    table = dict(read_manifest(folder).table)  # what is no manifest is not touched
    if table.pop("interval", None) == interval:
        return
    if interval is not None:
        table["interval"] = interval
    write_text(folder / MANIFEST, json.dumps(table, indent=1) + "\n")
