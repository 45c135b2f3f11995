"""Small but real weights, and films drawn for the tests.

The networks are built node by node in the manifest's format, so that no test
needs Keras. They find what they should: attention goes to what is bright.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
from hypothesis import settings
from onnx import TensorProto, helper
from PIL import Image

from boneage.datasets.films import load_films
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, WHOLE_HAND
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import bundled_folder
from boneage.training.fit_uncertainty.weights_interval import calibrate_weights

settings.register_profile("boneage", deadline=None)  # a busy machine is no failure
settings.register_profile("quick", max_examples=15, deadline=None)  # of 'make quick'
settings.load_profile("boneage")

FILMS_FOLDER = Path(__file__).parents[2] / "shared" / "data" / "rsna"
INPUT = (96, 64)
CROP_INPUT = (48, 48)
POOL = 4
FEATURES = 2


def drawn_hand(
    height: int = 480, width: int = 360, top: int = 16_000, floor: int = 2_000
) -> npt.NDArray[np.uint16]:
    """Draw something hand-like: a bright carpus, dimmer metacarpals above, dim fingers."""
    rows, cols = np.mgrid[0:height, 0:width]
    y, x = rows / height, cols / width

    def blob(cy: float, cx: float, sy: float, sx: float) -> npt.NDArray[np.float64]:
        return np.asarray(np.exp(-(((y - cy) / sy) ** 2) - ((x - cx) / sx) ** 2))

    film = 1.0 * blob(0.75, 0.5, 0.06, 0.12) + 0.5 * blob(0.5, 0.5, 0.07, 0.16)
    for cx in (0.25, 0.42, 0.58, 0.75):
        film += 0.3 * blob(0.2, cx, 0.1, 0.04)
    film += 0.02 * np.sin(rows * 0.9) * np.cos(cols * 0.7)
    scaled = floor + np.clip(film, 0, 1) * (top - floor)
    return np.rint(scaled).astype(np.uint16)


def write_png(path: Path, pixels: npt.NDArray[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG")
    return path


@pytest.fixture(scope="session")
def grey_film() -> npt.NDArray[np.uint8]:
    """An 8-bit film, shape (480, 360)."""
    return (drawn_hand() >> 6).astype(np.uint8)


@pytest.fixture
def film(tmp_path: Path, grey_film: npt.NDArray[np.uint8]) -> Path:
    """The path of an 8-bit PNG."""
    return write_png(tmp_path / "hand.png", grey_film)


@pytest.fixture(scope="session")
def _built_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("weights")
    return build_weights(folder, (CARPAL, METACARPAL, PHALANX))


@pytest.fixture
def weights(_built_weights: Path) -> Path:
    """A folder of small weights, shared: don't change it."""
    return _built_weights


@pytest.fixture
def weights_copy(_built_weights: Path, tmp_path: Path) -> Path:
    """A folder of small weights to damage."""
    return Path(shutil.copytree(_built_weights, tmp_path / "weights"))


@pytest.fixture(scope="session")
def assessor(_built_weights: Path) -> Assessor:
    return Assessor(_built_weights)


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory, assessor: Assessor) -> Path:
    """A table of 70 labelled films, 35 of each sex, that the small weights read 10 months young."""
    return write_labelled(tmp_path_factory.mktemp("clinic"), assessor, 70)


@pytest.fixture(scope="session")
def _sure_weights(
    _built_weights: Path, labelled: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = Path(shutil.copytree(_built_weights, tmp_path_factory.mktemp("sure") / "weights"))
    films = load_films(labelled).films
    calibrate_weights(folder, films, films[:40], report=lambda _: None)
    return folder


@pytest.fixture
def sure_weights(_sure_weights: Path) -> Path:
    """A folder of small weights that state an interval, shared: don't change it."""
    return _sure_weights


@pytest.fixture
def sure_copy(_sure_weights: Path, tmp_path: Path) -> Path:
    """The same to damage."""
    return Path(shutil.copytree(_sure_weights, tmp_path / "sure"))


@pytest.fixture(scope="session")
def bundled() -> Path:
    """The weights that ship, where they are there."""
    folder = bundled_folder()
    if not (folder / "manifest.json").is_file():
        pytest.skip("the bundled weights are not here (no src/boneage/bundle/manifest.json)")
    return folder


@pytest.fixture(scope="session")
def bundled_assessor(bundled: Path) -> Assessor:
    """What reads by them, shared: don't change it."""
    return Assessor(bundled)


@pytest.fixture(scope="session")
def real_films() -> Path:
    """The folder of real films, where it is at hand."""
    if not FILMS_FOLDER.is_dir():
        pytest.skip(f"the real films are not here ({FILMS_FOLDER})")
    return FILMS_FOLDER


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs the weights that ship, whose networks take their time."""
    for item in items:
        if "bundled" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.bundled)


def write_labelled(
    folder: Path, assessor: Assessor, count: int, *, shift: float = 10.0, boys: float = 0.5
) -> Path:
    """Write films that read differently, and a table of labels around what is read."""
    random = np.random.default_rng(11)
    rows = ["path,sex,boneage"]
    for number in range(count):
        bright = (drawn_hand(168, 128) / 65535) ** random.uniform(0.3, 2.0)
        path = write_png(folder / f"{number}.png", (255 * bright).astype(np.uint8))
        sex = "male" if number < boys * count else "female"
        read = assessor.assess(path, sex).age_months
        label = np.clip(read + shift + random.normal(0, 6), 0, 240)
        rows.append(f"{path.name},{sex},{label:.1f}")
    table = folder / "films.csv"
    table.write_text("\n".join([*rows, ""]))
    return table


def build_weights(
    folder: Path,
    regions: Sequence[str],
    change: Callable[[dict[str, Any]], None] = lambda _: None,
) -> Path:
    """Write a set of weights; ``change`` may spoil its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    networks = {"attention": (attention_network(), INPUT)}
    networks |= {name: (region_network(), CROP_INPUT) for name in regions}

    def stored(network: onnx.ModelProto, file: str) -> dict[str, Any]:
        content = network.SerializeToString()
        (folder / file).write_bytes(content)
        return {"file": file, "sha256": hashlib.sha256(content).hexdigest()}

    entries: dict[str, dict[str, Any]] = {}
    for name, (network, size) in [*networks.items(), ("fusion", (fusion_network(regions), None))]:
        entries[name] = {**stored(network, f"{name}.onnx"), "input": size}
    alone = stored(heat_map_network(), "attention_heat_map.onnx")
    entries["attention"]["alone"] = {"heat_map": alone}
    manifest: dict[str, Any] = {
        "format": 1,
        "name": "tiny-1",
        "profile": {"name": "tiny"},
        "preparation": {
            "stretch_percentiles": [1.0, 99.0],
            "clahe_clip_limit": 0.0,
            "clahe_tiles": 8,
            "fit": "pad",
            "antialias": True,
        },
        "regions": {
            "names": list(regions),
            "threshold": 0.6,
            "carpal_mask": "box_to_lower_edge",
            "margin": 0.1,
            "square": True,
            "min_side": 0.05,
            "fallback": {
                CARPAL: [0.6, 0.25, 0.85, 0.75],
                METACARPAL: [0.4, 0.2, 0.7, 0.8],
                PHALANX: [0.05, 0.1, 0.5, 0.9],
            },
        },
        "networks": entries,
        "fusion": {"inputs": [WHOLE_HAND, *regions], "flip_average": True},
        "data": {"films": 0, "terms": "none: these weights were written by hand for tests"},
        "metrics": {"validation": {"mae_months": 99.9}},
    }
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def attention_network() -> onnx.ModelProto:
    """Heat map: the film smoothed; feature: its mean and highest heat; age from these and sex."""
    nodes = [*_heat_map(), *_feature_and_age("smooth")]
    return _model(nodes, _film_inputs(INPUT), [_heat_map_output(), *_film_outputs()])


def heat_map_network() -> onnx.ModelProto:
    """The part of the attention network that its heat map needs."""
    return _model(_heat_map(), _film_inputs(INPUT), [_heat_map_output()])


def _heat_map() -> list[Any]:
    return [
        helper.make_node("Transpose", ["film"], ["nchw"], perm=[0, 3, 1, 2]),
        helper.make_node(
            "AveragePool", ["nchw"], ["pooled"], kernel_shape=[POOL, POOL], strides=[POOL, POOL]
        ),
        helper.make_node("Conv", ["pooled", "blur"], ["smooth"], pads=[1, 1, 1, 1]),
        helper.make_node("Squeeze", ["smooth", "channel_axis"], ["heat_map"]),
    ]


def _heat_map_output() -> Any:
    shape = ["n", INPUT[0] // POOL, INPUT[1] // POOL]
    return helper.make_tensor_value_info("heat_map", TensorProto.FLOAT, shape)


def region_network() -> onnx.ModelProto:
    nodes = [
        helper.make_node("Transpose", ["film"], ["nchw"], perm=[0, 3, 1, 2]),
        *_feature_and_age("nchw"),
    ]
    return _model(nodes, _film_inputs(CROP_INPUT), _film_outputs())


def fusion_network(regions: Sequence[str]) -> onnx.ModelProto:
    """The mean of all features, and 12 months more for boys."""
    names = [WHOLE_HAND, *regions]
    nodes = [
        helper.make_node("Concat", names, ["all"], axis=1),
        helper.make_node("ReduceMean", ["all"], ["mean"], keepdims=1, axes=[1]),
        *_add_sex("mean", "age"),
    ]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", FEATURES]) for name in names
    ]
    inputs.append(helper.make_tensor_value_info("sex", TensorProto.INT32, ["n"]))
    return _model(nodes, inputs, _film_outputs()[1:])


def _feature_and_age(image: str) -> list[Any]:
    return [
        helper.make_node("GlobalAveragePool", [image], ["average"]),
        helper.make_node("GlobalMaxPool", [image], ["maximum"]),
        helper.make_node("Concat", ["average", "maximum"], ["both"], axis=1),
        helper.make_node("Flatten", ["both"], ["flat"]),
        helper.make_node("Mul", ["flat", "scale"], ["feature"]),
        helper.make_node("ReduceMean", ["feature"], ["seen"], keepdims=1, axes=[1]),
        *_add_sex("seen", "age"),
    ]


def _add_sex(value: str, age: str) -> list[Any]:
    return [
        helper.make_node("Cast", ["sex"], ["code"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["code", "channel_axis"], ["column"]),
        helper.make_node("Mul", ["column", "year"], ["older"]),
        helper.make_node("Add", [value, "older"], [age]),
    ]


def _film_inputs(size: tuple[int, int]) -> list[Any]:
    return [
        helper.make_tensor_value_info("film", TensorProto.FLOAT, ["n", *size, 1]),
        helper.make_tensor_value_info("sex", TensorProto.INT32, ["n"]),
    ]


def _film_outputs() -> list[Any]:
    return [
        helper.make_tensor_value_info("feature", TensorProto.FLOAT, ["n", FEATURES]),
        helper.make_tensor_value_info("age", TensorProto.FLOAT, ["n", 1]),
    ]


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any]) -> onnx.ModelProto:
    constants = {
        "blur": np.full((1, 1, 3, 3), 1 / 9, np.float32),
        "scale": np.float32(1 / 255),
        "year": np.float32(12 / 240),
        "channel_axis": np.array([1], np.int64),
    }
    used = {name for node in nodes for name in node.input}
    tensors = [
        onnx.numpy_helper.from_array(np.asarray(value), name)
        for name, value in constants.items()
        if name in used
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model
