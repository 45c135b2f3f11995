"""README.md and MODEL_CARD.md against the evidence, and what writes them."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boneage.errors import DataError
from tests.evaluation.measured import write_evidence
from tools.documents import suitability
from tools.documents.__main__ import main as documents
from tools.documents.blocks import BLOCKS, with_numbers
from tools.documents.evidence import (
    BUNDLE,
    EVIDENCE,
    FILES,
    Evidence,
    read_checkout,
    read_folders,
)
from tools.documents.renew import CARD, PAGES, README, renewed

ROOT = Path(__file__).parents[2]
NOTHING = Evidence()
OF_WEIGHTS = (
    *("metrics", "comparison", "ruler", "stress", "suitability"),
    *("bench", "dashboard", "service", "folder", "node", "failures"),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence as the commands leave it; don't change it."""
    return write_evidence(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def evidence(folder: Path, weights: Path) -> Evidence:
    return read_folders(weights, folder)


@pytest.mark.parametrize("name", [README, CARD, *PAGES])
def test_document_and_evidence_agree(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert text == renewed(ROOT)[name], "run 'make figures'"


def test_the_readme_shows_every_kind_of_evidence() -> None:
    text = (ROOT / README).read_text(encoding="utf-8")
    for name in ("headline", "validation", "bands", "ruler", "stress", "suitability", "ablation"):
        assert f"<!-- figures:{name} -->" in text


@pytest.mark.parametrize("name", OF_WEIGHTS)
def test_evidence_is_of_the_weights_that_ship(name: str) -> None:
    evidence = read_checkout(ROOT)
    measured = dict(evidence.measured_with())
    if evidence.manifest is None:
        pytest.skip("no weights are bundled")
    if name not in measured:
        pytest.skip(f"not measured yet: no {FILES[name]} in {EVIDENCE}")
    assert measured[name]["sha256"] == evidence.manifest_sha256, f"measure {name} again"


def test_the_pictures_of_failures_are_there() -> None:
    evidence = read_checkout(ROOT)
    if evidence.failures is None:
        pytest.skip("no pictures were made yet: 'python -m tools.documents card'")
    folder = (ROOT / EVIDENCE / FILES["failures"]).parent
    named = {picture["file"] for picture in evidence.failures["pictures"] if picture["file"]}
    assert named == {path.name for path in folder.glob("*.png")}


def test_every_measurement_that_names_its_weights_is_checked(evidence: Evidence) -> None:
    named = dict(evidence.measured_with())
    assert set(named) == set(OF_WEIGHTS) - {"failures"}


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
    assert with_numbers(text, evidence) != with_numbers(text, NOTHING)


def test_what_is_not_measured_names_its_command() -> None:
    for block, command in (("ruler", "make ruler"), ("stress", "make stress")):
        assert BLOCKS[block](NOTHING) == f"Not measured yet: `{command}`."
    assert "`boneage ruler`" in BLOCKS["ruler"](replace(NOTHING, in_checkout=False))


def test_the_numbers_are_those_of_the_evidence(evidence: Evidence) -> None:
    text = BLOCKS["validation"](evidence)
    assert "overall (n = 27)" in text
    assert "| mean absolute error (MAE), months | 14.4 (" in text  # (12 × 30 + 15 × 2) / 27
    assert "Every film was read." in text
    assert "**14.4 (" in BLOCKS["headline"](evidence)
    assert "| carpal alone | 4.0 (4.0 to 4.0) |" in BLOCKS["networks"](evidence)
    assert "| 100 % |" in BLOCKS["networks"](evidence)
    assert "1.2 s" in BLOCKS["speed"](evidence)
    assert "| training, attention, phase 1 | 64.1 films a second |" in BLOCKS["speed"](evidence)
    assert "| joining | 2 | 1 |" in BLOCKS["speed"](evidence)
    assert "1.28 times the processor time of the two" in BLOCKS["speed"](evidence)
    assert "`attention.onnx`" in BLOCKS["weights"](evidence)
    assert "| 4 | 6.0 |" in BLOCKS["service"](evidence)
    assert "7.5 films a second there, 25 % more than" in BLOCKS["service"](evidence)
    assert "2 × 1: 7.5 and 8.0, 1 × 2: 7.0 and 7.2" in BLOCKS["service"](evidence)


def test_what_is_refused_is_counted_by_category(evidence: Evidence) -> None:
    text = BLOCKS["suitability"](evidence)
    assert "200 held-back films, 0.5 % (1) are refused and 4.0 % (8) are warned about" in text
    assert "| chest | refused | 40 | 97.5 % (39) | 2.5 % (1) | 75.0 % (30) |" in text
    assert "| adult hand | read, with a warning | 20 | 5.0 % (1) | 95.0 % (19) | – |" in text
    card = suitability.confusion(evidence)
    assert "| chest | 39 | 1 |" in card
    assert "| turn 180° | 50 | 98.0 % (49) |" in card


def test_the_short_blocks_say_best_and_worst(evidence: Evidence) -> None:
    bands = BLOCKS["bands"](evidence)
    assert "smallest at 10–12 years (2.0 (2.0 to 2.0) months, n = 12)" in bands
    assert "largest at 4–6 years (30.0 (30.0 to 30.0) months, n = 12)" in bands
    assert "too few to say: 14–16 years." in bands
    assert "70 % of the metacarpals 1–5 (n = 4)" in BLOCKS["ruler"](evidence)
    standards = BLOCKS["standards"](evidence)
    # 12 films of 60 months, 12 of 132 and 3 of 180, apart by a tenth of it
    assert standards.startswith("The same film reads 10.5 (")
    assert "younger at all in 100 (100 to 100) % of 27 films" in standards
    assert "the most at 10–12 years: 13.2 (13.2 to 13.2) months" in standards
    stress = BLOCKS["stress"](evidence)
    assert "1 moves the answer by less than 1 month" in stress
    assert "under rotation 180° (100 % of films; 40.0 months on average) and" in stress
    ablation = BLOCKS["ablation"](evidence)
    assert "2.0 (2.0 to 2.0) months with “all, with sex” (n = 36)" in ablation
    assert "more with “carpal alone, with sex” (+7.0)" in ablation
    assert "not to be told apart with “two, with sex”" in ablation
    assert "Of the training run `mine`" in ablation


def test_the_dashboard_block_says_what_is_waited_for(evidence: Evidence) -> None:
    text = BLOCKS["dashboard"](evidence)
    assert "| click to answer, a further film | 0.41 s | 0.53 s |" in text
    assert "518 MB with 5 visitors" in text
    assert "no serious violations in 8 states" in text


def test_the_folder_blocks_multiply_what_was_measured(evidence: Evidence) -> None:
    text = BLOCKS["folder"](evidence)
    assert "4.0 small films a second by one process, 7.2 by 2 (1.80 times)" in text
    assert "with 3 kills on the way: 100 rows, 0 films twice, 0 missing" in text
    assert "no process held more than 291 MB" in text
    assert "| 50 | 71 | 280, 291 |" in text
    cluster = BLOCKS["cluster"](evidence)
    assert "3.60 films a second" in cluster
    assert "10,000,000 films take 772 core hours" in cluster
    assert "| 64 | 12 | 230 | 1152 |" in cluster
    assert "4.0 GB as CSV; the films, at 5 MB each, 50 TB" in cluster


def test_what_was_lost_and_what_was_found_is_said(evidence: Evidence) -> None:
    node = BLOCKS["node"](evidence)
    assert "1,000 films, 20 kills, 1 outage of the archive: 0 lost, 1 doubled, 0 given up" in node
    assert "30.4 films a minute" in node
    fuzz = BLOCKS["fuzz"](evidence)
    assert "Of 2,000 spoilt files, 400 could be read all the same and 1,599 were refused" in fuzz
    assert "1 ended in a crash" in fuzz
    assert evidence.fuzz is not None
    assert "none ended" in BLOCKS["fuzz"](replace(evidence, fuzz={**evidence.fuzz, "findings": []}))


def test_measurements_of_other_weights_are_called_so(evidence: Evidence) -> None:
    other = "Measured with other weights than these, `tiny-1`"
    assert other in BLOCKS["validation"](evidence)  # the sha256 of the evidence is made up
    same = replace(evidence, manifest_sha256="ab" * 32)
    assert other not in BLOCKS["validation"](same)


def test_metrics_of_an_older_form_are_said_to_be(evidence: Evidence) -> None:
    assert evidence.metrics is not None
    kept = ("metrics", "networks", "films", "data", "weights", "attention_found", "boneage", "date")
    older = replace(evidence, metrics={key: evidence.metrics[key] for key in kept})
    assert "overall (n = 27)" in BLOCKS["validation"](older)
    assert "of an older form" in BLOCKS["bands"](older)
    assert "of an older form" in BLOCKS["standards"](older)


def test_blocks_do_not_swallow_each_other() -> None:
    block = "<!-- figures:weights -->\n<!-- /figures -->\n"
    assert with_numbers(block + "kept\n" + block, NOTHING).count("kept") == 1


def test_unknown_block_is_quoted() -> None:
    with pytest.raises(ValueError, match="'wieghts'"):
        with_numbers("<!-- figures:wieghts -->\n<!-- /figures -->", NOTHING)


@pytest.fixture
def checkout(tmp_path: Path, folder: Path, weights: Path) -> Path:
    """A checkout with weights, evidence and a README, and no card."""
    shutil.copytree(weights, tmp_path / BUNDLE)
    shutil.copytree(folder, tmp_path / EVIDENCE)
    block = "<!-- figures:headline -->\n<!-- /figures -->\n"
    (tmp_path / README).write_text(block, encoding="utf-8")
    return tmp_path


def figures(*arguments: str | Path) -> Result:
    return CliRunner().invoke(documents, ["figures", *map(str, arguments)])


def test_the_command_renews_both_documents(checkout: Path) -> None:
    checked = figures(checkout, "--check")
    assert checked.exit_code == 1
    assert "README.md: differs" in checked.output
    assert "MODEL_CARD.md: differs" in checked.output
    assert not (checkout / CARD).exists()
    first = figures(checkout)
    assert first.exit_code == 0
    assert "README.md: renewed" in first.output
    assert "**14.4 (" in (checkout / README).read_text(encoding="utf-8")
    assert "| 4–6 years | 12 | 30.0 (" in (checkout / CARD).read_text(encoding="utf-8")
    again = figures(checkout, "--check")
    assert again.exit_code == 0
    assert "MODEL_CARD.md: as it was" in again.output


@pytest.mark.parametrize("name", [README, CARD])
def test_a_number_changed_by_hand_is_found(checkout: Path, name: str) -> None:
    assert figures(checkout).exit_code == 0
    path = checkout / name
    path.write_text(path.read_text(encoding="utf-8").replace("14.4", "12.4"), encoding="utf-8")
    result = figures(checkout, "--check")
    assert result.exit_code == 1
    assert f"{name}: differs" in result.output


def test_what_is_missing_or_broken_is_quoted(checkout: Path, tmp_path: Path) -> None:
    metrics = checkout / EVIDENCE / "metrics.json"
    metrics.write_text("{", encoding="utf-8")
    broken = figures(checkout)
    assert broken.exit_code == 2
    assert "metrics.json' is no JSON" in broken.output
    metrics.write_text('{"format": 7}', encoding="utf-8")
    assert "is of format 7; this program reads 1: measure again" in figures(checkout).output
    metrics.write_text('{"format": 1}', encoding="utf-8")
    lacking = figures(checkout)
    assert lacking.exit_code == 2
    assert "lacks something: KeyError" in lacking.output
    (checkout / README).unlink()
    assert "no README.md in" in figures(checkout).output


def test_a_table_of_the_ruler_that_is_none_is_quoted(checkout: Path) -> None:
    (checkout / EVIDENCE / "ruler" / "ruler.csv").write_text("target,share\ncarpus,1\n")
    with pytest.raises(DataError, match=r"ruler\.csv' is no table of the ruler"):
        read_checkout(checkout)


def test_a_base_install_is_told_what_to_install(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("card", "renew"):
        monkeypatch.delitem(sys.modules, f"tools.documents.{name}", raising=False)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    result = figures(checkout)
    assert result.exit_code == 2
    assert 'pip install "boneage[evaluate]"' in result.output


def test_a_checkout_with_nothing_measured_gets_its_documents(tmp_path: Path) -> None:
    (tmp_path / README).write_text("<!-- figures:stress -->\n<!-- /figures -->\n")
    assert figures(tmp_path).exit_code == 0
    card = (tmp_path / CARD).read_text(encoding="utf-8")
    assert "No weights are bundled yet" in card
    assert json.dumps(card).count("Not measured yet") >= 4
