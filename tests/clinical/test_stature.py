"""Heights beside a reference: worked examples, every row of the table, and what is not defined."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.clinical.stature import (
    FILE_VARIABLE,
    cdc_2000,
    height_findings,
    height_reference,
    height_velocity,
    read_height_reference,
    target_height,
)
from boneage.clinical.tables import CDC, rows
from boneage.domain.radiograph import Sex
from boneage.errors import DataError, HeightError

HEADER = "sex,age_months,L,M_cm,S\n"
OWN = HEADER + "".join(
    f"{sex},{age},{power},{median},0.04\n"
    for sex, power in (("male", 1), ("female", 0))
    for age, median in ((24, 85), (120, 140))
)


def test_a_median_height_is_0_sds_and_percentile_50() -> None:
    found = cdc_2000().compare(86.45220101, 24, Sex.MALE)
    assert (found.sds, found.percentile) == (0.0, 50.0)
    tall = cdc_2000().height_cm(2, 24, Sex.MALE)
    assert tall is not None
    assert cdc_2000().compare(tall, 24, Sex.MALE).percentile == 97.7


INDEPENDENT = """
import sys
from rcpchgrowth.global_functions import sds_for_measurement
for line in sys.stdin:
    sex, age, height = line.split()
    print(sds_for_measurement(
        reference="cdc", age=float(age) / 12, measurement_method="height",
        observation_value=float(height), sex=sex,
    ))
"""


@pytest.mark.slow
def test_every_row_of_the_table_by_an_independent_program(tmp_path: Path) -> None:
    """RCPCH's, with its own copy of the CDC's table; installed for this test alone (AGPL)."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
    command += ["--disable-pip-version-check", "--target", str(tmp_path), "rcpchgrowth==4.6.5"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("rcpchgrowth cannot be installed: no package registry")
    table = rows(CDC)
    assert len(table) == 436
    cases = [
        (Sex.parse(row["sex"]), float(row["age_months"]), float(row["M_cm"]) * share)
        for row in table
        for share in (0.85, 0.97, 1.12)
    ]
    found = subprocess.run(
        [sys.executable, "-c", INDEPENDENT],
        input="".join(f"{sex.value} {age} {height}\n" for sex, age, height in cases),
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        check=True,
        text=True,
    )
    theirs = [float(line) for line in found.stdout.split()]
    ours = [cdc_2000().compare(height, age, sex).sds for sex, age, height in cases]
    assert ours == pytest.approx(theirs, abs=0.0051), "two decimals"


@given(sds=st.floats(-4, 4), age=st.floats(24, 240), sex=st.sampled_from(list(Sex)))
def test_the_height_of_an_sds_has_that_sds(sds: float, age: float, sex: Sex) -> None:
    height = cdc_2000().height_cm(sds, age, sex)
    assert height is not None
    assert cdc_2000().compare(height, age, sex).sds == pytest.approx(sds, abs=0.0051)


@pytest.mark.parametrize("age", [23.9, 240.1, 0])
def test_nothing_is_extrapolated(age: float) -> None:
    found = cdc_2000().compare(120.0, age, Sex.MALE)
    assert found.sds is None
    assert found.not_defined is not None
    assert "2 years 0 months to 20 years 0 months" in found.not_defined.message
    assert cdc_2000().height_cm(0, age, Sex.MALE) is None


def test_a_height_for_bone_age_is_that_of_another_age() -> None:
    found = height_findings(140.0, 144, 108, Sex.MALE)
    assert found.for_age is not None
    assert found.for_bone_age is not None
    assert found.for_age.sds == cdc_2000().compare(140.0, 144, Sex.MALE).sds
    assert found.for_bone_age.sds == cdc_2000().compare(140.0, 108, Sex.MALE).sds
    assert (found.for_bone_age.sds or 0) > (found.for_age.sds or 0)
    assert height_findings(140.0, None, 108, Sex.MALE).for_age is None
    assert found.table == "CDC 2000"


def test_velocity_needs_half_a_year() -> None:
    assert height_velocity((120, 135.0), (132, 140.5)).cm_a_year == 5.5
    assert height_velocity((120, 135.0), (126, 138.0)).cm_a_year == 6.0
    short = height_velocity((120, 135.0), (125.9, 138.0))
    assert short.cm_a_year is None
    assert short.not_defined is not None
    assert short.not_defined.message.startswith("too short an interval")


def test_target_height_by_tanner() -> None:
    boy, girl = target_height(180, 166, Sex.MALE), target_height(180, 166, Sex.FEMALE)
    assert (boy.cm, boy.low_cm, boy.high_cm) == (179.5, 171.0, 188.0)
    assert girl.cm == 166.5
    with pytest.raises(HeightError, match="looks like metres"):
        target_height(1.8, 166, Sex.MALE)


def test_another_reference_is_read(tmp_path: Path) -> None:
    path = tmp_path / "Schweiz 2019.csv"
    path.write_text(OWN)
    reference = read_height_reference(path)
    assert reference.name == "Schweiz 2019"
    assert reference.compare(85 * 1.08, 24, Sex.MALE).sds == 2.0
    assert reference.compare(85 * 1.08, 24, Sex.FEMALE).sds == pytest.approx(
        math.log(1.08) / 0.04, abs=0.0051
    ), "L = 0 is the logarithm"
    assert reference.height_cm(1, 24, Sex.FEMALE) == pytest.approx(85 * math.exp(0.04))
    assert reference.compare(112.5, 72, Sex.MALE).sds == 0.0, "halfway between the rows"


def test_the_reference_may_be_set_for_every_assessment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "WHO.csv"
    path.write_text(OWN)
    assert height_reference().name == "CDC 2000"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    assert height_reference().name == "WHO"
    assert height_reference("cdc").name == "CDC 2000", "what is asked for takes precedence"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sex,age_months,L,S\nmale,24,1,0.04\n", "has no column 'M_cm'; it needs sex, age_months"),
        (HEADER + "male,24,1,85,0.04\n", "the ages of boys do not rise"),
        (OWN.replace("male,120", "male,20", 1), "the ages of .* do not rise"),
        (OWN.replace("0.04", "-0.04", 1), "is not an age with L, M and S above 0"),
        (OWN.replace("85", "tall", 1), "could not convert string to float: 'tall'"),
        (OWN.replace("female", "other"), "'other' is not a sex"),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        read_height_reference(path)
