"""The command line, run inside the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boneage.apps.cli import main
from boneage.inference.manifest import FOLDER_VARIABLE

Run = Callable[..., Result]


@pytest.fixture
def run(weights: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run ``boneage`` with the small weights; every error must be a sentence."""
    monkeypatch.setenv(FOLDER_VARIABLE, str(weights))

    def run(*arguments: object) -> Result:
        result = CliRunner().invoke(main, list(map(str, arguments)), prog_name="boneage")
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result

    yield run
