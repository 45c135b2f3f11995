"""Keras, quiet; and folders of drawn films in both layouts."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.training.drawn import RICH, write_official, write_rich

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@pytest.fixture
def official(tmp_path: Path) -> Path:
    """A folder in the official layout with 6 drawn films."""
    return write_official(tmp_path / "official", 6)


@pytest.fixture
def rich(tmp_path: Path) -> Path:
    """A folder in the richer layout, as ``drawn.RICH`` lists it."""
    return write_rich(tmp_path / "rich", RICH)
