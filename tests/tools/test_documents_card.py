"""The model card: what it says with all evidence, with none, and of a user's own weights."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from boneage.domain.assessment import CARPAL, METACARPAL
from boneage.evaluation.robustness.changes import CHANGES
from boneage.evaluation.robustness.sheet import example_film
from boneage.inference.assessor import Assessor
from tests.conftest import build_weights
from tests.evaluation.measured import write_evidence
from tools.documents.__main__ import main as documents
from tools.documents.card import model_card
from tools.documents.evidence import Evidence, read_folders
from tools.documents.failure_pictures import UNCHANGED, small_hand, worst_changes
from tools.documents.failures import measured_failures, pictures
from tools.documents.forms import difference, listed, markdown, share, signed

SECTIONS = (
    "What it is",
    "Intended use",
    "Data",
    "How the weights were made",
    "Results",
    "Where the attention looks",
    "What moves the answer",
    "What is refused",
    "What each part is worth",
    "Time, memory and size",
    "Known failures",
    "Not measured",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evidence as the commands leave it; don't change it."""
    return write_evidence(tmp_path_factory.mktemp("measured"))


@pytest.fixture
def evidence(folder: Path, weights: Path) -> Evidence:
    return read_folders(weights, folder)


def card_of(evidence: Evidence, folder: Path) -> str:
    return model_card(evidence, folder, folder / "failures", folder.parent)


def test_the_card_has_all_sections_with_and_without_evidence(
    evidence: Evidence, folder: Path, tmp_path: Path
) -> None:
    for known, where in ((evidence, folder), (Evidence(), tmp_path)):
        titles = re.findall(r"^## (.+)$", card_of(known, where), re.MULTILINE)
        assert tuple(titles) == SECTIONS


def test_the_numbers_are_those_of_the_evidence(evidence: Evidence, folder: Path) -> None:
    text = card_of(evidence, folder)
    for row in (
        "| 4–6 years | 12 | 30.0 (30.0 to 30.0) | 30.0 (30.0 to 30.0) | 0 (0 to 0) % |",
        "| 14–16 years | 3, too few to say |  |  |  |",
        "| 4–6 years | 12 | 6.0 (6.0 to 6.0) | 100 (100 to 100) % |",
        "| 90 % | 27 | 56 (",  # of 27 intervals of ± 10 months, those of the 15 errors of 2
        "| metacarpals 1–5 | 4 | 70 (",
        "| rotation 180° | 40.0 (40.0 to 40.0) | 100 % | 0 % | 100 (100 to 100) % |",
        "| carpal alone, with sex | 9.0 (9.0 to 9.0) | +7.0 (+7.0 to +7.0) |",
        "| all, with sex | 2.0 (2.0 to 2.0) | baseline |",
        r"| a \| reader |  | 5.0 (5.0 to 5.0) |",
    ):
        assert row in text
    assert "boys and girls" not in text
    assert "Less than 1 month on average: " in text
    assert "**On average less than 80 % lies inside: metacarpals 1–5 (70 %).**" in text
    assert "[cases.csv](" in text
    assert "36 films, 18 of girls and 18 of boys" in text


def test_bands_of_a_sex_with_few_films_have_no_figure(evidence: Evidence, folder: Path) -> None:
    # 12 films in a band, 6 of each sex: under 10, so no table by sex at all
    assert "female, MAE" not in card_of(evidence, folder)
    assert evidence.metrics is not None
    measured = evidence.metrics["by_band"]["4-6"]
    by_sex = {"female": {"4-6": measured}, "male": {}}
    known = replace(evidence, metrics={**evidence.metrics, "by_sex_and_band": by_sex})
    row = "| 4–6 years | 30.0 (30.0 to 30.0), n = 12 | fewer than 10 films |"
    assert row in card_of(known, folder)


def test_the_words_hold_no_figure() -> None:
    source = resources.files("tools.documents") / "model_card.md.jinja"
    words = re.sub(r"\{[{%#].*?[}%#]\}|^> .*$", "", source.read_text("utf-8"), flags=re.S | re.M)
    found = set(re.findall(r"\d[\d.,]*", words.replace("MobileNetV2", "")))
    assert found <= {"95", "2017"}  # the level of the intervals, the year of the challenge


def test_what_was_not_measured_is_said(weights: Path, tmp_path: Path) -> None:
    text = card_of(read_folders(weights, tmp_path), tmp_path)
    for command in ("evaluate", "ruler", "stress", "ablate", "bench", "analyse"):
        assert f"ot measured yet: `boneage {command}`" in text
    assert "not made yet (`python -m tools.documents card`)" in text
    assert "- Where the attention looks." in text


def test_fine_tuned_weights_say_what_they_were(evidence: Evidence, folder: Path) -> None:
    assert evidence.manifest is not None
    assert "fine-tuned" not in card_of(evidence, folder)
    phase = {"films": "detailed", "epochs": 4}
    network = {"backbone": "MobileNet", "initial_weights": "none", "input": [96, 64]}
    network |= {"phases": [phase]}
    profile = {"attention": network, "region": network, "fusion": {"training": phase}}
    source: dict[str, Any] = {"name": "compact-1", "sha256": "9a84fa407385" + 52 * "0"}
    manifest = {**evidence.manifest, "fine_tuned_from": source}
    manifest["profile"] = {**evidence.manifest["profile"], **profile}
    tuned = replace(evidence, manifest=manifest)
    text = card_of(tuned, folder)
    assert "fine-tuned from `compact-1` (sha256 `9a84fa407385`)." in text
    assert "| attention, phase 1 | `compact-1` | films of useful resolution |" in text
    assert "| fusion | `compact-1` |" in text
    assert "These are the films of the fine-tuning alone." in text
    source["data"] = {"films": {"best_train": 11611}}
    assert "`9a84fa407385`, trained on 11,611 films)" in card_of(tuned, folder)


def test_only_the_weights_that_ship_are_said_to_be_of_the_challenge(
    evidence: Evidence, folder: Path
) -> None:
    theirs = card_of(evidence, folder)
    assert "Halabi" not in theirs
    assert "none: these weights were written by hand for tests" in theirs
    ours = card_of(replace(evidence, ships=True), folder)
    assert "> Halabi SS" in ours
    assert "research and education, not commercial use" in ours


def test_failures_are_computed(evidence: Evidence) -> None:
    text = measured_failures(evidence)
    assert "ages of 4–6 years: a mean absolute error of 30.0" in text
    assert "2.1 times the overall one" in text
    assert "10–12 years" not in text
    assert "14–16 years" not in text  # of three films
    assert "rotation 180° (100 %)" in text
    assert "inverted" not in text  # moves answers by 6 months
    assert "less than 50 % of the metacarpals 1–5 in 1 of 4 marked films (25.0 %)" in text
    assert "no interval" not in text
    assert measured_failures(Evidence()) == ""
    assert evidence.metrics is not None
    without = replace(evidence, metrics={**evidence.metrics, "prediction_intervals": None})
    assert "The answer states no interval" in measured_failures(without)


def test_the_worst_change_of_each_kind_is_shown(evidence: Evidence) -> None:
    assert [change.name for change in worst_changes(evidence.stress)] == [
        "rotate_180",
        "noise_strong",
    ]
    assert evidence.stress is not None
    quiet = [
        {**change, "silent_of_all": {"value": 0.0, "low": 0.0, "high": 0.0}}
        for change in evidence.stress["changes"]
    ]
    names = [change.name for change in worst_changes({"changes": quiet})]
    assert names == ["rotate_180", "noise_strong", "inverted"]
    unknown = {**quiet[0], "name": "sat on"}
    assert worst_changes({"changes": [unknown]}) == []
    assert len({change.kind for change in worst_changes(None)}) == 3


def test_the_small_hand_lies_in_a_corner_of_a_dark_frame() -> None:
    grey = example_film()
    frame = small_hand(grey)
    assert frame.shape == grey.shape
    assert frame.dtype == grey.dtype
    assert len(np.unique(frame[700:])) == 1
    assert frame[:600, :460].max() > 200


def card(*arguments: str | Path) -> Result:
    return CliRunner().invoke(documents, ["card", *map(str, arguments)])


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights, evidence of them, and what the command made; don't change it."""
    folder = tmp_path_factory.mktemp("card")
    weights = build_weights(folder / "weights", (CARPAL, METACARPAL))
    measured = write_evidence(folder / "measured", Assessor(weights).weights.name)
    (measured / "failures").mkdir()
    (measured / "failures" / "earlier.png").write_bytes(b"")
    out = folder / "cards" / "CARD.md"
    result = card("--weights", weights, "--evidence", measured, "--out", out)
    assert result.exit_code == 0, result.output
    return folder


def test_a_user_writes_a_card_of_own_weights(written: Path) -> None:
    text = (written / "cards" / "CARD.md").read_text(encoding="utf-8")
    assert "# Model card: tiny-1" in text
    assert "Measured with other weights" not in text
    links = re.findall(r"!\[.*?\]\((.+?)\)", text)
    assert len(links) == 6  # three failures, each beside the film unchanged
    assert all((written / "cards" / link).is_file() for link in links)


def test_pictures_are_drawn_and_told(written: Path) -> None:
    folder = written / "measured" / "failures"
    table = json.loads((folder / "failures.json").read_text())
    names = [picture["name"] for picture in table["pictures"]]
    assert names == [UNCHANGED, "rotate_180", "noise_strong", "small_hand"]
    drawn = {picture["file"] for picture in table["pictures"]}
    assert drawn == {path.name for path in folder.glob("*.png")}
    for name in drawn:
        with Image.open(folder / name) as picture:
            assert max(picture.size) == 1200
    assert table["weights"]["name"] == "tiny-1"
    text = (written / "cards" / "CARD.md").read_text(encoding="utf-8")
    months = table["pictures"][0]["months"]
    assert f"<br>unchanged: {months:.1f} months, no warning |" in text
    moved = signed(table["pictures"][1]["months"] - months)
    assert f"({moved})" in text
    assert "(../measured/failures/rotate_180.png)" in text


def test_a_refused_scene_has_words_and_no_picture(evidence: Evidence) -> None:
    shown: dict[str, Any] = {"label": "unchanged", "file": "unchanged.png", "months": 100.0}
    shown |= {"refusal": None, "warnings": []}
    refused = {**shown, "label": "cut", "file": None, "months": None, "refusal": "too_small"}
    table = {"pictures": [shown, refused], "film": "a film", "weights": {"name": "a", "sha256": ""}}
    text = pictures(replace(evidence, failures=table), Path("here"), Path())
    assert "| cut: refused (too_small) |" in text


def test_wrong_usage_is_told(weights: Path, tmp_path: Path) -> None:
    alone = card("--weights", weights)
    assert alone.exit_code == 2
    assert "--weights needs --evidence, and --out" in alone.output
    nothing = card("--weights", tmp_path, "--evidence", tmp_path, "--out", tmp_path / "card.md")
    assert nothing.exit_code == 2
    assert "no manifest.json in" in nothing.output
    assert not (tmp_path / "card.md").exists()


def test_figures_are_written_for_people() -> None:
    assert signed(1.24) == "+1.2"
    assert signed(-1.26) == "−1.3"
    assert signed(-0.04) == "0.0"
    assert difference({"value": -1.0, "low": -2.0, "high": 0.0}) == "−1.0 (−2.0 to 0.0)"
    assert difference({"value": None, "low": None, "high": None}) == "–"
    assert difference({"value": 3.0, "low": None, "high": None}) == "+3.0"
    assert share({"value": None, "low": None, "high": None}) == "–"
    assert share({"value": 0.5, "low": None, "high": None}) == "50 %"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_names_that_people_gave_do_not_break_a_table() -> None:
    text = markdown([["reader"], ["<b>a | b\nc"]])
    assert text.splitlines() == ["| reader |", "| --- |", r"| &lt;b>a \| b c |"]


def test_every_change_has_a_name_that_is_a_file_name() -> None:
    assert all(re.fullmatch(r"[a-z0-9_]+", change.name) for change in CHANGES)
