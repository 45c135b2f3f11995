from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from boneage.cli import main
from boneage.evaluation.evidence import Setting, summarise
from boneage.evaluation.numbers_in_text import (
    BLOCKS,
    MANIFEST,
    METRICS,
    TEXTS,
    Evidence,
    read_evidence,
    with_numbers,
)
from boneage.evaluation.validation import Validation

ROOT = Path(__file__).parents[2]
NOTHING = Evidence(None, None, None)
BENCH = {
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "cold": {"seconds": 1.234, "peak_memory_mb": 210.4},
    "warm": [{"width": 2000, "height": 2500, "median_seconds": 0.218, "p95_seconds": 0.3}],
    "import_seconds": 0.21,
    "install": {"seconds": 31.2, "size_mb": 280.3},
    "training": [{"stage": "fusion", "films_per_second": 812.3}],
}
TIMES = {"median": 0.412, "p95": 0.533, "runs": 20}
WAITS = ("first_page", "cold_answer", "cold_pictures", "warm_answer", "warm_pictures")
DASHBOARD = {
    "date": "2026-01-02",
    "machine": {"cores": 2, "processor": "a processor", "load": 0.04},
    "browser": "Chromium 156",
    "film": {"width": 2000, "height": 2500},
    "seconds": dict.fromkeys(WAITS, TIMES),
    "memory_mb": {"started": 85.5, "sessions": 5, "with_sessions": 518.4},
    "axe": {"states": 8, "violations": {"critical": 0, "serious": 0, "moderate": 1, "minor": 6}},
}
WEIGHTS = {
    "name": "compact-1",
    "profile": {"name": "compact"},
    "networks": {"attention": {"file": "attention.onnx"}},
}


@pytest.fixture
def evidence(validation: Validation, setting: Setting) -> Evidence:
    return Evidence(summarise(validation, setting), BENCH, WEIGHTS, DASHBOARD)


@pytest.mark.parametrize("name", TEXTS)
def test_text_and_evidence_agree(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "<!-- figures:" in text
    assert text == with_numbers(text, read_evidence(ROOT)), "run 'make figures'"


def test_evidence_is_of_the_weights_that_ship() -> None:
    evidence = read_evidence(ROOT)
    if evidence.manifest is None or evidence.metrics is None:
        pytest.skip("no weights bundled, or none measured")
    shipped = hashlib.sha256((ROOT / MANIFEST).read_bytes()).hexdigest()
    assert evidence.metrics["weights"]["sha256"] == shipped, "run 'make evaluate'"


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_can_be_written_with_and_without_evidence(
    name: str, evidence: Evidence
) -> None:
    text = f"before\n<!-- figures:{name} -->\nold 99.9\n<!-- /figures -->\nafter\n"
    for known in (evidence, NOTHING):
        written = with_numbers(text, known)
        assert "99.9" not in written
        assert written.startswith("before\n")
        assert written.endswith("after\n")
        assert with_numbers(written, known) == written


def test_the_numbers_are_those_of_the_evidence(evidence: Evidence) -> None:
    text = BLOCKS["validation"](evidence)
    assert "overall (n = 4)" in text
    assert "| mean absolute error, months | 6.0 (" in text
    assert "1 of 5 films could not be read" in text
    assert "75.0%" in BLOCKS["networks"](evidence)
    assert "1.2 s" in BLOCKS["speed"](evidence)
    assert "`attention.onnx`" in BLOCKS["weights"](evidence)


def test_blocks_do_not_swallow_each_other() -> None:
    block = "<!-- figures:weights -->\n<!-- /figures -->\n"
    assert with_numbers(block + "kept\n" + block, NOTHING).count("kept") == 1


def test_unknown_block_is_quoted() -> None:
    with pytest.raises(ValueError, match="'wieghts'"):
        with_numbers("<!-- figures:wieghts -->\n<!-- /figures -->", NOTHING)


def checkout(folder: Path, evidence: Evidence) -> Path:
    for name in TEXTS:
        block = "<!-- figures:headline -->\n<!-- /figures -->\n"
        (folder / name).write_text(block, encoding="utf-8")
    (folder / METRICS).parent.mkdir(parents=True)
    (folder / METRICS).write_text(json.dumps(evidence.metrics), encoding="utf-8")
    return folder


def test_the_command_renews_the_texts(tmp_path: Path, evidence: Evidence) -> None:
    folder = str(checkout(tmp_path, evidence))
    checked = CliRunner().invoke(main, ["figures", folder, "--check"])
    assert checked.exit_code == 1
    assert "README.md: numbers differ" in checked.output
    renewed = CliRunner().invoke(main, ["figures", folder])
    assert renewed.exit_code == 0
    assert "README.md: numbers renewed" in renewed.output
    assert "**6.0 (" in (tmp_path / "README.md").read_text(encoding="utf-8")
    again = CliRunner().invoke(main, ["figures", folder, "--check"])
    assert again.exit_code == 0
    assert "README.md: as it was" in again.output


def test_what_is_missing_or_broken_is_quoted(tmp_path: Path, evidence: Evidence) -> None:
    nothing = CliRunner().invoke(main, ["figures", str(tmp_path)])
    assert nothing.exit_code == 2
    assert "no README.md in" in nothing.output
    (checkout(tmp_path, evidence) / METRICS).write_text("{", encoding="utf-8")
    broken = CliRunner().invoke(main, ["figures", str(tmp_path)])
    assert broken.exit_code == 2
    assert "metrics.json' is no JSON" in broken.output


def test_the_dashboard_block_says_what_is_waited_for(evidence: Evidence) -> None:
    text = BLOCKS["dashboard"](evidence)
    assert "| click to answer, a further film | 0.41 s | 0.53 s |" in text
    assert "518 MB with 5 visitors" in text
    assert "no serious violations in 8 states" in text
