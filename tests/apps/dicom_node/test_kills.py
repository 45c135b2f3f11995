"""A node that is killed at random moments loses nothing and sends nothing twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.bench.node import measure


@pytest.mark.slow
def test_nothing_is_lost_and_nothing_doubled(tmp_path: Path, weights: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text(
        f'[reading]\nweights = "{weights}"\n[retry]\nfirst_seconds = 0.2\nlongest_seconds = 1\n'
        "[spool]\nmin_free_mib = 1\n"
    )
    folder = tmp_path / "bench"
    folder.mkdir()
    outcome = measure(folder, 8, 4, options=("--config", str(config)))
    assert (outcome.lost, outcome.doubled, outcome.dead) == (0, 0, 0)
    assert (outcome.films, outcome.kills) == (8, 4)
