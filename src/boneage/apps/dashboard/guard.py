"""What holds on every page: leaving asks first, and a stopped server says so in our words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from boneage.apps.dashboard.language import page_words
from boneage.apps.dashboard.visit import Visit

CSS = """
.guard:not(:empty) {
  position: fixed; z-index: 999999; inset: 0 0 auto 0; padding: .9rem 1.4rem;
  font: 1rem var(--st-font); background: #8f1d14; color: #fff;
}
"""


def guard() -> None:
    """Draw nothing, and watch."""
    stopped = page_words().gettext(
        "The boneage server has stopped. What you see stays on this page until you close it; to go "
        "on, start boneage again and add the images anew."
    )
    data = {"keep": bool(Visit.current().entries), "stopped": stopped}
    _component()(data=data, key="guard")


@st.cache_resource(show_spinner=False)
def _component() -> Callable[..., Any]:
    script = Path(__file__).parent / "assets" / "guard.js"
    return st.components.v2.component(
        "boneage_guard",
        html='<div class="guard" role="alert"></div>',
        css=CSS,
        js=script.read_text("utf-8"),
    )
