"""The findings on an image: whether it may be analysed, and what to know about the result.

From the metadata, from measures of the pixels and from the attention network's feature, each
measure against a limit that was set on training images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from boneage.domain.ages import unlikely_age
from boneage.domain.assessment import Finding, RegionDetection, Severity
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import ImageMetadata, Sex
from boneage.quality.classifier import Judgement
from boneage.quality.image_quality import ImageQuality
from boneage.quality.side import SideEvidence, findings_of_side

HAND_WORDS = ("HAND", "WRIST", "BONE AGE", "BONEAGE")
"""Body parts, as DICOM states them, that a bone-age radiograph may have."""
RADIOGRAPHY = ("CR", "DX", "RG", "XA", "RF", "OT", "SC", "DR", "PX")
"""Modalities, as DICOM states them, that a radiograph of a hand may have."""
ADULT_MONTHS = 228.0
"""The highest age of the training labels: 19 years."""
END_OF_SCALE_MONTHS = 222.0
"""From here on, growth has ended, and an adult's hand looks like this, too."""
NARROWLY_COLLIMATED = 0.2
"""Share of the image inside its border, below which the border is worth a warning."""
HARDLY_COLLIMATED = 0.95
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

LESS_CERTAIN = "the bone age is less certain."
CODES_OF_KINDS = {"part": "part_of_a_hand", "several": "several_hands"}
OF_LEFT_HANDS = "the standards are of left hands."
MARKED_AS = {"R": "a right hand", "B": "one of both hands"}
QUARTER_TURNS = {1: "90° clockwise", 2: "180°", 3: "90° counter-clockwise"}


@dataclass(frozen=True)
class QualityLimits:
    """Where findings begin; each was set on training images (``boneage suitability``)."""

    hand_refused: float
    """Likelihood of a hand below which an image is refused."""
    hand_warned: float
    ood_score_refused: float
    ood_score_warned: float
    orientation_certain: float
    """By how much turning an image must raise its likelihood of being upright."""
    tilt_warned_degrees: float
    contrast_refused: float
    contrast_warned: float
    white_warned: float
    noise_warned: float
    sharpness_warned: float
    side_warned_px: float
    """Shorter side below which the networks see an image enlarged."""
    letters_warned: float
    """Letters in a row, as ``quality.burned_in_text`` counts them; next to no image has more."""


@dataclass(frozen=True)
class ImageMeasures:
    """What was measured on one image."""

    orientation: Orientation
    image_size: tuple[int, int]
    """Height and width of the image as it came."""
    quality: ImageQuality
    letters: int
    """In the longest row of them, anywhere on the image."""
    judgement: Judgement
    side: SideEvidence
    limits: QualityLimits


def findings_of(
    metadata: ImageMetadata,
    sex: Sex,
    detections: tuple[RegionDetection, ...] = (),
    *,
    measures: ImageMeasures | None = None,
    chronological_age_months: float | None = None,
    answer_months: float | None = None,
    notes: tuple[Finding, ...] = (),
) -> tuple[Finding, ...]:
    """Collect all findings, refusals first; ``measures`` are None without a quality check."""
    found = [
        *(findings_of_measures(measures) if measures else ()),
        *notes,
        *_of_metadata(metadata, sex, chronological_age_months),
        *_of_answer(detections, chronological_age_months, answer_months),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.REFUSAL))


def findings_of_measures(measures: ImageMeasures) -> Iterator[Finding]:
    yield from _of_kind(measures.judgement, measures.limits)
    yield from _of_pixels(measures)
    yield from _of_orientation(measures)
    yield from findings_of_side(measures.side)


def _of_kind(judgement: Judgement, limits: QualityLimits) -> Iterator[Finding]:
    hand, unlike = judgement.hand, judgement.ood_score
    if hand < limits.hand_refused:
        other = judgement.most_likely_other
        message = OTHER_KINDS.get(other, "It does not look like a radiograph of one whole hand.")
        code = CODES_OF_KINDS.get(other, "not_a_hand")
        yield Finding.refusal(code, message, hand, limits.hand_refused)
    elif unlike > limits.ood_score_refused:
        message = "It is unlike every image that the networks were trained on."
        yield Finding.refusal("unlike", message, unlike, limits.ood_score_refused)
    elif hand < limits.hand_warned:
        message = "It may not show one whole hand, flat and straight from above; check the image."
        yield Finding.warning("unsure_hand", message, hand, limits.hand_warned)
    elif unlike > limits.ood_score_warned:
        message = f"It is unlike most images that the networks were trained on; {LESS_CERTAIN}"
        yield Finding.warning("rather_unlike", message, unlike, limits.ood_score_warned)


def _of_pixels(measures: ImageMeasures) -> Iterator[Finding]:
    quality, limits = measures.quality, measures.limits
    if quality.contrast < limits.contrast_refused:
        message = "It has next to no grey levels: nothing can be measures."
        yield Finding.refusal("no_contrast", message, quality.contrast, limits.contrast_refused)
    elif quality.contrast < limits.contrast_warned:
        message = f"It has few grey levels; {LESS_CERTAIN}"
        yield Finding.warning("low_contrast", message, quality.contrast, limits.contrast_warned)
    if quality.noise > limits.noise_warned:
        message = f"It is noisy; {LESS_CERTAIN}"
        yield Finding.warning("noisy", message, quality.noise, limits.noise_warned)
    if quality.sharpness < limits.sharpness_warned:
        message = f"It is blurred; {LESS_CERTAIN}"
        yield Finding.warning("blurred", message, quality.sharpness, limits.sharpness_warned)
    if quality.white > limits.white_warned:
        message = "Much of it is plain white: over-exposed, or with a shield or a plate on it."
        yield Finding.warning("saturated", message, quality.white, limits.white_warned)
    side, letters = float(min(measures.orientation.size)), float(measures.letters)
    if side < limits.side_warned_px:
        message = f"It has fewer pixels than the networks use; {LESS_CERTAIN}"
        yield Finding.warning("low_resolution", message, side, limits.side_warned_px)
    if letters > limits.letters_warned:
        message = "It seems to contain burned-in text, which may name the patient."
        yield Finding.warning("burnt_in_text", message, letters, limits.letters_warned)


def _of_orientation(measures: ImageMeasures) -> Iterator[Finding]:
    orientation, judgement, limits = measures.orientation, measures.judgement, measures.limits
    if orientation.quarters:
        turn = QUARTER_TURNS[orientation.quarters]
        message = f"The hand was not upright: the image was turned {turn} before analysis."
        yield Finding.warning("turned", message, 90.0 * orientation.quarters, 0.0)
    if orientation.tilt:
        degrees = abs(orientation.tilt.degrees)
        message = (
            f"The hand was tilted by {degrees:.0f}°: the image was turned back before analysis."
        )
        far = degrees > limits.tilt_warned_degrees
        severity = Severity.WARNING if far else Severity.NOTE
        yield Finding("tilt_corrected", severity, message, degrees, limits.tilt_warned_degrees)
    if orientation.inverted:
        message = "It is a negative, with dark bones: it was inverted before analysis."
        yield Finding.warning("inverted", message)
    tilt = abs(judgement.tilt_degrees)
    if tilt > limits.tilt_warned_degrees:
        message = f"The hand is tilted by about {tilt:.0f}°; upright, the bone age is more certain."
        yield Finding.warning("tilted", message, tilt, limits.tilt_warned_degrees)
    share = orientation.share_of(*measures.image_size)
    if share < HARDLY_COLLIMATED:
        message = f"Border removed: {share:.0%} of the image was analysed."
        severity = Severity.WARNING if share < NARROWLY_COLLIMATED else Severity.NOTE
        yield Finding("framed", severity, message, share, NARROWLY_COLLIMATED)


def _of_metadata(
    metadata: ImageMetadata, sex: Sex, chronological_age_months: float | None
) -> Iterator[Finding]:
    if metadata.laterality in MARKED_AS:
        message = f"The image is marked as {MARKED_AS[metadata.laterality]}; {OF_LEFT_HANDS}"
        yield Finding.warning("right_hand", message)
    yield from metadata.findings
    part, modality = metadata.body_part, metadata.modality
    if part and not any(word in part.upper() for word in HAND_WORDS):
        message = f"The image states the body part {part!r}, not a hand."
        yield Finding.warning("other_body_part", message)
    if modality and modality.upper() not in RADIOGRAPHY:
        message = f"The image states the modality {modality!r}, which is not radiography."
        yield Finding.warning("other_modality", message)
    if metadata.burned_in_annotation:
        message = "The image states that it contains burned-in text, which may name the patient."
        yield Finding.warning("burned_in_annotation", message)
    age = chronological_age_months
    if age is None:
        age = metadata.chronological_age_months
    if age is not None and age > ADULT_MONTHS:
        message = "At this age growth has ended: the standards are of children."
        yield Finding.warning("adult", message, age, ADULT_MONTHS)
    if metadata.sex not in {None, sex}:
        message = f"The image states {metadata.sex}, but it was analysed by the {sex} standard."
        yield Finding.warning("sex_differs", message)
    if metadata.in_colour:
        message = "The image is in colour, which a radiograph is not: a photograph, or something "
        yield Finding.warning("in_colour", f"{message}else, is analysed as if it were a hand.")


def _of_answer(
    detections: tuple[RegionDetection, ...], age_months: float | None, answer_months: float | None
) -> Iterator[Finding]:
    if answer_months is not None and answer_months >= END_OF_SCALE_MONTHS:
        message = "The bone age is at the end of the scale, where growth has ended: "
        message += "an adult's hand looks like this, too."
        yield Finding.note("end_of_scale", message, answer_months, END_OF_SCALE_MONTHS)
    if age_months is not None and answer_months is not None:
        unlikely = unlikely_age(age_months, answer_months)
        yield from (unlikely,) if unlikely else ()
    for detection in detections:
        if not detection.attention_found:
            message = f"Nothing stood out where the {detection.region} region was looked for; "
            message += "its usual place was analysed instead."
            yield Finding.warning("no_attention", message)
