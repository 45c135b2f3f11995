"""One training run: its folder, and how it was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boneage.training.films import Film
from boneage.training.prepared import PreparedFilms


@dataclass(frozen=True)
class Run:
    """Where a run keeps everything, and what the command line asked of it."""

    folder: Path
    data: Path
    initial_weights: Path | None = None
    """The folder of the weights files that profiles name."""
    epochs: int | None = None
    """Instead of every phase's own number: to try a profile small."""
    limit: int | None = None
    """At most this many films of each kind: likewise."""
    strict: bool = False

    @property
    def prepared(self) -> Path:
        """The folder of prepared images."""
        return self.folder / "prepared"

    def limited(self, films: tuple[Film, ...]) -> tuple[Film, ...]:
        """The films this run uses."""
        return films[: self.limit] if self.limit else films

    def report_skipped(self, prepared: PreparedFilms) -> None:
        """Name and count the films that could not be read."""
        for sentence in prepared.skipped:
            print(f"skipped {sentence}")  # noqa: T201  progress of a long command
        if prepared.skipped:
            print(f"{len(prepared.skipped)} films skipped")  # noqa: T201
