"""The analysis of a data set as one page for people: what it holds, and what to mind."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from boneage.datasets.problems import count_by_kind
from boneage.evaluation.data_analysis.analysis import THIN_FILMS, Analysis
from boneage.evaluation.data_analysis.figures import draw_ages, draw_splits, draw_z_scores
from boneage.evaluation.data_analysis.files import write_numbers
from boneage.evaluation.data_analysis.findings import (
    WORDS,
    findings,
    outlier_sentence,
    problem_sentence,
    split_sentence,
)
from boneage.evaluation.page import Picture, Section, write_page

PAGE = "analysis.html"
PROBLEMS_SHOWN = 200
Table = list[Sequence[str]]


def write_analysis(folder: Path, analysis: Analysis) -> Path:
    """Write figures, tables, JSON and the page into a folder that exists; the page's path."""
    write_numbers(folder, analysis)
    draw_ages(analysis.dataset, folder / "ages.png")
    draw_splits(analysis, folder / "splits.png")
    draw_z_scores(analysis.dataset, folder / "z_scores.png")
    lead = (
        "Bone ages and sexes as the labels state them, before anything is trained: "
        "a film of several copies counts once."
    )
    title = f"Analysis of the data set {analysis.name}"
    write_page(folder / PAGE, title, lead, sections(folder, analysis))
    return folder / PAGE


def sections(folder: Path, analysis: Analysis) -> list[Section]:
    """The parts of the page, over the figures in a folder."""
    dataset = analysis.dataset
    return [
        Section("What to know", text="\n\n".join(findings(analysis))),
        Section("Ages, in months", table=_statistics(analysis)),
        Section(
            "Ages by sex",
            pictures=[_picture(folder, "ages", "Histograms of bone age: all, girls, boys.")],
        ),
        Section("Ages by two-year band", text=_thin_rule(), table=_bands(analysis)),
        Section(
            "z-scores",
            text=outlier_sentence(analysis),
            table=_outliers(analysis),
            pictures=[_picture(folder, "z_scores", "Histogram of z-scores, ±3 marked.")],
        ),
        Section(
            "Splits",
            text=split_sentence(analysis),
            pictures=[_picture(folder, "splits", "Share of each split by bone age.")],
        ),
        Section(
            "What cannot be used",
            text=problem_sentence(analysis),
            table=_problem_counts(analysis),
        ),
        *(
            [Section("Each of these by name", table=_problem_table(analysis))]
            if dataset.problems
            else []
        ),
    ]


def _thin_rule() -> str:
    return (
        "A band holds its lower end, not its upper one; the last holds both. Counts under "
        f"{THIN_FILMS} are marked *."
    )


def _statistics(analysis: Analysis) -> Table:
    dataset = analysis.dataset
    groups = {"all": dataset.overall}
    groups |= {who: dataset.by_sex[sex] for sex, who in WORDS.items() if sex in dataset.by_sex}
    groups |= dict(analysis.by_split)
    rows: Table = [("films", "count", "mean", "median", "standard deviation", "min", "max")]
    for name, s in groups.items():
        numbers = (f"{s.mean:.1f}", f"{s.median:g}", f"{s.standard_deviation:.1f}")
        rows.append((name, f"{s.count:,}", *numbers, f"{s.least:g}", f"{s.most:g}"))
    return rows


def _bands(analysis: Analysis) -> Table:
    rows: Table = [("years", *WORDS.values(), "all", "mean age ± SD, months")]
    for found in analysis.bands:
        counts = (found.counts[sex] for sex in WORDS)
        marked = (f"{n:,}{'*' if n < THIN_FILMS else ''}" for n in counts)
        ages = found.ages
        spread = f"{ages.mean:.1f} ± {ages.standard_deviation:.1f}" if ages else "–"
        label = f"{found.band.low} to {found.band.high}"
        rows.append((label, *marked, f"{found.count:,}", spread))
    return rows


def _outliers(analysis: Analysis) -> Table:
    outliers = analysis.dataset.outliers
    if not outliers:
        return []
    rows: Table = [("film", "sex", "months", "z-score")]
    rows += [(o.film, str(o.sex), f"{o.age_months:g}", f"{o.z:.2f}") for o in outliers]
    return rows


def _problem_counts(analysis: Analysis) -> Table:
    counts = count_by_kind(analysis.dataset.problems)
    if not counts:
        return []
    rows: Table = [("kind", "count")]
    return rows + [(kind.label, f"{n:,}") for kind, n in counts.items()]


def _problem_table(analysis: Analysis) -> Table:
    problems = analysis.dataset.problems
    rows: Table = [("film, and what is wrong", "kind")]
    rows += [(str(problem), problem.kind.label) for problem in problems[:PROBLEMS_SHOWN]]
    if len(problems) > PROBLEMS_SHOWN:
        rows.append((f"and {len(problems) - PROBLEMS_SHOWN:,} more, in problems.csv", ""))
    return rows


def _picture(folder: Path, name: str, alt: str) -> Picture:
    return Picture(folder / f"{name}.png", alt)
