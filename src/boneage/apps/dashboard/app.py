"""The script that Streamlit runs: page setup and navigation."""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from PIL import Image

from boneage.apps.dashboard.assessment_page import assessment_page
from boneage.apps.dashboard.dataset_page import dataset_page
from boneage.apps.dashboard.guard import guard
from boneage.apps.dashboard.language import page_words
from boneage.apps.dashboard.visit import history_place
from boneage.reports.panels import COLOURS

# Drawn here: Streamlit would fetch an emoji from the internet.
icon = Image.new("RGB", (32, 32), (11, 92, 140))
icon.paste(COLOURS["carpal"], (8, 16, 24, 26))
icon.paste(COLOURS["metacarpal"], (8, 6, 24, 14))

st.set_page_config(page_title="boneage", page_icon=icon, layout="wide")
st.html(f"<style>{Path(__file__).with_name('style.css').read_text('utf-8')}</style>")
_ = page_words().gettext
pages = [
    st.Page(assessment_page, title=_("Assess bone age"), default=True),
    st.Page(dataset_page, title=_("Dataset check"), url_path="data"),
]
if history_place() is not None:
    from boneage.apps.dashboard.agreement_page import agreement_page  # need the extra
    from boneage.apps.dashboard.history_page import history_page

    pages.insert(1, st.Page(history_page, title=_("Bone age over time"), url_path="history"))
    pages.insert(2, st.Page(agreement_page, title=_("Agreement"), url_path="agreement"))
page = st.navigation(pages, position="top")
guard()
page.run()
