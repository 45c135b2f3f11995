"""The findings of an image: whether it may be analysed, and what to know about its answer.

What a file states, what plain measures say of its pixels, and what the attention network's
feature says of the image, each against a limit that was set on training images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from boneage.domain.ages import unlikely_age
from boneage.domain.assessment import Finding, Look, Severity
from boneage.domain.radiograph import Facts, Sex
from boneage.domain.stance import Stance
from boneage.quality.gate import Judgement
from boneage.quality.image_quality import ImageQuality

HAND_WORDS = ("HAND", "WRIST", "BONE AGE", "BONEAGE")
"""Body parts, as DICOM states them, that a bone-age radiograph may have."""
FILM_MODALITIES = ("CR", "DX", "RG", "XA", "RF", "OT", "SC", "DR", "PX")
"""Modalities, as DICOM states them, that a radiograph of a hand may have."""
ADULT_MONTHS = 228.0
"""The highest age of the training labels: 19 years."""
END_OF_SCALE_MONTHS = 222.0
"""From here on, growth has ended, and an adult's hand looks like this, too."""
HEAVILY_FRAMED = 0.2
"""Share of the image inside its border, below which the border is worth a warning."""
HARDLY_FRAMED = 0.95
"""Less around it is not worth a note."""
OTHER_KINDS: Mapping[str, str] = {
    "chest": "It looks like a radiograph of a chest, not of a hand.",
    "limb": "It looks like a radiograph of another part of the body, not of a hand.",
    "modality": "It looks like a CT, MR, ultrasound or microscope image, not like a radiograph.",
    "photo": "It looks like a photograph, not like a radiograph.",
    "drawing": "It looks like a drawing, a screenshot or a text, not like a radiograph.",
    "part": "It does not show one whole hand with its wrist, straight from above.",
    "several": "It shows more than one hand, or several radiographs in one image.",
}
"""What an image shows that is not analysed, by the kind that the classifier gives it."""

CODES_OF_KINDS = {"part": "part_of_a_hand", "several": "several_hands"}
QUARTER_TURNS = {1: "90° clockwise", 2: "180°", 3: "90° counter-clockwise"}


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
    """Collect all findings of an image; refusals come first.

    Parameters
    ----------
    facts : Facts
        What the file states.
    sex : Sex
        By whose standard it is analysed.
    looks : tuple of Look
    seen : Seen, optional
        None where the weights cannot judge an image.
    chronological_age_months, answer_months : float, optional
        The bone age once it is known.
    notes : tuple of Finding
        What was corrected, or found odd, when the file was decoded.
    """
    found = [
        *(of_seen(seen) if seen else ()),
        *notes,
        *_of_facts(facts, sex, chronological_age_months),
        *_of_answer(looks, chronological_age_months, answer_months),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.REFUSAL))


def of_seen(seen: Seen) -> Iterator[Finding]:
    """Report each measure that lies beyond its limit."""
    yield from _of_kind(seen.judgement, seen.limits)
    yield from _of_pixels(seen)
    yield from _of_orientation(seen)


def _of_kind(judgement: Judgement, limits: FilmLimits) -> Iterator[Finding]:
    hand, unlike = judgement.hand, judgement.unlikeness
    if hand < limits.hand_refused:
        other = judgement.likeliest_other
        message = OTHER_KINDS.get(other, "It does not look like a radiograph of one whole hand.")
        code = CODES_OF_KINDS.get(other, "not_a_hand")
        yield Finding.refusal(code, message, hand, limits.hand_refused)
    elif unlike > limits.unlikeness_refused:
        message = "It is unlike every image that the networks were trained on."
        yield Finding.refusal("unlike", message, unlike, limits.unlikeness_refused)
    elif hand < limits.hand_warned:
        message = "It may not show one whole hand, flat and straight from above; check the image."
        yield Finding.warning("unsure_hand", message, hand, limits.hand_warned)
    elif unlike > limits.unlikeness_warned:
        message = (
            "It is unlike most images that the networks were trained on; the bone age is less "
        )
        message += "certain."
        yield Finding.warning("rather_unlike", message, unlike, limits.unlikeness_warned)


def _of_pixels(seen: Seen) -> Iterator[Finding]:
    quality, limits = seen.quality, seen.limits
    if quality.contrast < limits.contrast_refused:
        message = "It has next to no grey levels: nothing can be seen."
        yield Finding.refusal("no_contrast", message, quality.contrast, limits.contrast_refused)
    elif quality.contrast < limits.contrast_warned:
        message = "It has few grey levels; the bone age is less certain."
        yield Finding.warning("low_contrast", message, quality.contrast, limits.contrast_warned)
    if quality.noise > limits.noise_warned:
        message = "It is noisy; the bone age is less certain."
        yield Finding.warning("noisy", message, quality.noise, limits.noise_warned)
    if quality.sharpness < limits.sharpness_warned:
        message = "It is blurred; the bone age is less certain."
        yield Finding.warning("blurred", message, quality.sharpness, limits.sharpness_warned)
    if quality.white > limits.white_warned:
        message = "Much of it is plain white: over-exposed, or with a shield or a plate on it."
        yield Finding.warning("saturated", message, quality.white, limits.white_warned)
    side = float(min(seen.stance.size))
    if side < limits.side_warned_px:
        message = "It has fewer pixels than the networks use; the bone age is less certain."
        yield Finding.warning("low_resolution", message, side, limits.side_warned_px)
    if seen.letters > limits.letters_warned:
        message = "It seems to contain burned-in text, which may name the patient."
        yield Finding.warning("burnt_in_text", message, float(seen.letters), limits.letters_warned)


def _of_orientation(seen: Seen) -> Iterator[Finding]:
    """Report how the image lay, and what was done about it."""
    stance, judgement, limits = seen.stance, seen.judgement, seen.limits
    if stance.quarters:
        turn = QUARTER_TURNS[stance.quarters]
        message = f"The hand did not lie upright: the image was turned {turn} before analysis."
        yield Finding.warning("turned", message, 90.0 * stance.quarters, 0.0)
    if stance.tilt:
        degrees = abs(stance.tilt.degrees)
        message = (
            f"The hand was tilted by {degrees:.0f}°: the image was turned back before analysis."
        )
        far = degrees > limits.tilt_warned_degrees
        severity = Severity.WARNING if far else Severity.NOTE
        yield Finding("tilt_corrected", severity, message, degrees, limits.tilt_warned_degrees)
    if stance.inverted:
        message = "It is a negative, with dark bones: it was inverted before analysis."
        yield Finding.warning("inverted", message)
    tilt = abs(judgement.tilt_degrees)
    if tilt > limits.tilt_warned_degrees:
        message = f"The hand is tilted by about {tilt:.0f}°; upright, the bone age is more certain."
        yield Finding.warning("tilted", message, tilt, limits.tilt_warned_degrees)
    if judgement.right > limits.right_warned:
        message = "It looks like a right hand, or mirrored; the standards are of left hands."
        yield Finding.warning("looks_right", message, judgement.right, limits.right_warned)
    share = stance.share_of(*seen.film_size)
    if share < HARDLY_FRAMED:
        message = f"Border removed: {share:.0%} of the image was analysed."
        severity = Severity.WARNING if share < HEAVILY_FRAMED else Severity.NOTE
        yield Finding("framed", severity, message, share, HEAVILY_FRAMED)


def _of_facts(facts: Facts, sex: Sex, chronological_age_months: float | None) -> Iterator[Finding]:
    """Report what the file states that does not fit."""
    if facts.laterality == "R":
        message = "The image is marked as a right hand; the standards are of left hands."
        yield Finding.warning("right_hand", message)
    if facts.laterality == "B":
        message = "The image is marked as one of both hands; the standards are of left hands."
        yield Finding.warning("right_hand", message)
    yield from facts.findings
    part = facts.body_part
    if part and not any(word in part.upper() for word in HAND_WORDS):
        yield Finding.warning(
            "other_body_part", f"The image states the body part {part!r}, not a hand."
        )
    modality = facts.modality
    if modality and modality.upper() not in FILM_MODALITIES:
        message = f"The image states the modality {modality!r}, which is not radiography."
        yield Finding.warning("other_modality", message)
    if facts.burned_in_annotation:
        message = "The image states that it contains burned-in text, which may name the patient."
        yield Finding.warning("burned_in_annotation", message)
    age = chronological_age_months
    if age is None:
        age = facts.chronological_age_months
    if age is not None and age > ADULT_MONTHS:
        message = "At this age growth has ended: the standards are of children."
        yield Finding.warning("adult", message, age, ADULT_MONTHS)
    if facts.sex is not None and facts.sex is not sex:
        message = f"The image states {facts.sex}, but it was analysed by the {sex} standard."
        yield Finding.warning("sex_differs", message)
    if facts.in_colour:
        message = "The image is in colour, which a radiograph is not: a photograph, or something "
        message += "else, is analysed as if it were a hand."
        yield Finding.warning("in_colour", message)


def _of_answer(
    looks: tuple[Look, ...], age_months: float | None, answer_months: float | None
) -> Iterator[Finding]:
    """Report what is odd about the bone age, and how it was found."""
    if answer_months is not None and answer_months >= END_OF_SCALE_MONTHS:
        message = "The bone age lies at the end of the scale, where growth has ended: "
        message += "an adult's hand looks like this, too."
        limit = END_OF_SCALE_MONTHS
        yield Finding.note("end_of_scale", message, answer_months, limit)
    if age_months is not None and answer_months is not None:
        unlikely = unlikely_age(age_months, answer_months)
        if unlikely is not None:
            yield unlikely
    for look in looks:
        if not look.attention_found:
            message = f"Nothing stood out where the {look.region} region was looked for; "
            message += "its usual place was analysed instead."
            yield Finding.warning("no_attention", message)
