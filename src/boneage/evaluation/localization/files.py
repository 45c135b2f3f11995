"""What the ruler leaves behind: ``ruler.csv``, a row a film and target, and ``ruler.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import Failure, WeightsName
from boneage.evaluation.accuracy.validation import Split
from boneage.evaluation.localization.anatomical_target import CARPUS, STRIP_WIDTH, Proportions
from boneage.evaluation.localization.films import Copies
from boneage.evaluation.localization.marks import Annotations
from boneage.evaluation.localization.proportions import in_words
from boneage.evaluation.localization.ruler import (
    ALL_METACARPALS,
    CARPUS_FROM_POINTS,
    FIGURES,
    RASTER_PX,
    RECTANGLES,
    REGION_OF,
    TARGETS,
)
from boneage.evaluation.localization.run import BOXES, POINTS, Ruled
from boneage.evaluation.localization.summary import COVERED, Groups, worst
from boneage.evaluation.metrics import DRAWS, LEVEL, SEED
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_json, write_text

CSV, JSON = "ruler.csv", "ruler.json"
"""Of ``ruler.json``."""
NAMED = (CARPUS, CARPUS_FROM_POINTS, ALL_METACARPALS)
"""Targets whose worst films are named."""


@dataclass(frozen=True)
class RulerSetting:
    """Which weights were measured, on which films, against what, and when."""

    weights: WeightsName
    data: str
    """The folder of films, by its bare name."""
    films: Copies
    split: Split
    limit: int | None
    proportions: Proportions
    marked: Mapping[str, int]
    """How many films have usable marks, by source."""
    left_out: tuple[str, ...]
    """Marks and copies that could not be used, one sentence each."""
    day: date

    @property
    def recipe(self) -> dict[str, Any]:
        """What the figures of one film depend on, for the journal."""
        return {
            "boneage": __version__,
            "weights": self.weights.sha256,
            "data": self.data,
            "films": self.films,
            "proportions": asdict(self.proportions),
            "strip_width": STRIP_WIDTH,
        }


def setting_of(
    weights: WeightsName,
    data: Path,
    annotations: Annotations,
    unfit: Mapping[str, str],
    films: Copies,
    split: Split,
    limit: int | None,
) -> RulerSetting:
    """Gather what a run is about; ``unfit`` says by id why a detailed copy is not used."""
    sources = Counter(BOXES if marks[0].boxes else POINTS for marks in annotations.marks.values())
    copies = [] if films == "squeezed" else sorted(set(unfit) & set(annotations.marks))
    return RulerSetting(
        weights=weights,
        data=data.resolve().name,
        films=films,
        split=split,
        limit=limit,
        proportions=annotations.proportions,
        marked=dict(sorted(sources.items())),
        left_out=(*annotations.problems, *(f"{name}: {unfit[name]}" for name in copies)),
        day=date.today(),
    )


def write_csv(path: Path, films: Sequence[Ruled]) -> None:
    """Write a row a film and target; films in their order, shares from 0 to 1."""
    names = [f"{rectangle}_{figure}" for rectangle in RECTANGLES for figure in FIGURES]
    header = [
        *("id", "sex", "age_months", "split", "copy", "source", "readers", "target"),
        *("attention_found", *names, "tight_iou", "covered", "in_order", "distal_offset"),
    ]
    rows = (
        _row(film, target, names)
        for film in films
        for target in TARGETS
        if target in film.measured.figures
    )
    write_text(path, csv_text([header, *rows]))


def _row(film: Ruled, target: str, names: Sequence[str]) -> list[str]:
    label, measured = film.film, film.measured
    figures = measured.figures[target]
    return [
        *(label.id, label.sex.value, f"{label.age_months:g}", label.split),
        *(film.copy, film.source, str(film.readers), target),
        str(int(measured.found[REGION_OF[target]])),
        *(f"{figures[name]:.4f}" for name in names),
        f"{figures['tight_iou']:.4f}",
        str(int(figures["crop_coverage"] >= COVERED)),
        str(int(measured.in_order)),
        f"{measured.distal_offset:.4f}",
    ]


def write_summary(
    path: Path,
    films: Sequence[Ruled],
    failures: Sequence[Failure],
    groups: Groups,
    setting: RulerSetting,
) -> dict[str, Any]:
    """Write all that can be said of the films together.

    Returns
    -------
    dict
        What the file now holds.
    """
    table = {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "date": setting.day.isoformat(),
        "weights": asdict(setting.weights),
        "data": {
            "name": setting.data,
            "films": setting.films,
            "split": setting.split,
            "limit": setting.limit,
            "marked": dict(setting.marked),
        },
        "films": {
            "tried": len(films) + len(failures),
            "measured": len(films),
            "failed": len(failures),
        },
        "target": {
            "built": list(in_words(setting.proportions)),
            "proportions": asdict(setting.proportions),
            "strip_width": STRIP_WIDTH,
            "raster_px": RASTER_PX,
        },
        "covered_from": COVERED,
        "interval": {"method": "bootstrap", "level": LEVEL, "draws": DRAWS, "seed": SEED},
        "groups": {
            grouping: {name: asdict(group) for name, group in members.items()}
            for grouping, members in groups.items()
        },
        "worst": {target: _worst(films, target) for target in NAMED},
        "left_out": list(setting.left_out),
        "failures": [
            {"case": failure.film, "code": failure.code, "message": failure.message}
            for failure in failures
        ],
    }
    write_json(path, table)
    return table


def _worst(films: Sequence[Ruled], target: str) -> list[dict[str, Any]]:
    return [
        {
            "case": film.film.id,
            "age_months": film.film.age_months,
            "copy": film.copy,
            "attention_found": film.measured.found[REGION_OF[target]],
            "in_order": film.measured.in_order,
            "crop_coverage": film.measured.figures[target]["crop_coverage"],
        }
        for film in worst(films, target)
    ]
