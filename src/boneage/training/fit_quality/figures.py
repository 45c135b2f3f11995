"""What the gate does to films and to refused images, counted."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from boneage.domain.assessment import Verdict
from boneage.quality.gate import LYING, Gate, likeliest_lie
from boneage.quality.suitability import FilmLimits
from boneage.training.fit_quality.examples import Example
from boneage.training.fit_quality.judging import Judged
from boneage.training.fit_quality.refusal_images import REFUSE, RefusalImage

Table = dict[str, Any]
COLUMNS = (
    "name",
    "set",
    "category",
    "source",
    "expected",
    "verdict",
    "findings",
    "hand",
    "seen_as",
)


def counts(verdicts: Iterable[Verdict]) -> Table:
    """Count verdicts, and give the shares that were refused and warned about."""
    found = Counter(verdicts)
    total = sum(found.values())
    return {
        "films": total,
        "refused": found[Verdict.REFUSED],
        "warned": found[Verdict.WARNED],
        "accepted": found[Verdict.ACCEPTED],
        "share_refused": round(found[Verdict.REFUSED] / total, 4) if total else None,
        "share_warned": round(found[Verdict.WARNED] / total, 4) if total else None,
    }


def films_table(films: Sequence[Judged], limits: FilmLimits) -> Table:
    """Count what happens to films that should be accepted, and why it does not."""
    codes = Counter(
        finding.code
        for film in films
        for finding in film.findings(limits)
        if finding.severity != "note"
    )
    return {
        **counts(film.verdict(limits) for film in films),
        "findings": dict(sorted(codes.items())),
    }


def text_table(films: Sequence[tuple[int, int]], limits: FilmLimits) -> Table:
    """Count films about whose text there is a warning, as they came and with text drawn on them.

    Parameters
    ----------
    films : sequence of (int, int)
        Letters in a row of each film without and with the drawn text.
    limits : FilmLimits
    """
    plain, drawn = (
        sum(n > limits.letters_warned for n in some) for some in zip(*films, strict=True)
    )
    return {"films": len(films), "as_they_came": plain, "with_text": drawn}


def images_table(
    images: Sequence[Judged],
    catalogue: Mapping[str, RefusalImage],
    limits: FilmLimits,
    key: Callable[[RefusalImage], str],
) -> Table:
    """Count verdicts on refused images by category or by source, and by what was expected."""
    groups: dict[str, list[Verdict]] = {}
    for image in images:
        entry = catalogue[image.example.name]
        expected = "refuse" if entry.expected == REFUSE else "warn"
        groups.setdefault(f"{key(entry)}|{expected}", []).append(image.verdict(limits))
    table: Table = {}
    for name, verdicts in sorted(groups.items()):
        group, _, expected = name.rpartition("|")
        table.setdefault(group, {})[expected] = counts(verdicts)
    return table


def seen_as_table(images: Sequence[Judged], catalogue: Mapping[str, RefusalImage]) -> Table:
    """What the images to be refused were taken for: the confusion, by category."""
    table: dict[str, Counter[str]] = {}
    for image in images:
        entry = catalogue[image.example.name]
        if entry.expected == REFUSE:
            kinds = image.judgement.kinds
            likeliest = max(kinds, key=kinds.__getitem__)
            table.setdefault(entry.category, Counter())[likeliest] += 1
    return {name: dict(sorted(found.items())) for name, found in sorted(table.items())}


def lying_table(pairs: Sequence[tuple[Gate, Example]]) -> Table:
    """How films that were laid in each way seem to lie, to gates that never saw them."""
    table: dict[str, Counter[str]] = {}
    for gate, example in pairs:
        if example.lying is None or example.kind == "several":
            continue
        found = likeliest_lie(gate.judge(example.features))
        table.setdefault(lie_in_words(*LYING[example.lying]), Counter())[lie_in_words(*found)] += 1
    return {
        name: {
            "films": sum(found.values()),
            "found": found[name],
            "as": dict(sorted(found.items())),
        }
        for name, found in sorted(table.items())
    }


def lie_in_words(quarters: int, inverted: bool) -> str:
    """Name a lie by what brings it upright."""
    turn = {0: "upright", 1: "turn 90° clockwise", 2: "turn 180°", 3: "turn 90° counter-clockwise"}
    return f"{turn[quarters]}{', negative' if inverted else ''}"


def write_cases(
    path: Path,
    films: Mapping[str, Sequence[Judged]],
    images: Sequence[Judged],
    catalogue: Mapping[str, RefusalImage],
    limits: FilmLimits,
) -> None:
    """Write one row a picture; ``films`` by the name of their set."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS, restval="")
        writer.writeheader()
        for name, some in films.items():
            writer.writerows(
                {**_row(film, limits), "set": name, "expected": "accept"} for film in some
            )
        for image in images:
            entry = catalogue[image.example.name]
            facts = {"category": entry.category, "source": entry.source, "expected": entry.expected}
            writer.writerow({**_row(image, limits), "set": "refusal", **facts})


def _row(film: Judged, limits: FilmLimits) -> Table:
    kinds = film.judgement.kinds
    return {
        "name": film.example.name,
        "verdict": film.verdict(limits).value,
        "findings": ";".join(finding.code for finding in film.findings(limits)),
        "hand": f"{film.judgement.hand:.4f}",
        "seen_as": max(kinds, key=kinds.__getitem__),
    }
