"""Reruns of a page that are aborted, as by another click of the visitor."""

from __future__ import annotations

from typing import Any

import pytest
import streamlit as st
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.exceptions import RerunException
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData


def abort_next_rerun(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Abort the next rerun at its title; the one after sees no click, as in a browser.

    The list tells afterwards which titles were drawn, the first of them in vain.
    """
    title, drawn = st.title, []

    def broken_off_once(body: str, **options: Any) -> None:
        drawn.append(body)
        if len(drawn) == 1:
            raise RerunException(RerunData(widget_states=_fields()))
        title(body, **options)

    monkeypatch.setattr(st, "title", broken_off_once)
    return drawn


def _fields() -> WidgetStates:
    """What a browser sends along with its next request: every field, no click."""
    context = get_script_run_ctx()
    assert context is not None
    states = context.session_state.get_widget_states()
    return WidgetStates(widgets=[one for one in states if not one.trigger_value])
