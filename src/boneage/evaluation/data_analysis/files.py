"""The analysis of a data set as numbers: CSV tables, and JSON of all that is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from boneage._version import __version__
from boneage.datasets.problems import Kind, count_by_kind
from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import THIN_FILMS, Analysis, BandFilms
from boneage.evaluation.data_analysis.dataset import BIN_MONTHS, BIN_Z, Z_LIMIT, Bin, Statistics
from boneage.evaluation.metrics import OVERALL
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_json, write_text

"""Of ``analysis.json``."""
SEXES = (Sex.FEMALE, Sex.MALE)
STATISTICS = ("mean", "median", "standard_deviation", "least", "most")

Rows = list[Sequence[object]]


def write_numbers(folder: Path, analysis: Analysis) -> list[Path]:
    """Write all tables and ``analysis.json`` into a folder that exists.

    Returns
    -------
    list of Path
        What was written.
    """
    tables = {
        "statistics.csv": statistics_rows(analysis),
        "ages.csv": age_rows(analysis),
        "age_bands.csv": band_rows(analysis.bands),
        "z_scores.csv": z_rows(analysis.dataset.z_scores),
        "problems.csv": problem_rows(analysis),
    }
    for name, rows in tables.items():
        write_text(folder / name, csv_text(rows))
    write_json(folder / "analysis.json", as_json(analysis))
    return [folder / name for name in (*tables, "analysis.json")]


def statistics_rows(analysis: Analysis) -> Rows:
    """Of ages in months: overall, by sex and by split."""
    rows: Rows = [("group", "films", *(f"{name}_months" for name in STATISTICS))]
    for group, found in _groups(analysis).items():
        rows.append((group, found.count, *(round(getattr(found, n), 3) for n in STATISTICS)))
    return rows


def age_rows(analysis: Analysis) -> Rows:
    """The histogram of ages; a bin holds its lower end, not its upper one."""
    splits = analysis.ages_by_split
    rows: Rows = [("low_months", "high_months", "films", *SEXES, *splits)]
    for place, b in enumerate(analysis.dataset.ages):
        in_splits = (counts[place] for counts in splits.values())
        rows.append((b.low, b.high, b.count, *(b.counts[sex] for sex in SEXES), *in_splits))
    return rows


def band_rows(bands: Iterable[BandFilms]) -> Rows:
    """Films, mean age and standard deviation of each two-year band."""
    rows: Rows = [
        ("low_years", "high_years", "films", *SEXES, "mean_months", "standard_deviation_months")
    ]
    for found in bands:
        ages = found.ages
        spread = (round(ages.mean, 3), round(ages.standard_deviation, 3)) if ages else ("", "")
        counts = (found.counts[sex] for sex in SEXES)
        rows.append((found.band.low, found.band.high, found.count, *counts, *spread))
    return rows


def z_rows(bins: Iterable[Bin]) -> Rows:
    """The histogram of z-scores; a bin holds its lower end, not its upper one."""
    rows: Rows = [("low_z", "high_z", "films", *SEXES)]
    rows += [(b.low, b.high, b.count, *(b.counts[sex] for sex in SEXES)) for b in bins]
    return rows


def problem_rows(analysis: Analysis) -> Rows:
    """What cannot be used, one row each."""
    rows: Rows = [("kind", "film", "message")]
    rows += [(p.kind.value, p.film, p.message) for p in analysis.dataset.problems]
    return rows


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
            "histogram": _records(z_rows(dataset.z_scores)),
        },
        "ages": {"bin_months": BIN_MONTHS, "histogram": _records(age_rows(analysis))},
        "age_bands": _records(band_rows(analysis.bands)),
        "thin_ages": {
            "fewer_films_than": THIN_FILMS,
            "found": [asdict(thin) for thin in analysis.thin],
        },
        "heaped": [asdict(heaped) for heaped in analysis.heaped],
        "copies": asdict(analysis.copies),
        "problems": {
            "count": len(dataset.problems),
            "by_kind": {kind.value: counts.get(kind, 0) for kind in Kind},
        },
    }


def _groups(analysis: Analysis) -> dict[str, Statistics]:
    dataset = analysis.dataset
    groups = {OVERALL: dataset.overall}
    groups |= {str(sex): dataset.by_sex[sex] for sex in SEXES if sex in dataset.by_sex}
    return groups | dict(analysis.by_split)


def _records(rows: Rows) -> list[dict[str, object]]:
    header = [str(name) for name in rows[0]]
    return [
        {name: None if cell == "" else cell for name, cell in zip(header, row, strict=True)}
        for row in rows[1:]
    ]
