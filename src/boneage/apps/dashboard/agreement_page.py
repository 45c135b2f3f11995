"""The page that compares readers with the program, from readings made before it was shown."""

from __future__ import annotations

from typing import Any

import streamlit as st

from boneage.apps.dashboard.interactive_chart import BLUE, ORANGE
from boneage.apps.dashboard.language import page_words
from boneage.apps.dashboard.markup import escape_markdown, metadata_list
from boneage.apps.dashboard.visit import history_place
from boneage.clinical.reader_agreement import LATEST, LEAST, ReaderAgreement, reader_agreement
from boneage.errors import HistoryError
from boneage.history.store import History
from boneage.i18n.words import Words

RUNNING = 10
"""Readings in the running mean of the chart of drift."""


def agreement_page() -> None:
    """Draw the page."""
    words = page_words()
    _ = words.gettext
    st.title(_("Agreement of reader and program"))
    try:
        history = History(history_place() or "")
        found = reader_agreement(history.readings())
        history.close()
    except HistoryError as error:
        st.error(escape_markdown(f"{error}."))
        return
    if found is None:
        st.info(
            _(
                "Switch on 'Read first' in the settings, and save at least {count} images with "
                "your own reading to the history."
            ).format(count=LEAST)
        )
        return
    st.html(metadata_list(entries(found, words)))
    left, right = st.columns(2, gap="large")
    left.vega_lite_chart(bland_altman(found, words), key="bland-altman")
    right.vega_lite_chart(drift(found, words), key="drift")


def entries(found: ReaderAgreement, words: Words) -> list[tuple[str, str]]:
    """The figures, as label and value."""
    _ = words.gettext
    low, high = (words.months(end, sign=True) for end in found.limits)
    rows = [
        (_("Images with an own reading"), str(len(found.pairs))),
        (_("Mean absolute difference"), words.months(found.mae)),
        (_("Mean difference, program less reader"), words.months(found.bias, sign=True)),
        (_("Limits of agreement (95 %)"), words.to(low, high)),
    ]
    if found.drift is not None and found.drift_error is not None:
        changed = _("{drift} ± {error} (standard error) in the latest {count}")
        drifted = words.months(found.drift, sign=True)
        error = words.months(found.drift_error)
        rows.append((_("Drift"), changed.format(drift=drifted, error=error, count=LATEST)))
    if found.median_seconds is not None:
        seconds = _("{seconds} seconds").format(seconds=words.number(found.median_seconds, 0))
        rows.append((_("Median time of an own reading"), seconds))
    decided = _("{accepted} accepted, {edited} edited, {rejected} rejected")
    rows.append((_("Decisions"), decided.format(**found.decisions)))
    return rows


def bland_altman(found: ReaderAgreement, words: Words) -> dict[str, Any]:
    """Differences over means, with bias and limits."""
    _ = words.gettext
    points = [{"mean": one.mean / 12, "difference": one.difference} for one in found.pairs]
    return {
        "title": _("Bland–Altman"),
        "height": 380,
        "layer": [
            _line(found.bias, []),
            *(_line(limit, [5, 4]) for limit in found.limits),
            {
                "data": {"values": points},
                "mark": {"type": "point", "filled": True, "color": ORANGE, "tooltip": True},
                "encoding": {
                    "x": {
                        "field": "mean",
                        "type": "quantitative",
                        "title": _("Mean of both, years"),
                        "scale": {"zero": False},
                    },
                    "y": {
                        "field": "difference",
                        "type": "quantitative",
                        "title": _("Program less reader, months"),
                    },
                },
            },
        ],
    }


def _line(value: float, dash: list[int]) -> dict[str, Any]:
    return {
        "data": {"values": [{"value": value}]},
        "mark": {"type": "rule", "color": BLUE, "strokeDash": dash},
        "encoding": {"y": {"field": "value", "type": "quantitative"}},
    }


def drift(found: ReaderAgreement, words: Words) -> dict[str, Any]:
    """Differences in the order of saving, with their running mean."""
    _ = words.gettext
    values = [
        {"number": number, "difference": one.difference}
        for number, one in enumerate(found.pairs, 1)
    ]
    axis = {"field": "number", "type": "quantitative", "title": _("Image, in the order of saving")}
    return {
        "title": _("Differences over time"),
        "height": 380,
        "data": {"values": values},
        "transform": [
            {
                "window": [{"op": "mean", "field": "difference", "as": "running"}],
                "frame": [1 - RUNNING, 0],
            }
        ],
        "layer": [
            {
                "mark": {"type": "point", "filled": True, "color": ORANGE, "tooltip": True},
                "encoding": {
                    "x": axis,
                    "y": {
                        "field": "difference",
                        "type": "quantitative",
                        "title": _("Program less reader, months"),
                    },
                },
            },
            {
                "mark": {"type": "line", "color": BLUE},
                "encoding": {"x": axis, "y": {"field": "running", "type": "quantitative"}},
            },
        ],
    }
