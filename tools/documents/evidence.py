"""Reads the evidence: a JSON file for each measurement, any of which may be missing."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from boneage.errors import DataError
from boneage.inference.manifest import MANIFEST, bundled_folder
from boneage.storage.files import EVIDENCE_FORMAT

Table: TypeAlias = Mapping[str, Any]

BUNDLE = Path("src/boneage/bundle")
"""The weights that ship, in a checkout."""
EVIDENCE = Path("docs/evidence")
ALONE = ("independent", "metrics", "bench", "dashboard", "service", "folder", "node", "fuzz")
IN_FOLDERS = ("comparison", "analysis", "ruler", "stress", "suitability", "ablation", "failures")
FILES: Mapping[str, str] = {
    **{name: f"{name}.json" for name in ALONE},
    **{name: f"{name}/{name}.json" for name in IN_FOLDERS},
    "training_loop": "training-loop.json",
}
"""The file of each measurement in the folder of the evidence."""
ALTERNATIVES: Mapping[str, str] = {"comparison": "comparison.json"}
"""Alternative files: ``boneage evaluate`` writes it beside ``metrics.json``."""
LOCALIZATION_ROWS = "ruler/ruler.csv"
COVERAGE = "crop_coverage"
MISSED = 0.5
"""A crop with less of its target than this missed it."""


@dataclass(frozen=True)
class Evidence:
    """What is known about a set of weights."""

    tables: Mapping[str, Table] = field(default_factory=dict)
    """The measurements that are there, by the names of ``FILES``."""
    manifest: Table | None = None
    manifest_sha256: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of the files that the manifest names."""
    missed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """By localization target, the radiographs whose crop missed it, and all that were measured."""
    in_checkout: bool = True
    """Whether ``make`` can measure what is missing."""
    ships: bool = True
    """Whether these are the weights that come with boneage."""


def read_checkout(root: Path, evidence: Path | None = None) -> Evidence:
    """Read the weights and the evidence of a checkout, or other evidence; DataError: unreadable."""
    return _read(root / BUNDLE, evidence or root / EVIDENCE, in_checkout=True, ships=True)


def read_folders(weights: Path, evidence: Path) -> Evidence:
    """Read a folder of weights, and one laid out as ``docs/evidence`` is; DataError: unreadable."""
    manifest, bundled = weights / MANIFEST, bundled_folder() / MANIFEST
    if not manifest.is_file():
        raise DataError(f"no {MANIFEST} in {str(weights)!r}; give a folder of weights")
    ships = bundled.is_file() and bundled.read_bytes() == manifest.read_bytes()
    return _read(weights, evidence, in_checkout=False, ships=ships)


def _read(weights: Path, evidence: Path, *, in_checkout: bool, ships: bool) -> Evidence:
    places = {name: [FILES[name], *ALTERNATIVES.get(name, "").split()] for name in FILES}
    found = {
        name: next(filter(None, (_json(evidence / file) for file in files)), None)
        for name, files in places.items()
    }
    manifest, digest, sizes = _json(weights / MANIFEST), None, {}
    if manifest:
        digest = hashlib.sha256((weights / MANIFEST).read_bytes()).hexdigest()
        paths = [weights / entry["file"] for entry in manifest["networks"].values()]
        sizes = {path.name: path.stat().st_size for path in paths if path.is_file()}
    return Evidence(
        tables={name: table for name, table in found.items() if table is not None},
        manifest=manifest,
        manifest_sha256=digest,
        sizes=sizes,
        missed=_missed(evidence / LOCALIZATION_ROWS),
        in_checkout=in_checkout,
        ships=ships,
    )


def _json(path: Path) -> Table | None:
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{str(path)!r} is not valid JSON: {error}") from error
    stated = table.get("format") if isinstance(table, dict) else None
    if stated != EVIDENCE_FORMAT:
        raise DataError(
            f"{str(path)!r} is of format {stated!r}; this program reads {EVIDENCE_FORMAT}: "
            "measure again"
        )
    found: Table = table
    return found


def _missed(path: Path) -> dict[str, tuple[int, int]]:
    if not path.is_file():
        return {}
    found: dict[str, tuple[int, int]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                missed, all_of_them = found.get(row["target"], (0, 0))
                is_missed = float(row[COVERAGE]) < MISSED
                found[row["target"]] = missed + is_missed, all_of_them + 1
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{str(path)!r} is not a table of localization: {error!r}") from error
    return found
