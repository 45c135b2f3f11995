"""What ``streamlit run`` starts: the page, and the addresses of its pictures and its viewer."""

from __future__ import annotations

from pathlib import Path

from streamlit.starlette import App

from boneage.apps.dashboard import pictures, viewer

app = App(Path(__file__).with_name("app.py"), routes=[*pictures.ROUTES, *viewer.ROUTES])
