"""Which hand a file says it shows, wherever it says so."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from boneage import Sex, read
from boneage.quality.checks import findings_of
from tests.reading.drawn import dicom

pytestmark = pytest.mark.filterwarnings("ignore:Invalid value for VR CS", "ignore:The value length")


def stated(**elements: Any) -> tuple[str | None, list[str]]:
    """The side, and the codes of all that is found of the file."""
    metadata = read(dicom(**elements)).metadata
    return metadata.laterality, [finding.code for finding in findings_of(metadata, Sex.FEMALE)]


@pytest.mark.parametrize("keyword", ["ImageLaterality", "Laterality", "FrameLaterality"])
@pytest.mark.parametrize(
    ("text", "side"),
    [
        *(("R", "R"), ("RIGHT", "R"), ("Rechts", "R"), ("rt. hand", "R"), ("RH", "R")),
        *(("B", "B"), ("BOTH", "B"), ("L\\R", "B")),
        *(("L", "L"), ("left", "L"), ("LT", "L"), ("Links", "L")),
        *(("U", None), ("", None)),
    ],
)
def test_in_an_element_of_its_own(keyword: str, text: str, side: str | None) -> None:
    expected = ["right_hand"] if side in {"R", "B"} else []
    assert stated(**{keyword: text}) == (side, expected)


def test_a_word_that_is_not_understood() -> None:
    assert stated(Laterality="X") == (None, ["side_not_understood"])


@pytest.mark.parametrize(
    ("text", "side"),
    [
        *(("RT HAND", "R"), ("HAND_R", "R"), ("RHAND", "R"), ("RIGHT WRIST OF SOMEBODY", "R")),
        *(("L HAND", "L"), ("BOTH HANDS", "B"), ("HAND", None)),
    ],
)
def test_in_the_body_part(text: str, side: str | None) -> None:
    expected = ["right_hand"] if side in {"R", "B"} else []
    assert stated(BodyPartExamined=text) == (side, expected)


def coded(value: str, meaning: str, **sequences: list[Dataset]) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "SCT", meaning
    for keyword, items in sequences.items():
        setattr(item, keyword, items)
    return item


@pytest.mark.parametrize(
    ("modifier", "side"),
    [
        (coded("24028007", "Right"), "R"),
        (coded("G-A100", ""), "R"),
        (coded("X", "rechts"), "R"),
        (coded("7771000", "Left"), "L"),
        (coded("51440002", "Right and left"), "B"),
    ],
)
def test_as_a_modifier_of_the_region(modifier: Dataset, side: str) -> None:
    region = coded("85562004", "Hand", AnatomicRegionModifierSequence=[modifier])
    assert stated(AnatomicRegionSequence=[region])[0] == side


def test_in_the_region_itself() -> None:
    region = coded("78791008", "Structure of right hand")
    assert stated(AnatomicRegionSequence=[region]) == ("R", ["right_hand"])


@pytest.mark.parametrize(
    "groups", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_in_the_functional_groups(groups: str) -> None:
    anatomy, group = Dataset(), Dataset()
    anatomy.FrameLaterality = "R"
    group.FrameAnatomySequence = [anatomy]
    assert stated(**{groups: [group]}) == ("R", ["right_hand"])


@pytest.mark.parametrize(
    ("text", "right"),
    [
        *(("Right hand PA", True), ("Hand R ap", True), ("Hand beidseits", True)),
        *(("Hand re. 2 Ebenen", True), ("main droite", True), ("Mano dx", True)),
        *(("Bone age left hand", False), ("R. Smith", False), ("DX Hand", False)),
        *(("Mr Wright", False), ("Re: bone age", False)),
    ],
)
@pytest.mark.parametrize("keyword", ["SeriesDescription", "StudyDescription", "ProtocolName"])
def test_free_texts_may_warn_and_are_not_stored(keyword: str, text: str, right: bool) -> None:
    elements: dict[str, Any] = {keyword: text}
    side, found = stated(**elements)
    assert side is None
    assert found == (["right_hand"] if right else [])
    assert text not in repr(read(dicom(**elements)).metadata)


@pytest.mark.parametrize(
    ("elements", "side", "found"),
    [
        ({"ImageLaterality": "L", "Laterality": "R"}, "L", {"sides_differ", "right_hand"}),
        (
            {"ImageLaterality": "L", "BodyPartExamined": "RT HAND"},
            "L",
            {"sides_differ", "right_hand"},
        ),
        (
            {"Laterality": "L", "SeriesDescription": "Right hand"},
            "L",
            {"sides_differ", "right_hand"},
        ),
        (
            {"Laterality": "R", "SeriesDescription": "Left hand"},
            "R",
            {"sides_differ", "right_hand"},
        ),
        ({"Laterality": "L", "StudyDescription": "Both hands"}, "L", set()),
        ({"Laterality": "L", "BodyPartExamined": "LEFT HAND"}, "L", set()),
    ],
)
def test_places_that_contradict_each_other(
    elements: dict[str, str], side: str, found: set[str]
) -> None:
    laterality, codes = stated(**elements)
    assert (laterality, set(codes)) == (side, found)


def test_a_view_from_the_right_is_not_one_of_a_right_hand() -> None:
    assert stated(ViewCodeSequence=[coded("1", "right lateral")]) == (None, [])
    assert stated(ViewCodeSequence=[coded("1", "Right hand postero-anterior")])[1] == ["right_hand"]
