"""``boneage weights``: which weights are used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from boneage.apps.cli.options import weights_option
from boneage.apps.cli.output import echo
from boneage.inference.weights import Weights
from boneage.uncertainty.intervals import SEXES

SHOWN_ABOVE = frozenset(
    {"format", "name", "profile", "networks", "preparation", "regions", "fusion", "interval"}
)
"""Parts of a manifest that are for the program, or are printed above."""
LABELS = {
    "films": "radiographs",
    "best_train": "training",
    "best_validation": "validation",
    "detailed_train": "training, half scale or better",
    "detailed_validation": "validation, half scale or better",
    "detailed_calibration": "calibration, half scale or better",
    "held_back_mae_months": "MAE on held-out radiographs, months",
}
"""Keys of a manifest whose names are not the words that people use."""


@click.command()
@weights_option
def weights(weights: Path | None) -> None:
    """Show which weights are used: name, profile, checksum, data and metrics.

    Every network file is checked against the checksum its manifest states.
    """
    chosen = Weights(weights)
    for network in chosen.manifest.networks:
        chosen.session(network)
    name = chosen.name
    echo(f"name           {name.name}")
    echo(f"profile        {name.profile}")
    echo(f"sha256         {name.sha256}")
    echo(f"folder         {chosen.folder}")
    echo(f"networks       {', '.join(chosen.manifest.networks)} (files verified)")
    echo(f"interval       {_interval(chosen)}")
    echo(f"quality check  {_quality_check(chosen)}")
    for line in _lines({k: v for k, v in chosen.manifest.table.items() if k not in SHOWN_ABOVE}):
        echo(line)


def _interval(chosen: Weights) -> str:
    """What the prediction interval is based on; its file is checked, too."""
    model = chosen.manifest.interval
    if model is None:
        return "none: these weights state no prediction interval"
    widens = "" if chosen.feature_space is None else "; widens for atypical images"
    counts = " and ".join(f"{len(model.scores.by_sex[sex])} {sex}" for sex in SEXES)
    return f"by {counts} calibration images{widens}"


def _quality_check(chosen: Weights) -> str:
    """Which image quality check is used; its file is checked, too."""
    found = chosen.quality_model
    if found is None:
        return "none (no suitability.json beside the manifest)"
    return f"refuses images that show no hand; fitted {found.table.get('date', 'once')}"


def _lines(table: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    """A nested table as indented lines."""
    for key, value in table.items():
        if value is None:
            continue
        label = LABELS.get(key, key)
        if isinstance(value, Mapping):
            yield f"{indent}{label}"
            yield from _lines(value, indent + "  ")
        elif isinstance(value, list):
            yield f"{indent}{label}: {', '.join(map(str, value))}"
        else:
            yield f"{indent}{label}: {value}"
