"""Our own parts of the page, by Streamlit's component interface: a script and a style each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

ASSETS = Path(__file__).with_name("assets")


@st.cache_resource(show_spinner=False)
def component(name: str, *, isolated: bool = True) -> Callable[..., Any]:
    """Register ``assets/NAME.js`` and ``.css``, which draw into ``<div class="NAME">``.

    ``isolated``: in a shadow root, where its style does not meet that of the page.
    """
    return st.components.v2.component(
        f"boneage_{name}",
        html=f'<div class="{name}"></div>',
        css=(ASSETS / f"{name}.css").read_text("utf-8"),
        js=(ASSETS / f"{name}.js").read_text("utf-8"),
        isolate_styles=isolated,
    )
