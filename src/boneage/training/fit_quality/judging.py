"""Judging plain films and images with a quality check that never saw them, and counting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from boneage.domain.assessment import MATURE, Finding, Verdict, verdict_on
from boneage.domain.orientation import Orientation
from boneage.quality.checks import ImageMeasures, QualityLimits, findings_of_measures
from boneage.quality.classifier import (
    ORIENTATIONS,
    UPRIGHT,
    Judgement,
    QualityClassifier,
    is_better_turned,
    most_likely_orientation,
)
from boneage.storage.delimited import csv_text
from boneage.storage.files import write_text
from boneage.training.fit_quality.examples import Example, Features
from boneage.training.fit_quality.refusal_images import ADULTS, REFUSE, RefusalImage

HAND_REFUSED, HAND_WARNED = 0.006, 0.02
"""Shares of training films whose likelihood of a hand may lie below the limits."""
RARE = 0.004
"""Share of training films that may lie beyond each of the other limits."""
IMMATURE_WARNED = 0.006
"""Share of training films labelled under 16 years that may count as mature."""
LEAST_CERTAIN = 0.3
TILT_DEGREES = 20.0
"""A tilt that is worth a warning, if the quality check can tell."""
MARGIN = 1.25
"""How far beyond the rarest training films the limits of pixel measures lie: there are
few in a hundred, and what is to be found lies much further."""
ATYPICAL_MARGIN = 1.5
WORSE_CONTRAST = 3.0
"""Times less contrast than a film that is warned about: refused."""
COLUMNS = (
    *("name", "set", "category", "source", "expected"),
    *("verdict", "findings", "hand", "seen_as"),
)

Table = dict[str, Any]
Turn = Callable[[Example, Orientation], Features]
"""Features of a plain example in another orientation."""


@dataclass(frozen=True)
class Judged:
    """One plain image, judged."""

    example: Example
    judgement: Judgement
    """As it is read: turned, where the quality check would turn it."""
    orientation: Orientation

    def findings(self, limits: QualityLimits) -> tuple[Finding, ...]:
        """What would be found of its image."""
        example = self.example
        if example.quality is None or example.letters is None or example.side is None:
            raise ValueError(f"{example.name!r} was not measured")
        measures = ImageMeasures(
            self.orientation,
            example.film_size,
            example.quality,
            example.letters,
            self.judgement,
            example.side,
            limits,
            example.metal,
        )
        return tuple(findings_of_measures(measures))

    def verdict(self, limits: QualityLimits) -> Verdict:
        """Whether it would be accepted."""
        return verdict_on(self.findings(limits))

    @property
    def most_likely_kind(self) -> str:
        """What it is most likely taken for."""
        kinds = self.judgement.kinds
        return max(kinds, key=kinds.__getitem__)


def judged(classifier: QualityClassifier, example: Example, certain: float, turn: Turn) -> Judged:
    """Judge a plain example, turned first where it has another orientation for certain."""
    if example.orientation is None:
        raise ValueError(f"{example.name!r} is not a plain image")
    orientation = example.orientation
    judgement = classifier.judge(example.features)
    quarters, inverted = most_likely_orientation(judgement)
    if quarters or inverted:
        turned = replace(orientation, quarters=quarters, inverted=inverted)
        again = classifier.judge(turn(example, turned))
        if is_better_turned(judgement, again, certain):
            orientation, judgement = turned, again
    return Judged(example, judgement, orientation)


def certain_enough(classifiers: Sequence[tuple[QualityClassifier, Example]], turn: Turn) -> float:
    """How much likelier upright a turned film must be, so that next to no training film is turned.

    Each plain training film is given with a quality check that never saw it.
    """
    gains = []
    for classifier, example in classifiers:
        before = classifier.judge(example.features)
        after = judged(classifier, example, LEAST_CERTAIN, turn).judgement
        gains.append(
            after.orientation_probabilities[UPRIGHT] - before.orientation_probabilities[UPRIGHT]
        )
    return max(LEAST_CERTAIN, highest(gains, RARE))


def limits_of(
    films: Sequence[Judged], certain: float, input_px: float, immature: Sequence[float] = ()
) -> QualityLimits:
    """Set the limits on plain training films, each judged by a quality check that never saw it.

    ``certain`` is of ``certain_enough``, ``input_px`` the shorter side of what the attention
    network sees, ``immature`` how mature immature hands are judged.
    """
    judgements = [film.judgement for film in films]
    hand = [judgement.hand for judgement in judgements]
    atypical = [judgement.ood_score for judgement in judgements]
    tilt = [abs(judgement.tilt_degrees) for judgement in judgements]
    qualities = [film.example.quality for film in films if film.example.quality]
    letters = [film.example.letters for film in films if film.example.letters is not None]
    contrast = lowest([quality.contrast for quality in qualities], RARE) / MARGIN
    return QualityLimits(
        hand_refused=min(lowest(hand, HAND_REFUSED), 0.5),
        hand_warned=lowest(hand, HAND_WARNED),
        ood_score_refused=max(atypical) * ATYPICAL_MARGIN,
        ood_score_warned=highest(atypical, RARE),
        orientation_certain=certain,
        tilt_warned_degrees=max(TILT_DEGREES, highest(tilt, RARE)),
        contrast_refused=contrast / WORSE_CONTRAST,
        contrast_warned=contrast,
        white_warned=highest([quality.white for quality in qualities], RARE) * MARGIN,
        noise_warned=highest([quality.noise for quality in qualities], RARE) * MARGIN,
        sharpness_warned=lowest([quality.sharpness for quality in qualities], RARE) / MARGIN,
        side_warned_px=input_px,
        letters_warned=highest(letters, RARE),
        mature_warned=highest(immature, IMMATURE_WARNED) if immature else None,
    )


def lowest(values: Sequence[float], share: float) -> float:
    """A value that at most this share of the values lies below."""
    return float(np.quantile(values, share, method="lower"))


def highest(values: Sequence[float], share: float) -> float:
    """A value that at most this share of the values lies above."""
    return float(np.quantile(values, 1 - share, method="higher"))


def counts(verdicts: Iterable[Verdict]) -> Table:
    """Count verdicts, and give the shares that were refused and warned about."""
    found = Counter(verdicts)
    total = sum(found.values())
    refused, warned = found[Verdict.REFUSED], found[Verdict.WARNED]
    return {
        "films": total,
        "refused": refused,
        "warned": warned,
        "accepted": found[Verdict.ACCEPTED],
        "share_refused": round(refused / total, 4) if total else None,
        "share_warned": round(warned / total, 4) if total else None,
    }


def films_table(films: Sequence[Judged], limits: QualityLimits) -> Table:
    """Count what happens to films that should be accepted, and why it does not."""
    codes = Counter(
        finding.code
        for film in films
        for finding in film.findings(limits)
        if finding.severity != "note"
    )
    verdicts = counts(film.verdict(limits) for film in films)
    return {**verdicts, "findings": dict(sorted(codes.items()))}


@dataclass(frozen=True)
class Maturity:
    """How likely plain films have fused growth plates, by checks that never saw them."""

    fused: Sequence[float]
    """Of those whose label says so."""
    immature: Sequence[float]
    """Of those labelled under 16 years."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[QualityClassifier, Example]]) -> Maturity:
        """Judge the plain examples that were made for maturity."""
        found: dict[bool, list[float]] = {True: [], False: []}
        for check, example in pairs:
            if example.immature is None or not (example.fused or example.immature):
                continue
            likelihood = check.judge(example.features).maturity
            if likelihood is not None:
                found[example.immature].append(likelihood)
        return cls(fused=found[False], immature=found[True])

    def table(self, limits: QualityLimits) -> Table:
        """Count the films that are found to be mature."""

        def found(values: Sequence[float]) -> Table:
            above = sum(value > (limits.mature_warned or 1.0) for value in values)
            return {"films": len(values), "mature": above}

        return {"fused": found(self.fused), "under_16_years": found(self.immature)}


def adults_table(
    images: Iterable[Judged], catalogue: Mapping[str, RefusalImage], limits: QualityLimits
) -> Table:
    """Count the catalogue's hands of adults that are found to be mature."""
    adults = [i for i in images if catalogue[i.example.name].category == ADULTS]
    found = sum(any(f.code == MATURE for f in one.findings(limits)) for one in adults)
    return {"films": len(adults), "mature": found}


def text_table(letters: Sequence[tuple[int, int]], limits: QualityLimits) -> Table:
    """Count films with a warning about text, unchanged and with text drawn on them.

    Of each film, ``letters`` has those in a row without and with the drawn text.
    """
    plain, drawn = (
        sum(n > limits.letters_warned for n in some) for some in zip(*letters, strict=True)
    )
    return {"films": len(letters), "as_they_came": plain, "with_text": drawn}


@dataclass(frozen=True)
class RefusalCounts:
    """What happens to the images of a catalogue."""

    catalogue: Mapping[str, RefusalImage]
    limits: QualityLimits

    def of(self, images: Iterable[Judged], key: str) -> Table:
        """Verdicts by ``category`` or ``source``, and by what was expected."""
        groups: dict[str, dict[str, list[Verdict]]] = {}
        for image in images:
            entry = self.catalogue[image.example.name]
            expected = "refuse" if entry.expected == REFUSE else "warn"
            group = groups.setdefault(getattr(entry, key), {})
            group.setdefault(expected, []).append(image.verdict(self.limits))
        return {
            group: {expected: counts(verdicts) for expected, verdicts in sorted(found.items())}
            for group, found in sorted(groups.items())
        }

    def confusion(self, images: Iterable[Judged]) -> Table:
        """What the images to be refused were taken for, by category."""
        table: dict[str, Counter[str]] = {}
        for image in images:
            entry = self.catalogue[image.example.name]
            if entry.expected == REFUSE:
                table.setdefault(entry.category, Counter())[image.most_likely_kind] += 1
        return {name: dict(sorted(found.items())) for name, found in sorted(table.items())}


def orientation_table(pairs: Iterable[tuple[QualityClassifier, Example]]) -> Table:
    """Which orientation quality checks find in films of each, which they never saw."""
    table: dict[str, Counter[str]] = {}
    for classifier, example in pairs:
        if example.orientation_class is not None and example.kind != "several":
            found = most_likely_orientation(classifier.judge(example.features))
            name = orientation_in_words(*ORIENTATIONS[example.orientation_class])
            table.setdefault(name, Counter())[orientation_in_words(*found)] += 1
    return {
        name: {"films": found.total(), "found": found[name], "as": dict(sorted(found.items()))}
        for name, found in sorted(table.items())
    }


def orientation_in_words(quarters: int, inverted: bool) -> str:
    """Name an orientation by what brings it upright."""
    turn = ("upright", "turn 90° clockwise", "turn 180°", "turn 90° counter-clockwise")[quarters]
    return f"{turn}, negative" if inverted else turn


def write_cases(
    path: Path,
    films: Mapping[str, Sequence[Judged]],
    images: Sequence[Judged],
    catalogue: Mapping[str, RefusalImage],
    limits: QualityLimits,
) -> None:
    """Write one row an image; ``films`` by the name of their set."""

    def row(case: Judged, *stated: str) -> list[str]:
        findings = ";".join(finding.code for finding in case.findings(limits))
        hand = f"{case.judgement.hand:.4f}"
        verdict = case.verdict(limits).value
        return [case.example.name, *stated, verdict, findings, hand, case.most_likely_kind]

    rows = [row(film, name, "", "", "accept") for name, some in films.items() for film in some]
    for image in images:
        entry = catalogue[image.example.name]
        rows.append(row(image, "refusal", entry.category, entry.source, entry.expected))
    write_text(path, csv_text([COLUMNS, *rows]))
