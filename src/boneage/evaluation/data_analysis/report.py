"""What the analysis of a data set leaves behind: CSV tables, JSON, figures, a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.datasets.problems import Kind, count_by_kind, in_words
from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import SPARSE_FILMS, Analysis
from boneage.evaluation.data_analysis.dataset import BIN_MONTHS, BIN_Z, Z_LIMIT, Statistics
from boneage.evaluation.data_analysis.figures import WORDS, draw_ages, draw_splits, draw_z_scores
from boneage.evaluation.metrics import OVERALL
from boneage.evaluation.report import paragraphs, write_page, write_rows
from boneage.storage.files import EVIDENCE_FORMAT, write_json

PAGE = "analysis.html"
SEXES = (Sex.FEMALE, Sex.MALE)
STATISTICS = ("mean", "median", "standard_deviation", "least", "most")
PROBLEMS_SHOWN = 200

Rows = list[Sequence[object]]


def write_analysis(folder: Path, analysis: Analysis) -> Path:
    """Write tables, JSON, figures and the page into a folder that exists; the page's path."""
    dataset = analysis.dataset
    write_numbers(folder, analysis)
    draw_ages(folder / "ages.png", dataset)
    draw_splits(folder / "splits.png", analysis)
    draw_z_scores(folder / "z_scores.png", dataset)
    groups = {"all": dataset.overall}
    groups |= {who: dataset.by_sex[sex] for sex, who in WORDS.items() if sex in dataset.by_sex}
    write_page(
        folder / PAGE,
        "data_analysis",
        analysis=analysis,
        findings=findings(analysis),
        groups=groups | dict(analysis.by_split),
        sexes=WORDS,
        sparse_films=SPARSE_FILMS,
        kinds=count_by_kind(dataset.problems),
        shown=PROBLEMS_SHOWN,
    )
    return folder / PAGE


def findings(analysis: Analysis) -> list[str]:
    """What is worth saying of the data set, each a sentence or two."""
    return paragraphs(
        "data_findings",
        analysis=analysis,
        sexes=WORDS,
        sparse_films=SPARSE_FILMS,
        z_limit=Z_LIMIT,
        problems=in_words(analysis.dataset.problems),
    )


def write_numbers(folder: Path, analysis: Analysis) -> None:
    """Write all tables and ``analysis.json`` into a folder that exists."""
    tables: dict[str, Rows] = {
        "statistics.csv": _statistics_rows(analysis),
        "ages.csv": _age_rows(analysis),
        "age_bands.csv": _band_rows(analysis),
        "z_scores.csv": _z_rows(analysis),
        "problems.csv": [
            ("kind", "film", "message"),
            *((p.kind.value, p.film, p.message) for p in analysis.dataset.problems),
        ],
    }
    for name, rows in tables.items():
        write_rows(folder / name, rows)
    write_json(folder / "analysis.json", as_json(analysis))


def _statistics_rows(analysis: Analysis) -> Rows:
    """Of ages in months: overall, by sex and by split."""
    rows: Rows = [("group", "films", *(f"{name}_months" for name in STATISTICS))]
    for group, found in _groups(analysis).items():
        rows.append((group, found.count, *(round(getattr(found, n), 3) for n in STATISTICS)))
    return rows


def _age_rows(analysis: Analysis) -> Rows:
    """The histogram of ages; a bin holds its lower end, not its upper one."""
    splits = analysis.ages_by_split
    rows: Rows = [("low_months", "high_months", "films", *SEXES, *splits)]
    for place, b in enumerate(analysis.dataset.ages):
        in_splits = (counts[place] for counts in splits.values())
        rows.append((b.low, b.high, b.count, *(b.counts[sex] for sex in SEXES), *in_splits))
    return rows


def _band_rows(analysis: Analysis) -> Rows:
    """Films, mean age and standard deviation of each two-year band."""
    rows: Rows = [
        ("low_years", "high_years", "films", *SEXES, "mean_months", "standard_deviation_months")
    ]
    for found in analysis.bands:
        ages = found.ages
        spread = (round(ages.mean, 3), round(ages.standard_deviation, 3)) if ages else ("", "")
        counts = (found.counts[sex] for sex in SEXES)
        rows.append((found.band.low, found.band.high, found.count, *counts, *spread))
    return rows


def _z_rows(analysis: Analysis) -> Rows:
    """The histogram of z-scores; a bin holds its lower end, not its upper one."""
    bins = analysis.dataset.z_scores
    rows: Rows = [("low_z", "high_z", "films", *SEXES)]
    return rows + [(b.low, b.high, b.count, *(b.counts[sex] for sex in SEXES)) for b in bins]


def as_json(analysis: Analysis) -> dict[str, Any]:
    """Everything but the single problems, which ``problems.csv`` names."""
    dataset = analysis.dataset
    counts = count_by_kind(dataset.problems)
    return {
        "format": EVIDENCE_FORMAT,
        "boneage": __version__,
        "data": analysis.name,
        "statistics_months": {group: asdict(s) for group, s in _groups(analysis).items()},
        "splits": dict(dataset.splits),
        "z_scores": {
            "least": dataset.z_range[0],
            "most": dataset.z_range[1],
            "limit": Z_LIMIT,
            "outliers": [asdict(outlier) for outlier in dataset.outliers],
            "bin": BIN_Z,
            "histogram": _records(_z_rows(analysis)),
        },
        "ages": {"bin_months": BIN_MONTHS, "histogram": _records(_age_rows(analysis))},
        "age_bands": _records(_band_rows(analysis)),
        "thin_ages": {
            "fewer_films_than": SPARSE_FILMS,
            "found": [asdict(sparse) for sparse in analysis.sparse],
        },
        "heaped": [asdict(heaping) for heaping in analysis.heaping],
        "copies": asdict(analysis.copies),
        "problems": {
            "count": len(dataset.problems),
            "by_kind": {kind.value: counts.get(kind, 0) for kind in Kind},
        },
    }


def _groups(analysis: Analysis) -> dict[str, Statistics]:
    by_sex = analysis.dataset.by_sex
    of_sex = {str(sex): by_sex[sex] for sex in SEXES if sex in by_sex}
    return {OVERALL: analysis.dataset.overall, **of_sex, **analysis.by_split}


def _records(rows: Rows) -> list[dict[str, object]]:
    header = [str(name) for name in rows[0]]
    return [
        {name: None if cell == "" else cell for name, cell in zip(header, row, strict=True)}
        for row in rows[1:]
    ]
