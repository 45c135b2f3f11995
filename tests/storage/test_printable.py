"""Text of others, made harmless."""

from __future__ import annotations

import os
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.storage.printable import file_label, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07", r"\x1b]0;owned\x07"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x7f\x9b31m", r"\x7f\x9b31m"),
        ("r\u202egnp\u2066", r"r\u202egnp\u2066"),
        ("\u2028\u2029\ufeff", r"\u2028\u2029\ufeff"),
        ("\udce9", r"\udce9"),
        ("手 ü 👩\u200d⚕ é", "手 ü 👩\u200d⚕ é"),
    ],
)
def test_what_drives_a_terminal_is_written_out(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(exclude_categories=[])))
def test_what_is_shown_can_be_shown(text: str) -> None:
    shown = printable(text)
    shown.encode("utf-8")
    assert printable(shown) == shown
    assert len(shown.splitlines()) <= 1
    assert printable(text, keep="\n").count("\n") == text.count("\n")


@pytest.mark.skipif(sys.platform == "win32", reason="names of bytes")
def test_names_that_are_no_text_stay_apart() -> None:
    first, second = (file_label(os.fsdecode(b"caf" + byte)) for byte in (b"\xe8", b"\xe9"))
    assert (first, second) == (r"caf\xe8", r"caf\xe9")
