"""What the reader of an answer should know about the film it came from."""

from __future__ import annotations

from boneage.assessment import Finding, Look, Severity
from boneage.radiograph import Facts, Sex

HAND_WORDS = ("HAND", "WRIST", "BONE AGE", "BONEAGE")
"""Body parts, as DICOM states them, that a bone-age film may carry."""


def findings_of(facts: Facts, sex: Sex, looks: tuple[Look, ...]) -> tuple[Finding, ...]:
    """Collect what the file's facts and the looks give reason to say."""
    stated = (_laterality(facts), _body_part(facts), _colour(facts))
    found = [finding for finding in stated if finding]
    if facts.sex is not None and facts.sex is not sex:
        found.append(
            Finding(
                "sex_differs",
                Severity.WARNING,
                f"The film states {facts.sex}, but it was read by the {sex} standard.",
            )
        )
    found += [
        Finding(
            "no_attention",
            Severity.WARNING,
            f"Nothing stood out in the look for the {look.region} region; "
            "its usual place was read instead.",
        )
        for look in looks
        if not look.attention_found
    ]
    return tuple(found)


def _laterality(facts: Facts) -> Finding | None:
    if facts.laterality != "R":
        return None
    return Finding(
        "right_hand",
        Severity.WARNING,
        "The film is marked as a right hand; the standards are of left hands.",
    )


def _body_part(facts: Facts) -> Finding | None:
    part = facts.body_part
    if not part or any(word in part.upper() for word in HAND_WORDS):
        return None
    return Finding(
        "other_body_part",
        Severity.WARNING,
        f"The film states the body part {part!r}, not a hand.",
    )


def _colour(facts: Facts) -> Finding | None:
    if not facts.in_colour:
        return None
    return Finding(
        "in_colour",
        Severity.WARNING,
        "The picture is in colour, which a radiograph is not: "
        "a photograph, or something else, is read as if it were a hand.",
    )
