"""A set of weights and its ONNX Runtime sessions, opened when first needed.

A set of weights is a folder: ``manifest.json`` and the ONNX files it names.
Nothing is unpickled and nothing is fetched.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from threading import Lock
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from boneage.domain.assessment import WeightsName
from boneage.errors import WeightsError
from boneage.inference.manifest import (
    FOLDER_VARIABLE,
    bundled_folder,
    read_manifest,
    verified,
)
from boneage.quality.classifier import FeatureSpace, space_from_bytes
from boneage.quality.model_file import QualityModel, read_quality_model
from boneage.storage.parallel import default_workers

if TYPE_CHECKING:
    from onnxruntime import InferenceSession, SessionOptions

MONTHS_SCALE = 240.0
"""The networks give months divided by this."""

Arrays = Mapping[str, npt.NDArray[Any]]
Job = tuple[str, Arrays]
Item = TypeVar("Item")
Result = TypeVar("Result")


class Weights:
    """A folder of weights, opened when first needed.

    By default that of the environment variable ``BONEAGE_WEIGHTS``, else the weights that ship.
    ``threads`` is how many cores one image may use (default: all); give 1 when several images are
    analysed at once. WeightsError: there is no manifest that this program can read.
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
        return WeightsName(self.manifest.name, self.manifest.profile, self.manifest.sha256)

    @cached_property
    def feature_space(self) -> FeatureSpace | None:
        """The features of the training images, verified; None where the weights have none."""
        entry = self.manifest.features
        if entry is None:
            return None
        path = self.folder / entry.file
        return space_from_bytes(verified(path, entry.sha256))

    @cached_property
    def quality_model(self) -> QualityModel | None:
        """The quality check of images, verified; None where the weights have none."""
        return read_quality_model(self.folder, self.manifest.networks["attention"].sha256)

    def run(
        self, network: str, inputs: Arrays, outputs: Sequence[str] | None = None
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Run one network, for the given outputs, or all.

        Inputs that the exported network does not take (a sex it was not built to see) are left
        out. A single output is computed by the smaller network for it, where there is one.
        """
        entry = self.manifest.networks.get(network)
        single = outputs[0] if outputs and len(outputs) == 1 else None
        session = self.session(network, single if entry and single in entry.alone else None)
        wanted = {item.name for item in session.get_inputs()}
        names = outputs or [item.name for item in session.get_outputs()]
        fed = {name: value for name, value in inputs.items() if name in wanted}
        return dict(zip(names, session.run(names, fed), strict=True))

    def run_each(self, jobs: Iterable[Job]) -> list[dict[str, npt.NDArray[np.float32]]]:
        """Run independent networks in parallel, each on one core: faster than in turn."""
        return self.in_parallel(lambda job: self.run(*job), jobs)

    def in_parallel(self, work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
        """Map over items, as many at a time as there are cores; results in order."""
        if self.cores == 1:
            return [work(item) for item in items]
        return list(self._pool.map(work, items))

    def in_background(self, work: Callable[[], Result]) -> Callable[[], Result]:
        """Start work on another core, if there is one; what is returned waits for its result."""
        return work if self.cores == 1 else self._pool.submit(work).result

    @property
    def cores(self) -> int:
        return self.threads or default_workers()

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(self.cores, thread_name_prefix="boneage")

    def input_size(self, network: str) -> tuple[int, int]:
        """Rows and columns of the image that a network takes; WeightsError: none are stated."""
        size = self.manifest.networks[network].input
        if size is None:
            raise WeightsError(f"the manifest states no input size for {network!r}")
        return size

    def open_all(self) -> None:
        """Open everything now, so that what is wrong with it shows before an image comes."""
        for network, entry in self.manifest.networks.items():
            for output in (None, *entry.alone):
                self.session(network, output)
        _ = self.feature_space, self.quality_model

    def session(self, network: str, output: str | None = None) -> InferenceSession:
        """Open a network's session, verified; with ``output``, of the part for this one alone."""
        with self._opening:
            if (network, output) not in self._sessions:
                self._sessions[network, output] = self._open(network, output)
            return self._sessions[network, output]

    def _open(self, network: str, output: str | None) -> InferenceSession:
        whole = self.manifest.networks.get(network)
        if whole is None:
            known = sorted(self.manifest.networks)
            raise WeightsError(f"weights {self.manifest.name!r} have no {network!r}, only {known}")
        entry = whole if output is None else whole.alone[output]
        path = self.folder / entry.file
        content = verified(path, entry.sha256)
        options = session_options()
        # 0: one for each core
        options.intra_op_num_threads = (
            1 if network in self.manifest.plan.names else self.threads or 0
        )
        # As fast without, and a program that analyses image after image takes 50 MB less.
        options.enable_mem_pattern = False
        # Else the threads of one network keep the cores busy while the next one works.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        providers = ["CPUExecutionProvider"]
        try:
            return silent_runtime().InferenceSession(content, options, providers=providers)
        except Exception as error:  # ONNX Runtime's own errors have no public base class
            raise WeightsError(f"{str(path)!r} is not a usable network: {error}") from error


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


def session_options() -> SessionOptions:
    """Options that all networks have in common."""
    options: SessionOptions = silent_runtime().SessionOptions()
    options.log_severity_level = 3  # errors only
    _share_memory()
    options.add_session_config_entry("session.use_env_allocators", "1")
    return options


@cache
def _share_memory() -> None:
    """Let all networks of the process share one arena: 110 MB less after images of 5 megapixels."""
    runtime = silent_runtime()
    where = runtime.OrtMemoryInfo(
        "Cpu", runtime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, runtime.OrtMemType.DEFAULT
    )
    with suppress(Exception):  # another program in the process has made one: it is shared
        runtime.create_and_register_allocator(where, None)


@cache
def small_network(name: str) -> InferenceSession:
    """Open a network that ships beside the weights' own, in ``boneage.inference``."""
    options = session_options()
    options.intra_op_num_threads = 1  # others run beside it
    content = (files("boneage.inference") / name).read_bytes()
    return silent_runtime().InferenceSession(content, options, providers=["CPUExecutionProvider"])
