"""The language of the page: the one chosen, else the browser's, else English."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from boneage.i18n.words import ENGLISH, Words, languages, words_of

KEY = "page-language"
NAMES: Mapping[str, str] = {"en": "English", "de": "Deutsch"}


def page_words() -> Words:
    """The texts of the page."""
    return words_of(page_language())


def page_language() -> str:
    """The code of the page's language."""
    chosen: str | None = st.session_state.get(KEY)
    return chosen or _of_browser()


def _of_browser() -> str:
    locale = (st.context.locale or ENGLISH).partition("-")[0].lower()
    return locale if locale in languages() else ENGLISH


def ask_language() -> None:
    """Draw the switch."""
    known = languages()
    st.radio(
        page_words().gettext("Language"),
        known,
        index=known.index(page_language()),
        format_func=lambda code: NAMES.get(code, code),
        horizontal=True,
        key=KEY,
    )
