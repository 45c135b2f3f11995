"""The page that looks at a folder of labelled films before anything is trained on it."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from boneage.apps.dashboard import charts
from boneage.apps.dashboard.markup import plain
from boneage.datasets.films import load_films
from boneage.datasets.problems import in_words
from boneage.errors import BoneageError
from boneage.evaluation.data_analysis.dataset import Dataset, analyse

PROBLEMS_SHOWN = 200
FOLDER = "folder-of-films"
WANTED = "folder-to-analyse"


def data_page() -> None:
    """Draw the page."""
    st.title("Training data")
    st.markdown(
        "Point to a folder in the layout of the RSNA challenge: "
        "`boneage-training-dataset.csv` with `id,boneage,male`, and the films beside it. "
        "It is read where it is."
    )
    with st.form("folder", border=False):
        st.text_input("Folder on this computer", placeholder="/data/rsna", key=FOLDER)
        st.form_submit_button("Analyse", type="primary", on_click=_want_analysis)
    if WANTED in st.session_state:
        st.session_state["dataset"] = _analysed(st.session_state[WANTED])
        del st.session_state[WANTED]
    dataset: Dataset | str | None = st.session_state.get("dataset")
    if isinstance(dataset, Dataset):
        _show(dataset)
    elif dataset is not None:
        st.error(dataset)


def _want_analysis() -> None:
    """Note what was clicked: a redraw that is broken off forgets the click."""
    st.session_state[WANTED] = st.session_state[FOLDER]


def _analysed(folder: str) -> Dataset | str:
    """The analysis, or why there is none."""
    path = Path(folder.strip().strip("'\"")).expanduser()
    if not folder.strip():
        return "Give the path of a folder."
    if not path.is_dir():
        return plain(f"There is no folder {str(path)!r} on this computer.")
    try:
        return analyse(load_films(path))
    except (BoneageError, OSError) as error:
        return plain(f"{error}.")


def _show(dataset: Dataset) -> None:
    left, right = st.columns(2, gap="large")
    with left:
        st.header("Ages, in months")
        st.table(charts.statistics_table(dataset), hide_index=True)
        low, high = dataset.z_range
        st.markdown(
            f"Every z-score lies from {low:.2f} to {high:.2f}; beyond ±3: "
            f"{_count(len(dataset.outliers), 'film')}."
        )
    with right:
        st.header("What cannot be used")
        _show_problems(dataset)
    st.header("Ages by sex")
    st.vega_lite_chart(spec=charts.age_chart(dataset))
    st.header("z-scores")
    st.vega_lite_chart(spec=charts.z_chart(dataset))
    with st.expander("The histograms as numbers"):
        ages, z_scores = st.columns(2, gap="large")
        ages.table(charts.bins_table(dataset.ages, "months", "{:.0f}"), hide_index=True)
        scores = charts.bins_table(dataset.z_scores, "z-score", "{:.2f}")
        z_scores.table(scores, hide_index=True)
    if dataset.outliers:
        with st.expander("The films beyond ±3"):
            st.table(charts.outliers_table(dataset), hide_index=True)


def _show_problems(dataset: Dataset) -> None:
    if not dataset.problems:
        st.markdown("Nothing: each film has one label, each label its film, and all make sense.")
        return
    st.markdown(f"{plain(in_words(dataset.problems))}:")
    shown = dataset.problems[:PROBLEMS_SHOWN]
    with st.container(height=220):
        st.markdown("\n".join(f"- {plain(str(problem))}" for problem in shown))
        if len(dataset.problems) > len(shown):
            st.markdown(f"and {len(dataset.problems) - len(shown)} more")


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' * (number != 1)}"
