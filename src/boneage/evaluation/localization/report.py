"""What a test of the localization leaves behind: ``ruler.csv``, ``ruler.json``, ``ruler.html``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import Failure
from boneage.evaluation.localization import cases, figures
from boneage.evaluation.localization.anatomical_target import METACARPALS, STRIP_WIDTH, Proportions
from boneage.evaluation.localization.marks import Annotations
from boneage.evaluation.localization.measuring import COLUMNS, RASTER_PX, REGION_OF, TARGETS
from boneage.evaluation.report import (
    FIGURES,
    Experiment,
    failures_of,
    paragraphs,
    write_page,
    write_records,
)
from boneage.storage.files import write_json

TABLE, SUMMARY, PAGE = "ruler.csv", "ruler.json", "ruler.html"


@dataclass(frozen=True)
class LocalizationTest:
    """All that was found; at least one film."""

    experiment: Experiment
    annotations: Annotations
    films: Sequence[cases.MeasuredFilm]
    failures: Sequence[Failure] = ()

    @cached_property
    def groups(self) -> cases.Groups:
        """The films summed up, all together and by groups."""
        return cases.summarise_groups(self.films)


def recipe(experiment: Experiment, annotations: Annotations) -> dict[str, Any]:
    """What the figures of one film depend on, for the journal."""
    return {
        "boneage": __version__,
        "weights": experiment.weights.sha256,
        "data": experiment.data,
        "films": experiment.selection["films"],
        "proportions": asdict(annotations.proportions),
        "strip_width": STRIP_WIDTH,
    }


def write_report(folder: Path, test: LocalizationTest) -> None:
    """Write the table, the summary, the figures and the page into a folder, made when missing."""
    table = summarise(test)
    write_records(folder / TABLE, records(test))
    write_json(folder / SUMMARY, table)
    drawings = folder / FIGURES
    figures.draw_coverage(drawings / "coverage.png", test.films)
    figures.draw_by_age(drawings / "coverage_by_age.png", test.groups)
    figures.draw_by_metacarpal(drawings / "coverage_by_metacarpal.png", test.groups)
    figures.draw_in_hand(drawings / "crops_in_hand.png", test.films)
    constants = {"labels": figures.NAMES, "metacarpals": METACARPALS}
    write_page(folder / PAGE, "localization", test=table, short=text_summary(test), **constants)


def text_summary(test: LocalizationTest) -> list[str]:
    """The main figures; one paragraph a target."""
    overall = test.groups["overall"]["overall"]
    constants = {"labels": figures.NAMES, "region_of": REGION_OF, "covered_from": cases.COVERED}
    return paragraphs("localization_in_short", overall=overall, **constants)


def records(test: LocalizationTest) -> list[dict[str, object]]:
    """One of each film and target; films in their order, shares from 0 to 1."""
    return [
        {
            "id": film.film.id,
            "sex": str(film.film.sex),
            "age_months": f"{film.film.age_months:g}",
            "split": film.film.split,
            "copy": film.copy,
            "source": film.source,
            "readers": film.readers,
            "target": target,
            "attention_found": int(film.measured.found[REGION_OF[target]]),
            **{name: f"{found[name]:.4f}" for name in (*COLUMNS, "tight_iou")},
            "covered": int(found["crop_coverage"] >= cases.COVERED),
            "in_order": int(film.measured.in_order),
            "distal_offset": f"{film.measured.distal_offset:.4f}",
        }
        for film in test.films
        for target in TARGETS
        if (found := film.measured.figures.get(target))
    ]


def summarise(test: LocalizationTest) -> dict[str, Any]:
    """All that ``ruler.json`` holds; plain values."""
    return {
        **test.experiment.header(),
        "films": {
            "tried": len(test.films) + len(test.failures),
            "measured": len(test.films),
            "failed": len(test.failures),
        },
        "target": {
            "built": built_of(test.annotations.proportions),
            "proportions": asdict(test.annotations.proportions),
            "strip_width": STRIP_WIDTH,
            "raster_px": RASTER_PX,
        },
        "covered_from": cases.COVERED,
        "groups": {
            grouping: {name: asdict(group) for name, group in members.items()}
            for grouping, members in test.groups.items()
        },
        "worst": {
            target: [
                {
                    "case": film.film.id,
                    "age_months": film.film.age_months,
                    "copy": film.copy,
                    "attention_found": film.measured.found[REGION_OF[target]],
                    "in_order": film.measured.in_order,
                    "crop_coverage": film.measured.figures[target]["crop_coverage"],
                }
                for film in cases.worst(test.films, target)
            ]
            for target in figures.NAMES
        },
        "left_out": list(test.annotations.problems),
        "failures": failures_of(test.failures),
    }


def built_of(proportions: Proportions) -> list[str]:
    """How the targets are built, with the proportions as measured; some paragraphs."""
    return paragraphs("localization_target", strip_width=STRIP_WIDTH, **asdict(proportions))
