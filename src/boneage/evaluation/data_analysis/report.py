"""What the analysis of a data set leaves behind: CSV tables, JSON, figures, a page."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from matplotlib.axes import Axes

from boneage._version import __version__
from boneage.datasets.labels import Kind, count_by_kind, in_words
from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import (
    BIN_MONTHS,
    BIN_Z,
    SPARSE_FILMS,
    Z_LIMIT,
    Analysis,
    Bin,
    Dataset,
    Statistics,
)
from boneage.evaluation.metrics import OVERALL
from boneage.evaluation.plotting import ACCENT, BOTH, COLOURS, LIGHT, saved_figure
from boneage.evaluation.report import paragraphs, write_page, write_records, write_rows
from boneage.storage.files import EVIDENCE_FORMAT, write_json

TICK_MONTHS = 24
WORDS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}
"""The sexes in texts and figures, in their order."""
SPLIT_STYLES = ((BOTH, "-"), (ACCENT, "--"))
"""Of "train" and "validation", in this order; the dashes tell them apart in grey too."""


def draw_ages(path: Path, dataset: Dataset) -> None:
    """Histograms of bone age: all films, girls, boys."""
    bins = dataset.ages
    panels = [("All radiographs", [b.count for b in bins], BOTH, dataset.overall)] + [
        (name.capitalize(), [b.counts[sex] for b in bins], COLOURS[sex], dataset.by_sex.get(sex))
        for sex, name in WORDS.items()
    ]
    with saved_figure(path, 3, width=7.0, height=7.5) as (_, axes):
        for ax, (name, counts, colour, found) in zip(axes, panels, strict=True):
            _bars(ax, bins, counts, colour)
            title = f"{name}: none"
            if found is not None:
                title = (
                    f"{name}: {found.count:,}; mean {found.mean:.1f}, median {found.median:g}, "
                    f"SD {found.standard_deviation:.1f} months"
                )
            ax.set_title(title, loc="left")
            ax.set_ylabel("radiographs")
            _month_axis(ax, bins)
        axes[-1].set_xlabel("bone age in months (years); a bar covers one year")


def _bars(ax: Axes, bins: Sequence[Bin], counts: Sequence[int], colour: str, **style: Any) -> None:
    lows, widths = [b.low for b in bins], [b.high - b.low for b in bins]
    ax.bar(lows, counts, widths, color=colour, align="edge", ec="white", lw=0.8, **style)


def _month_axis(ax: Axes, bins: Sequence[Bin]) -> None:
    first = math.floor(bins[0].low / TICK_MONTHS) * TICK_MONTHS
    last = math.ceil(bins[-1].high / TICK_MONTHS) * TICK_MONTHS
    ticks = range(first, last + 1, TICK_MONTHS)
    ax.set_xticks(ticks, [f"{tick}\n({tick // 12})" for tick in ticks])
    ax.set(xlim=(first, last), ylim=(0, None))
    ax.grid(visible=False, axis="x")


def draw_splits(path: Path, analysis: Analysis) -> None:
    """Shares of each split by bone age, one line a split, over one another."""
    bins = analysis.dataset.ages
    edges = [*(b.low for b in bins), bins[-1].high]
    with saved_figure(path, width=7.0, height=3.6) as (figure, (ax,)):
        splits = sorted(analysis.ages_by_split.items())
        for (name, counts), (colour, dashes) in zip(splits, SPLIT_STYLES, strict=False):
            found = analysis.by_split[name]
            shares = [100 * count / found.count for count in counts]
            label = f"{name}: {found.count:,} radiographs, mean {found.mean:.1f} months"
            ax.stairs(shares, edges, color=colour, linestyle=dashes, linewidth=1.8, label=label)
        ax.set_title("Are the splits of the same ages?", loc="left")
        ax.set(xlabel="bone age in months (years)", ylabel="share of the split, % a year of age")
        _month_axis(ax, bins)
        figure.legend(loc="outside lower center", ncols=2)


def draw_z_scores(path: Path, dataset: Dataset) -> None:
    """The histogram of z-scores, the sexes upon one another, with ±3 marked."""
    bins = dataset.z_scores
    edge = max(Z_LIMIT + 0.5, -bins[0].low, bins[-1].high)
    with saved_figure(path, width=7.0, height=3.8) as (figure, (ax,)):
        below = [0] * len(bins)
        for sex, name in WORDS.items():
            counts = [b.counts[sex] for b in bins]
            _bars(ax, bins, counts, COLOURS[sex], bottom=below, label=name)
            below = [low + count for low, count in zip(below, counts, strict=True)]
        for limit, label in ((-Z_LIMIT, f"±{Z_LIMIT:g} standard deviations"), (Z_LIMIT, None)):
            ax.axvline(limit, color="black", linestyle="--", linewidth=1.2, label=label)
            ax.axvspan(limit, math.copysign(edge, limit), color=LIGHT, alpha=0.3, linewidth=0)
        low, high = dataset.z_range
        beyond = f"radiographs beyond ±{Z_LIMIT:g}: {len(dataset.outliers):,}"
        ax.set_title(f"z-scores from {low:.2f} to {high:.2f}; {beyond}", loc="left")
        ax.set(xlim=(-edge, edge), ylabel="radiographs")
        ax.set_xlabel("z-score = (bone age − mean) / standard deviation, over all radiographs")
        ax.grid(visible=False, axis="x")
        figure.legend(loc="outside lower center", ncols=3)


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
        {"group": group, "films": found.count}
        | {f"{name}_months": round(getattr(found, name), 3) for name in STATISTICS}
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
