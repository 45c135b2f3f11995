from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.evaluation.accuracy.comparison import (
    OtherReader,
    compare,
    conclusion,
    read_other,
    write_comparisons,
)
from boneage.evaluation.accuracy.estimates import CaseEstimate
from boneage.evaluation.metrics import measure
from boneage.evaluation.report import Experiment
from tests.evaluation.conftest import reading


def readings_of(errors: dict[str, float]) -> list[CaseEstimate]:
    return [
        reading(case, Sex.MALE, 60 + 9 * n, 60 + 9 * n + error, carpal_found=True)
        for n, (case, error) in enumerate(errors.items())
    ]


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "header", ["case,predicted_months", "id,boneage", "ID;Age_Months", "sex\tcase\tmonths"]
)
def test_columns_as_people_name_them(tmp_path: Path, header: str) -> None:
    mark = next(mark for mark in ",;\t" if mark in header)
    row = mark.join(["m", "1377", "120.5"][-len(header.split(mark)) :])
    other = read_other(table(tmp_path / "reader b.csv", f"{header}\n{row}\n"))
    assert other == OtherReader("reader b", "reader b.csv", {"1377": 120.5})


def test_rows_of_no_use_are_named_and_the_others_read(tmp_path: Path) -> None:
    rows = "1,100\n2,old\n1,120\n,90\n3,nan\n4,80\n"
    path = table(tmp_path / "b.csv", f"case,months\n{rows}")
    other = read_other(path, "B")
    assert other.months == {"1": 100, "4": 80}
    assert other.problems == (
        "b.csv, line 3: 'old' is not a number of months",
        "b.csv, line 4: case '1' occurs twice; the first row is used",
        "b.csv, line 5: the row names no case",
        "b.csv, line 6: 'nan' is not a number of months",
    )
    with pytest.raises(DataError, match="line 3: 'old'"):
        read_other(path, strict=True)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("case,age\n1,2\n", "none of the columns .*predicted_months.*only .*age"),
        ("film,months\n1,2\n", r"none of the columns \['case', 'id'\]"),
        ("case,months\n1,\n", "no row with a case and its months"),
        ("", "empty"),
    ],
)
def test_a_table_that_is_none(tmp_path: Path, text: str, quoted: str) -> None:
    with pytest.raises(DataError, match=quoted):
        read_other(table(tmp_path / "b.csv", text))


def test_side_by_side_on_the_common_films() -> None:
    readings = readings_of({"1": 4, "2": -2, "3": 6, "4": 100})
    true = {r.case: r.true_months for r in readings}
    months = {"1": true["1"] + 1, "2": true["2"] + 8, "3": true["3"], "9": 50.0}
    found = compare(readings, OtherReader("B", "b.csv", months))
    assert (found.count, found.only_here, found.only_there) == (3, ("4",), ("9",))
    assert found.here.mae_months.value == pytest.approx(12 / 3)
    assert found.there.mae_months.value == pytest.approx(9 / 3)
    assert found.difference.mae_months.value == pytest.approx(1)
    assert found.difference.rmse_months.value == pytest.approx(
        math.sqrt(56 / 3) - math.sqrt(65 / 3)
    )
    assert list(found.excess_months) == [3, -6, 6]
    with pytest.raises(DataError, match=r"none of the cases .*such as '1'.* such as '9'"):
        compare(readings, OtherReader("B", "b.csv", {"9": 50.0}))


def test_a_paired_difference_is_found_where_the_two_intervals_overlap(
    experiment: Experiment,
) -> None:
    # Always two months nearer, though both err by very different amounts from
    # film to film: the paired interval is narrow, those of the two are wide.
    errors = np.random.default_rng(4).exponential(10, 40)
    readings = readings_of({str(n): error for n, error in enumerate(errors)})
    months = {r.case: r.predicted_months + 2 + n % 2 for n, r in enumerate(readings)}
    found = compare(readings, OtherReader("B", "b.csv", months))
    here, there, difference = (f.mae_months for f in (found.here, found.there, found.difference))
    assert here.high is not None
    assert there.low is not None
    assert difference.high is not None
    assert here.high > there.low
    assert difference.value == pytest.approx(-2.5)
    assert difference.high < -2.3
    assert found.wilcoxon_p is not None
    assert found.wilcoxon_p < 1e-6
    assert (
        found.here.r2
        == measure([r.true_months for r in readings], [r.predicted_months for r in readings]).r2
    )
    name = experiment.weights.name
    assert conclusion(found, name) == (
        f"The mean absolute error of {name} is smaller. "
        "Wilcoxon signed-rank test of the absolute errors: p < 0.001."
    )


def test_the_same_readings_are_no_better() -> None:
    readings = readings_of({"1": 4, "2": -2})
    months = {r.case: r.predicted_months for r in readings}
    found = compare(readings, OtherReader("B", "b.csv", months))
    assert found.wilcoxon_p is None
    assert found.difference.mae_months.high == 0
    assert conclusion(found, "A") == "Both have the same absolute error on every radiograph."


def test_one_common_film_gives_no_conclusion() -> None:
    readings = readings_of({"1": 4, "2": -2})
    found = compare(readings, OtherReader("B", "b.csv", {"1": 60.0}))
    assert found.difference.mae_months.low is None
    assert "One radiograph is too few" in conclusion(found, "A")


def test_json_names_what_is_missing_and_goes_when_nothing_is_compared(
    tmp_path: Path, experiment: Experiment
) -> None:
    path = tmp_path / "comparison.json"
    readings = readings_of({"1": 4, "2": -2, "3": 1})
    other = OtherReader("B", "b.csv", {"1": 60.0, "2": 70.0, "8": 1.0}, ("b.csv, line 9: bad",))
    write_comparisons(path, [compare(readings, other)], experiment)
    held = json.loads(path.read_text())
    assert held["weights"]["sha256"] == "ab" * 32
    (found,) = held["comparisons"]
    assert (found["name"], found["common"]) == ("B", 2)
    assert (found["only_here"], found["only_there"]) == (["3"], ["8"])
    assert found["problems"] == ["b.csv, line 9: bad"]
    write_comparisons(path, [], experiment)
    assert not path.exists()
