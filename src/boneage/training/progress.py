"""Progress of the long steps that are not a network's ``fit``."""

from __future__ import annotations

import sys

import keras


def films_bar(total: int) -> keras.utils.Progbar:
    """Make a bar for films; in a log file, where a bar cannot move, one line at the end."""
    return keras.utils.Progbar(total, unit_name="film", verbose=1 if sys.stdout.isatty() else 2)
