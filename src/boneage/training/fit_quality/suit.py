"""The gate and the limits of finished weights: fitted, measured, and put beside the manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from boneage.datasets.films import Film, load_films
from boneage.domain.assessment import WeightsName
from boneage.domain.stance import Stance
from boneage.errors import DataError, FilmError, WeightsError
from boneage.imaging.framing import whole_image
from boneage.inference.assessor import Assessor
from boneage.quality.burnt_text import letters_in_a_row
from boneage.quality.gate import Gate
from boneage.quality.suitability import FilmLimits
from boneage.quality.suitability_file import ARRAYS, FORMAT, SUITABILITY
from boneage.reading import read
from boneage.storage.files import EVIDENCE_FORMAT, atomically, write_json
from boneage.training.fit_quality.examples import (
    FILMS,
    Example,
    Features,
    collect,
    look_at_plain,
    random_of,
)
from boneage.training.fit_quality.figures import (
    films_table,
    images_table,
    lying_table,
    seen_as_table,
    text_table,
    write_cases,
)
from boneage.training.fit_quality.fitting import (
    basis_of,
    fit_gate,
    folds_of,
    sources_left_out,
    with_kind,
)
from boneage.training.fit_quality.judging import (
    Judged,
    Turn,
    certain_enough,
    is_film,
    judged,
    limits_of,
)
from boneage.training.fit_quality.refusal_images import RefusalImage, refusal_images
from boneage.training.fit_quality.spoiling import with_text

KEPT = "examples.npz"
FIGURES, CASES = "suitability.json", "suitability.csv"
LEAST_FILMS, LEAST_IMAGES = 20, 10

Say = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Outcome:
    """A gate with its limits, and what they were measured to do."""

    gate: Gate
    limits: FilmLimits
    figures: Mapping[str, Any]
    films: Mapping[str, Sequence[Judged]]
    """By the name of the split."""
    images: Sequence[Judged]
    catalogue: Mapping[str, RefusalImage]


def fit_suitability(
    weights: Path,
    data: Path,
    refusal: Path,
    out: Path,
    *,
    films: int | None = None,
    say: Say = print,
) -> Outcome:
    """Fit the gate of finished weights, set its limits, measure both, and put them in place.

    The networks and the manifest stay as they are. No film of the split ``validation``
    is fitted on; those are judged by the finished gate, and counted.

    Parameters
    ----------
    weights : Path
        A folder of weights.
    data : Path
        Labelled films; those of useful resolution are taken.
    refusal : Path
        A folder with a catalogue of images to refuse.
    out : Path
        Where the evidence goes, and what is needed to go on after an interruption.
    films : int, optional
        At most so many training films, evenly spaced. Default: all.
    say : callable
        Told in sentences what goes on.

    Raises
    ------
    DataError
        When there are too few films or images.
    WeightsError
        When the weights cannot be used.
    """
    _take_away(weights)  # the films are to be seen as they came
    assessor = Assessor(weights, threads=1, calibration="")
    catalogue = {image.name: image for image in refusal_images(refusal)}
    found = load_films(data)
    train = _some(found.select("detailed", "train"), films)
    say(f"{len(train)} training films and {len(catalogue)} images are looked at")
    examples = collect(assessor, train, list(catalogue.values()), out / KEPT, say)
    _check(examples)
    turn = _turner(assessor, [*train, *found.select("detailed", "validation")], catalogue)
    say("the gate is fitted, and judged by films and images left out of it")
    outcome = _outcome(assessor, examples, catalogue, turn)
    held_back = list(_plain_films(assessor, found.select("detailed", "validation"), films))
    seen = [judged(outcome.gate, e, outcome.limits.lying_certain, turn) for e in held_back]
    outcome = _with_films(outcome, "validation", seen)
    texts = list(_with_text(_some(found.select("detailed", "validation"), films)))
    if texts:
        outcome = replace(
            outcome, figures={**outcome.figures, "text": text_table(texts, outcome.limits)}
        )
    _put(weights, assessor, outcome)
    _write(out, assessor.weights.name, outcome)
    return outcome


def _outcome(
    assessor: Assessor,
    examples: Sequence[Example],
    catalogue: Mapping[str, RefusalImage],
    turn: Turn,
) -> Outcome:
    basis = basis_of(examples)
    gate = fit_gate(examples, basis)
    pairs = list(_left_out(examples, folds_of(examples), lambda some: fit_gate(some, basis)))
    films = [pair for pair in pairs if is_film(pair[1])]
    certain = certain_enough(films, turn)
    trained = [judged(fold, example, certain, turn) for fold, example in films]
    limits = limits_of(trained, certain, float(min(assessor.input_size("attention"))))
    images = [judged(g, e, certain, turn) for g, e in pairs if e.plain and e.source != FILMS]
    by_source = [
        judged(without, example, certain, turn)
        for without, example in _left_out(
            examples, sources_left_out(examples), lambda some: with_kind(gate, some, basis)
        )
        if example.plain
    ]
    figures = {
        "training": films_table(trained, limits),
        "by_category": images_table(images, catalogue, limits, lambda i: i.category),
        "by_source": images_table(images, catalogue, limits, lambda i: i.source),
        "source_left_out": {
            "by_category": images_table(by_source, catalogue, limits, lambda i: i.category),
            "by_source": images_table(by_source, catalogue, limits, lambda i: i.source),
        },
        "seen_as": seen_as_table(images, catalogue),
        "lying": lying_table([pair for pair in pairs if pair[1].source == FILMS]),
    }
    return Outcome(gate, limits, figures, {"train": trained}, images, catalogue)


def _left_out(
    examples: Sequence[Example],
    folds: Sequence[tuple[list[int], list[int]]],
    fit: Callable[[Sequence[Example]], Gate],
) -> Iterator[tuple[Gate, Example]]:
    """Each example with a gate that was fitted without it."""
    for fitted, rest in folds:
        without = fit([examples[place] for place in fitted])
        yield from ((without, examples[place]) for place in rest)


def _with_films(outcome: Outcome, split: str, films: Sequence[Judged]) -> Outcome:
    figures = {split: films_table(films, outcome.limits), **outcome.figures} if films else None
    return Outcome(
        outcome.gate,
        outcome.limits,
        figures or outcome.figures,
        {split: films, **outcome.films},
        outcome.images,
        outcome.catalogue,
    )


def _plain_films(assessor: Assessor, films: Sequence[Film], most: int | None) -> Iterator[Example]:
    for film in _some(films, most):
        try:
            yield look_at_plain(assessor, read(film.path), film.id)
        except FilmError:
            continue


def _with_text(films: Sequence[Film]) -> Iterator[tuple[int, int]]:
    """Letters in a row of each film, without and with text drawn on it."""
    for film in films:
        try:
            pixels = whole_image(read(film.path))
        except FilmError:
            continue
        drawn = with_text(pixels, random_of(film.id))
        yield letters_in_a_row(pixels), letters_in_a_row(drawn)


def _turner(
    assessor: Assessor, films: Sequence[Film], catalogue: Mapping[str, RefusalImage]
) -> Turn:
    paths = {film.id: film.path for film in films}
    paths |= {name: image.path for name, image in catalogue.items()}
    seen: dict[tuple[str, Stance], Features] = {}

    def turn(example: Example, stance: Stance) -> Features:
        key = example.name, stance
        if key not in seen:
            seen[key] = assessor.seen_lying(read(paths[example.name]), stance)
        return seen[key]

    return turn


def _some(films: Sequence[Film], most: int | None) -> list[Film]:
    """At most so many, evenly spaced."""
    if most is None or len(films) <= most:
        return list(films)
    places = np.linspace(0, len(films) - 1, most).round().astype(int)
    return [films[place] for place in places]


def _check(examples: Sequence[Example]) -> None:
    films = sum(is_film(example) for example in examples)
    images = sum(example.plain and example.source != FILMS for example in examples)
    if films < LEAST_FILMS or images < LEAST_IMAGES:
        raise DataError(
            f"{films} training films and {images} images to refuse can be read; "
            f"the gate needs {LEAST_FILMS} and {LEAST_IMAGES}"
        )


def _take_away(weights: Path) -> None:
    """Remove what an earlier fit left: it may belong to other networks."""
    if not weights.is_dir():
        raise WeightsError(f"no weights in {str(weights)!r}")
    for name in (SUITABILITY, ARRAYS):
        (weights / name).unlink(missing_ok=True)


def _put(weights: Path, assessor: Assessor, outcome: Outcome) -> None:
    content = outcome.gate.to_bytes()
    with atomically(weights / ARRAYS) as file:
        file.write(content)
    table = {
        "format": FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "attention_sha256": assessor.weights.manifest.networks["attention"].sha256,
        "arrays_sha256": hashlib.sha256(content).hexdigest(),
        "limits": asdict(outcome.limits),
        "figures": dict(outcome.figures),
    }
    write_json(weights / SUITABILITY, table)


def _write(out: Path, name: WeightsName, outcome: Outcome) -> None:
    """Write the evidence."""
    date = datetime.now(UTC).date().isoformat()
    limits = asdict(outcome.limits)
    weights = {"name": name.name, "sha256": name.sha256}
    facts = {"format": EVIDENCE_FORMAT, "date": date, "weights": weights, "limits": limits}
    write_json(out / FIGURES, {**facts, **outcome.figures})
    write_cases(out / CASES, outcome.films, outcome.images, outcome.catalogue, outcome.limits)


def summary(outcome: Outcome) -> str:
    """Say in some lines what the gate does."""
    lines = []
    for split in ("train", "validation"):
        table = outcome.figures.get("training" if split == "train" else split)
        if table:
            lines.append(
                f"{split} films: {table['refused']} of {table['films']} refused, "
                f"{table['warned']} warned about"
            )
    for category, by_expected in outcome.figures["by_category"].items():
        for expected, table in by_expected.items():
            lines.append(
                f"{category} (to {expected}): {table['refused']} of {table['films']} refused, "
                f"{table['warned']} warned about"
            )
    return "\n".join(lines)
