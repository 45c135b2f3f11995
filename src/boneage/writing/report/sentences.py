"""What findings say, in other languages than English.

The program's own sentences quote values and are English; a translation has
the sentence of the same code, without the values.
"""

from __future__ import annotations

from collections.abc import Mapping

from boneage.assessment import Finding, Severity
from boneage.clinical.findings import Category, Determination, NotDefined
from boneage.language.words import ENGLISH, Words, noop

OF_FILMS: Mapping[str, str] = {
    "not_a_hand": noop("It does not look like a film of one whole hand."),
    "part_of_a_hand": noop("It does not show one whole hand with its wrist, straight from above."),
    "several_hands": noop("It shows more than one hand, or several films in one."),
    "unlike": noop("It is unlike every film that the program was trained on."),
    "unsure_hand": noop("It may not show one whole hand, flat and straight from above; make sure."),
    "rather_unlike": noop(
        "It is unlike most films that the program was trained on; the answer is less sure."
    ),
    "no_contrast": noop("It has next to no contrast: nothing can be seen."),
    "low_contrast": noop("Its contrast is low; the answer is less sure."),
    "noisy": noop("It is noisy; the answer is less sure."),
    "blurred": noop("It is blurred; the answer is less sure."),
    "saturated": noop(
        "Much of it is plain white: over-exposed, or with a shield or a plate on it."
    ),
    "low_resolution": noop(
        "It has few pixels, fewer than the networks look at; the answer is less sure."
    ),
    "burnt_in_text": noop("Text seems to be burnt into it, which may name the patient."),
    "turned": noop("The hand did not lie upright: the film was turned before it was read."),
    "inverted": noop("It is a negative, with dark bones: it was inverted before it was read."),
    "tilted": noop("The hand lies aslant; upright, the answer is surer."),
    "looks_right": noop(
        "It looks like a right hand, or mirrored; the standards are of left hands."
    ),
    "framed": noop("The film has a frame; only what lies inside it was read."),
    "right_hand": noop("The film is marked as a right hand; the standards are of left hands."),
    "other_body_part": noop("The film states a body part that is not a hand."),
    "other_modality": noop("The film states a modality that is no radiograph."),
    "burned_in_annotation": noop(
        "The film states that text is burnt into it, which may name the patient."
    ),
    "adult": noop("At this age growth has ended: the standards are of children."),
    "end_of_scale": noop(
        "The bone age lies at the end of the scale, where growth has ended: "
        "an adult's film reads like this, too."
    ),
    "in_colour": noop(
        "The picture is in colour, which a radiograph is not: "
        "a photograph, or something else, is read as if it were a hand."
    ),
    "sex_differs": noop("The film states another sex than that of the standard it was read by."),
    "no_attention": noop(
        "Nothing stood out in the look for a region; its usual place was read instead."
    ),
}
OTHER_KINDS = (
    noop("It looks like a film of a chest, not of a hand."),
    noop("It looks like a film of another part of the body, not of a hand."),
    noop("It looks like a CT, MR, ultrasound or microscope image, not like a film."),
    noop("It looks like a photograph, not like a radiograph."),
    noop("It looks like a drawing, a screenshot or a text, not like a radiograph."),
)
"""What :data:`boneage.suitability.OTHER_KINDS` says under the code ``"not_a_hand"``."""
NOT_DEFINED: Mapping[str, str] = {
    "no_age": noop("The chronological age is not known."),
    "birth_after_study": noop("The film states a birth date after its study date."),
    "no_study_date": noop("The film states a birth date, but neither its study date nor an age."),
    "adult": noop("The film states the age of an adult."),
    "outside_brush": noop("The Brush table defines no SD at this age."),
    "outside_bayley_pinneau": noop("The bone age lies outside the table."),
    "no_prediction_error": noop("The paper gives no prediction error at this age."),
    "interval_outside": noop("The interval of the bone age reaches beyond the table."),
}
SEVERITIES: Mapping[Severity, str] = {
    Severity.NOTE: noop("Note"),
    Severity.WARNING: noop("Warning"),
    Severity.REFUSAL: noop("Refusal"),
}
DETERMINATIONS: Mapping[Determination, str] = {
    Determination.DELAYED: noop("delayed"),
    Determination.NORMAL: noop("normal"),
    Determination.ADVANCED: noop("advanced"),
    Determination.INDETERMINATE: noop("indeterminate: the interval holds a limit of normal"),
    Determination.UNKNOWN: noop("unknown"),
}
CATEGORIES: Mapping[Category, str] = {
    Category.AVERAGE: noop("average children"),
    Category.ACCELERATED: noop("accelerated children"),
    Category.DELAYED: noop("delayed children"),
}
TABLES = (
    noop("Brush Foundation children, Greulich and Pyle 1959"),
    noop("Bayley and Pinneau 1952"),
)
"""As the clinical findings name them."""
REGIONS: Mapping[str, str] = {
    "whole_hand": noop("whole hand"),
    "carpal": noop("carpal"),
    "metacarpal": noop("metacarpal"),
    "phalanx": noop("phalanx"),
}


def finding_sentence(finding: Finding, words: Words) -> str:
    """Say a finding, its severity first."""
    severity = words.gettext(SEVERITIES[finding.severity])
    return f"{severity}: {_told(OF_FILMS, finding.code, finding.message, words)}"


def reason_sentence(reason: NotDefined, words: Words) -> str:
    """Say why something is not defined."""
    sentence = _told(NOT_DEFINED, reason.code, reason.message, words)
    return sentence[:1].upper() + sentence[1:].rstrip(".") + "."


def region_name(region: str, words: Words) -> str:
    """Name a region, or the whole hand."""
    return words.gettext(REGIONS[region]) if region in REGIONS else region


def _told(known: Mapping[str, str], code: str, message: str, words: Words) -> str:
    """Translate by code; what is not known stays the program's own sentence."""
    if words.language == ENGLISH or code not in known:
        return message
    return words.gettext(message if message in OTHER_KINDS else known[code])
