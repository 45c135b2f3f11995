"""The quality check and the limits of weights: fitted, measured, and put beside the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from boneage.datasets.films import Film, evenly, load_films
from boneage.domain.orientation import Orientation
from boneage.errors import DataError, FilmError, WeightsError
from boneage.imaging.collimation import whole_image
from boneage.imaging.perturbations import with_text
from boneage.inference.assessor import Assessor
from boneage.inference.networks import features_as_oriented
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.quality.checks import QualityLimits
from boneage.quality.classifier import QualityClassifier
from boneage.quality.model_file import ARRAYS, FORMAT, SUITABILITY, limits_table
from boneage.reading import read
from boneage.storage.files import EVIDENCE_FORMAT, atomically, write_json
from boneage.training.fit_quality.classifiers import (
    Folds,
    basis_of,
    fit_classifier,
    folds_of,
    sources_left_out,
    with_kind,
)
from boneage.training.fit_quality.examples import (
    Example,
    Features,
    Report,
    collect,
    plain_film,
    random_of,
)
from boneage.training.fit_quality.judging import (
    Judged,
    RefusalCounts,
    Turn,
    certain_enough,
    films_table,
    judged,
    limits_of,
    orientation_table,
    text_table,
    write_cases,
)
from boneage.training.fit_quality.refusal_images import RefusalImage, refusal_images

FIGURES, CASES = "suitability.json", "suitability.csv"
LEAST_FILMS, LEAST_IMAGES = 20, 10


@dataclass(frozen=True, eq=False)
class QualityFit:
    """A quality check with its limits, and what they were measured to do."""

    classifier: QualityClassifier
    limits: QualityLimits
    figures: Mapping[str, Any]
    films: Mapping[str, Sequence[Judged]]
    """By the name of the split."""
    images: Sequence[Judged]


def fit_quality_model(
    weights: Path,
    data: Path,
    refusal: Path,
    out: Path,
    *,
    films: int | None = None,
    report: Report = print,
) -> QualityFit:
    """Fit the quality check of weights, set its limits, measure both, and put them in place.

    The networks and the manifest stay as they are. No film of the split ``validation``
    is fitted on; those are judged by the finished check, and counted.

    Parameters
    ----------
    weights : Path
        Their folder.
    data : Path
        Labelled films; those of useful resolution are taken.
    refusal : Path
        A folder with a catalogue of images to refuse.
    out : Path
        For the evidence, and for what is needed to resume after an interruption.
    films : int, optional
        At most so many training films, evenly spaced.

    Raises
    ------
    DataError
        When there are too few films or images.
    WeightsError
        When the weights cannot be used.
    """
    _remove_earlier(weights)  # films are to be analysed without a quality check
    assessor = Assessor(weights, threads=1, calibration="")
    catalogue = {image.name: image for image in refusal_images(refusal)}
    found = load_films(data)
    train = evenly(found.select("detailed", "train"), films)
    every_held_out = found.select("detailed", "validation")
    held_out = evenly(every_held_out, films)
    report(f"computing features: {len(train)} training images, {len(catalogue)} to refuse")
    examples = collect(assessor, train, list(catalogue.values()), out, report)
    _check(examples)
    turn = _turner(assessor, [*train, *every_held_out], catalogue)
    report("fitting the quality check, and testing it on images left out of the fit")
    fit = _fit(assessor, examples, catalogue, turn, held_out)
    _put(weights, assessor, fit)
    _write_evidence(out, assessor, fit, catalogue)
    return fit


def _fit(
    assessor: Assessor,
    examples: Sequence[Example],
    catalogue: Mapping[str, RefusalImage],
    turn: Turn,
    held_out: Sequence[Film],
) -> QualityFit:
    basis = basis_of(examples)
    classifier = fit_classifier(examples, basis)
    pairs = list(_left_out(examples, folds_of(examples), lambda some: fit_classifier(some, basis)))
    films = [pair for pair in pairs if pair[1].is_film]
    certain = certain_enough(films, turn)

    def judge_all(some: Sequence[tuple[QualityClassifier, Example]]) -> list[Judged]:
        return [judged(check, example, certain, turn) for check, example in some]

    trained = judge_all(films)
    limits = limits_of(trained, certain, float(min(assessor.weights.input_size("attention"))))
    images = judge_all([pair for pair in pairs if pair[1].is_image])
    without_source = _left_out(
        examples, sources_left_out(examples), lambda some: with_kind(classifier, some, basis)
    )
    by_source = judge_all([pair for pair in without_source if pair[1].plain])
    counts = RefusalCounts(catalogue, limits)
    figures: dict[str, Any] = {
        "training": films_table(trained, limits),
        "by_category": counts.of(images, "category"),
        "by_source": counts.of(images, "source"),
        "source_left_out": {
            "by_category": counts.of(by_source, "category"),
            "by_source": counts.of(by_source, "source"),
        },
        "seen_as": counts.confusion(images),
        "lying": orientation_table(pair for pair in pairs if pair[1].is_labelled),
    }
    monitored = judge_all([(classifier, example) for example in _readable(assessor, held_out)])
    if monitored:
        figures = {"validation": films_table(monitored, limits), **figures}
    letters = list(_letters(held_out))
    if letters:
        figures["text"] = text_table(letters, limits)
    return QualityFit(
        classifier, limits, figures, {"validation": monitored, "train": trained}, images
    )


def _left_out(
    examples: Sequence[Example], folds: Folds, fit: Callable[[Sequence[Example]], QualityClassifier]
) -> Iterator[tuple[QualityClassifier, Example]]:
    """Each example with a quality check that was fitted without it."""
    for fitted, rest in folds:
        without = fit([examples[place] for place in fitted])
        yield from ((without, examples[place]) for place in rest)


def _readable(assessor: Assessor, films: Sequence[Film]) -> Iterator[Example]:
    for film in films:
        with suppress(FilmError):
            yield plain_film(assessor, film)


def _letters(films: Sequence[Film]) -> Iterator[tuple[int, int]]:
    """Letters in a row of each film, without and with text drawn on it."""
    for film in films:
        with suppress(FilmError):
            pixels = whole_image(read(film.path))
            drawn = with_text(pixels, random_of(film.id))
            yield letters_in_a_row(pixels), letters_in_a_row(drawn)


def _turner(
    assessor: Assessor, films: Sequence[Film], catalogue: Mapping[str, RefusalImage]
) -> Turn:
    paths = {film.id: film.path for film in films}
    paths |= {name: image.path for name, image in catalogue.items()}
    known: dict[tuple[str, Orientation], Features] = {}

    def turn(example: Example, orientation: Orientation) -> Features:
        key = example.name, orientation
        if key not in known:
            known[key] = features_as_oriented(
                assessor.weights, read(paths[example.name]), orientation
            )
        return known[key]

    return turn


def _check(examples: Sequence[Example]) -> None:
    films = sum(example.is_film for example in examples)
    images = sum(example.is_image for example in examples)
    if films < LEAST_FILMS or images < LEAST_IMAGES:
        raise DataError(
            f"{films} training images and {images} images to refuse can be read; "
            f"the quality check needs at least {LEAST_FILMS} and {LEAST_IMAGES}"
        )


def _remove_earlier(weights: Path) -> None:
    """Remove what an earlier fit left: it may belong to other networks."""
    if not weights.is_dir():
        raise WeightsError(f"no weights in {str(weights)!r}")
    for name in (SUITABILITY, ARRAYS):
        (weights / name).unlink(missing_ok=True)


def _put(weights: Path, assessor: Assessor, fit: QualityFit) -> None:
    content = fit.classifier.to_bytes()
    with atomically(weights / ARRAYS) as file:
        file.write(content)
    table = {
        "format": FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "attention_sha256": assessor.weights.manifest.networks["attention"].sha256,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
        "limits": limits_table(fit.limits),
        "figures": dict(fit.figures),
    }
    write_json(weights / SUITABILITY, table)


def _write_evidence(
    out: Path, assessor: Assessor, fit: QualityFit, catalogue: Mapping[str, RefusalImage]
) -> None:
    name = assessor.weights.name
    table = {
        "format": EVIDENCE_FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "weights": {"name": name.name, "sha256": name.sha256},
        "limits": limits_table(fit.limits),
        **fit.figures,
    }
    write_json(out / FIGURES, table)
    write_cases(out / CASES, fit.films, fit.images, catalogue, fit.limits)


def text_summary(fit: QualityFit) -> str:
    """Report in some lines what the quality check does."""
    tables = {
        "training images": fit.figures["training"],
        "validation images": fit.figures.get("validation"),
    }
    for category, by_expected in fit.figures["by_category"].items():
        tables |= {f"{category} (to {wanted})": found for wanted, found in by_expected.items()}
    return "\n".join(
        f"{what}: {found['refused']} of {found['films']} refused, {found['warned']} warned about"
        for what, found in tables.items()
        if found
    )
