"""Whether a film may be read, and what the reader of its answer should know about it.

What a file states, what plain measures say of its pixels, and what the
attention network's feature says of the picture, each against a limit that was
set on training films.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from boneage.domain.ages import unlikely_age
from boneage.domain.assessment import Finding, Look, Severity
from boneage.domain.radiograph import Facts, Sex
from boneage.domain.stance import Stance
from boneage.quality.gate import Judgement
from boneage.quality.image_quality import ImageQuality

HAND_WORDS = ("HAND", "WRIST", "BONE AGE", "BONEAGE")
"""Body parts, as DICOM states them, that a bone-age film may carry."""
FILM_MODALITIES = ("CR", "DX", "RG", "XA", "RF", "OT", "SC", "DR", "PX")
"""Modalities, as DICOM states them, that a film of a hand may have."""
ADULT_MONTHS = 228.0
"""The highest age of the training labels: 19 years."""
END_OF_SCALE_MONTHS = 222.0
"""From here on, growth has ended, and an adult's film reads like this, too."""
HEAVILY_FRAMED = 0.2
"""Share of the image inside its border, below which the border is worth a warning."""
HARDLY_FRAMED = 0.95
"""Less around it is not worth a note."""
OTHER_KINDS: Mapping[str, str] = {
    "chest": "It looks like a film of a chest, not of a hand.",
    "limb": "It looks like a film of another part of the body, not of a hand.",
    "modality": "It looks like a CT, MR, ultrasound or microscope image, not like a film.",
    "photo": "It looks like a photograph, not like a radiograph.",
    "drawing": "It looks like a drawing, a screenshot or a text, not like a radiograph.",
    "part": "It does not show one whole hand with its wrist, straight from above.",
    "several": "It shows more than one hand, or several films in one.",
}
"""What a picture shows that is not read, by the kind that the gate calls it."""

IN_COLOUR = Finding(
    "in_colour",
    Severity.WARNING,
    "The picture is in colour, which a radiograph is not: "
    "a photograph, or something else, is read as if it were a hand.",
)


@dataclass(frozen=True)
class FilmLimits:
    """Where findings begin; each was set on training films (``boneage suitability``)."""

    hand_refused: float
    """Likelihood of a hand below which a film is refused."""
    hand_warned: float
    unlikeness_refused: float
    unlikeness_warned: float
    lying_certain: float
    """How much likelier upright a film must lie, once it is turned, to be read so."""
    tilt_warned_degrees: float
    right_warned: float
    contrast_refused: float
    contrast_warned: float
    white_warned: float
    noise_warned: float
    sharpness_warned: float
    side_warned_px: float
    """Shorter side below which the networks see a film enlarged."""
    letters_warned: float
    """Letters in a row, as ``boneage.quality.burnt_text`` counts them; next to no film has more."""


@dataclass(frozen=True)
class Seen:
    """What was measured of one film."""

    stance: Stance
    film_size: tuple[int, int]
    """Height and width of the film as it came."""
    quality: ImageQuality
    letters: int
    """In the longest row of them, anywhere on the film."""
    judgement: Judgement
    limits: FilmLimits


def findings_of(
    facts: Facts,
    sex: Sex,
    looks: tuple[Look, ...] = (),
    *,
    seen: Seen | None = None,
    chronological_age_months: float | None = None,
    answer_months: float | None = None,
    notes: tuple[Finding, ...] = (),
) -> tuple[Finding, ...]:
    """Collect what there is reason to say of a film; refusals come first.

    Parameters
    ----------
    facts : Facts
        What the file states.
    sex : Sex
        By whose standard it is read.
    looks : tuple of Look
    seen : Seen, optional
        None where the weights cannot judge a film.
    chronological_age_months : float, optional
    answer_months : float, optional
        The bone age, once it is read.
    notes : tuple of Finding
        What was corrected, or found odd, when the file was decoded.
    """
    found = [
        *(of_seen(seen) if seen else ()),
        *notes,
        *_of_facts(facts, sex, chronological_age_months),
    ]
    if facts.in_colour:
        found.append(IN_COLOUR)
    if answer_months is not None and answer_months >= END_OF_SCALE_MONTHS:
        found.append(
            Finding(
                "end_of_scale",
                Severity.NOTE,
                "The bone age lies at the end of the scale, where growth has ended: "
                "an adult's film reads like this, too.",
                answer_months,
                END_OF_SCALE_MONTHS,
            )
        )
    age = chronological_age_months
    if age is not None and answer_months is not None:
        unlikely = unlikely_age(age, answer_months)
        found += [] if unlikely is None else [unlikely]
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
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.REFUSAL))


def of_seen(seen: Seen) -> Iterator[Finding]:
    """Say what was measured beyond its limit."""
    yield from _kind(seen.judgement, seen.limits)
    yield from _pixels(seen)
    yield from _lie(seen)


def _kind(judgement: Judgement, limits: FilmLimits) -> Iterator[Finding]:
    hand, unlike = judgement.hand, judgement.unlikeness
    if hand < limits.hand_refused:
        other = judgement.likeliest_other
        says = OTHER_KINDS.get(other, "It does not look like a film of one whole hand.")
        code = {"part": "part_of_a_hand", "several": "several_hands"}.get(other, "not_a_hand")
        yield Finding(code, Severity.REFUSAL, says, hand, limits.hand_refused)
    elif unlike > limits.unlikeness_refused:
        says = "It is unlike every film that the program was trained on."
        yield Finding("unlike", Severity.REFUSAL, says, unlike, limits.unlikeness_refused)
    elif hand < limits.hand_warned:
        says = "It may not show one whole hand, flat and straight from above; make sure."
        yield Finding("unsure_hand", Severity.WARNING, says, hand, limits.hand_warned)
    elif unlike > limits.unlikeness_warned:
        says = "It is unlike most films that the program was trained on; the answer is less sure."
        yield Finding("rather_unlike", Severity.WARNING, says, unlike, limits.unlikeness_warned)


def _pixels(seen: Seen) -> Iterator[Finding]:
    quality, limits = seen.quality, seen.limits
    yield from _beyond(
        quality.contrast,
        _below,
        (
            "no_contrast",
            limits.contrast_refused,
            "It has next to no grey levels: nothing can be seen.",
        ),
        (
            "low_contrast",
            limits.contrast_warned,
            "It has few grey levels; the answer is less certain.",
        ),
    )
    yield from _beyond(
        quality.noise,
        _above,
        None,
        ("noisy", limits.noise_warned, "It is noisy; the answer is less sure."),
    )
    yield from _beyond(
        quality.sharpness,
        _below,
        None,
        ("blurred", limits.sharpness_warned, "It is blurred; the answer is less sure."),
    )
    yield from _beyond(
        quality.white,
        _above,
        None,
        (
            "saturated",
            limits.white_warned,
            "Much of it is plain white: over-exposed, or with a shield or a plate on it.",
        ),
    )
    yield from _beyond(
        float(min(seen.stance.size)),
        _below,
        None,
        (
            "low_resolution",
            limits.side_warned_px,
            "It has few pixels, fewer than the networks look at; the answer is less sure.",
        ),
    )
    yield from _beyond(
        float(seen.letters),
        _above,
        None,
        (
            "burnt_in_text",
            limits.letters_warned,
            "Text seems to be burnt into it, which may name the patient.",
        ),
    )


Step = tuple[str, float, str]
"""Code, limit, sentence."""


def _above(value: float, limit: float) -> bool:
    return value > limit


def _below(value: float, limit: float) -> bool:
    return value < limit


def _beyond(
    value: float, is_beyond: Callable[[float, float], bool], refused: Step | None, warned: Step
) -> Iterator[Finding]:
    """Refuse, or else warn, where a measure lies beyond its limit."""
    for step, severity in ((refused, Severity.REFUSAL), (warned, Severity.WARNING)):
        if step and is_beyond(value, step[1]):
            code, limit, says = step
            yield Finding(code, severity, says, value, limit)
            return


def _lie(seen: Seen) -> Iterator[Finding]:
    """Say how the film lay, and what was done about it."""
    stance, judgement, limits = seen.stance, seen.judgement, seen.limits
    if stance.quarters:
        turn = {1: "90° clockwise", 2: "180°", 3: "90° counter-clockwise"}[stance.quarters]
        says = f"The hand did not lie upright: the film was turned {turn} before it was read."
        yield Finding("turned", Severity.WARNING, says, 90.0 * stance.quarters, 0.0)
    if stance.tilt:
        degrees = abs(stance.tilt.degrees)
        says = f"The hand was tilted by {degrees:.0f}°: the image was turned back before analysis."
        far = degrees > limits.tilt_warned_degrees
        severity = Severity.WARNING if far else Severity.NOTE
        yield Finding("tilt_corrected", severity, says, degrees, limits.tilt_warned_degrees)
    if stance.inverted:
        says = "It is a negative, with dark bones: it was inverted before it was read."
        yield Finding("inverted", Severity.WARNING, says)
    tilt = abs(judgement.tilt_degrees)
    if tilt > limits.tilt_warned_degrees:
        says = f"The hand is tilted by about {tilt:.0f}°; upright, the answer is more certain."
        yield Finding("tilted", Severity.WARNING, says, tilt, limits.tilt_warned_degrees)
    if judgement.right > limits.right_warned:
        says = "It looks like a right hand, or mirrored; the standards are of left hands."
        yield Finding("looks_right", Severity.WARNING, says, judgement.right, limits.right_warned)
    share = stance.share_of(*seen.film_size)
    if share < HARDLY_FRAMED:
        says = f"Border removed: {share:.0%} of the image was analysed."
        severity = Severity.WARNING if share < HEAVILY_FRAMED else Severity.NOTE
        yield Finding("framed", severity, says, share, HEAVILY_FRAMED)


def _of_facts(facts: Facts, sex: Sex, chronological_age_months: float | None) -> Iterator[Finding]:
    """Say what the file states that does not fit."""
    if facts.laterality == "R":
        says = "The film is marked as a right hand; the standards are of left hands."
        yield Finding("right_hand", Severity.WARNING, says)
    if facts.laterality == "B":
        says = "The image is marked as one of both hands; the standards are of left hands."
        yield Finding("right_hand", Severity.WARNING, says)
    yield from facts.findings
    part = facts.body_part
    if part and not any(word in part.upper() for word in HAND_WORDS):
        says = f"The film states the body part {part!r}, not a hand."
        yield Finding("other_body_part", Severity.WARNING, says)
    modality = facts.modality
    if modality and modality.upper() not in FILM_MODALITIES:
        says = f"The film states the modality {modality!r}, which is no radiograph."
        yield Finding("other_modality", Severity.WARNING, says)
    if facts.burned_in_annotation:
        says = "The film states that text is burnt into it, which may name the patient."
        yield Finding("burned_in_annotation", Severity.WARNING, says)
    age = chronological_age_months
    if age is None:
        age = facts.chronological_age_months
    if age is not None and age > ADULT_MONTHS:
        says = "At this age growth has ended: the standards are of children."
        yield Finding("adult", Severity.WARNING, says, age, ADULT_MONTHS)
    if facts.sex is not None and facts.sex is not sex:
        says = f"The film states {facts.sex}, but it was read by the {sex} standard."
        yield Finding("sex_differs", Severity.WARNING, says)
