"""The laterality of a DICOM image, wherever and in whatever words it is stated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataset import Dataset

from boneage.domain.findings import Finding
from boneage.reading.dicom.values import TABLES, text_of, texts_of

LATERALITIES = ("ImageLaterality", "FrameLaterality", "Laterality")
SIDES = (*LATERALITIES, "BodyPartExamined")
"""Elements that state the side, or may; all of their values are read."""
FUNCTIONAL_GROUPS = ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
REGIONS = ("AnatomicRegionSequence", "PrimaryAnatomicStructureSequence")
MODIFIERS = ("AnatomicRegionModifierSequence", "PrimaryAnatomicStructureModifierSequence")
VIEWS = ("ViewCodeSequence", "ViewModifierCodeSequence")
PLACES = (*SIDES, *FUNCTIONAL_GROUPS, *REGIONS, *VIEWS, *TABLES["elements"]["descriptions"])

LEFT, RIGHT, BOTH = frozenset("L"), frozenset("R"), frozenset("LR")
WORDS, LETTERS, CODES = (
    {word: frozenset(sides) for sides, words in TABLES[name].items() for word in words}
    for name in ("words", "letters", "codes")
)
"""What a word, a letter and a code say: which sides."""
ITALIAN_HAND, ITALIAN = "MANO", {"DX": RIGHT, "SX": LEFT}
"""DX is a modality, too."""
MAX_ITEMS = 64
WORD = re.compile(r"[^\W\d_]+")
DIRECTION = re.compile(r"lateral|oblique", re.IGNORECASE)
"""Of a view from one side, whichever hand it is of."""


@dataclass(frozen=True)
class Side:
    """Which hand is shown, and findings on how that is stated."""

    laterality: str | None
    """``"L"``, ``"R"``, ``"B"`` for both; None where nothing, or nothing clear, is stated."""
    findings: tuple[Finding, ...] = ()


ALSO_RIGHT = Finding.warning(
    "right_hand",
    "One element of the file states a right hand; the standards apply to left hands.",
)
RIGHT_BY_DESCRIPTION = Finding.warning(
    "right_hand",
    "The image is described as one of a right hand or of both hands; the standards apply to left "
    "hands.",
)
CONTRADICTORY = Finding.warning(
    "sides_differ",
    "The file contains contradictory laterality; check that this is the left hand.",
)
UNKNOWN_SIDE = Finding.warning(
    "side_not_understood",
    "The stated laterality is not recognised; check that this is the left hand.",
)


def side_of(dataset: Dataset) -> Side:
    """Determine which hand is shown: as the first of all places states that states it."""
    stated = [sides for sides in _stated(dataset) if sides]
    described = frozenset[str]().union(*_described(dataset))
    if not stated:
        right = [RIGHT_BY_DESCRIPTION] if "R" in described else []
        return Side(None, tuple(right or _not_understood(dataset)))
    first, everywhere = stated[0], frozenset[str]().union(*stated)
    findings = []
    if any(sides != first for sides in stated) or described in {LEFT, RIGHT} - {everywhere}:
        findings.append(CONTRADICTORY)
    if first == LEFT and ("R" in everywhere or described == RIGHT):
        findings.append(ALSO_RIGHT)
    return Side("B" if first == BOTH else next(iter(first)), tuple(findings))


def _stated(dataset: Dataset) -> Iterator[frozenset[str]]:
    """Give the sides of each place that states them in codes, the strongest place first."""
    for keyword in ("ImageLaterality", "FrameLaterality"):
        yield _in_element(dataset, keyword)
    for groups in FUNCTIONAL_GROUPS:
        for group in _items(dataset, groups):
            for anatomy in _items(group, "FrameAnatomySequence"):
                yield _in_element(anatomy, "FrameLaterality")
                yield from _in_regions(anatomy)
    yield _in_element(dataset, "Laterality")
    yield from _in_regions(dataset)
    yield _in_element(dataset, "BodyPartExamined")


def _in_regions(dataset: Dataset) -> Iterator[frozenset[str]]:
    for keyword in REGIONS:
        for region in _items(dataset, keyword):
            yield _in_text(text_of(region, "CodeMeaning") or "")
            for modifiers in MODIFIERS:
                for modifier in _items(region, modifiers):
                    value = (text_of(modifier, "CodeValue") or "").upper()
                    meaning = text_of(modifier, "CodeMeaning") or ""
                    yield CODES.get(value) or _in_text(meaning, codes=True)


def _described(dataset: Dataset) -> Iterator[frozenset[str]]:
    """Give the sides that are named in free texts, and by views."""
    for keyword in TABLES["elements"]["descriptions"]:
        for text in texts_of(dataset, keyword):
            yield _in_text(text)
    for view in _items(dataset, VIEWS[0]):
        for item in (view, *_items(view, VIEWS[1])):
            meaning = text_of(item, "CodeMeaning") or ""
            if not DIRECTION.search(meaning):
                yield _in_text(meaning)


def _in_element(dataset: Dataset, keyword: str) -> frozenset[str]:
    texts = texts_of(dataset, keyword)
    return frozenset[str]().union(*(_in_text(text, codes=True) for text in texts))


def _in_text(text: str, *, codes: bool = False) -> frozenset[str]:
    """Give the sides that a text names; single letters only where it may be a code."""
    words = WORD.findall(text.upper())
    letters = codes or not set(TABLES["texts"]["hands"]).isdisjoint(words)
    found = frozenset[str]()
    for word in words:
        if letters or word not in TABLES["texts"]["ambiguous"]:
            found |= WORDS.get(word, frozenset())
        if letters:
            found |= LETTERS.get(word, frozenset())
        if ITALIAN_HAND in words:
            found |= ITALIAN.get(word, frozenset())
    return found


def _not_understood(dataset: Dataset) -> list[Finding]:
    texts = (text for keyword in LATERALITIES for text in texts_of(dataset, keyword))
    return (
        [UNKNOWN_SIDE]
        if any(text.upper() not in TABLES["texts"]["unpaired"] for text in texts)
        else []
    )


def _items(dataset: Dataset, keyword: str) -> list[Dataset]:
    try:
        return list(dataset.get(keyword) or ())[:MAX_ITEMS]
    except Exception:  # a garbled sequence states nothing
        return []
