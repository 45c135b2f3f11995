"""README.md, MODEL_CARD.md and docs/ against the evidence, and what writes them."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from boneage.errors import DataError
from tests.evaluation.measured import write_evidence
from tools.documents.__main__ import main as documents
from tools.documents.evidence import (
    BUNDLE,
    EVIDENCE,
    FILES,
    Evidence,
    read_checkout,
    read_folders,
)
from tools.documents.render import BLOCKS, CARD, README, block, renewed, with_figures

ROOT = Path(__file__).parents[2]
NOTHING = Evidence()
OF_WEIGHTS = (
    *("metrics", "comparison", "ruler", "stress", "suitability"),
    *("bench", "dashboard", "service", "folder", "node", "failures"),
)
INDEPENDENT = {
    "format": 1,
    "date": "2026-01-01",
    "weights": {"name": "tiny-0", "profile": "tiny", "sha256": "cd" * 32},
    "data": "9 images of a test set",
    "analysed": {
        **{"count": 8, "mae_months": 5.25, "rmse_months": 7.5, "r2": 0.97},
        **{"bias_months": 1.0, "within_12": 0.92},
    },
    "all": {"count": 9, "mae_months": 5.75, "r2": 0.96, "within_12": 0.9},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence as the commands leave it; don't change it."""
    return write_evidence(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def evidence(folder: Path, weights: Path) -> Evidence:
    return read_folders(weights, folder)


def with_table(evidence: Evidence, name: str, table: Any) -> Evidence:
    return replace(evidence, tables={**evidence.tables, name: table})


def test_documents_and_evidence_agree() -> None:
    for name, text in renewed(ROOT).items():
        assert (ROOT / name).read_text(encoding="utf-8") == text, f"{name}: run 'make figures'"


def test_every_block_stands_in_a_document() -> None:
    texts = "".join(renewed(ROOT).values())
    for name in BLOCKS:
        assert f"<!-- figures:{name} -->" in texts


def test_the_readme_is_short_and_the_card_not_long() -> None:
    assert len((ROOT / README).read_text(encoding="utf-8").split()) <= 1500
    assert len((ROOT / CARD).read_text(encoding="utf-8").split()) <= 3000


def measured_with(evidence: Evidence) -> dict[str, Any]:
    """Give the weights that measurements name, by the measurement."""
    tables = evidence.tables.items()
    return {name: table["weights"] for name, table in tables if "weights" in table}


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_evidence_is_of_the_weights_that_ship(name: str) -> None:
    evidence = read_checkout(ROOT)
    measured = measured_with(evidence)
    if evidence.manifest is None:
        pytest.skip("no weights are bundled")
    if name not in measured:
        pytest.skip(f"not measured yet: no {FILES[name]} in {EVIDENCE}")
    assert measured[name]["sha256"] == evidence.manifest_sha256, f"measure {name} again"


def test_the_pictures_of_failures_are_there() -> None:
    failures = read_checkout(ROOT).tables.get("failures")
    if failures is None:
        pytest.skip("no pictures were made yet: 'python -m tools.documents card'")
    folder = (ROOT / EVIDENCE / FILES["failures"]).parent
    named = {picture["file"] for picture in failures["pictures"] if picture["file"]}
    assert named == {path.name for path in folder.glob("*.png")}


def test_every_measurement_that_names_its_weights_is_checked(evidence: Evidence) -> None:
    named = measured_with(evidence)
    assert set(named) == set(OF_WEIGHTS) - {"failures"}


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_every_block_can_be_written_with_and_without_evidence(
    name: str, evidence: Evidence
) -> None:
    text = f"before\n<!-- figures:{name} -->\nold 99.9\n<!-- /figures -->\nafter\n"
    for known in (evidence, NOTHING):
        written = with_figures(text, known)
        assert "99.9" not in written
        assert written.startswith("before\n")
        assert written.endswith("after\n")
        assert with_figures(written, known) == written
    assert "Not measured yet: `make " in block(name, NOTHING)
    assert "Not measured yet: `boneage " in block(name, replace(NOTHING, in_checkout=False))
    assert "Not measured yet" not in block(name, evidence)


def test_the_figures_are_those_of_the_evidence(evidence: Evidence) -> None:
    accuracy = block("accuracy", evidence)
    assert "| radiographs analysed | not measured | 27 of 27 |" in accuracy
    assert "| mean absolute error (MAE), months | – | 14.4 (" in accuracy  # (12·30 + 15·2) / 27
    assert "with the start of the program 1.2 s and 210 MB" in accuracy
    speed = block("speed", evidence)
    assert "(`boneage assess`) | 1.2 s |" in speed
    assert "| joining | 2 | 1 |" in speed
    assert "1.28 times the processor time of the two" in speed
    service = block("service", evidence)
    assert "| 4 | 6.0 |" in service
    assert "7.5 images a second there, 25 % more than" in service
    assert "With 1 worker of 2 threads, the service analyses 5.5 images a second" in service
    dashboard = block("dashboard", evidence)
    assert "| click on a row to its image | 0.41 s | 0.53 s |" in dashboard
    assert "518 MB with the 30 images" in dashboard
    assert "no serious violations in 8 states" in dashboard


def test_the_independent_examination_names_its_weights(evidence: Evidence) -> None:
    examined = with_table(evidence, "independent", INDEPENDENT)
    text = block("accuracy", examined)
    assert "| | independent examination, earlier weights | validation set |" in text
    assert "with **earlier** weights `tiny-0` (sha256 `cdcdcdcdcdcd`)" in text
    assert "| radiographs analysed | 8 of 9 | 27 of 27 |" in text
    assert "| mean absolute error (MAE), months | 5.25 | 14.4 (" in text
    assert "| within 12 months | 92 % |" in text
    assert "With the 1 refused images analysed too: MAE 5.75 months" in text
    same = block("accuracy", replace(examined, manifest_sha256="cd" * 32))
    assert "earlier" not in same.split("Validation")[0]
    assert "with these weights `tiny-0`" in same


def test_a_big_folder_is_multiplied_for_a_cluster(evidence: Evidence) -> None:
    text = block("folder", evidence)
    assert "4.0 small images a second, 2 processes 7.2 (1.80 times)" in text
    assert "killed 3 times: 100 rows, 0 twice, 0 missing" in text
    assert "| 50 | 71 | 280, 291 |" in text
    cluster = block("cluster", evidence)
    assert "3.60 images a second" in cluster
    assert "10,000,000 images take 772 core hours" in cluster
    assert "| 64 | 12 | 230 | 1152 |" in cluster
    assert "4.0 GB as CSV; the images, at 5 MB each, 50 TB" in cluster


def test_what_was_lost_and_what_was_found_is_reported(evidence: Evidence) -> None:
    node = block("node", evidence)
    assert "1,000 images, 20 kills, 1 outage of the archive: 0 lost, 1 doubled, 0 given up" in node
    assert "30.4 images a minute" in node
    fuzz = block("fuzz", evidence)
    assert "Of 2,000 damaged files, 400 could still be analysed and 1,599 were refused" in fuzz
    assert "1 ended in a crash" in fuzz
    clean = with_table(evidence, "fuzz", {**evidence.tables["fuzz"], "findings": []})
    assert "none ended" in block("fuzz", clean)


def test_measurements_of_other_weights_are_called_so(evidence: Evidence) -> None:
    other = "Measured with other weights than these: `tiny-1`"
    for name in ("accuracy", "speed", "service", "node", "folder"):
        assert other in block(name, evidence)  # the sha256 of the evidence is made up
        assert other not in block(name, replace(evidence, manifest_sha256="ab" * 32))


def test_blocks_do_not_swallow_each_other() -> None:
    text = "<!-- figures:fuzz -->\n<!-- /figures -->\n"
    assert with_figures(text + "kept\n" + text, NOTHING).count("kept") == 1


def test_unknown_block_is_quoted() -> None:
    with pytest.raises(ValueError, match="'fuzzz'"):
        with_figures("<!-- figures:fuzzz -->\n<!-- /figures -->", NOTHING)


@pytest.fixture
def checkout(tmp_path: Path, folder: Path, weights: Path) -> Path:
    """A checkout with weights, evidence, a README and a page, and no card."""
    shutil.copytree(weights, tmp_path / BUNDLE)
    shutil.copytree(folder, tmp_path / EVIDENCE)
    (tmp_path / README).write_text("<!-- figures:accuracy -->\n<!-- /figures -->\n")
    (tmp_path / "docs" / "page.md").write_text("<!-- figures:fuzz -->\n<!-- /figures -->\n")
    (tmp_path / "docs" / "words.md").write_text("No figures.\n")
    return tmp_path


def figures(*arguments: str | Path) -> Result:
    return CliRunner().invoke(documents, ["figures", *map(str, arguments)])


def test_the_command_renews_every_document(checkout: Path) -> None:
    checked = figures(checkout, "--check")
    assert checked.exit_code == 1
    assert "README.md: differs" in checked.output
    assert "docs/page.md: differs" in checked.output
    assert "MODEL_CARD.md: differs" in checked.output
    assert "words.md" not in checked.output
    assert not (checkout / CARD).exists()
    first = figures(checkout)
    assert first.exit_code == 0
    assert "README.md: updated" in first.output
    assert "| 14.4 (" in (checkout / README).read_text(encoding="utf-8")
    assert "| 4–6 years | 12 | 30.0 (" in (checkout / CARD).read_text(encoding="utf-8")
    again = figures(checkout, "--check")
    assert again.exit_code == 0
    assert "MODEL_CARD.md: unchanged" in again.output


@pytest.mark.parametrize("name", [README, CARD])
def test_a_number_changed_by_hand_is_found(checkout: Path, name: str) -> None:
    assert figures(checkout).exit_code == 0
    path = checkout / name
    path.write_text(path.read_text(encoding="utf-8").replace("14.4", "12.4"), encoding="utf-8")
    result = figures(checkout, "--check")
    assert result.exit_code == 1
    assert f"{name}: differs" in result.output


def test_what_is_missing_or_broken_is_quoted(checkout: Path) -> None:
    metrics = checkout / EVIDENCE / "metrics.json"
    metrics.write_text("{", encoding="utf-8")
    broken = figures(checkout)
    assert broken.exit_code == 2
    assert "metrics.json' is not valid JSON" in broken.output
    metrics.write_text('{"format": 7}', encoding="utf-8")
    assert "is of format 7; this program reads 1: measure again" in figures(checkout).output
    metrics.write_text('{"format": 1}', encoding="utf-8")
    lacking = figures(checkout)
    assert lacking.exit_code == 2
    assert "lacks something: UndefinedError" in lacking.output
    (checkout / README).unlink()
    assert "no README.md in" in figures(checkout).output


def test_rows_of_localization_that_are_none_are_quoted(checkout: Path) -> None:
    (checkout / EVIDENCE / "ruler" / "ruler.csv").write_text("target,share\ncarpus,1\n")
    with pytest.raises(DataError, match=r"ruler\.csv' is not a table of localization"):
        read_checkout(checkout)


def test_a_base_install_is_pointed_to_the_extra(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tools.documents.render", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = figures(checkout)
    assert result.exit_code == 2
    assert '[evaluate]"' in result.output


def test_a_checkout_with_nothing_measured_gets_its_documents(tmp_path: Path) -> None:
    (tmp_path / README).write_text("<!-- figures:accuracy -->\n<!-- /figures -->\n")
    assert figures(tmp_path).exit_code == 0
    assert "Not measured yet: `make evaluate`." in (tmp_path / README).read_text("utf-8")
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "No weights are bundled yet" in card
    assert json.dumps(card).count("Not measured yet") >= 4
