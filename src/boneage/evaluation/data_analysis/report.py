"""What the analysis of a data set leaves behind: CSV tables, JSON, figures, a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from boneage._version import __version__
from boneage.datasets.problems import Kind, count_by_kind, in_words
from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import (
    BIN_MONTHS,
    BIN_Z,
    SPARSE_FILMS,
    Z_LIMIT,
    Analysis,
    Bin,
    Statistics,
)
from boneage.evaluation.data_analysis.figures import WORDS, draw_ages, draw_splits, draw_z_scores
from boneage.evaluation.metrics import OVERALL
from boneage.evaluation.report import paragraphs, write_page, write_records, write_rows
from boneage.storage.files import EVIDENCE_FORMAT, write_json

PAGE = "analysis.html"
SEXES = (Sex.FEMALE, Sex.MALE)
STATISTICS = ("mean", "median", "standard_deviation", "least", "most")
PROBLEMS_SHOWN = 200

Record: TypeAlias = dict[str, Any]


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
    """What stands out in the data set, each a sentence or two."""
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
    statistics = [
        {
            "group": group,
            "films": found.count,
            **{f"{name}_months": round(getattr(found, name), 3) for name in STATISTICS},
        }
        for group, found in _groups(analysis).items()
    ]
    problems = [(p.kind.value, p.film, p.message) for p in analysis.dataset.problems]
    write_records(folder / "statistics.csv", statistics)
    write_records(folder / "ages.csv", _ages(analysis))
    write_records(folder / "age_bands.csv", _bands(analysis))
    write_records(folder / "z_scores.csv", _histogram(analysis.dataset.z_scores, "z"))
    write_rows(folder / "problems.csv", [("kind", "film", "message"), *problems])
    write_json(folder / "analysis.json", as_json(analysis))


def _histogram(bins: Sequence[Bin], unit: str) -> list[Record]:
    """Films in each bin; a bin holds its lower end, not its upper one."""
    return [
        {f"low_{unit}": b.low, f"high_{unit}": b.high, "films": b.count, **_by_sex(b.counts)}
        for b in bins
    ]


def _ages(analysis: Analysis) -> list[Record]:
    splits = analysis.ages_by_split
    return [
        {**record, **{split: counts[place] for split, counts in splits.items()}}
        for place, record in enumerate(_histogram(analysis.dataset.ages, "months"))
    ]


def _bands(analysis: Analysis) -> list[Record]:
    """Films, mean age and standard deviation of each two-year band."""
    return [
        {
            **{"low_years": b.band.low, "high_years": b.band.high, "films": b.count},
            **_by_sex(b.counts),
            "mean_months": round(b.ages.mean, 3) if b.ages else None,
            "standard_deviation_months": round(b.ages.standard_deviation, 3) if b.ages else None,
        }
        for b in analysis.bands
    ]


def _by_sex(counts: Mapping[Sex, int]) -> dict[str, int]:
    return {str(sex): counts[sex] for sex in SEXES}


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
            "histogram": _histogram(dataset.z_scores, "z"),
        },
        "ages": {"bin_months": BIN_MONTHS, "histogram": _ages(analysis)},
        "age_bands": _bands(analysis),
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
