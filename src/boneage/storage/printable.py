"""Untrusted text, escaped before it is shown on a terminal or in a log.

A file name, a table cell or a library's message may contain sequences that control a terminal,
end a line, or change the reading direction, and so forge the text beside them.
"""

from __future__ import annotations

import os
import unicodedata

_DANGEROUS = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
"""Control, format (the bidirectional overrides among them), surrogate, line and paragraph."""
_JOINERS = "\u200c\u200d"
"""Format characters that Persian, Indic scripts and emoji are written with."""


def printable(text: str, *, keep: str = "") -> str:
    r"""Escape, as Python does, what a terminal would act upon (``\x1b``), but for what to keep."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        if character in keep
        or character in _JOINERS
        or unicodedata.category(character) not in _DANGEROUS
        else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def file_label(path: str | os.PathLike[str]) -> str:
    r"""A file's name in valid Unicode; bytes that are not UTF-8 become ``\xe9``."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
