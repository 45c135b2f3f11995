"""Stage 5: the trained networks become a folder of weights.

For each network an ONNX file to run and a Keras file to fine-tune from; a
manifest names them with their checksums and states what they were made of.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, numpy_helper

from boneage.errors import WeightsError
from boneage.inference.manifest import FORMAT, MANIFEST, StoredFile
from boneage.inference.weights import MONTHS_SCALE, silent_runtime
from boneage.storage.files import write_text

TOLERANCE = 1e-4
"""Of an exported network against Keras, relative to the largest value."""
HALF_MONTHS = 0.25
"""A network's answer may move by so much, on average, when its numbers are
stored in half precision: a thirtieth of its error, for files half as large."""
KERAS_BITS = 7
"""Of the mantissa, in stored Keras weights."""
PACKING = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
LEAST_HALVED = 64
"""Smaller tensors (biases, shapes) stay as they are."""

Inputs = Mapping[str, npt.NDArray[Any]]


@dataclass(frozen=True)
class Exported:
    """One network on disk."""

    file: str
    sha256: str
    input: tuple[int, int] | None
    keras_file: str
    keras_sha256: str
    float16: bool
    keras_difference: float
    """Largest difference from Keras before halving, relative to the largest value."""
    float16_months: float
    """Mean move of the network's age by halving, in months; 0 when not halved."""
    alone: Mapping[str, StoredFile] = field(default_factory=dict)
    """As in :class:`boneage.inference.weights.NetworkFile`."""


def export_network(
    network: keras.Model,
    name: str,
    folder: Path,
    inputs: Inputs,
    size: tuple[int, int] | None,
    alone: Sequence[str] = (),
) -> Exported:
    """Write a network as ONNX and as Keras weights, and check them against each other.

    The ``inputs`` of some films are to check on, ``size`` (rows, columns) is that of the image it
    takes. Each of the outputs that are needed ``alone``, too, gets a network that computes nothing
    else.
    """
    expected = network.predict_on_batch(dict(inputs))
    path = folder / f"{name}.onnx"
    network.export(str(path), format="onnx", verbose=False)
    model = without_erfc(onnx.load(path))
    difference = _difference(expected, _run(model, inputs))
    if difference > TOLERANCE:
        raise WeightsError(
            f"the exported {name} network differs from Keras by {difference:.2g}, "
            f"more than {TOLERANCE:g}"
        )
    halved = halve(model)
    moved = float(np.abs(expected["age"] - _run(halved, inputs)["age"]).mean()) * MONTHS_SCALE
    is_half = moved <= HALF_MONTHS
    onnx.save(halved if is_half else model, path)
    keras_path = folder / f"{name}.weights.h5"
    save_keras_weights(network, keras_path)
    return Exported(
        file=path.name,
        sha256=sha256_of(path),
        input=size,
        keras_file=keras_path.name,
        keras_sha256=sha256_of(keras_path),
        float16=is_half,
        keras_difference=difference,
        float16_months=moved if is_half else 0.0,
        alone={output: _extract(path, output) for output in alone},
    )


def _extract(path: Path, output: str) -> StoredFile:
    """Write the part of a network that one output needs.

    ONNX Runtime computes all of a network whatever outputs it is asked for.
    """
    part = path.with_name(f"{path.stem}_{output}.onnx")
    extractor = onnx.utils.Extractor(onnx.load(path))
    inputs = [item.name for item in extractor.model.graph.input]
    onnx.save(extractor.extract_model(inputs, [output]), part)
    return StoredFile(part.name, sha256_of(part))


def without_erfc(model: onnx.ModelProto) -> onnx.ModelProto:
    """Write Erfc as 1 - Erf: ONNX has no Erfc, which tf2onnx leaves of a GELU."""
    if not any(node.op_type == "Erfc" for node in model.graph.node):
        return model
    one = numpy_helper.from_array(np.ones(1, np.float32), "erfc_one")
    nodes = []
    for node in model.graph.node:
        if node.op_type != "Erfc":
            nodes.append(node)
            continue
        erf = f"{node.output[0]}/erf"
        nodes.append(onnx.helper.make_node("Erf", [node.input[0]], [erf]))
        nodes.append(onnx.helper.make_node("Sub", [one.name, erf], [node.output[0]]))
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(one)
    return model


def halve(model: onnx.ModelProto) -> onnx.ModelProto:
    """Store the large numbers of a network in half precision; it still computes in single.

    ONNX Runtime widens them once, when it opens the file.
    """
    halved = onnx.ModelProto()
    halved.CopyFrom(model)
    graph = halved.graph
    casts = []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < LEAST_HALVED:
            continue
        largest = np.finfo(np.float16).max
        half = np.clip(values, -largest, largest).astype(np.float16)
        wide, narrow = tensor.name, f"{tensor.name}_half"
        tensor.CopyFrom(numpy_helper.from_array(half, narrow))
        casts.append(onnx.helper.make_node("Cast", [narrow], [wide], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(halved)
    return halved


def save_keras_weights(network: keras.Model, path: Path) -> None:
    """Save Keras weights in half precision and packed: a third of the size."""
    whole = path.with_name(f"whole-{path.name}")
    network.save_weights(whole)
    # The newest layout of HDF5: the old one spends a megabyte on the names of layers.
    with h5py.File(whole, "r") as source, h5py.File(path, "w", libver="latest") as target:
        _pack(source, target)
    whole.unlink()


def _pack(source: h5py.Group, target: h5py.Group) -> None:
    target.attrs.update(source.attrs)
    for name, item in source.items():
        if isinstance(item, h5py.Group):
            _pack(item, target.create_group(name))
            continue
        values = item[()]
        if values.dtype == np.float32 and values.size >= LEAST_HALVED:
            # Variances of batch normalisation may be too large or too small for half.
            half = _rounded_half(values)
            if np.allclose(half, values, rtol=1e-2, atol=1e-6):
                values = half
        packing = PACKING if values.ndim else {}
        target.create_dataset(name, data=values, **packing).attrs.update(item.attrs)


def _rounded_half(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float16]:
    """Half precision with the last bits 0, which packs well.

    Seven bits stay, as in bfloat16: enough to go on training from.
    """
    dropped = 10 - KERAS_BITS
    bits = values.astype(np.float16).view(np.uint16).astype(np.uint32) + (1 << (dropped - 1))
    rounded: npt.NDArray[np.uint16] = (bits >> dropped << dropped).astype(np.uint16)
    return rounded.view(np.float16)


def _run(model: onnx.ModelProto, inputs: Inputs) -> dict[str, npt.NDArray[np.float32]]:
    processor = ["CPUExecutionProvider"]
    session = silent_runtime().InferenceSession(model.SerializeToString(), providers=processor)
    names = [item.name for item in session.get_outputs()]
    # Some constants are listed as inputs, too.
    wanted = [item.name for item in session.get_inputs() if item.name in inputs]
    fed = {name: np.asarray(inputs[name]) for name in wanted}
    return dict(zip(names, session.run(names, fed), strict=True))


def _difference(expected: Inputs, got: Inputs) -> float:
    if set(expected) != set(got):
        raise WeightsError(
            f"the exported network has the outputs {sorted(got)}, not {sorted(expected)}"
        )
    return max(
        float(np.abs(expected[name] - got[name]).max() / max(1.0, np.abs(expected[name]).max()))
        for name in expected
    )


def write_manifest(folder: Path, table: Mapping[str, Any]) -> None:
    """Write the manifest of a folder of weights; last, for it makes the folder one."""
    write_text(folder / MANIFEST, json.dumps({"format": FORMAT, **table}, indent=1) + "\n")


def sha256_of(path: Path) -> str:
    """Checksum of a file, which may be larger than the memory."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def commit_of(folder: Path) -> str | None:
    """The commit of the checkout that trained, with ``-dirty`` where it was changed."""
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return result.stdout.strip() or None
    except OSError:  # no git here
        return None
