"""What ``streamlit run`` starts: the page, and the addresses of its pictures and its viewer."""

from __future__ import annotations

from pathlib import Path

from streamlit.starlette import App

from boneage.apps.dashboard import pictures, viewer, visit
from boneage.apps.dashboard.memory import give_back_large_arrays

give_back_large_arrays()
app = App(
    Path(__file__).with_name("app.py"), routes=[*pictures.ROUTES, *viewer.ROUTES, *visit.ROUTES]
)
