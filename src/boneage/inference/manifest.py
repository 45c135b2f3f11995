"""The manifest of a set of weights: ``manifest.json`` beside the ONNX files that it names."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from boneage.domain.assessment import WHOLE_HAND
from boneage.errors import LevelError, WeightsError
from boneage.imaging.preparing import Preparation
from boneage.imaging.regions import RegionPlan
from boneage.storage.typed import broken_file
from boneage.uncertainty.intervals import DEFAULT_LEVEL, IntervalModel, scores_of, shape_of

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the manifest; raised when older programs could no longer read it."""
FOLDER_VARIABLE = "BONEAGE_WEIGHTS"


@dataclass(frozen=True)
class StoredFile:
    """A file beside the manifest."""

    file: str
    sha256: str


@dataclass(frozen=True)
class NetworkFile(StoredFile):
    """One exported network."""

    input: tuple[int, int] | None
    """Rows and columns of the image it takes; None for the fusion."""
    alone: Mapping[str, StoredFile] = field(default_factory=dict)
    """By the name of an output: the part of the network that it needs, as a network of its own."""


@dataclass(frozen=True)
class Manifest:
    """The manifest of a set of weights."""

    name: str
    profile: str
    preparation: Preparation
    plan: RegionPlan
    networks: Mapping[str, NetworkFile]
    fusion_inputs: tuple[str, ...]
    """The regions whose features the fusion takes."""
    flip_average: bool
    sha256: str
    """Of ``manifest.json`` itself."""
    table: Mapping[str, Any]
    """The whole manifest, with data, metrics, date and commit."""
    interval: IntervalModel | None = None
    """None: these weights state no interval."""
    features: StoredFile | None = None
    """The whole-hand features of the training images; see ``boneage.quality.classifier``. None:
    there is no out-of-distribution score."""

    @property
    def date(self) -> str | None:
        """When the weights were made; None where that is not stated."""
        return self.table.get("date")


class _Profile(msgspec.Struct):
    name: str


class _Fusion(msgspec.Struct):
    inputs: tuple[str, ...]
    flip_average: bool


class _IntervalEntry(msgspec.Struct):
    shape: dict[str, Any]
    scores: dict[str, Any]
    features: StoredFile | None = None


class _ManifestFile(msgspec.Struct):
    """The keys of ``manifest.json`` that are used here; others are for people."""

    name: str
    profile: _Profile
    preparation: Preparation
    regions: RegionPlan
    networks: dict[str, NetworkFile]
    fusion: _Fusion
    interval: _IntervalEntry | None = None

    def manifest(self, table: Mapping[str, Any], sha256: str) -> Manifest:
        interval = self.interval
        return Manifest(
            name=self.name,
            profile=self.profile.name,
            preparation=self.preparation,
            plan=self.regions,
            networks=self.networks,
            fusion_inputs=self.fusion.inputs,
            flip_average=self.fusion.flip_average,
            sha256=sha256,
            table=table,
            interval=IntervalModel(shape_of(interval.shape), scores_of(interval.scores))
            if interval
            else None,
            features=interval.features if interval else None,
        )


def bundled_folder() -> Path:
    return Path(str(resources.files("boneage") / "bundle"))


def read_manifest(folder: Path) -> Manifest:
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"no weights in {str(folder)!r}: {MANIFEST} cannot be read ({error.strerror}). "
            f"Give a folder written by 'boneage train', or unset {FOLDER_VARIABLE}"
        ) from error
    try:
        table = json.loads(content)  # not msgspec: a measure may be NaN
        if table["format"] != FORMAT:
            raise WeightsError(
                f"{str(path)!r} is of format {table['format']!r}; this program reads {FORMAT}"
            )
        # Of a newer program: the regions would not be those of its training.
        unknown = table["regions"].keys() - {field.name for field in fields(RegionPlan)}
        if unknown:
            raise ValueError(f"unknown settings {sorted(unknown)}")
        stated = msgspec.convert(table, _ManifestFile)
        manifest = stated.manifest(table, hashlib.sha256(content).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{str(path)!r} is not a manifest of weights: {broken_file(error)}"
        ) from error
    for problem in _problems(manifest):
        raise WeightsError(f"{str(path)!r} is inconsistent: {problem}")
    return manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    """Find what would otherwise fail in the middle of an assessment."""
    networks = manifest.networks
    for name in ("attention", "fusion"):
        if name not in networks:
            yield f"it names no {name!r} network, only {sorted(networks)}"
    for name, entry in networks.items():
        if entry.input is None and name != "fusion":
            yield f"it states no input size for {name!r}"
    stored_files = [f for entry in networks.values() for f in (entry, *entry.alone.values())]
    for stored in (*stored_files, *([manifest.features] if manifest.features else [])):
        if Path(stored.file).name != stored.file:
            yield f"the file {stored.file!r} is outside its folder"
    for region in manifest.plan.names:
        if region not in manifest.plan.fallback:
            yield f"it states no fallback box for {region!r}"
    if manifest.interval:
        try:
            manifest.interval.check(DEFAULT_LEVEL)
        except LevelError as error:
            yield str(error)
    there = {WHOLE_HAND, *(set(manifest.plan.names) & set(networks))}
    for region in manifest.fusion_inputs:
        if region not in there:
            yield f"the fusion takes {region!r}, but there are only {sorted(there)}"


def verified(path: Path, sha256: str) -> bytes:
    """Read a file that the manifest names, and compare its checksum."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights file {str(path)!r} cannot be read: {error}") from error
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise WeightsError(
            f"{str(path)!r} has sha256 {digest}, but its manifest states {sha256}; "
            "the file was changed or cut off: install boneage again"
        )
    return content
