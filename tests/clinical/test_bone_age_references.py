"""The references of the SDS: those that ship, and a clinic's own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from boneage.clinical.bone_age_references import (
    ATLAS_NAME,
    FILE_VARIABLE,
    HealthyChild,
    bone_age_reference,
    read_bone_age_reference,
    reference_table,
)
from boneage.clinical.growth import growth_chart, growth_of
from boneage.domain.clinical_findings import Centre, Classification
from boneage.domain.radiograph import Sex
from boneage.errors import AgeError, DataError


def healthy(count: int, seed: int = 1) -> list[HealthyChild]:
    """Children whose bone age is read 3 months ahead, with an SD of 9 months, from 4 to 14."""
    random = np.random.default_rng(seed)
    return [
        HealthyChild(sex, age, age + 3 + random.normal(0, 9))
        for sex in Sex
        for age in random.uniform(48, 168, count)
    ]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "St Anna.csv"
    path.write_text(reference_table(healthy(800)))
    return path


def test_the_other_sample_of_the_atlas_spreads_more_in_adolescence() -> None:
    atlas, brush = bone_age_reference("atlas"), bone_age_reference("brush")
    assert atlas.name == ATLAS_NAME
    found = growth_of(190, 168, Sex.FEMALE, reference=atlas)
    assert found.sds == pytest.approx(22 / 12.6, abs=0.005)
    assert found.table == ATLAS_NAME
    assert found.centre is Centre.CHRONOLOGICAL_AGE
    by_brush = growth_of(190, 168, Sex.FEMALE, reference=brush)
    assert (found.sd_months or 0) > (by_brush.sd_months or 0)


def test_outside_its_ages_a_reference_defines_nothing() -> None:
    found = growth_of(110, 200, Sex.FEMALE, reference=bone_age_reference("atlas"))
    assert found.classification is Classification.UNKNOWN
    assert found.not_defined is not None
    assert found.not_defined.code == "outside_reference"
    assert ATLAS_NAME in found.not_defined.message


def test_the_brush_mean_goes_with_the_brush_table_alone() -> None:
    atlas = bone_age_reference("atlas")
    with pytest.raises(AgeError, match="the Brush mean is no centre for the reference"):
        growth_of(120, 120, Sex.MALE, centre=Centre.BRUSH_MEAN, reference=atlas)


def test_a_clinic_is_compared_with_its_own_children(own: Path) -> None:
    reference = read_bone_age_reference(own)
    assert reference.name == "St Anna"
    found = growth_of(123 + 18, 120, Sex.MALE, reference=reference)
    assert found.centre is Centre.OWN_MEAN
    assert found.centre_months == pytest.approx(123, abs=1.5)
    assert found.sd_months == pytest.approx(9, rel=0.12)
    assert found.sds == pytest.approx(2, abs=0.3)
    chart = growth_chart(Sex.MALE, [], reference=reference)
    assert chart.table == "St Anna"
    assert chart.ages[0] >= 48


def test_ages_with_few_children_are_left_out(own: Path) -> None:
    ages = read_bone_age_reference(own).sd[Sex.FEMALE].months
    assert ages[0] >= 48
    assert ages[-1] <= 168
    assert {b - a for a, b in pairwise(ages)} == {6.0}
    gap = [child for child in healthy(800) if not 80 < child.chronological_age_months < 130]
    with_gap = reference_table(gap)
    assert ",60," in with_gap or ",150," in with_gap
    assert ",108," not in with_gap
    with pytest.raises(DataError, match="5 boys are too few"):
        reference_table(healthy(5))


def test_the_reference_may_be_set_for_every_assessment(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bone_age_reference().name.startswith("Brush")
    monkeypatch.setenv(FILE_VARIABLE, str(own))
    assert bone_age_reference().name == "St Anna"
    assert bone_age_reference("atlas").name == ATLAS_NAME, "what is asked for takes precedence"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sex,age\n", "has no column 'chronological_age_months'"),
        (
            "sex,chronological_age_months,mean_skeletal_age_months,sd_skeletal_age_months\n"
            "male,12,13,2\n",
            "the ages of .* do not rise",
        ),
        (
            "sex,chronological_age_months,mean_skeletal_age_months,sd_skeletal_age_months\n"
            "male,12,13,-2\nmale,24,25,2\nfemale,12,13,2\nfemale,24,25,2\n",
            "not all above 0",
        ),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "own.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=says):
        read_bone_age_reference(path)
    with pytest.raises(DataError):
        bone_age_reference(str(tmp_path / "missing.csv"))
