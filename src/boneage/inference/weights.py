"""The weights that answer: manifest, checksums, ONNX Runtime sessions.

A set of weights is a folder: ``manifest.json`` and the ONNX files it names.
Nothing is unpickled and nothing is fetched.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from importlib import resources
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import WHOLE_HAND, WeightsName
from boneage.errors import LevelError, WeightsError
from boneage.imaging.preparing import Preparation
from boneage.imaging.regions import RegionPlan
from boneage.quality.suitability_file import Suitability, read_suitability
from boneage.quality.unlikeness import FeatureSpace, space_from_bytes
from boneage.uncertainty.interval_table import scores_of, shape_of
from boneage.uncertainty.intervals import DEFAULT_LEVEL, IntervalModel

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

MANIFEST = "manifest.json"
FORMAT = 1
"""Of the manifest; raised when older programs could no longer read it."""
FOLDER_VARIABLE = "BONEAGE_WEIGHTS"
MONTHS_SCALE = 240.0
"""The networks answer months divided by this."""

Arrays = Mapping[str, npt.NDArray[Any]]
Asked = tuple[str, Arrays]
"""A network, and what it is given."""
Item = TypeVar("Item")
Found = TypeVar("Found")


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
    """What a set of weights says of itself."""

    name: str
    profile: str
    preparation: Preparation
    plan: RegionPlan
    networks: Mapping[str, NetworkFile]
    fusion_inputs: tuple[str, ...]
    """The features that the fusion joins, by region name."""
    flip_average: bool
    sha256: str
    """Of ``manifest.json`` itself."""
    table: Mapping[str, Any]
    """The whole manifest, with data, metrics, date and commit."""
    interval: IntervalModel | None = None
    """None: these weights state no interval."""
    features: StoredFile | None = None
    """The whole-hand features of the training films; see ``boneage.quality.unlikeness``.
    None: they cannot tell how unlike the training films a film is."""

    @property
    def date(self) -> str | None:
        """When the weights were made; None where that is not stated."""
        return self.table.get("date")


class Weights:
    """A folder of weights, opened when first needed.

    Parameters
    ----------
    folder : str or Path, optional
        Default: the folder named by the environment variable
        ``BONEAGE_WEIGHTS``, else the weights that ship with boneage.
    threads : int, optional
        How many processor cores one film may use at a time. Default: all.
        Who reads several films at once wants 1, or they fight for them.

    Raises
    ------
    WeightsError
        When the manifest is missing or not one this program can read.
    """

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, *, threads: int | None = None
    ) -> None:
        self.threads = threads
        self.folder = Path(folder or os.environ.get(FOLDER_VARIABLE) or bundled_folder())
        self.manifest = read_manifest(self.folder)
        self._sessions: dict[tuple[str, str | None], InferenceSession] = {}
        self._opening = Lock()

    @cached_property
    def name(self) -> WeightsName:
        """Name, profile and checksum, for the answer."""
        return WeightsName(self.manifest.name, self.manifest.profile, self.manifest.sha256)

    @cached_property
    def feature_space(self) -> FeatureSpace | None:
        """The features of the training films, verified; None where the weights have none.

        Raises
        ------
        WeightsError
            When the file was changed, or is none.
        """
        entry = self.manifest.features
        if entry is None:
            return None
        path = self.folder / entry.file
        return space_from_bytes(_verified(path, entry.sha256))

    @cached_property
    def suitability(self) -> Suitability | None:
        """What judges films before they are read; None where the weights have nothing.

        Raises
        ------
        WeightsError
            When its files were changed, or belong to other weights.
        """
        return read_suitability(self.folder, self.manifest.networks["attention"].sha256)

    def run(
        self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Run one network.

        Inputs that the exported network does not take (a sex it was not built
        to see) are left out.

        Parameters
        ----------
        network : str
        inputs : mapping of str to array
        outputs : sequence of str, optional
            The outputs that are wanted. Default: all. What only others need is not computed
            where the weights have the one that is wanted alone.
        """
        return self._run(network, inputs, outputs)

    def run_each(self, asked: Iterable[Asked]) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Run networks that do not wait for each other's answers, side by side.

        Each has one core to itself (see :meth:`session`): several small networks are
        done sooner so than one after the other, each spread over all cores.
        """
        return self.side_by_side(lambda job: self._run(*job), asked)

    def side_by_side(self, work: Callable[[Item], Found], items: Iterable[Item]) -> list[Found]:
        """Do a thing for each item, as many at a time as there are cores; results in order."""
        if self.cores == 1:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))

    def meanwhile(self, work: Callable[[], Found]) -> Callable[[], Found]:
        """Begin something on another core; what comes back waits for it, and gives its result.

        With one core it is done when its result is asked for, or never.
        """
        return work if self.cores == 1 else self._pool.submit(work).result

    @property
    def cores(self) -> int:
        """How many cores one film may use."""
        return self.threads or usable_cores()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cores, thread_name_prefix="boneage")

    def _run(
        self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        session = self.session(network, self._alone(network, outputs))
        wanted = {item.name for item in session.get_inputs()}
        names = outputs or [item.name for item in session.get_outputs()]
        fed = {name: value for name, value in inputs.items() if name in wanted}
        return dict(zip(names, session.run(names, fed), strict=True))

    def _alone(self, network: str, outputs: Sequence[str] | None) -> str | None:
        """The output that is wanted, where there is a file for it alone."""
        entry = self.manifest.networks.get(network)
        if entry is None or outputs is None or len(outputs) != 1:
            return None
        return outputs[0] if outputs[0] in entry.alone else None

    @cached_property
    def _regions(self) -> frozenset[str]:
        return frozenset(self.manifest.plan.names)

    def open_all(self) -> None:
        """Open everything now, so that what is wrong with it is said before a film comes.

        Raises
        ------
        WeightsError
        """
        for network, entry in self.manifest.networks.items():
            for output in (None, *entry.alone):
                self.session(network, output)
        _ = self.feature_space, self.suitability

    def session(self, network: str, output: str | None = None) -> InferenceSession:
        """Open the ONNX Runtime session of a network, its file verified when first opened.

        With ``output``, of the part of it that computes this one alone. The networks of the
        regions use one core each: they are run side by side.
        """
        with self._opening:
            if (network, output) not in self._sessions:
                self._sessions[network, output] = self._open(network, output)
            return self._sessions[network, output]

    def _open(self, network: str, output: str | None) -> InferenceSession:
        onnxruntime = silent_runtime()
        whole = self.manifest.networks.get(network)
        if whole is None:
            known = sorted(self.manifest.networks)
            raise WeightsError(f"weights {self.manifest.name!r} have no {network!r}, only {known}")
        entry = whole if output is None else whole.alone[output]
        path = self.folder / entry.file
        content = _verified(path, entry.sha256)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors only
        # 0: one for each core
        options.intra_op_num_threads = 1 if network in self._regions else self.threads or 0
        # As fast without, and a program that reads film after film takes 50 MB less.
        options.enable_mem_pattern = False
        # Else the threads of one network keep the cores busy while the next one works.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        try:
            return onnxruntime.InferenceSession(content, options, providers=providers)
        except Exception as error:  # ONNX Runtime's own errors have no public base class
            raise WeightsError(f"{str(path)!r} is no network that can be run: {error}") from error


def usable_cores() -> int:
    """Count the processor cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def silent_runtime() -> ModuleType:
    """Import ONNX Runtime, and keep it from reporting to its maker.

    Its official builds send events to Microsoft and write an id of the device into the
    home folder (its Privacy.md). The variable prevents both where it is set before the
    import; the call stops what it can where another program imported it first.
    """
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime  # noqa: PLC0415  half the import time of the package

    if hasattr(onnxruntime, "disable_telemetry_events"):
        onnxruntime.disable_telemetry_events()
    module: ModuleType = onnxruntime
    return module


def _verified(path: Path, sha256: str) -> bytes:
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


def bundled_folder() -> Path:
    """Find the folder of the weights that ship with boneage."""
    return Path(str(resources.files("boneage") / "bundle"))


def read_manifest(folder: Path) -> Manifest:
    """Read and check ``manifest.json``."""
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except OSError as error:
        raise WeightsError(
            f"no weights in {str(folder)!r}: {MANIFEST} cannot be read ({error.strerror}). "
            f"Give a folder written by 'boneage train', or unset {FOLDER_VARIABLE}"
        ) from error
    try:
        table = json.loads(content)
        if table["format"] != FORMAT:
            raise WeightsError(
                f"{str(path)!r} is of format {table['format']!r}; this program reads {FORMAT}"
            )
        manifest = _manifest(table, hashlib.sha256(content).hexdigest())
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WeightsError(f"{str(path)!r} is not a manifest of weights: {error!r}") from error
    for problem in _problems(manifest):
        raise WeightsError(f"{str(path)!r} does not fit together: {problem}")
    return manifest


def _problems(manifest: Manifest) -> Iterator[str]:
    """Find what would otherwise fail in the middle of a film."""
    networks = manifest.networks
    for name in ("attention", "fusion"):
        if name not in networks:
            yield f"it names no {name!r} network, only {sorted(networks)}"
    for name, entry in networks.items():
        if entry.input is None and name != "fusion":
            yield f"it states no input size for {name!r}"
    for stored in _files(manifest):
        if Path(stored.file).name != stored.file:
            yield f"the file {stored.file!r} lies outside its folder"
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
            yield f"the fusion wants {region!r}, but only {sorted(there)} are read"


def _files(manifest: Manifest) -> Iterator[StoredFile]:
    for entry in manifest.networks.values():
        yield from (entry, *entry.alone.values())
    if manifest.features:
        yield manifest.features


def _manifest(table: dict[str, Any], digest: str) -> Manifest:
    preparation, regions = dict(table["preparation"]), dict(table["regions"])
    preparation["stretch_percentiles"] = tuple(preparation["stretch_percentiles"])
    regions["names"] = tuple(regions["names"])
    regions["zooms"] = tuple(regions.get("zooms", ()))
    regions["fallback"] = {name: tuple(box) for name, box in regions["fallback"].items()}
    interval = table.get("interval")
    features = interval.get("features") if interval is not None else None
    return Manifest(
        name=table["name"],
        profile=table["profile"]["name"],
        preparation=Preparation(**preparation),
        plan=RegionPlan(**regions),
        networks={name: _network(entry) for name, entry in table["networks"].items()},
        fusion_inputs=tuple(table["fusion"]["inputs"]),
        flip_average=bool(table["fusion"]["flip_average"]),
        sha256=digest,
        table=table,
        interval=None if interval is None else _interval(interval),
        features=None if features is None else _stored(features),
    )


def _network(table: Mapping[str, Any]) -> NetworkFile:
    size, alone = table["input"], table.get("alone", {})
    return NetworkFile(
        table["file"],
        table["sha256"],
        tuple(size) if size else None,
        {output: _stored(part) for output, part in alone.items()},
    )


def _stored(table: Mapping[str, Any]) -> StoredFile:
    return StoredFile(table["file"], table["sha256"])


def _interval(table: Mapping[str, Any]) -> IntervalModel:
    return IntervalModel(shape_of(table["shape"]), scores_of(table["scores"]))
