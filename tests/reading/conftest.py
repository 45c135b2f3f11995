from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import pytest

from boneage import read
from boneage.errors import FilmError
from boneage.reading import Limits
from boneage.reading.source import Source

Refused: TypeAlias = Callable[..., FilmError]


@pytest.fixture
def refused() -> Refused:
    """Read a source that must be refused, and give the reason."""

    def refuse(source: Source, code: str, limits: Limits | None = None) -> FilmError:
        with pytest.raises(FilmError) as caught:
            read(source, limits=limits or Limits())
        assert caught.value.code == code, caught.value
        message = str(caught.value)
        assert message
        assert "\n" not in message
        assert not message.endswith(".")
        return caught.value

    return refuse
