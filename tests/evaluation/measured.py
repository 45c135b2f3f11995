"""A folder of evidence as the commands leave it, of made-up films and small weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from boneage.datasets.films import Film, Films
from boneage.domain.assessment import Interval, WeightsName
from boneage.domain.radiograph import Sex
from boneage.evaluation.ablation import AblationRun, write_ablation
from boneage.evaluation.accuracy import evidence
from boneage.evaluation.accuracy.comparison import OtherReader, compare, write_comparisons
from boneage.evaluation.accuracy.estimates import CaseEstimate, Validation
from boneage.evaluation.data_analysis.analysis import analyse_in_full
from boneage.evaluation.data_analysis.report import as_json
from boneage.evaluation.localization import report as localization
from boneage.evaluation.localization.anatomical_target import CARPUS, METACARPALS, Proportions
from boneage.evaluation.localization.cases import MeasuredFilm
from boneage.evaluation.localization.marks import BOXES, Annotations
from boneage.evaluation.localization.measuring import (
    ALL_METACARPALS,
    COLUMNS,
    RegionMeasurement,
)
from boneage.evaluation.report import Experiment, write_records
from boneage.evaluation.robustness import report as robustness
from boneage.evaluation.robustness.cases import ChangedAnswer, ChangedFilm
from boneage.evaluation.robustness.changes import chosen
from boneage.storage.files import write_json
from boneage.training.ablation.study import Study, Variant, VariantOutcome

DAY = date(2026, 1, 2)
WEIGHTS = WeightsName("tiny-1", "tiny", "ab" * 32)
FAR_OFF, LITTLE, FEW = 30.0, 2.0, 3
"""Errors, in months, at 4 to 6 years and at 10 to 12; films at 14 to 16."""
PER_BAND = 12
CHANGES = ("rotate_180", "noise_strong", "inverted", "png_16_bit")
SHIFTS: Mapping[str, float] = {
    "rotate_180": 40.0,
    "noise_strong": 20.0,
    "inverted": 6.0,
    "png_16_bit": 0.0,
}
"""What each change adds to every answer, in months."""
METACARPALS_INSIDE = (0.3, 0.9, 0.9, 0.7)
BENCH: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "cold": {"seconds": 1.234, "peak_memory_mb": 210.4},
    "warm": [{"width": 2000, "height": 2500, "median_seconds": 0.218, "p95_seconds": 0.3}],
    "steps": {
        **{"width": 2000, "height": 2500, "runs": 20, "ratio": 1.284},
        "steps": [{"name": "joining", "seconds": 0.0021, "networks_seconds": 0.0012}],
        "whole": {"seconds": 0.218, "processor_seconds": 0.281},
        "networks_alone": {"seconds": 0.1, "processor_seconds": 0.17},
        "decoding_alone": {"seconds": 0.05, "processor_seconds": 0.05},
    },
    "import_seconds": 0.21,
    "install": {"seconds": 31.2, "size_mb": 280.3},
    "training": [
        {"stage": "fusion", "films_per_second": 812.3},
        {"stage": "attention/phase-0", "films_per_second": 64.1},
    ],
}
FOLDER: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "weights": {"name": "tiny-1", "profile": "tiny", "sha256": "ab" * 32},
    "bytes_per_film": 20_000.0,
    "paces": [
        {"workers": 1, "films": 100, "seconds": 26.1, "films_per_second": 4.0},
        {"workers": 2, "films": 100, "seconds": 14.2, "films_per_second": 7.2},
    ],
    "ratio": 1.8,
    "killed": {
        "films": 100,
        "rows": 100,
        "failures": 1,
        "twice": 0,
        "missing": 0,
        "kills": 3,
        "bytes_per_row": 400.0,
        "memory": [{"films": 50, "parent_mb": 71.2, "workers_mb": [280.4, 290.6]}],
    },
}
TRAINING_LOOP: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "profile": "drawn",
    "preloaded": [],
    "phases": [
        {
            **{"stage": "carpal/phase-0", "rows": 192, "columns": 192, "batch": 16},
            **{"films_per_second": 9.5, "bare_films_per_second": 10.0, "rounds": [{}, {}]},
            **{"seconds_ratio": 1.052, "seconds_ratios": [1.042, 1.062]},
            **{"processor_ratio": 1.018, "processor_ratios": [1.008, 1.028]},
        }
    ],
}
NODE: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    **{"films": 1000, "kills": 20, "outages": 1, "lost": 0, "doubled": 1, "dead": 0},
    "films_a_minute": 30.44,
}
FUZZ: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    **{"inputs": 2000, "films": 400, "refused": 1599, "findings": [{"input": 7}]},
    **{"slowest_seconds": 2.72, "peak_megabytes": 812},
    "limits": {"seconds": 5.0, "megabytes": 1024},
}
TIMES = {"median": 0.412, "p95": 0.533, "runs": 20}
WAITS = ("first_page", "in_list", "first_answer", "all_answers", "switch")
DASHBOARD: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "browser": "Chromium 156",
    "film": {"width": 2000, "height": 2500},
    "seconds": dict.fromkeys(WAITS, TIMES),
    "images": 30,
    "memory_mb": {"started": 85.5, "with_images": 518.4, "closed": 301.0},
    "axe": {"states": 8, "violations": {"critical": 0, "serious": 0, "moderate": 1, "minor": 6}},
}


def _load(clients: int, per_second: float) -> dict[str, float]:
    seconds = {"p50_seconds": 0.4, "p95_seconds": 0.5, "p99_seconds": 0.6}
    load = {"clients": clients, "requests": 200, "per_second": per_second, **seconds}
    return load | {"processor_seconds": 0.31}


def _alone(at_a_time: int, threads: int, batch: int, rate: float) -> dict[str, float]:
    shape = {"at_a_time": at_a_time, "threads": threads, "batch": batch}
    seconds = {"median_seconds": 0.3, "processor_seconds": 0.27}
    return {**shape, "films_per_second": rate, **seconds}


SERVICE: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "film_bytes": 500_000,
    "networks": [
        _alone(2, 1, 1, 7.5),
        _alone(2, 1, 4, 8.0),
        _alone(1, 2, 1, 7),
        _alone(1, 2, 4, 7.2),
    ],
    "service": [
        {"workers": 2, "threads": 1, "loads": [_load(1, 4.0), _load(4, 6.0)]},
        {"workers": 1, "threads": 2, "loads": [_load(1, 5.0), _load(4, 5.5)]},
    ],
    "assessing": [{"threads": 1, "median_seconds": 0.33, "processor_seconds": 0.29}],
    "memory": {"requests": [0, 1000, 2000], "megabytes": [210.0, 300.0, 301.0]},
}


def _counted(films: int, refused: int, warned: int) -> dict[str, int]:
    return {"films": films, "refused": refused, "warned": warned}


BY_CATEGORY: Mapping[str, Any] = {
    "chest": {"refuse": _counted(40, 39, 1)},
    "hand-adult": {"warn": _counted(20, 1, 19)},
}
SUITABILITY: Mapping[str, Any] = {
    "format": 1,
    "date": "2026-01-02",
    "training": _counted(1000, 6, 30),
    "validation": _counted(200, 1, 8),
    "by_category": BY_CATEGORY,
    "source_left_out": {"by_category": {"chest": {"refuse": _counted(40, 30, 1)}}},
    "seen_as": {"chest": {"chest": 39, "hand": 1}},
    "lying": {"turn 180°": {"films": 50, "found": 49, "as": {"turn 180°": 49, "upright": 1}}},
}


def write_evidence(folder: Path, weights: WeightsName = WEIGHTS) -> Path:
    """Write everything but the pictures of failures, each file by its own writer."""
    for name in ("analysis", "ruler", "stress", "comparison"):
        (folder / name).mkdir(parents=True)
    experiment = Experiment(weights, "drawn", "validation", None, DAY)
    readings = made_readings()
    evidence.write_evidence(folder, Validation(readings, ()), experiment)
    other = OtherReader("a | reader", "other.csv", {r.case: r.true_months + 5 for r in readings})
    compared = [compare(readings, other)]
    write_comparisons(folder / "comparison" / "comparison.json", compared, experiment)
    _write_ruler(folder / "ruler", weights)
    _write_stress(folder / "stress" / "stress.json", weights)
    _write_ablation(folder / "ablation")
    found = as_json(analyse_in_full(Films(made_films()), "drawn"))
    (folder / "analysis" / "analysis.json").write_text(json.dumps(found))
    (folder / "suitability").mkdir()
    made = (
        *(("bench", BENCH), ("dashboard", DASHBOARD), ("service", SERVICE), ("folder", FOLDER)),
        *(("suitability/suitability", SUITABILITY), ("node", NODE)),
    )
    for name, table in made:
        stated = {"weights": {"name": weights.name, "sha256": weights.sha256}}
        (folder / f"{name}.json").write_text(json.dumps({**table, **stated}))
    (folder / "fuzz.json").write_text(json.dumps(FUZZ))
    (folder / "training-loop.json").write_text(json.dumps(TRAINING_LOOP))
    return folder


def made_readings() -> tuple[CaseEstimate, ...]:
    """Bands of 12 films of known errors, and one of too few."""
    bands = ((60.0, FAR_OFF, PER_BAND), (132.0, LITTLE, PER_BAND), (180.0, LITTLE, FEW))
    return tuple(
        CaseEstimate(
            case=f"{true:g}-{place}",
            sex=(Sex.MALE, Sex.FEMALE)[place % 2],
            true_months=true,
            predicted_months=true + error,
            networks={"whole_hand": true + error, "carpal": true - 4},
            attention_found={"carpal": True},
            seconds=0.25,
            intervals=(Interval(true + error - 10, true + error + 10, 0.9),),
            by_standard={Sex.FEMALE: true, Sex.MALE: true + true / 10},
        )
        for true, error, count in bands
        for place in range(count)
    )


def made_films() -> tuple[Film, ...]:
    """A training and a validation film of every other year, of both sexes."""
    return tuple(
        Film(f"{age}{sex}{split}", Path("film.png"), 12.0 * age, sex, split)
        for age in range(1, 19, 2)
        for sex in Sex
        for split in ("train", "validation")
    )


def _write_ruler(folder: Path, weights: WeightsName) -> None:
    films = [_ruled(place, inside) for place, inside in enumerate(METACARPALS_INSIDE)]
    options = {"films": "all", "marked": {}}
    experiment = Experiment(weights, "drawn", "all", None, DAY, options)
    annotations = Annotations({}, Proportions(0.0, 0.4, 0.3, 0.3, "one"))
    test = localization.LocalizationTest(experiment, annotations, films)
    write_records(folder / "ruler.csv", localization.records(test))
    write_json(folder / "ruler.json", localization.summarise(test))


def _ruled(place: int, metacarpals_inside: float) -> MeasuredFilm:
    inside = dict.fromkeys((CARPUS, ALL_METACARPALS, *METACARPALS), 1.0)
    inside[ALL_METACARPALS] = metacarpals_inside
    figures = {
        target: {**dict.fromkeys(COLUMNS, 0.5), "crop_coverage": share, "tight_iou": 0.6}
        for target, share in inside.items()
    }
    film = Film(str(place), Path("film.png"), 120.0, Sex.FEMALE, "train")
    found = {"carpal": True, "metacarpal": True}
    return MeasuredFilm(film, BOXES, 1, RegionMeasurement(found, figures, 0.5, {}))


def _write_stress(path: Path, weights: WeightsName) -> None:
    films = [
        ChangedFilm(
            str(place),
            Sex.FEMALE,
            120.0,
            124.0,
            {name: ChangedAnswer(124.0 + shift) for name, shift in SHIFTS.items()},
        )
        for place in range(3)
    ]
    experiment = Experiment(weights, "drawn", "validation", 3, DAY)
    test = robustness.RobustnessTest(experiment, chosen(CHANGES), films)
    write_json(path, robustness.summarise(test))


def _write_ablation(folder: Path) -> None:
    films = made_films()
    true = np.array([film.age_months for film in films])
    variants = (("all", "all", 2.0), ("one", "carpal alone", 9.0), ("alike", "two", 2.0))
    outcomes = tuple(
        VariantOutcome(Variant(name, label, "with sex"), (true + error)[np.newaxis])
        for name, label, error in variants
    )
    facts = {"seeds": 1, "epochs": 30, "train_films": 1105, "views": 6}
    study = Study("inputs", films, "all", outcomes, facts)
    write_ablation(folder, [study], AblationRun("mine", "tiny", "drawn", DAY))
