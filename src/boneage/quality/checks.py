"""The findings on an image: whether it may be analysed, and what to know about the result.

From the metadata, from measures of the pixels and from the attention network's feature, each
measure against a limit that was set on training images.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from boneage.domain.ages import unlikely_age
from boneage.domain.assessment import MATURE, Finding, RegionDetection, Severity
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
"""From here on, growth is complete: a radiograph of an adult gives the same value."""
NARROWLY_COLLIMATED = 0.2
"""Share of the image inside its border, below which the border is worth a warning."""
HARDLY_COLLIMATED = 0.95
"""Less around it is not worth a note."""
OTHER_KINDS: Mapping[str, str] = {
    "chest": "The image looks like a radiograph of a chest, not of a hand.",
    "limb": "The image looks like a radiograph of another part of the body, not of a hand.",
    "modality": "The image looks like a CT, MR, ultrasound or microscope image, not a radiograph.",
    "photo": "The image looks like a photograph, not like a radiograph.",
    "drawing": "The image looks like a drawing, a screenshot or a text, not like a radiograph.",
    "part": "The image does not show one complete hand with wrist in a dorsopalmar (PA) view.",
    "several": "The image shows more than one hand, or several radiographs in one image.",
}
"""What an image shows that is not analysed, by the kind that the classifier gives it."""

METAL_LIKELY = 0.9963
"""Likelihood above which an object is metal: 0.5 % of the training images reach it
(``docs/evidence/metal.json``)."""
LESS_RELIABLE = "the bone age is less reliable."
BURNT_IN_TEXT = "burnt_in_text"
"""Of a drawn image it is what marks it as one."""
CODES_OF_KINDS = {"part": "part_of_a_hand", "several": "several_hands"}
OF_LEFT_HANDS = "the standards apply to left hands."
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
    mature_warned: float | None = None
    """Likelihood of fused growth plates above which a hand is mature; None: it is not known."""


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
    metal: float = 0.0
    """How likely it is that a bright object on the hand is metal."""


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
    of_image = findings_of_measures(measures) if measures else ()
    found = [
        *(f for f in of_image if not (metadata.synthetic and f.code == BURNT_IN_TEXT)),
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
    yield from _of_metal(measures.metal)
    yield from _of_maturity(measures.judgement.maturity, measures.limits.mature_warned)


def _of_kind(judgement: Judgement, limits: QualityLimits) -> Iterator[Finding]:
    hand, ood_score = judgement.hand, judgement.ood_score
    if hand < limits.hand_refused:
        other = judgement.most_likely_other
        message = OTHER_KINDS.get(other, "The image does not show one whole hand.")
        code = CODES_OF_KINDS.get(other, "not_a_hand")
        yield Finding.refusal(code, message, hand, limits.hand_refused)
    elif ood_score > limits.ood_score_refused:
        message = "The image is atypical: it differs from all images that the model was trained on."
        yield Finding.refusal("unlike", message, ood_score, limits.ood_score_refused)
    elif hand < limits.hand_warned:
        message = (
            "The image may not show one complete hand in a dorsopalmar (PA) view; please check."
        )
        yield Finding.warning("unsure_hand", message, hand, limits.hand_warned)
    elif ood_score > limits.ood_score_warned:
        message = f"The image is atypical of the training data; {LESS_RELIABLE}"
        yield Finding.warning("rather_unlike", message, ood_score, limits.ood_score_warned)


def _of_pixels(measures: ImageMeasures) -> Iterator[Finding]:
    quality, limits = measures.quality, measures.limits
    if quality.contrast < limits.contrast_refused:
        message = "The image has almost no contrast: nothing can be recognised."
        yield Finding.refusal("no_contrast", message, quality.contrast, limits.contrast_refused)
    elif quality.contrast < limits.contrast_warned:
        message = f"The image has low contrast; {LESS_RELIABLE}"
        yield Finding.warning("low_contrast", message, quality.contrast, limits.contrast_warned)
    if quality.noise > limits.noise_warned:
        message = f"The image is noisy; {LESS_RELIABLE}"
        yield Finding.warning("noisy", message, quality.noise, limits.noise_warned)
    if quality.sharpness < limits.sharpness_warned:
        message = f"The image is blurred; {LESS_RELIABLE}"
        yield Finding.warning("blurred", message, quality.sharpness, limits.sharpness_warned)
    if quality.white > limits.white_warned:
        message = (
            "A large part of the image is pure white: clipped, under-exposed, or covered by a "
            "shield or metal."
        )
        yield Finding.warning("saturated", message, quality.white, limits.white_warned)
    side, letters = float(min(measures.orientation.size)), float(measures.letters)
    if side < limits.side_warned_px:
        message = f"The resolution is below that of the model's input; {LESS_RELIABLE}"
        yield Finding.warning("low_resolution", message, side, limits.side_warned_px)
    if letters > limits.letters_warned:
        message = "The image appears to contain burned-in text that may identify the patient."
        yield Finding.warning(BURNT_IN_TEXT, message, letters, limits.letters_warned)


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
        message = "The grey scale was inverted (dark bones); it was corrected before analysis."
        yield Finding.warning("inverted", message)
    tilt = abs(judgement.tilt_degrees)
    if tilt > limits.tilt_warned_degrees:
        message = f"The hand is rotated by about {tilt:.0f}°; "
        message += "the bone age is more reliable for an upright hand."
        yield Finding.warning("tilted", message, tilt, limits.tilt_warned_degrees)
    share = orientation.share_of(*measures.image_size)
    if share < HARDLY_COLLIMATED:
        message = f"Border removed: {100 * share:.0f} % of the image was analysed."
        severity = Severity.WARNING if share < NARROWLY_COLLIMATED else Severity.NOTE
        yield Finding("framed", severity, message, share, NARROWLY_COLLIMATED)


def _of_metal(likelihood: float) -> Iterator[Finding]:
    if likelihood > METAL_LIKELY:
        message = (
            "The image may show metal, such as a ring, a plate or a wire; "
            "the bone age is less reliable where it covers bone."
        )
        yield Finding.warning("metal", message, likelihood, METAL_LIKELY)


def _of_maturity(maturity: float | None, limit: float | None) -> Iterator[Finding]:
    if maturity is not None and limit is not None and maturity > limit:
        message = (
            "The growth plates appear fused: the skeleton is mature or nearly so, and the bone age "
            "is at least the one stated."
        )
        yield Finding.warning(MATURE, message, maturity, limit)


def _of_metadata(
    metadata: ImageMetadata, sex: Sex, chronological_age_months: float | None
) -> Iterator[Finding]:
    if metadata.laterality in MARKED_AS:
        message = f"The image is marked as {MARKED_AS[metadata.laterality]}; {OF_LEFT_HANDS}"
        yield Finding.warning("right_hand", message)
    yield from metadata.findings
    part, modality = metadata.body_part, metadata.modality
    if part and not any(word in part.upper() for word in HAND_WORDS):
        message = f"The file states the body part {part!r}, not a hand."
        yield Finding.warning("other_body_part", message)
    if modality and modality.upper() not in RADIOGRAPHY:
        message = f"The file states the modality {modality!r}, which is not projection radiography."
        yield Finding.warning("other_modality", message)
    if metadata.burned_in_annotation:
        message = "The file states that the image contains burned-in text, which may identify "
        message += "the patient."
        yield Finding.warning("burned_in_annotation", message)
    age = chronological_age_months
    if age is None:
        age = metadata.chronological_age_months
    if age is not None and age > ADULT_MONTHS:
        message = "At this age skeletal growth is complete; the standards apply to children."
        yield Finding.warning("adult", message, age, ADULT_MONTHS)
    if metadata.sex not in {None, sex}:
        message = (
            f"The file states {metadata.sex}, but the image was analysed by the {sex} standard."
        )
        yield Finding.warning("sex_differs", message)
    if metadata.synthetic:
        yield Finding.note("synthetic", "The image is synthetic: boneage drew it; no patient's.")
    if metadata.in_colour:
        message = "The image is in colour. It may be a photograph rather than a radiograph."
        yield Finding.warning("in_colour", message)


def _of_answer(
    detections: tuple[RegionDetection, ...], age_months: float | None, answer_months: float | None
) -> Iterator[Finding]:
    if answer_months is not None and answer_months >= END_OF_SCALE_MONTHS:
        message = "The bone age is at the end of the scale; "
        message += "a radiograph of an adult gives the same value."
        yield Finding.note("end_of_scale", message, answer_months, END_OF_SCALE_MONTHS)
    if age_months is not None and answer_months is not None:
        unlikely = unlikely_age(age_months, answer_months)
        yield from (unlikely,) if unlikely else ()
    for detection in detections:
        if not detection.attention_found:
            message = f"The {detection.region} region was not detected; "
            message += "its expected position was analysed instead."
            yield Finding.warning("no_attention", message)
