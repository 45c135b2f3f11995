"""The page that checks a folder of labelled radiographs before anything is trained on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeAlias

import streamlit as st

from boneage.apps.dashboard.markup import escape_markdown
from boneage.datasets.films import load_films
from boneage.datasets.labels import in_words
from boneage.domain.radiograph import Sex
from boneage.errors import BoneageError
from boneage.evaluation.data_analysis.analysis import BIN_MONTHS, Z_LIMIT, Bin, Dataset, analyse

PROBLEMS_SHOWN = 200
FOLDER = "dataset-folder"
REQUESTED_FOLDER = "folder-to-analyse"
CHART_PX, AXIS_PX = 170, 50
SAME_NUMBERS = "The table below has the same numbers."
COLOUR, LIMIT_COLOUR = "#2a78ab", "#d55e00"
"""Blue and vermilion: distinguishable with any colour vision, on light and dark."""
LABELS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}
Columns: TypeAlias = dict[str, list[str]]
Spec: TypeAlias = dict[str, Any]
"""Of Vega-Lite, which comes with Streamlit: https://vega.github.io/vega-lite/docs/spec.html"""


def dataset_page() -> None:
    """Draw the page."""
    st.title("Dataset check")
    st.markdown(
        "Choose a folder in the layout of the RSNA challenge: "
        "`boneage-training-dataset.csv` with `id,boneage,male`, and the images beside it. "
        "Nothing in it is changed."
    )
    with st.form("folder", border=False):
        st.text_input("Folder on this computer", placeholder="/data/rsna", key=FOLDER)
        st.form_submit_button("Analyse", type="primary", on_click=_request_analysis)
    if REQUESTED_FOLDER in st.session_state:
        st.session_state["dataset"] = _analysed(st.session_state[REQUESTED_FOLDER])
        del st.session_state[REQUESTED_FOLDER]
    dataset: Dataset | str | None = st.session_state.get("dataset")
    if isinstance(dataset, Dataset):
        _show(dataset)
    elif dataset is not None:
        st.error(dataset)


def _request_analysis() -> None:
    """Store the request: an aborted rerun loses the click."""
    st.session_state[REQUESTED_FOLDER] = st.session_state[FOLDER]


def _analysed(folder: str) -> Dataset | str:
    """The analysis, or why there is none."""
    path = Path(folder.strip().strip("'\"")).expanduser()
    if not folder.strip():
        return "Enter the path of a folder."
    if not path.is_dir():
        return escape_markdown(f"There is no folder {str(path)!r} on this computer.")
    try:
        return analyse(load_films(path))
    except (BoneageError, OSError) as error:
        return escape_markdown(f"{error}.")


def _show(dataset: Dataset) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Bone ages, in months")
        st.table(statistics_table(dataset), hide_index=True)
        low, high = dataset.z_range
        count = len(dataset.outliers)
        st.markdown(
            f"All z-scores lie between {low:.2f} and {high:.2f}; beyond ±3: "
            f"{count:,} radiograph{'s' * (count != 1)}."
        )
    with right:
        st.header("Unusable data")
        _show_problems(dataset)
    st.header("Bone ages by sex")
    st.vega_lite_chart(spec=age_chart(dataset))
    st.header("z-scores")
    st.vega_lite_chart(spec=z_chart(dataset))
    with st.expander("The histograms as numbers"):
        ages, z_scores = st.columns(2, gap="large")
        ages.table(bins_table(dataset.ages, "months", 0), hide_index=True)
        z_scores.table(bins_table(dataset.z_scores, "z-score", 2), hide_index=True)
    if dataset.outliers:
        with st.expander("The radiographs beyond ±3"):
            st.table(outliers_table(dataset), hide_index=True)


def _show_problems(dataset: Dataset) -> None:
    if not dataset.problems:
        st.markdown("None: every image has one valid label, and every label its image.")
        return
    st.markdown(f"{escape_markdown(in_words(dataset.problems))}:")
    shown = dataset.problems[:PROBLEMS_SHOWN]
    with st.container(height=220):
        st.markdown("\n".join(f"- {escape_markdown(str(problem))}" for problem in shown))
        if len(dataset.problems) > len(shown):
            st.markdown(f"and {len(dataset.problems) - len(shown)} more")


def statistics_table(dataset: Dataset) -> Columns:
    """The statistics, overall and by sex."""
    groups = {"all": dataset.overall}
    groups |= {LABELS[sex]: dataset.by_sex[sex] for sex in LABELS if sex in dataset.by_sex}
    names = ("radiographs", "mean", "median", "standard deviation", "minimum", "maximum")
    columns: Columns = {"statistic": list(names)}
    for name, s in groups.items():
        middle = [f"{value:.1f}" for value in (s.mean, s.median, s.standard_deviation)]
        columns[name] = [f"{s.count:,}", *middle, f"{s.least:g}", f"{s.most:g}"]
    return columns


def bins_table(bins: Sequence[Bin], label: str, decimals: int) -> Columns:
    """A histogram as numbers; a bin includes its lower end, not its upper one."""
    return {
        label: [f"{b.low:.{decimals}f} to {b.high:.{decimals}f}" for b in bins],
        **{LABELS[sex]: [str(b.counts[sex]) for b in bins] for sex in LABELS},
        "all": [str(b.count) for b in bins],
    }


def outliers_table(dataset: Dataset) -> Columns:
    """The radiographs whose z-score is beyond the limit."""
    found = dataset.outliers
    return {
        "image": [o.film for o in found],
        "sex": [o.sex.value for o in found],
        "months": [f"{o.age_months:g}" for o in found],
        "z-score": [f"{o.z:.2f}" for o in found],
    }


def age_chart(dataset: Dataset) -> Spec:
    """Histograms of ages, all and by sex, over one axis."""
    edges = [month for b in dataset.ages for month in (b.low, b.high)]
    panels = [("all", [b.count for b in dataset.ages])]
    panels += [(LABELS[sex], [b.counts[sex] for b in dataset.ages]) for sex in LABELS]
    return {
        "description": "Histograms of bone age in bins of a year: all radiographs, girls, boys. "
        f"{SAME_NUMBERS}",
        "spacing": 12,
        "vconcat": [
            _bars(dataset.ages, counts, ("months", f"radiographs, {name}"), edges, BIN_MONTHS)
            | {"width": "container", "height": CHART_PX}
            for name, counts in panels
        ],
    }


def z_chart(dataset: Dataset) -> Spec:
    """The histogram of z-scores, with ±3 marked."""
    edges = [z for b in dataset.z_scores for z in (b.low, b.high)]
    edges += [-Z_LIMIT - 0.5, Z_LIMIT + 0.5]
    counts = [b.count for b in dataset.z_scores]
    limits = {"values": [{"z": -Z_LIMIT, "name": "−3"}, {"z": Z_LIMIT, "name": "+3"}]}
    x = {"field": "z", "type": "quantitative"}
    line = {"type": "rule", "color": LIMIT_COLOUR, "strokeDash": [6, 4], "strokeWidth": 2}
    word = {"type": "text", "color": LIMIT_COLOUR, "align": "left", "dx": 5, "fontSize": 13}
    name = {"field": "name", "type": "nominal"}
    return {
        "description": "Histogram of z-scores with lines at minus 3 and plus 3. " + SAME_NUMBERS,
        "width": "container",
        "height": CHART_PX + AXIS_PX,
        "layer": [
            _bars(dataset.z_scores, counts, ("z-score", "radiographs"), edges, 1),
            {"data": limits, "mark": line, "encoding": {"x": x}},
            {"data": limits, "mark": word, "encoding": {"x": x, "y": {"value": 8}, "text": name}},
        ],
    }


def _bars(
    bins: Sequence[Bin],
    counts: Sequence[int],
    titles: tuple[str, str],
    edges: Sequence[float],
    step: float,
) -> Spec:
    """Bars over an axis from the lowest to the highest edge, with a tick at each step."""
    low, high = min(edges), max(edges)
    ticks = [tick * step for tick in range(math.ceil(low / step), math.floor(high / step) + 1)]
    bars = zip(bins, counts, strict=True)
    x: Spec = {"field": "low", "bin": "binned", "type": "quantitative", "title": titles[0]}
    x |= {"scale": {"domain": [low, high], "nice": False}, "axis": {"values": ticks}}
    y = {"field": "radiographs", "type": "quantitative", "title": titles[1]}
    return {
        "data": {"values": [{"low": b.low, "high": b.high, "radiographs": n} for b, n in bars]},
        "mark": {"type": "bar", "color": COLOUR, "tooltip": True},
        "encoding": {"x": x, "x2": {"field": "high"}, "y": y | {"axis": {"tickCount": 4}}},
    }
