"""The quality check and the limits of weights: fitted, measured, and put beside the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boneage.datasets.films import Film, evenly, load_films
from boneage.domain.orientation import Orientation
from boneage.errors import DataError, FilmError, WeightsError
from boneage.imaging.collimation import whole_image
from boneage.imaging.perturbations import random_of, with_text
from boneage.inference.assessor import Assessor
from boneage.inference.networks import features_as_oriented
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.quality.checks import QualityLimits
from boneage.quality.classifier import QualityClassifier
from boneage.quality.model_file import ARRAYS, FORMAT, SUITABILITY, limits_table
from boneage.reading import read
from boneage.storage.files import EVIDENCE_FORMAT, atomically, today, write_json
from boneage.storage.parallel import default_workers, in_parallel
from boneage.training.fit_quality import classifiers, judging
from boneage.training.fit_quality.examples import (
    Example,
    Features,
    Report,
    collect,
    examples_of_maturity,
    extractor_of,
    for_maturity,
    plain_film,
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
    films: Mapping[str, Sequence[judging.Judged]]
    """By the name of the split."""
    images: Sequence[judging.Judged]


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

    The networks and the manifest stay as they are. Of the labelled films in ``data`` those of
    useful resolution are taken, at most so many ``films`` of each split, evenly spaced. None of the
    split ``validation`` is fitted on; those are judged by the finished check, and counted.
    ``refusal`` has a catalogue of images to refuse. ``out`` gets the evidence, and what is needed
    to resume. A DataError when there are too few films or images.
    """
    if not weights.is_dir():
        raise WeightsError(f"no weights in {str(weights)!r}")
    for name in (SUITABILITY, ARRAYS):  # of an earlier fit, maybe to other networks
        (weights / name).unlink(missing_ok=True)
    assessor = Assessor(weights, threads=1, calibration="")
    catalogue = {image.name: image for image in refusal_images(refusal)}
    found = load_films(data)
    train = evenly(found.select("detailed", "train"), films)
    every_held_out = found.select("detailed", "validation")
    held_out = evenly(every_held_out, films)
    report(f"computing features: {len(train)} training images, {len(catalogue)} to refuse")
    squeezed = found.select("squeezed", "train")
    maturity = for_maturity(squeezed if films is None else evenly(squeezed, films))
    examples = collect(assessor, train, list(catalogue.values()), maturity, out, report)
    _check(examples)
    turn = _turner(assessor, [*train, *every_held_out], catalogue)
    report("fitting the quality check, and testing it on images left out of the fit")
    unseen = evenly(found.select("squeezed", "validation"), films)
    fit = _fit(assessor, examples, catalogue, turn, held_out, unseen)
    _write(weights, out, assessor, fit)
    judging.write_cases(out / CASES, fit.films, fit.images, catalogue, fit.limits)
    return fit


def _fit(
    assessor: Assessor,
    examples: Sequence[Example],
    catalogue: Mapping[str, RefusalImage],
    turn: judging.Turn,
    held_out: Sequence[Film],
    unseen: Sequence[Film],
) -> QualityFit:
    """Fit; ``held_out`` are the better copies of films that are only counted, ``unseen`` all."""
    basis = classifiers.basis_of(examples)
    classifier = classifiers.fit_classifier(examples, basis)
    pairs = list(
        _left_out(
            examples,
            classifiers.folds_of(examples),
            lambda some: classifiers.fit_classifier(some, basis),
        )
    )
    films = [pair for pair in pairs if pair[1].is_film]
    certain = judging.certain_enough(films, turn)

    def judge_all(some: Sequence[tuple[QualityClassifier, Example]]) -> list[judging.Judged]:
        return [judging.judged(check, example, certain, turn) for check, example in some]

    trained = judge_all(films)
    maturity = judging.Maturity.of(pairs)
    limits = judging.limits_of(
        trained, certain, float(min(assessor.weights.input_size("attention"))), maturity.immature
    )
    images = judge_all([pair for pair in pairs if pair[1].is_image])
    without_source = _left_out(
        examples,
        classifiers.sources_left_out(examples),
        lambda some: classifiers.with_kind(classifier, some, basis),
    )
    by_source = judge_all([pair for pair in without_source if pair[1].plain])
    counts = judging.RefusalCounts(catalogue, limits)
    figures: dict[str, Any] = {
        "training": judging.films_table(trained, limits),
        "by_category": counts.of(images, "category"),
        "by_source": counts.of(images, "source"),
        "source_left_out": {
            "by_category": counts.of(by_source, "category"),
            "by_source": counts.of(by_source, "source"),
        },
        "seen_as": counts.confusion(images),
        "maturity": {
            "training": maturity.table(limits),
            "adult_hands": judging.adults_table(images, catalogue, limits),
        },
        "lying": judging.orientation_table(pair for pair in pairs if pair[1].is_labelled),
    }
    readable = list(_readable(assessor, held_out))
    monitored = judge_all([(classifier, example) for example, _ in readable])
    if monitored:
        figures = {"validation": judging.films_table(monitored, limits), **figures}
        letters = [(example.letters or 0, drawn) for example, drawn in readable]
        figures["text"] = judging.text_table(letters, limits)
    if unseen:
        extract, workers = extractor_of(assessor), default_workers()
        made = in_parallel(lambda film: examples_of_maturity(film, extract), unseen, workers)
        judged = judging.Maturity.of((classifier, example) for some in made for example in some)
        figures["maturity"]["validation"] = judged.table(limits)
    films_by_split = {"validation": monitored, "train": trained}
    return QualityFit(classifier, limits, figures, films_by_split, images)


def _left_out(
    examples: Sequence[Example],
    folds: classifiers.Folds,
    fit: Callable[[Sequence[Example]], QualityClassifier],
) -> Iterator[tuple[QualityClassifier, Example]]:
    """Each example with a quality check that was fitted without it."""
    for fitted, rest in folds:
        without = fit([examples[place] for place in fitted])
        yield from ((without, examples[place]) for place in rest)


def _readable(assessor: Assessor, films: Sequence[Film]) -> Iterator[tuple[Example, int]]:
    """The example of each film, and how many letters are in a row once text is drawn on it."""
    for film in films:
        with suppress(FilmError):
            drawn = with_text(whole_image(read(film.path)), random_of(film.id))
            yield plain_film(assessor, film), letters_in_a_row(drawn)


def _turner(
    assessor: Assessor, films: Sequence[Film], catalogue: Mapping[str, RefusalImage]
) -> judging.Turn:
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


def _write(weights: Path, out: Path, assessor: Assessor, fit: QualityFit) -> None:
    """Put the quality check beside the manifest, and write the evidence."""
    content, name = fit.classifier.to_bytes(), assessor.weights.name
    with atomically(weights / ARRAYS) as file:
        file.write(content)
    date, limits = today(), limits_table(fit.limits)
    table = {
        "format": FORMAT,
        "date": date,
        "attention_sha256": assessor.weights.manifest.networks["attention"].sha256,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
        "limits": limits,
        "figures": dict(fit.figures),
    }
    write_json(weights / SUITABILITY, table)
    evidence = {
        "format": EVIDENCE_FORMAT,
        "date": date,
        "weights": {"name": name.name, "sha256": name.sha256},
        "limits": limits,
        **fit.figures,
    }
    write_json(out / FIGURES, evidence)


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
