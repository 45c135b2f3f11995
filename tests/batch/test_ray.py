"""``--engine ray``, on a cluster of two nodes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.batch.conftest import EXPECTED, Command, names_of, rows_of

pytestmark = pytest.mark.slow


@pytest.fixture
def two_nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Two raylets with one core each, as two machines would be."""
    cluster_utils = pytest.importorskip(
        "ray.cluster_utils", reason="the extra 'ray' is not installed"
    )
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_agent_register_timeout_ms", "200000")  # on a busy machine
    memory = {"object_store_memory": 100 * 2**20, "include_dashboard": False}
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **memory})
    cluster.add_node(num_cpus=1, object_store_memory=100 * 2**20)
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    yield cluster
    cluster.shutdown()


def test_two_nodes_write_the_same_rows(
    two_nodes: Any, start: Command, films: Path, tmp_path: Path
) -> None:
    assert os.environ["RAY_ADDRESS"] == two_nodes.address
    assert len(two_nodes.list_all_nodes()) == 2
    table = tmp_path / "cases.csv"
    lines = [f"films/{'ab'[n % 2]}/{n:02d}.png,m,{100 + n}\n" for n in range(30)]
    table.write_text("path,sex,age\n" + "".join(lines) + "films/bad.png,f,\nx.png,robot,\n")
    for out, engine in (("p", "processes"), ("r", "ray")):
        process = start("--table", table, "--out", tmp_path / out, "--engine", engine)
        message, errors = process.communicate(timeout=300)
        assert "32 images: 30 assessed, 2 failed" in message, errors
        assert "Traceback" not in errors
    for name in ("ages", "failures"):
        there, here = (
            sorted(rows_of(tmp_path / out, name), key=lambda row: int(row["source_row"]))
            for out in ("r", "p")
        )
        for row in (*there, *here):
            row.pop("seconds", None)
        assert there == here
    assert names_of(rows_of(tmp_path / "r", "ages")) == EXPECTED
    assert not (tmp_path / "r" / ".to-read").exists()


def test_damaged_weights_stop_the_cluster_with_a_sentence(
    two_nodes: Any, start: Command, films: Path, tmp_path: Path, weights_copy: Path
) -> None:
    assert two_nodes.address
    (weights_copy / "carpal.onnx").write_bytes(b"spoilt")
    options = ("--sex", "m", "--engine", "ray", "--weights", weights_copy)
    process = start(films, "--out", tmp_path / "spoilt", *options)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2, errors
    assert "carpal.onnx" in errors
    assert "Traceback" not in errors
