"""The growth centres follow the atlas's table."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boneage.domain.radiograph import Sex
from boneage.synthetic.maturity import (
    EPIPHYSIS,
    STRUCTURES,
    TABLES,
    WORDS,
    GrowthCentre,
    MaturityEvent,
    centres_at,
    read_events,
    timelines,
)

REFERENCE = Path(__file__).parents[3] / "shared/reference/greulich_pyle_maturity_events.csv"
SHIPPED = TABLES[0]
ages = st.floats(0, 240)
sexes = st.sampled_from(Sex)

ATLAS = [
    (sex, structure, event, months)
    for sex in Sex
    for structure, event, months in read_events(TABLES[0], sex)
]


def has_happened(centre: GrowthCentre, event: MaturityEvent) -> bool:
    return {
        MaturityEvent.VISIBLE: centre.visible,
        MaturityEvent.FULL_WIDTH: centre.size >= 1,
        MaturityEvent.CAPPED: centre.capped,
        MaturityEvent.FUSING: centre.fused > 0,
        MaturityEvent.NEARLY_FUSED: centre.fused >= 0.75,
        MaturityEvent.FUSED: centre.fused == 1,
    }[event]


@pytest.mark.parametrize(("sex", "structure", "event", "months"), ATLAS, ids=str)
def test_each_event_of_the_atlas_is_seen_from_its_standard_on(
    sex: Sex, structure: str, event: MaturityEvent, months: float
) -> None:
    before, then = centres_at(months - 0.01, sex), centres_at(months, sex)
    for bone in STRUCTURES[structure]:
        assert not has_happened(before[bone], event), bone
        assert has_happened(then[bone], event), bone


def test_every_row_of_the_atlas_is_used() -> None:
    lines = SHIPPED.read_text("utf-8").splitlines()
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    filled = sum(bool(row[f"{sex}_first_plate_months"]) for row in rows for sex in Sex)
    assert filled == len(ATLAS)
    assert {EPIPHYSIS.sub("", row["structure"]) for row in rows} <= STRUCTURES.keys()
    assert all(any(words in row["event"] for words in WORDS) for row in rows)


def test_the_shipped_table_is_the_reference() -> None:
    if not REFERENCE.is_file():
        pytest.skip(f"the reference tables are not here ({REFERENCE})")
    shipped = SHIPPED.read_text("utf-8").splitlines()
    rows = [line for line in shipped if not line.startswith("#")]
    assert rows == REFERENCE.read_text("utf-8").splitlines()


def test_the_assumptions_change_nothing_of_the_atlas() -> None:
    for sex in Sex:
        text = {
            (bone, event)
            for structure, event, _ in read_events(TABLES[0], sex)
            for bone in STRUCTURES[structure]
        }
        assumed = [
            (bone, event)
            for structure, event, _ in read_events(TABLES[1], sex)
            for bone in STRUCTURES[structure]
        ]
        assert not text & set(assumed)
        assert len(assumed) == len(set(assumed))


@pytest.mark.parametrize("sex", Sex)
def test_a_bones_events_follow_one_another(sex: Sex) -> None:
    assert len(timelines(sex)) == 30  # 19 of the hand, 8 carpal, 2 of the forearm, 1 sesamoid
    for bone, timeline in timelines(sex).items():
        months = list(timeline.values())
        assert months == sorted(months), bone
        assert {MaturityEvent.VISIBLE, MaturityEvent.FULL_WIDTH} <= timeline.keys(), bone
        assert months[0] < timeline[MaturityEvent.FULL_WIDTH], bone
        assert (MaturityEvent.FUSED in timeline) == (MaturityEvent.FUSING in timeline), bone


def test_girls_are_ahead() -> None:
    for bone, girl in timelines(Sex.FEMALE).items():
        boy = timelines(Sex.MALE)[bone]
        assert girl.keys() == boy.keys(), bone
        assert all(girl[event] <= boy[event] for event in girl), bone
        assert any(girl[event] < boy[event] for event in girl), bone


@given(ages, ages, sexes)
def test_nothing_grows_back(one: float, other: float, sex: Sex) -> None:
    younger, older = centres_at(min(one, other), sex), centres_at(max(one, other), sex)
    for bone, before in younger.items():
        after = older[bone]
        assert before.visible <= after.visible
        assert before.size <= after.size
        assert before.capped <= after.capped
        assert before.fused <= after.fused


@given(ages)
def test_a_girl_is_never_behind_a_boy(age_months: float) -> None:
    girl, boy = centres_at(age_months, Sex.FEMALE), centres_at(age_months, Sex.MALE)
    for bone, his in boy.items():
        assert girl[bone].visible >= his.visible
        assert girl[bone].size >= his.size - 1e-9
        assert girl[bone].fused >= his.fused - 1e-9


def test_a_baby_and_a_grown_hand() -> None:
    assert not any(centre.visible for centre in centres_at(1, Sex.MALE).values())
    grown = centres_at(228, Sex.MALE)
    fusing = [
        bone for bone, timeline in timelines(Sex.MALE).items() if MaturityEvent.FUSED in timeline
    ]
    assert len(fusing) == 21
    assert all(grown[bone].fused == 1 for bone in fusing)
    assert all(centre.size >= 1 for centre in grown.values())
