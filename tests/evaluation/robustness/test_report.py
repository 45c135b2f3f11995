from __future__ import annotations

import csv
import json
import re
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.domain.assessment import Failure, WeightsName
from boneage.domain.radiograph import Sex
from boneage.evaluation.metrics import Estimate, mean
from boneage.evaluation.plotting import DPI
from boneage.evaluation.report import Experiment, number, share
from boneage.evaluation.robustness.cases import (
    FATES,
    ChangedAnswer,
    ChangedFilm,
    effects_of,
    fate_of,
)
from boneage.evaluation.robustness.changes import chosen
from boneage.evaluation.robustness.figures import (
    draw_contact_sheet,
    draw_fates,
    draw_shifts,
    rows_of,
)
from boneage.evaluation.robustness.report import (
    RobustnessTest,
    write_report,
)
from boneage.reading import read
from boneage.synthetic import draw

CHANGES = chosen(["rotate_plus_90", "inverted"])
TURN, NEGATIVE = (change.name for change in CHANGES)
WEIGHTS = WeightsName("drawn", "compact", "cd" * 32)
EXPERIMENT = Experiment(WEIGHTS, "rsna", "validation", None, date(2026, 1, 2))


def film(case: str, label: float, unchanged: float, turned: ChangedAnswer) -> ChangedFilm:
    """All negatives are refused."""
    refused = ChangedAnswer(None, "blank")
    return ChangedFilm(case, Sex.FEMALE, label, unchanged, {TURN: turned, NEGATIVE: refused})


@pytest.fixture
def films() -> list[ChangedFilm]:
    """Turned, they move by 0, 12, 13 with a warning, -30 and 14 silently; the last is refused."""
    return [
        film("1", 100, 100, ChangedAnswer(100.0)),
        film("2", 100, 90, ChangedAnswer(102.0)),
        film("3", 100, 100, ChangedAnswer(113.0, warnings=("no_attention", "right_hand"))),
        film("4", 80, 100, ChangedAnswer(70.0)),
        film("5", 100, 100, ChangedAnswer(114.0)),
        film("6", 100, 100, ChangedAnswer(None, "too_small")),
    ]


@pytest.fixture
def test(films: list[ChangedFilm]) -> RobustnessTest:
    failure = Failure("7", "truncated", "it is cut off")
    return RobustnessTest(EXPERIMENT, CHANGES, films, [failure])


def test_every_figure_is_what_a_hand_works_out(films: list[ChangedFilm]) -> None:
    turned, _ = effects_of(films, CHANGES)
    assert (turned.films, turned.answered) == (6, 5)
    assert turned.mean_shift_months.value == pytest.approx((0 + 12 + 13 + 30 + 14) / 5)
    assert turned.median_shift_months == 13
    assert turned.p95_shift_months == pytest.approx(14 + 0.8 * (30 - 14))
    assert turned.bias_months.value == pytest.approx((12 + 13 - 30 + 14) / 5)
    assert turned.changed_12.value == pytest.approx(3 / 5)  # 12 is not more than 12
    assert turned.changed_24.value == pytest.approx(1 / 5)
    assert turned.refused.value == pytest.approx(1 / 6)
    assert turned.warned.value == pytest.approx(1 / 6)
    assert turned.silent.value == pytest.approx(2 / 3)
    assert turned.silent_of_all.value == pytest.approx(2 / 6)
    assert turned.mae_months.value == pytest.approx((0 + 2 + 13 + 10 + 14) / 5)
    assert turned.mae_unchanged_months.value == pytest.approx((0 + 10 + 0 + 20 + 0) / 5)
    assert turned.refusals == {"too_small": 1}
    assert turned.warnings == {"no_attention": 1, "right_hand": 1}
    low, high = turned.mean_shift_months.low, turned.mean_shift_months.high
    assert 0 < (low or 0) < 13.8 < (high or 0) < 30


def test_each_film_has_one_fate(films: list[ChangedFilm]) -> None:
    assert [fate_of(film, TURN) for film in films] == [
        *("silent_near", "silent_near", "warned_far", "silent_far", "silent_far", "refused"),
    ]
    near = film("8", 100, 100, ChangedAnswer(101.0, warnings=("no_attention",)))
    assert fate_of(near, TURN) == "warned_near"
    for effect in effects_of(films, CHANGES):
        assert list(effect.fates) == list(FATES)
        assert sum(effect.fates.values()) == pytest.approx(1)


def test_where_all_are_refused_nothing_else_is_known(films: list[ChangedFilm]) -> None:
    _, negative = effects_of(films, CHANGES)
    assert negative.refused == Estimate(1, 1, 1)
    unknown = Estimate(None)
    assert negative.mean_shift_months == negative.changed_12 == negative.mae_months == unknown
    assert negative.silent == unknown
    assert negative.median_shift_months is None
    assert negative.silent_of_all.value == 0


def test_no_films_are_no_test() -> None:
    with pytest.raises(ValueError, match="no radiographs"):
        effects_of([], CHANGES)


def test_an_interval_holds_its_level() -> None:
    """Of many samples of one coin, about 95 % of the intervals hold its share."""
    coins = np.random.default_rng(5).random((120, 60)) < 0.3
    intervals = [mean(sample) for sample in coins]
    held = [(i.low or 0) <= 0.3 <= (i.high or 0) for i in intervals]
    assert 0.87 < np.mean(held) <= 1
    assert mean(coins[0]) == intervals[0]
    assert mean([True]) == Estimate(1.0)


def test_the_table_has_a_row_a_film_and_change(test: RobustnessTest, tmp_path: Path) -> None:
    write_report(tmp_path, test)
    with (tmp_path / "stress.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 6 * 2
    assert list(rows[0]) == [
        *("case", "sex", "label_months", "unchanged_months", "change", "kind", "months"),
        *("shift_months", "refusal", "new_warnings"),
    ]
    third = rows[4]
    assert (third["case"], third["change"], third["kind"]) == ("3", TURN, "position")
    assert (third["months"], third["shift_months"]) == ("113.00", "13.00")
    assert third["new_warnings"] == "no_attention;right_hand"
    assert (rows[5]["refusal"], rows[5]["months"], rows[5]["shift_months"]) == ("blank", "", "")


def test_the_summary_is_json_of_plain_values(test: RobustnessTest, tmp_path: Path) -> None:
    write_report(tmp_path, test)
    table: dict[str, Any] = json.loads((tmp_path / "stress.json").read_text())
    assert table["films"] == {"tried": 7, "read": 6, "failed": 1}
    assert table["unchanged"]["mae_months"]["value"] == pytest.approx(30 / 6)
    assert [change["name"] for change in table["changes"]] == [TURN, NEGATIVE]
    assert table["changes"][1]["mean_shift_months"] == {"value": None, "low": None, "high": None}
    assert table["failures"] == [{"case": "7", "code": "truncated", "message": "it is cut off"}]


def test_rows_of_a_kind_stand_under_its_heading(films: list[ChangedFilm]) -> None:
    rows = rows_of(effects_of(films, CHANGES))
    assert rows == ([1, 3], {0: "Turned and mirrored", 2: "Brightness and contrast"})


def test_figures_are_drawn_alike_each_time(films: list[ChangedFilm], tmp_path: Path) -> None:
    effects = effects_of(films, CHANGES)
    for name, draw_figure in (("shifts", draw_shifts), ("fates", draw_fates)):
        first, second = tmp_path / f"{name}.png", tmp_path / "again" / f"{name}.png"
        draw_figure(first, effects)
        draw_figure(second, effects)
        assert first.read_bytes() == second.read_bytes()
        assert read(first).width == pytest.approx(9.5 * DPI, abs=1)


def test_the_sheet_has_a_picture_a_change(tmp_path: Path) -> None:
    film = np.rint(draw(60, Sex.MALE, height=320, width=260).radiograph.pixels * 255)
    grey = film.astype(np.uint8)
    draw_contact_sheet(tmp_path / "two.png", grey, chosen(["inverted"]))
    draw_contact_sheet(tmp_path / "seven.png", grey, chosen(["inverted", "cut", "noise_strong"]))
    two, seven = read(tmp_path / "two.png"), read(tmp_path / "seven.png")
    assert seven.width == pytest.approx(two.width * 3.5, rel=0.01)
    plain, negative = np.array_split(two.pixels, 2, axis=1)
    assert negative.mean() > plain.mean() + 0.1


def test_the_page_stands_alone_and_states_it_all(test: RobustnessTest, tmp_path: Path) -> None:
    write_report(tmp_path, test)
    page = (tmp_path / "stress.html").read_text()
    assert not re.search(r"(src|href)=\"(?!data:|#)", page)
    assert page.count("data:image/png;base64,") == 3
    for words in (
        "6 validation radiographs of rsna",
        "1 more radiographs could not be assessed unchanged",
        "rotation +90°, 13.8 (",
        "rotation +90°, 33 (0 to 67) % of radiographs",
        "too_small (1), no_attention (1), right_hand (1)",
        "5 of 6",
    ):
        assert words in page, words
    assert {path.name for path in (tmp_path / "figures").iterdir()} == {
        *("stress_shifts.png", "stress_fates.png", "changes.png"),
    }


def test_a_run_without_large_changes_is_reported_as_such(tmp_path: Path) -> None:
    still = film("1", 100, 100, ChangedAnswer(100.4))
    write_report(tmp_path, RobustnessTest(EXPERIMENT, CHANGES[:1], [still]))
    text = (tmp_path / "stress.html").read_text()
    assert (
        "1 of 1 changes move the bone age by less than 1 month on average: rotation +90°." in text
    )
    assert "No bone age moved by more than 12 months without a refusal or a warning." in text


def test_estimates_in_words() -> None:
    assert number(Estimate(1.25, 0.5, 2)) == "1.2 (0.5 to 2.0)"
    assert number(Estimate(-3.0), sign=True) == "−3.0"
    assert number(Estimate(-0.04, -0.6, 0.5), sign=True) == "+0.0 (−0.6 to +0.5)"
    assert number({"value": -0.25, "low": -1.0, "high": 0.5}) == "−0.2 (−1.0 to 0.5)"
    assert number(Estimate(None)) == share(Estimate(None)) == "–"
    assert share(Estimate(0.125, 0, 0.5)) == "12 (0 to 50) %"
    assert share({"value": 0.5, "low": None, "high": None}) == "50 %"
