"""Networks on disk: what they answer, how large they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from boneage.errors import WeightsError
from boneage.training import export
from boneage.training.export import export_network, halve, save_keras_weights, sha256_of


@pytest.fixture(scope="module")
def network() -> keras.Model:
    keras.utils.set_random_seed(5)
    film = keras.Input((16, 12, 1), name="film")
    sex = keras.Input((), dtype="int32", name="sex")
    x = keras.layers.Conv2D(8, 3, activation="relu")(film)
    x = keras.layers.BatchNormalization()(x)
    feature = keras.layers.GlobalAveragePooling2D(name="feature")(x)
    joined = keras.layers.Concatenate()([feature, keras.layers.Embedding(2, 4)(sex)])
    age = keras.layers.Dense(1, name="age")(keras.layers.Dense(64, "relu")(joined))
    return keras.Model({"film": film, "sex": sex}, {"feature": feature, "age": age})


def inputs() -> dict[str, Any]:
    films = np.random.default_rng(1).uniform(0, 1, (3, 16, 12, 1)).astype(np.float32)
    return {"film": films, "sex": np.array([0, 1, 1], np.int32)}


def test_onnx_answers_as_keras_does(network: keras.Model, tmp_path: Path) -> None:
    entry = export_network(network, "small", tmp_path, inputs(), (16, 12))
    session = onnxruntime.InferenceSession(tmp_path / entry.file)
    names = [item.name for item in session.get_outputs()]
    got = dict(zip(names, session.run(names, inputs()), strict=True))
    expected = network.predict_on_batch(inputs())
    assert set(got) == {"age", "feature"}
    assert np.abs(got["age"] - expected["age"]).max() * 240 < 0.2
    assert entry.keras_difference <= 1e-4
    assert entry.float16
    assert entry.float16_months <= 0.25


def test_an_output_alone_is_the_same_to_the_last_bit(network: keras.Model, tmp_path: Path) -> None:
    entry = export_network(network, "small", tmp_path, inputs(), (16, 12), ("feature",))
    part = entry.alone["feature"]
    assert (part.file, part.sha256) == ("small_feature.onnx", sha256_of(tmp_path / part.file))
    whole, alone = (onnxruntime.InferenceSession(tmp_path / e.file) for e in (entry, part))
    assert [item.name for item in alone.get_outputs()] == ["feature"]
    one, other = (s.run(["feature"], inputs())[0] for s in (whole, alone))
    np.testing.assert_array_equal(one, other)
    assert (tmp_path / part.file).stat().st_size < (tmp_path / entry.file).stat().st_size


def test_any_number_of_films_may_be_asked(network: keras.Model, tmp_path: Path) -> None:
    entry = export_network(network, "small", tmp_path, inputs(), (16, 12))
    session = onnxruntime.InferenceSession(tmp_path / entry.file)
    one = {name: value[:1] for name, value in inputs().items()}
    assert session.run(["age"], one)[0].shape == (1, 1)


def test_a_network_that_answers_otherwise_is_not_written_off(
    network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    with pytest.raises(WeightsError, match="the exported small network differs from Keras by"):
        export_network(network, "small", tmp_path, inputs(), (16, 12))


def test_what_suffers_from_half_precision_stays_whole(
    network: keras.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "HALF_MONTHS", -1.0)
    entry = export_network(network, "small", tmp_path, inputs(), (16, 12))
    assert (entry.float16, entry.float16_months) == (False, 0.0)
    stored = onnx.load(tmp_path / entry.file).graph.initializer
    assert TensorProto.FLOAT16 not in {tensor.data_type for tensor in stored}


def test_halving_halves_and_still_computes_in_single() -> None:
    large = np.random.default_rng(2).normal(size=(64, 64)).astype(np.float32)
    large[0, 0] = 1e9  # beyond half precision: kept as large as can be, never infinite
    small = np.ones(3, np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 64])],
        [numpy_helper.from_array(large, "w"), numpy_helper.from_array(small, "unused")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)
    halved = halve(model)
    assert {t.data_type for t in halved.graph.initializer} == {
        TensorProto.FLOAT16,
        TensorProto.FLOAT,
    }
    assert halved.ByteSize() < 0.6 * model.ByteSize()
    assert model.graph.initializer[0].data_type == TensorProto.FLOAT, "the original is untouched"
    answer = onnxruntime.InferenceSession(halved.SerializeToString()).run(
        ["y"], {"x": np.ones((1, 64), np.float32)}
    )[0]
    assert answer.dtype == np.float32
    assert np.isfinite(answer).all()
    assert np.allclose(answer[0, 1:], large.sum(axis=0)[1:], atol=0.05)


def test_packed_keras_weights_load_into_the_same_network(
    network: keras.Model, tmp_path: Path
) -> None:
    path = tmp_path / "small.weights.h5"
    save_keras_weights(network, path)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]
    copy = keras.models.clone_model(network)
    copy.load_weights(path)
    for ours, theirs in zip(network.get_weights(), copy.get_weights(), strict=True):
        assert np.allclose(ours, theirs, rtol=5e-3, atol=1e-6)
