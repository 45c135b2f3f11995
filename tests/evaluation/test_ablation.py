"""What a variant is worth: figures worked out by hand, and what is written of them."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boneage.datasets.films import Film
from boneage.domain.radiograph import Sex
from boneage.evaluation.ablation import AblationRun, measure_study, write_ablation
from boneage.evaluation.metrics import Estimate, Vector, measure
from boneage.training.ablation.study import Study, Variant, VariantOutcome
from tools.documents.evidence import Evidence
from tools.documents.render import model_card

AGES = (24.0, 60.0, 90.0, 120.0, 150.0, 200.0)
RUN = AblationRun("mine", "compact", "rsna", date(2026, 1, 2))
INPUT_FACTS = {"seeds": 2, "epochs": 30, "train_films": 1105, "views": 6}
BACKBONE_FACTS = {
    "seeds": 1,
    "folds": 2,
    "seconds": 180.0,
    "train_films": 1105,
    "input": [128, 96],
    "start": "none",
    "trained": {"both": {"parameters": 2_257_984, "films_per_second": 31.25, "films": 5_600}},
}
NETWORK_FACTS = {"seeds": 1, "epochs": 12, "train_films": 1105, "input": [128, 96], "start": "none"}


def films(ages: tuple[float, ...] = AGES) -> tuple[Film, ...]:
    return tuple(
        Film(str(i), Path(f"{i}.png"), age, Sex.parse("mf"[i % 2]), "validation")
        for i, age in enumerate(ages)
    )


def outcome(name: str, *errors: tuple[float, ...], series: str = "") -> VariantOutcome:
    """A variant that errs so, in months, a row a seed."""
    predicted = np.array(AGES) + np.array(errors)
    return VariantOutcome(Variant(name, name.replace("+", " + "), series), predicted)


def study(*outcomes: VariantOutcome, name: str = "inputs", facts: Any = None) -> Study:
    baseline = outcomes[0].variant.name
    return Study(name, films(), baseline, outcomes, facts or INPUT_FACTS)


BASELINE = outcome("both", (3, -3, 3, -3, 3, -3), (5, -5, 5, -5, 5, -5), series="with sex")
WORSE = outcome("one", (9, -9, 9, -9, 9, -9), (11, -11, 11, -11, 11, -11), series="without sex")


def test_figures_are_means_over_the_seeds_not_of_the_averaged_answer() -> None:
    # The average of these two answers would be right on every film.
    opposite = outcome("both", (6.0,) * 6, (-6.0,) * 6)
    (worth,) = measure_study(study(opposite))
    assert worth.seeds == 2
    assert worth.mae_months.value == pytest.approx(6)
    assert worth.rmse_months.value == pytest.approx(6)


def test_of_one_seed_they_are_those_of_every_other_report() -> None:
    one = outcome("both", (3.0, -8.0, 1.0, 0.0, 12.0, -2.0))
    (worth,) = measure_study(study(one))
    expected = measure(AGES, one.predicted_months[0])
    assert worth.mae_months == expected.mae_months
    assert worth.rmse_months == expected.rmse_months
    assert worth.r2 == expected.r2


def test_the_difference_is_paired_film_by_film() -> None:
    baseline, worse = measure_study(study(BASELINE, WORSE))
    assert baseline.difference_months is None
    # On every film by 6 months: no choice of films changes it, however far both err.
    assert worse.difference_months is not None
    for end in (worse.difference_months.value, worse.difference_months.low):
        assert end == pytest.approx(6)
    uneven = measure_study(study(BASELINE, outcome("one", (0, 0, 0, 0, 0, -40.0))))[1]
    difference = uneven.difference_months
    assert difference is not None
    assert difference.value is not None
    assert difference.low is not None
    assert difference.high is not None
    assert difference.value == pytest.approx(40 / 6 - 4)
    assert difference.low < 0 < difference.high


def test_a_single_film_has_no_interval() -> None:
    one = Study(
        "inputs",
        films((60.0,)),
        "both",
        (VariantOutcome(BASELINE.variant, np.array([[66.0]])),),
        {},
    )
    (worth,) = measure_study(one)
    assert worth.mae_months == Estimate(6.0)
    assert worth.r2.value is None


@pytest.mark.parametrize(
    ("predicted", "text"),
    [
        (np.zeros(6), r"predictions of shape \(6,\); \(seeds, radiographs\) is needed"),
        (np.zeros((0, 6)), r"predictions of shape \(0, 6\)"),
        (np.zeros((2, 5)), "6 true ages, but 5 predictions"),
        (np.full((1, 6), np.nan), "a prediction is nan"),
    ],
)
def test_readings_of_other_films_are_refused(predicted: Vector, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        measure_study(study(VariantOutcome(BASELINE.variant, predicted)))


def test_a_study_without_its_baseline_is_refused() -> None:
    lone = Study("inputs", films(), "both", (WORSE,), INPUT_FACTS)
    with pytest.raises(ValueError, match="no outcome of the baseline 'both'"):
        measure_study(lone)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    networks = study(outcome("baseline", (2.0,) * 6), name="networks", facts=NETWORK_FACTS)
    write_ablation(tmp_path / "out", [study(BASELINE, WORSE), networks], RUN)
    return tmp_path / "out"


def test_the_record_holds_every_figure_and_how_it_came_about(written: Path) -> None:
    table = json.loads((written / "ablation.json").read_text())
    assert (table["run"], table["profile"], table["date"]) == ("mine", "compact", "2026-01-02")
    inputs = table["studies"]["inputs"]
    assert (inputs["films"], inputs["seeds"], inputs["baseline"]) == (6, 2, "both")
    assert inputs["variants"]["one"]["mae_months"]["value"] == pytest.approx(10)
    assert inputs["variants"]["one"]["difference_months"]["value"] == pytest.approx(6)
    assert inputs["variants"]["both"]["difference_months"] is None
    assert table["studies"]["networks"]["epochs"] == 12


def test_the_tables_have_a_row_a_variant_and_a_row_a_reading(written: Path) -> None:
    with (written / "ablation.csv").open(newline="") as file:
        rows = {row["variant"]: row for row in csv.DictReader(file)}
    assert float(rows["one"]["difference_months"]) == pytest.approx(6)
    assert rows["both"]["difference_months"] == ""
    assert [rows[name]["baseline"] for name in ("both", "one", "baseline")] == ["1", "0", "1"]
    with (written / "predictions.csv").open(newline="") as file:
        cases = list(csv.DictReader(file))
    assert len(cases) == 2 * 2 * 6 + 6
    first = cases[0]
    assert (first["seed"], first["case"], first["sex"]) == ("0", "0", "male")
    assert float(first["predicted_months"]) - float(first["true_months"]) == pytest.approx(3)


def test_the_page_shows_and_explains_all_of_it(written: Path) -> None:
    page = (written / "ablation.html").read_text()
    assert "10.0 (10.0 to 10.0)" in page
    assert "+6.0 (+6.0 to +6.0)" in page
    assert "one, without sex" in page
    assert "must not be used for selection" in page
    assert "for 12 epochs on the 1,105 training radiographs of useful resolution alone" in page
    assert page.count("data:image/png;base64,") == 1


def test_the_same_readings_give_the_same_bytes(written: Path, tmp_path: Path) -> None:
    networks = study(outcome("baseline", (2.0,) * 6), name="networks", facts=NETWORK_FACTS)
    write_ablation(tmp_path / "again", [study(BASELINE, WORSE), networks], RUN)
    names = [p.relative_to(written) for p in written.rglob("*") if p.is_file()]
    assert len(names) == 5
    for name in names:
        assert (written / name).read_bytes() == (tmp_path / "again" / name).read_bytes(), name


def test_backbones_are_reported_with_their_cost_and_films(tmp_path: Path) -> None:
    one = study(outcome("both", (3.0, -8.0, 1.0, 0.0, 12.0, -2.0)), facts=BACKBONE_FACTS)
    table = write_ablation(tmp_path, [replace(one, name="backbones")], RUN)
    assert table["data"]["split"] == "train"
    assert table["studies"]["backbones"]["trained"]["both"]["films"] == 5600
    page = (tmp_path / "ablation.html").read_text()
    for text in ("180 seconds", "2 folds", "2.3 M", "31.2", "5,600", "radiographs a second"):
        assert text in page
    assert "must not be used for selection" not in page, "of the held-out films alone"
    card = model_card(Evidence({"ablation": table}), tmp_path, tmp_path, tmp_path)
    assert "for 180 seconds of processor time on 1,105 training images" in card
