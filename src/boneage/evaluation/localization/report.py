"""What a test of the localization leaves behind: ``ruler.csv``, ``ruler.json``, ``ruler.html``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import Failure
from boneage.evaluation.localization import figures
from boneage.evaluation.localization.anatomical_target import (
    CARPUS,
    METACARPALS,
    STRIP_WIDTH,
    Proportions,
)
from boneage.evaluation.localization.cases import SQUEEZED, MeasuredFilm, source_of
from boneage.evaluation.localization.marks import Annotations
from boneage.evaluation.localization.measuring import (
    ALL_METACARPALS,
    CARPUS_FROM_POINTS,
    COLUMNS,
    RASTER_PX,
    REGION_OF,
    TARGETS,
)
from boneage.evaluation.localization.summary import COVERED, Groups, worst
from boneage.evaluation.report import (
    FIGURES,
    Experiment,
    failures_of,
    paragraphs,
    write_page,
    write_rows,
)
from boneage.storage.files import write_json

CSV, JSON, PAGE = "ruler.csv", "ruler.json", "ruler.html"
NAMED = (CARPUS, CARPUS_FROM_POINTS, ALL_METACARPALS)
"""Targets whose worst films are named."""
HEADER = (
    *("id", "sex", "age_months", "split", "copy", "source", "readers", "target"),
    *("attention_found", *COLUMNS, "tight_iou", "covered", "in_order", "distal_offset"),
)


@dataclass(frozen=True)
class Anatomy:
    """What the regions were held against."""

    proportions: Proportions
    left_out: tuple[str, ...] = ()
    """Marks and copies that could not be used, one sentence each."""


def marked_films(annotations: Annotations) -> dict[str, int]:
    """How many films have usable marks, by source."""
    return dict(sorted(Counter(source_of(annotations, f) for f in annotations.marks).items()))


def anatomy_of(annotations: Annotations, unfit: Mapping[str, str], copies: str) -> Anatomy:
    """Gather what the regions are held against.

    ``unfit`` says by id why a detailed copy is not used.
    """
    moved = [] if copies == SQUEEZED else sorted(set(unfit) & set(annotations.marks))
    left_out = (*annotations.problems, *(f"{name}: {unfit[name]}" for name in moved))
    return Anatomy(annotations.proportions, left_out)


def recipe(experiment: Experiment, anatomy: Anatomy) -> dict[str, Any]:
    """What the figures of one film depend on, for the journal."""
    return {
        "boneage": __version__,
        "weights": experiment.weights.sha256,
        "data": experiment.data,
        "films": experiment.options["films"],
        "proportions": asdict(anatomy.proportions),
        "strip_width": STRIP_WIDTH,
    }


def write_report(
    folder: Path,
    films: Sequence[MeasuredFilm],
    groups: Groups,
    table: Mapping[str, Any],
) -> None:
    """Write the table, the summary, the figures and the page into a folder, made when missing."""
    write_rows(folder / CSV, rows_of(films))
    write_json(folder / JSON, table)
    drawings = folder / FIGURES
    figures.draw_coverage(drawings / "coverage.png", films)
    figures.draw_by_age(drawings / "coverage_by_age.png", groups)
    figures.draw_by_metacarpal(drawings / "coverage_by_metacarpal.png", groups)
    figures.draw_in_hand(drawings / "crops_in_hand.png", films)
    constants = {"labels": figures.NAMES, "metacarpals": METACARPALS, "region_of": REGION_OF}
    write_page(folder / PAGE, "localization", test=table, short=in_short(table), **constants)


def in_short(table: Mapping[str, Any]) -> list[str]:
    """Say what a person wants first; one paragraph a target."""
    constants = {"labels": figures.NAMES, "region_of": REGION_OF}
    return paragraphs("localization_in_short", test=table, **constants)


def rows_of(films: Sequence[MeasuredFilm]) -> Iterable[Sequence[str]]:
    """A row a film and target below the header; films in their order, shares from 0 to 1."""
    yield HEADER
    for film in films:
        label, measured = film.film, film.measured
        for target in TARGETS:
            found = measured.figures.get(target)
            if found is None:
                continue
            yield [
                *(label.id, label.sex.value, f"{label.age_months:g}", label.split),
                *(film.copy, film.source, str(film.readers), target),
                str(int(measured.found[REGION_OF[target]])),
                *(f"{found[name]:.4f}" for name in (*COLUMNS, "tight_iou")),
                str(int(found["crop_coverage"] >= COVERED)),
                *(str(int(measured.in_order)), f"{measured.distal_offset:.4f}"),
            ]


def summarised(
    films: Sequence[MeasuredFilm],
    failures: Sequence[Failure],
    groups: Groups,
    experiment: Experiment,
    anatomy: Anatomy,
) -> dict[str, Any]:
    """All that ``ruler.json`` holds; plain values."""
    return {
        **experiment.header(),
        "films": {
            "tried": len(films) + len(failures),
            "measured": len(films),
            "failed": len(failures),
        },
        "target": {
            "built": built_of(anatomy.proportions),
            "proportions": asdict(anatomy.proportions),
            "strip_width": STRIP_WIDTH,
            "raster_px": RASTER_PX,
        },
        "covered_from": COVERED,
        "groups": {
            grouping: {name: asdict(group) for name, group in members.items()}
            for grouping, members in groups.items()
        },
        "worst": {
            target: [_worst(film, target) for film in worst(films, target)] for target in NAMED
        },
        "left_out": list(anatomy.left_out),
        "failures": failures_of(failures),
    }


def built_of(proportions: Proportions) -> list[str]:
    """Say how the targets are built, with the proportions as measured; some paragraphs."""
    return paragraphs("localization_target", strip_width=STRIP_WIDTH, **asdict(proportions))


def _worst(film: MeasuredFilm, target: str) -> dict[str, Any]:
    return {
        "case": film.film.id,
        "age_months": film.film.age_months,
        "copy": film.copy,
        "attention_found": film.measured.found[REGION_OF[target]],
        "in_order": film.measured.in_order,
        "crop_coverage": film.measured.figures[target]["crop_coverage"],
    }
