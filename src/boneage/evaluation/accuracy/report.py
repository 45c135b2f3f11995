"""``report.html``: one page that says what was measured, how, and how good it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from boneage.evaluation.accuracy.comparison import Comparison
from boneage.evaluation.accuracy.comparison_report import comparison_section
from boneage.evaluation.accuracy.plots import Drawn
from boneage.evaluation.accuracy.report_tables import (
    bands_table,
    metrics_table,
    networks_table,
    number,
    share,
    standards_table,
)
from boneage.evaluation.page import Picture, Section, write_page

REPORT = "report.html"
SHOWN_NAMES = 20
"""Names listed on the page; ``metrics.json`` has them all."""

Table: TypeAlias = Mapping[str, Any]
Figures: TypeAlias = Mapping[str, Drawn]

_OF_SPLIT = {
    "train": "Weights are trained on this split. Where it trained these weights, the errors here "
    "flatter; what to believe are the films held back (--split validation).",
    "validation": "This split is held back from training. The same page for the films that train "
    "weights: boneage evaluate --split train.",
    "all": "Films for training and films held back, together. Where the former trained these "
    "weights, the errors here flatter; what to believe is --split validation.",
}


def write_report(
    path: Path,
    table: Table,
    figures: Figures,
    *,
    comparisons: Sequence[Comparison] = (),
    curves: Mapping[str, Path] | None = None,
) -> None:
    """Write the page.

    Parameters
    ----------
    path : Path
    table : mapping
        What ``metrics.json`` holds.
    figures : mapping of Drawn
        As ``draw_figures`` gives them.
    comparisons : sequence of Comparison
    curves : mapping of Path, optional
        Loss curves, by the name of their stage.
    """
    sections = [
        *_accuracy(table, figures),
        _intervals(table, figures),
        _regions(table),
        *(
            comparison_section(found, table["weights"]["name"], figures[f"comparison-{place}"])
            for place, found in enumerate(comparisons, 1)
        ),
        *([_curves(curves)] if curves else []),
        _left_out(table),
        _method(table),
    ]
    title = f"Bone age: {table['weights']['name']} on {table['data']['name']}"
    write_page(path, title, _lead(table), sections)


def _lead(table: Table) -> str:
    films, data = table["films"], table["data"]
    only = f", of which only the first {data['limit']} were tried" if data["limit"] else ""
    only += f", {data['copies']} copies" if "copies" in data else ""
    only += ", refused films read too" if data.get("forced") else ""
    return (
        f"{films['read']} of {films['tried']} labelled films read; data {data['name']}, split "
        f"{data['split']}{only}. {_OF_SPLIT[data['split']]} boneage {table['boneage']}, "
        f"{table['date']}. Supports, does not replace, a reader; not a medical device."
    )


def _accuracy(table: Table, figures: Figures) -> list[Section]:
    limits = table["agreement"]["bland_altman"]
    return [
        Section(
            "How far off",
            "Error is predicted less labelled bone age, so a bias above 0 reads too old. In "
            "brackets: 95 % bootstrap intervals. R² is 1 − SS_res / SS_tot.",
            metrics_table(table["metrics"]),
            _pictures(figures, "within", "error-histograms"),
        ),
        Section(
            "At which age",
            "By the labelled bone age, in two-year bands. A band of few films says little, and "
            "its interval says how little.",
            bands_table(table["by_band"]),
            _pictures(figures, "mae-by-band", "error-by-age"),
        ),
        Section(
            "At which age, by sex",
            "Bands of one sex with at least 10 films."
            if any(table["by_sex_and_band"].values())
            else "No band of one sex has 10 films.",
            bands_table(
                {
                    f"{sex}, {band}": metrics
                    for sex, bands in table["by_sex_and_band"].items()
                    for band, metrics in bands.items()
                }
            ),
        ),
        Section(
            "Predicted against true",
            "Each network alone, and the answer that joins them with the sex. The regression "
            "line is by least squares; its r² says how straight the points lie, R² how near they "
            "are to the label. Months.",
            networks_table(table),
            _pictures(figures, "scatters"),
        ),
        Section(
            "By the other standard",
            "The same films by the standard of each sex, whatever their own. Girls mature "
            "earlier, so the female standard should read the same skeleton younger, most of all "
            "in puberty. By the band of the label, which is of the child's own sex.",
            standards_table(table["standards"]),
        ),
        Section(
            "Limits of agreement",
            "Bland–Altman: were the differences normal, 95 % would lie between "
            f"{number(limits['lower_months'])} and {number(limits['upper_months'])} months; "
            f"their mean is {number(limits['mean_months'])} months.",
            pictures=_pictures(figures, "bland-altman"),
        ),
    ]


def _intervals(table: Table, figures: Figures) -> Section:
    title = "Stated intervals"
    found = table["prediction_intervals"]
    if found is None:
        return Section(
            title,
            "These weights state no interval with their answer, so there is none to check.",
        )
    rows = [["years of age", "level stated", "films", "label inside", "mean width, months"]]
    for level in found["levels"]:
        for band, coverage in {"all": level["overall"], **level["by_band"]}.items():
            rows.append(
                [
                    band.replace("-", "–"),
                    f"{100 * level['level']:.0f} %",
                    str(coverage["count"]),
                    share(coverage["share"]),
                    f"{coverage['mean_width_months']:.1f}",
                ]
            )
    text = f"How often the label lies inside the stated interval. In brackets: {found['method']}."
    return Section(title, text, rows, _pictures(figures, "interval-calibration"))


def _regions(table: Table) -> Section:
    rows = [["region", "films in which the attention stood out"]]
    rows += [[name, f"{100 * part:.1f} %"] for name, part in table["attention_found"].items()]
    text = "Where it did not, the region is where it usually lies on training films."
    return Section("Regions found by the attention", text, rows)


def _curves(curves: Mapping[str, Path]) -> Section:
    pictures = [Picture(path, f"Loss curves of {stage}") for stage, path in curves.items()]
    text = f"Of the stages of training, in this order: {', '.join(curves)}."
    return Section("Loss curves", text, pictures=pictures)


def _left_out(table: Table) -> Section:
    problems, failures = table["problems"], table["failures"]
    count = len(problems["named"])
    text = (
        f"{len(failures)} of {table['films']['tried']} films got no answer; "
        f"{count} label{'s' * (count != 1)} or films could not be used."
    )
    if problems["by_kind"]:
        kinds = (f"{kind.replace('_', ' ')}: {n}" for kind, n in problems["by_kind"].items())
        text += f" By kind: {', '.join(kinds)}."
    rows = [[failure["case"], failure["message"]] for failure in failures]
    rows += [list(named.partition(": ")[::2]) for named in problems["named"]]
    if len(rows) > SHOWN_NAMES:
        text += f"\n\nThe first {SHOWN_NAMES}; metrics.json has them all."
    shown = [["film", "why it is left out"], *rows[:SHOWN_NAMES]] if rows else []
    return Section("Left out", text, shown)


def _method(table: Table) -> Section:
    interval, seconds = table["interval"], table["seconds_per_film"]
    return Section(
        "How it was measured",
        "Each film was read by the whole program, by the sex that its label states, and "
        "compared with its label. A film whose attention stood out nowhere counts like any "
        f"other. {100 * interval['level']:.0f} % intervals: {interval['method']}, "
        f"{interval['draws']} draws, seed {interval['seed']}; regression, coverage and tests by "
        "SciPy, error figures by scikit-learn.\n\n"
        f"A film took {seconds['median']:.2f} s (median; 95th percentile {seconds['p95']:.2f} s), "
        f"{table['workers']} at a time, one processor core each.\n\n"
        f"Weights {table['weights']['name']}, profile {table['weights']['profile']}, sha256 of "
        f"their manifest {table['weights']['sha256']}.",
    )


def _pictures(figures: Figures, *names: str) -> list[Picture]:
    return [Picture(figures[name].path, figures[name].alt) for name in names if name in figures]
