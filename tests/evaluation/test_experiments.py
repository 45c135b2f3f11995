"""What docs/experiments.md says of trials whose results are kept, against those results."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
EVIDENCE = ROOT / "docs" / "evidence"


@pytest.fixture(scope="module")
def text() -> str:
    return " ".join((ROOT / "docs" / "experiments.md").read_text("utf-8").split())


def overall(name: str) -> dict[str, Any]:
    found = json.loads((EVIDENCE / "fine-tuning" / f"{name}.json").read_text("utf-8"))
    metrics: dict[str, Any] = found["metrics"]
    return metrics


def test_fine_tuning_is_reported_as_measured(text: str) -> None:
    before, after = overall("before"), overall("after")
    mae, within = (
        [measured["overall"][name]["value"] for measured in (before, after)]
        for name in ("mae_months", "within_12")
    )
    assert f"{mae[0]:.1f} months before and {mae[1]:.1f} after" in text
    assert f"{100 * within[0]:.0f} and {100 * within[1]:.0f} % within 12 months" in text
    for sex, whose in (("female", "the girls' mean error"), ("male", "the boys'")):
        biases = [measured[sex]["bias_months"]["value"] for measured in (before, after)]
        first, last = (f"{bias:.1f}".replace("-", "−") for bias in biases)
        assert re.search(rf"{whose} from {first}( months)? to {last}", text)


def test_backbones_are_reported_as_measured(text: str) -> None:
    with (EVIDENCE / "ablation" / "backbones" / "ablation.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["variant"] for row in rows} == {"own", "random", "convnext", "vit"}
    for row in rows:
        low, high = float(row["mae_months_low"]), float(row["mae_months_high"])
        output = rf"{float(row['mae_months']):.1f} (months )?\({low:.1f} to {high:.1f}\)"
        assert re.search(output, text), row["variant"]
