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
from boneage.evaluation.robustness.figures import example_film
from boneage.inference.assessor import Assessor
from tests.conftest import build_weights
from tests.evaluation.measured import write_evidence
from tests.tools.test_documents import INDEPENDENT
from tools.documents.__main__ import main as documents
from tools.documents.evidence import Evidence, read_folders
from tools.documents.failure_pictures import UNCHANGED, small_hand, worst_changes
from tools.documents.render import (
    cell,
    difference,
    listed,
    model_card,
    number,
    percent,
    share,
    signed,
)

SECTIONS = (
    "What it is",
    "Intended use",
    "Data",
    "How the weights were made",
    "Results",
    "Localization of the regions",
    "Robustness",
    "Image quality check",
    "Ablation",
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
    return model_card(evidence, folder, folder.parent, folder / "failures")


def with_table(evidence: Evidence, name: str, table: Any) -> Evidence:
    return replace(evidence, tables={**evidence.tables, name: table})


def test_the_card_has_all_sections_with_and_without_evidence(
    evidence: Evidence, folder: Path, tmp_path: Path
) -> None:
    for known, where in ((evidence, folder), (Evidence(), tmp_path)):
        titles = re.findall(r"^## (.+)$", card_of(known, where), re.MULTILINE)
        assert tuple(titles) == SECTIONS


def test_the_numbers_are_those_of_the_evidence(evidence: Evidence, folder: Path) -> None:
    text = card_of(evidence, folder)
    for row in (
        "| 4–6 years | 12 | 30.0 (30.0–30.0) | 30.0 (30.0–30.0) | 0 (0–0) % | 6.0 (",
        "Too few images: 14–16 years.",
        # 12 images of 60 months, 12 of 132 and 3 of 180, apart by a tenth of it
        "Over all ages the difference is 10.5 (",
        "younger age in 100 (100–100) % of images",
        "| carpal alone | 4.0 (4.0–4.0) |",
        "| 90 % | 27 | 56 (",  # of 27 intervals of ± 10 months, those of the 15 errors of 2
        "| metacarpals 1–5 | 4 | 70 (",
        "| rotation 180° | 40.0 (40.0–40.0) | 100 % | 0 % | 100 (100–100) % |",
        "| carpal alone | 9.0: +7.0 (+7.0 to +7.0) |",
        "| all | 2.0: baseline |",
        r"| a \| reader | 27 | 5.0 (5.0–5.0) |",
        "| chest | refused | 40 | 98 % | 2 % | 75 % |",
        "| adult hand | warning | 20 | 5 % | 95 % | – |",
        "of 200 validation images 0.5 % (1) are refused and 4.0 % (8) warned about.",
        "98 % to 98 % were recognised",
        "`attention.onnx`",
        "**On average only 70 % of the metacarpals 1–5 lies inside the crop, less than 80 %.**",
        "[cases.csv](",
        "36 radiographs (18 of girls, 18 of boys)",
        "boys under 20 years (18), girls under 20 years (18).",
    ):
        assert row in text


def test_the_independent_examination_is_of_the_weights_that_ship(
    evidence: Evidence, folder: Path
) -> None:
    found = with_table(evidence, "independent", INDEPENDENT)
    assert "examination" not in card_of(found, folder)
    text = card_of(replace(found, ships=True), folder)
    assert "with **earlier** weights `tiny-0`" in text
    assert "Without them: MAE 5.25 months, RMSE 7.5, R² 0.97, 92 % within 12 months" in text


def test_the_words_hold_no_figure() -> None:
    source = resources.files("tools.documents") / "model_card.md.j2"
    words = re.sub(r"\{[{%#].*?[}%#]\}|^> .*$", "", source.read_text("utf-8"), flags=re.S | re.M)
    found = set(re.findall(r"\d[\d.,]*", words.replace("MobileNetV2", "")))
    # the level of the intervals, a limit in the heading of a column, the year of the challenge
    assert found <= {"0", "12", "95", "2017"}


def test_missing_measurements_are_stated(weights: Path, tmp_path: Path) -> None:
    text = card_of(read_folders(weights, tmp_path), tmp_path)
    for command in ("evaluate", "ruler", "stress", "ablate", "bench", "analyse"):
        assert f"ot measured yet: `boneage {command}`" in text
    assert "not made yet (`python -m tools.documents card`)" in text
    assert "- Localization of the regions." in text


def test_fine_tuned_weights_state_their_origin(evidence: Evidence, folder: Path) -> None:
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
    assert "| attention | `compact-1` | 96 × 64 | 1 | 4 | – |" in text
    assert "| fusion | `compact-1` |" in text
    assert "These are the radiographs of the fine-tuning alone." in text
    source["data"] = {"films": {"best_train": 11611}}
    assert "`9a84fa407385`, trained on 11,611 radiographs)" in card_of(tuned, folder)


def test_only_the_bundled_weights_are_attributed_to_the_challenge(
    evidence: Evidence, folder: Path
) -> None:
    theirs = card_of(evidence, folder)
    assert "Halabi" not in theirs
    assert "none: these weights were written by hand for tests" in theirs
    ours = card_of(replace(evidence, ships=True), folder)
    assert "> Halabi SS" in ours
    assert "research and education, not commercial use" in ours


def failures_of(evidence: Evidence, folder: Path) -> str:
    return card_of(evidence, folder).split("## Known failures")[1].split("## Not measured")[0]


def test_failures_are_computed(evidence: Evidence, folder: Path, tmp_path: Path) -> None:
    text = failures_of(evidence, folder)
    assert "ages of 4–6 years: MAE 30.0" in text
    assert "2.1 times the overall one" in text
    assert "10–12 years" not in text
    assert "14–16 years" not in text  # of three radiographs
    assert "changed by rotation 180°: 100 % of the bone ages" in text
    assert "inverted" not in text  # moves answers by 6 months
    assert "less than 50 % of the metacarpals 1–5 in 25.0 % (1) of 4 annotated images" in text
    assert "no interval" not in text
    assert "MAE" not in failures_of(Evidence(), tmp_path)
    without = {**evidence.tables["metrics"], "prediction_intervals": None}
    assert "The weights state no prediction interval" in failures_of(
        with_table(evidence, "metrics", without), folder
    )


def test_the_worst_change_of_each_kind_is_shown(evidence: Evidence) -> None:
    stress = evidence.tables["stress"]
    assert [change.name for change in worst_changes(stress)] == [
        "rotate_180",
        "noise_strong",
    ]
    quiet = [
        {**change, "silent_of_all": {"value": 0.0, "low": 0.0, "high": 0.0}}
        for change in stress["changes"]
    ]
    names = [change.name for change in worst_changes({"changes": quiet})]
    assert names == ["rotate_180", "noise_strong", "inverted"]
    unknown = {**quiet[0], "name": "sat on"}
    assert worst_changes({"changes": [unknown]}) == []
    assert len({change.kind for change in worst_changes(None)}) == 3


def test_the_small_hand_is_in_a_corner_of_a_dark_frame() -> None:
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
    assert len(links) == 4
    assert all((written / "cards" / link).is_file() for link in links)


def test_pictures_are_drawn_and_described(written: Path) -> None:
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


def test_a_refused_scene_has_words_and_no_picture(evidence: Evidence, folder: Path) -> None:
    shown: dict[str, Any] = {"label": "unchanged", "file": "unchanged.png", "months": 100.0}
    shown |= {"refusal": None, "warnings": []}
    refused = {**shown, "label": "cut", "file": None, "months": None, "refusal": "too_small"}
    table = {"pictures": [shown, refused], "film": "a film", "weights": {"name": "a", "sha256": ""}}
    text = failures_of(with_table(evidence, "failures", table), folder)
    assert "Not shown: cut: refused (too_small)." in text


def test_wrong_usage_is_reported(weights: Path, tmp_path: Path) -> None:
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
    assert number({"value": 8.04, "low": 7.1, "high": 9.0}) == "8.0 (7.1–9.0)"
    assert number({"value": 0.6, "low": -0.7, "high": 1.9}) == "0.6 (−0.7 to 1.9)"
    assert share({"value": None, "low": None, "high": None}) == "–"
    assert share({"value": 0.5, "low": None, "high": None}) == "50 %"
    assert percent(None) == "–"
    assert percent(0.251) == "25 %"
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"


def test_names_that_people_gave_do_not_break_a_table() -> None:
    assert cell("<b>a | b\nc") == r"&lt;b>a \| b c"


def test_every_change_has_a_name_that_is_a_file_name() -> None:
    assert all(re.fullmatch(r"[a-z0-9_]+", change.name) for change in CHANGES)
