"""What Streamlit runs: the frame of the pages."""

from __future__ import annotations

import streamlit as st
from PIL import Image

from boneage.apps.dashboard.data_page import data_page
from boneage.apps.dashboard.keeping import history_place
from boneage.apps.dashboard.reading_page import reading_page
from boneage.apps.dashboard.style import STYLE
from boneage.reports.panels import COLOURS

# Drawn here, because Streamlit would fetch an emoji from elsewhere.
icon = Image.new("RGB", (32, 32), (11, 92, 140))
icon.paste(COLOURS["carpal"], (8, 16, 24, 26))
icon.paste(COLOURS["metacarpal"], (8, 6, 24, 14))

st.set_page_config(page_title="boneage", page_icon=icon, layout="wide")
st.html(STYLE)
pages = [
    st.Page(reading_page, title="Read films", default=True),
    st.Page(data_page, title="Training data", url_path="data"),
]
if history_place() is not None:
    from boneage.apps.dashboard.history_page import history_page  # needs the extra

    pages.insert(1, st.Page(history_page, title="History", url_path="history"))
st.navigation(pages, position="top").run()
