"""Reading what was measured: a file each, and any of them may not be there yet."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from boneage.errors import DataError
from boneage.inference.weights import MANIFEST, bundled_folder
from boneage.storage.files import EVIDENCE_FORMAT

Table: TypeAlias = Mapping[str, Any]

BUNDLE = Path("src/boneage/bundle")
"""The weights that ship, in a checkout."""
EVIDENCE = Path("docs/evidence")
FILES: Mapping[str, Path] = {
    "metrics": Path("metrics.json"),
    "comparison": Path("comparison/comparison.json"),
    "analysis": Path("analysis/analysis.json"),
    "ruler": Path("ruler/ruler.json"),
    "stress": Path("stress/stress.json"),
    "suitability": Path("suitability/suitability.json"),
    "ablation": Path("ablation/ablation.json"),
    "bench": Path("bench.json"),
    "dashboard": Path("dashboard.json"),
    "service": Path("service.json"),
    "folder": Path("folder.json"),
    "training_loop": Path("training-loop.json"),
    "node": Path("node.json"),
    "fuzz": Path("fuzz.json"),
    "failures": Path("failures/failures.json"),
}
"""Where each lies in the folder of the evidence."""
ELSEWHERE: Mapping[str, Path] = {"comparison": Path("comparison.json")}
"""Where it lies otherwise: written beside ``metrics.json``."""
RULED_FILMS = Path("ruler/ruler.csv")
COVERAGE = "crop_coverage"


@dataclass(frozen=True)
class Evidence:
    """What is known of a set of weights; None where it was not measured yet."""

    manifest: Table | None = None
    manifest_sha256: str | None = None
    sizes: Mapping[str, int] = field(default_factory=dict)
    """Bytes of the files that the manifest names, as far as they are there."""
    in_checkout: bool = True
    """Whether ``make`` can measure what is missing."""
    ships: bool = True
    """Whether these are the weights that come with boneage."""
    metrics: Table | None = None
    comparison: Table | None = None
    analysis: Table | None = None
    ruler: Table | None = None
    stress: Table | None = None
    suitability: Table | None = None
    ablation: Table | None = None
    bench: Table | None = None
    dashboard: Table | None = None
    service: Table | None = None
    folder: Table | None = None
    training_loop: Table | None = None
    node: Table | None = None
    fuzz: Table | None = None
    failures: Table | None = None
    coverage: Mapping[str, Sequence[float]] | None = None
    """By target of the ruler, the share of it that each film's crop holds."""

    def measured_with(self) -> Iterator[tuple[str, Table]]:
        """Name every measurement that says with which weights it was made, and those weights."""
        for name in FILES:
            table: Table | None = getattr(self, name)
            if table is not None and "weights" in table:
                yield name, table["weights"]


def read_checkout(root: Path, evidence: Path | None = None) -> Evidence:
    """Read the weights and the evidence of a checkout, or evidence that lies elsewhere.

    Raises
    ------
    DataError
        When a file is there and cannot be read.
    """
    return _read(root / BUNDLE, evidence or root / EVIDENCE, in_checkout=True, ships=True)


def read_folders(weights: Path, evidence: Path) -> Evidence:
    """Read a folder of weights, and a folder laid out as ``docs/evidence`` is.

    Raises
    ------
    DataError
        When the weights have no manifest, or a file cannot be read.
    """
    manifest = weights / MANIFEST
    if not manifest.is_file():
        raise DataError(f"no {MANIFEST} in {str(weights)!r}; give a folder of weights")
    bundled = bundled_folder() / MANIFEST
    ships = bundled.is_file() and _sha256(bundled) == _sha256(manifest)
    return _read(weights, evidence, in_checkout=False, ships=ships)


def _read(weights: Path, evidence: Path, *, in_checkout: bool, ships: bool) -> Evidence:
    manifest = _json(weights / MANIFEST)
    return Evidence(
        manifest=manifest,
        manifest_sha256=_sha256(weights / MANIFEST) if manifest else None,
        sizes=_sizes(weights, manifest) if manifest else {},
        in_checkout=in_checkout,
        ships=ships,
        coverage=_coverage(evidence / RULED_FILMS),
        **{name: _found(evidence, name) for name in FILES},
    )


def _found(evidence: Path, name: str) -> Table | None:
    table = _json(evidence / FILES[name])
    return _json(evidence / ELSEWHERE[name]) if table is None and name in ELSEWHERE else table


def _json(path: Path) -> Table | None:
    if not path.is_file():
        return None
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{str(path)!r} is no JSON: {error}") from error
    stated = table.get("format") if isinstance(table, dict) else None
    if stated != EVIDENCE_FORMAT:
        raise DataError(
            f"{str(path)!r} is of format {stated!r}; this program reads {EVIDENCE_FORMAT}: "
            "measure again"
        )
    found: Table = table
    return found


def _sizes(weights: Path, manifest: Table) -> dict[str, int]:
    names = [entry["file"] for entry in manifest["networks"].values()]
    return {name: (weights / name).stat().st_size for name in names if (weights / name).is_file()}


def _coverage(path: Path) -> dict[str, list[float]] | None:
    if not path.is_file():
        return None
    found: dict[str, list[float]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found.setdefault(row["target"], []).append(float(row[COVERAGE]))
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{str(path)!r} is no table of the ruler: {error!r}") from error
    return found


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
