"""Weights that open, and weights that must not."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from boneage.domain.assessment import CARPAL, METACARPAL
from boneage.errors import WeightsError
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import FOLDER_VARIABLE
from boneage.inference.weights import Weights
from boneage.storage.parallel import default_workers
from tests.conftest import build_weights


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = folder / "manifest.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))


def test_weights_have_a_name_and_a_checksum(weights: Path) -> None:
    name = Weights(weights).name
    assert (name.name, name.profile) == ("tiny-1", "tiny")
    assert name.sha256 == hashlib.sha256((weights / "manifest.json").read_bytes()).hexdigest()


def test_the_variable_names_the_folder(weights: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(weights))
    assert Weights().folder == weights
    assert Assessor().weights.name.name == "tiny-1"


@pytest.mark.parametrize(("threads", "set_to"), [(1, 1), (None, 0)])
def test_threads_bound_the_cores_of_a_network(
    weights: Path, threads: int | None, set_to: int
) -> None:
    opened = Assessor(weights, threads=threads).weights.session("fusion")
    options = opened.get_session_options()
    assert options.intra_op_num_threads == set_to  # 0: all of them
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_the_networks_of_regions_have_a_core_each(weights: Path) -> None:
    opened = Weights(weights, threads=3)
    used = {name: opened.session(name).get_session_options() for name in opened.manifest.networks}
    assert {name: options.intra_op_num_threads for name, options in used.items()} == {
        name: 1 if name in opened.manifest.plan.names else 3 for name in used
    }


@pytest.mark.parametrize("threads", [1, 2])
def test_what_is_done_in_parallel_comes_back_in_its_order(weights: Path, threads: int) -> None:
    opened = Weights(weights, threads=threads)
    seen: set[int] = set()

    def work(item: int) -> int:
        time.sleep(0.02 * (3 - item))
        seen.add(threading.get_ident())
        return item * 10

    assert opened.in_parallel(work, range(4)) == [0, 10, 20, 30]
    assert len(seen) == threads
    assert opened.in_background(lambda: 7)() == 7


@pytest.mark.parametrize("threads", [1, 2])
def test_what_fails_in_parallel_fails_where_its_result_is_used(weights: Path, threads: int) -> None:
    opened = Weights(weights, threads=threads)
    with pytest.raises(ZeroDivisionError):
        opened.in_parallel(lambda item: 1 // item, [1, 0])
    later = opened.in_background(lambda: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        later()


def test_by_default_a_film_may_use_the_cores_of_the_process(weights: Path) -> None:
    assert Weights(weights).cores == default_workers() >= 1
    if hasattr(os, "sched_setaffinity"):
        mine = os.sched_getaffinity(0)
        try:
            os.sched_setaffinity(0, {min(mine)})
            assert default_workers() == 1
        finally:
            os.sched_setaffinity(0, mine)


def test_a_given_folder_takes_precedence_over_the_variable(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "/nowhere")
    assert Weights(weights).folder == weights


def test_an_error_for_missing_weights_names_the_folder(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=f"no weights in {re.escape(repr(str(tmp_path)))}"):
        Weights(tmp_path)


def test_a_changed_network_is_not_run(weights_copy: Path) -> None:
    path = weights_copy / "attention.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    opened = Weights(weights_copy)  # networks are opened when first needed
    with pytest.raises(WeightsError, match=r"sha256 .* its manifest states .* changed or cut off"):
        opened.session("attention")


def test_a_changed_part_of_a_network_is_not_run(weights_copy: Path) -> None:
    path = weights_copy / "attention_heat_map.onnx"
    path.write_bytes(path.read_bytes()[:-1])
    opened = Weights(weights_copy)
    size = opened.manifest.networks["attention"].input
    assert size is not None
    film = np.zeros((1, *size, 1), np.float32)
    opened.run("attention", {"film": film, "sex": np.zeros(1, np.int32)})
    with pytest.raises(WeightsError, match=r"attention_heat_map\.onnx' has sha256"):
        opened.run("attention", {"film": film}, ("heat_map",))


def test_a_heat_map_alone_is_the_heat_map(weights: Path, weights_copy: Path) -> None:
    change_manifest(weights_copy, lambda m: m["networks"]["attention"].pop("alone"))
    alone, earlier = Weights(weights), Weights(weights_copy)  # weights made before have none
    size = alone.manifest.networks["attention"].input
    assert size is not None
    film = np.random.default_rng(3).uniform(0, 255, (2, *size, 1)).astype(np.float32)
    asked = {"film": film, "sex": np.zeros(2, np.int32)}
    whole = alone.run("attention", asked)["heat_map"]
    for opened in (alone, earlier):
        part = opened.run("attention", asked, ("heat_map",))
        assert set(part) == {"heat_map"}
        np.testing.assert_array_equal(part["heat_map"], whole)


def test_a_missing_network_file_is_named(weights_copy: Path) -> None:
    (weights_copy / "fusion.onnx").unlink()
    with pytest.raises(WeightsError, match=r"fusion\.onnx' cannot be read"):
        Weights(weights_copy).session("fusion")


def test_a_network_that_is_none_is_named(weights_copy: Path) -> None:
    (weights_copy / "fusion.onnx").write_bytes(b"not a network")
    digest = hashlib.sha256(b"not a network").hexdigest()
    change_manifest(weights_copy, lambda m: m["networks"]["fusion"].update(sha256=digest))
    with pytest.raises(WeightsError, match="not a usable network"):
        Weights(weights_copy).session("fusion")


def test_an_unknown_network_is_refused(weights: Path) -> None:
    with pytest.raises(WeightsError, match="have no 'elbow', only"):
        Weights(weights).session("elbow")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a manifest"),
        (b"{", "is not a manifest"),
        (b"[]", "is not a manifest"),
        (b"{}", "is not a manifest"),
        (b"\xff\xfe", "is not a manifest"),
        (b'{"format": 99}', "is of format 99; this program reads 1"),
    ],
)
def test_a_manifest_that_is_none(weights_copy: Path, content: bytes, message: str) -> None:
    (weights_copy / "manifest.json").write_bytes(content)
    with pytest.raises(WeightsError, match=message):
        Weights(weights_copy)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m["networks"].pop("attention"), "no 'attention' network"),
        (lambda m: m["networks"].pop("fusion"), "no 'fusion' network"),
        (lambda m: m["networks"].pop(CARPAL), "the fusion takes 'carpal'"),
        (lambda m: m["networks"][CARPAL].update(input=None), "no input size for 'carpal'"),
        (lambda m: m["networks"][CARPAL].update(file="../x.onnx"), "outside its folder"),
        (
            lambda m: m["networks"]["attention"]["alone"]["heat_map"].update(file="/x.onnx"),
            "outside its folder",
        ),
        (lambda m: m["regions"]["fallback"].pop(METACARPAL), "no fallback box for 'metacarpal'"),
        (lambda m: m["preparation"].update(sharpen=1), "is not a manifest"),
        (lambda m: m.pop("name"), "is not a manifest"),
    ],
)
def test_a_manifest_that_does_not_fit_together(
    weights_copy: Path, change: Callable[[dict[str, Any]], Any], message: str
) -> None:
    change_manifest(weights_copy, change)
    with pytest.raises(WeightsError, match=message):
        Weights(weights_copy)


def test_inputs_that_a_network_does_not_take_are_left_out(weights: Path) -> None:
    opened = Weights(weights)
    film = np.zeros((1, 48, 48, 1), np.float32)
    inputs: dict[str, npt.NDArray[Any]] = {
        "film": film,
        "sex": np.zeros(1, np.int32),
        "shoe_size": np.zeros(1),
    }
    assert set(opened.run(CARPAL, inputs)) == {"feature", "age"}


def test_a_measure_may_be_no_number(weights_copy: Path) -> None:
    change_manifest(weights_copy, lambda m: m.update(metrics={"correlation": float("nan")}))
    assert Weights(weights_copy).manifest.table["metrics"].keys() == {"correlation"}


def test_fewer_regions_are_enough(tmp_path: Path) -> None:
    opened = Weights(build_weights(tmp_path, [CARPAL]))
    assert opened.manifest.plan.names == (CARPAL,)


def test_defect_5_the_bundled_weights_open(bundled: Path) -> None:
    opened = Weights(bundled)
    for network in opened.manifest.networks:
        opened.session(network)


def test_the_runtime_reports_nothing_to_its_maker(tmp_path: Path) -> None:
    code = "from boneage.inference.weights import silent_runtime; silent_runtime().SessionOptions()"
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment.pop("ORT_DISABLE_TELEMETRY", None)
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not list(tmp_path.rglob("*"))  # else the id of this device
