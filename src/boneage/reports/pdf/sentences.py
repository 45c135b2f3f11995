"""What findings say, in other languages than English.

The program's own sentences quote values and are English; a translation has
the sentence of the same code, without the values, or the sentence itself where
several without values have one code.
"""

from __future__ import annotations

from collections.abc import Mapping

from boneage.domain.assessment import Finding, Severity
from boneage.domain.clinical_findings import Category, Determination, NotDefined
from boneage.i18n.words import ENGLISH, Words, noop

OF_FILMS: Mapping[str, str] = {
    "not_a_hand": noop("It does not look like a film of one whole hand."),
    "part_of_a_hand": noop("It does not show one whole hand with its wrist, straight from above."),
    "several_hands": noop("It shows hands that are not one child's left and right hand."),
    "both_hands": noop(
        "The image shows both hands: the left one, by the side of its thumb, was analysed."
    ),
    "hands_differ": noop(
        "The two hands are less alike than one child's usually are; make sure of it."
    ),
    "unlike": noop("It is unlike every film that the program was trained on."),
    "unsure_hand": noop("It may not show one whole hand, flat and straight from above; make sure."),
    "rather_unlike": noop(
        "It is unlike most films that the program was trained on; the answer is less sure."
    ),
    "no_contrast": noop("It has next to no grey levels: nothing can be seen."),
    "low_contrast": noop("It has few grey levels; the answer is less certain."),
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
    "tilted": noop("The hand is tilted; upright, the answer is more certain."),
    "tilt_corrected": noop("The hand was tilted: the image was turned back before analysis."),
    "looks_right": noop(
        "It looks like a right hand, or mirrored; the standards are of left hands."
    ),
    "framed": noop("Border removed: only what lies inside it was analysed."),
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
    "stored_values": noop(
        "The pixel values are stored in another way than the file states; "
        "they were read as they are."
    ),
    "stored_values_doubtful": noop(
        "Neighbouring pixels jump between black and white, as where pixel values are read "
        "wrongly; compare the image with what a viewer shows."
    ),
    "padding_not_stated": noop(
        "A border of one value, far from all others, was taken for padding."
    ),
    "window_ignored": noop(
        "The stated window or VOI lookup table makes most of the image black or white; "
        "all of its values were shown."
    ),
    "presentation_doubtful": noop(
        "How its grey levels are to be presented is stated in a way that is not read, or that "
        "contradicts itself; compare the image with what a viewer shows."
    ),
    "stray_pixels": noop(
        "A few pixels far from the values of all others, as of a detector's faults, were given "
        "the grey of what lies around them."
    ),
    "shutter_ignored": noop(
        "A shutter is stated that leaves next to nothing of the image; it was not applied."
    ),
    "pixel_shape_contradictory": noop(
        "The image states the shape of its pixels in two places that contradict each other; "
        "one was followed."
    ),
    "grey_curve_applied": noop(
        "The file states a grey-level curve; its grey levels were converted to those of a display."
    ),
    "grey_curve_ignored": noop(
        "The file states a grey-level curve that was not applied: its grey levels may differ "
        "from those that a viewer shows."
    ),
    "sides_differ": noop(
        "The image states one hand in one place, and the other or both in another; "
        "make sure that it is the left one."
    ),
    "side_not_understood": noop(
        "The image states its laterality in a word that is not understood; "
        "make sure that it is a left hand."
    ),
    "other_sex": noop("The image states another sex than male or female."),
    "sex_not_understood": noop(
        "The image states a sex that is not understood; make sure of the child's sex."
    ),
    "date_not_understood": noop(
        "The image states a birth date or a study date that is not understood, and was not used."
    ),
    "time_not_understood": noop(
        "The image states a study time that is not understood; it is left out of answers."
    ),
    "age_not_understood": noop(
        "The image states a patient age that is not understood, and was not used."
    ),
    "placeholder_age": noop(
        "The age, or a date that it would follow from, stands in for an unknown one, "
        "and was not used."
    ),
    "birth_after_study": noop(
        "The image states a birth date after its study date, so that they give no age."
    ),
    "ages_differ": noop(
        "The image states an age that is not the one by its dates, which was taken; "
        "make sure which is right."
    ),
    "unlikely_age": noop(
        "The chronological age is far below the bone age; "
        "make sure that it is right, and that no years were given as months."
    ),
    "study_date_elsewhere": noop("The image states no study date; another of its dates was taken."),
    "several_values": noop(
        "The image states several values where one is meant: of its pixels and their display "
        "the first was used, of anything else none."
    ),
    "more_follows": noop("Behind the image the file goes on with another one, which was not read."),
    "skipped_elements": noop("Some of what the file states could not be read, and was left out."),
    "other_transfer_syntax": noop(
        "The file is not written in the transfer syntax that it states; "
        "it was read as it is written."
    ),
}
"""By code, and without the values: for every code that a finding of the program can have."""
OTHER_KINDS = (
    noop("It looks like a film of a chest, not of a hand."),
    noop("It looks like a film of another part of the body, not of a hand."),
    noop("It looks like a CT, MR, ultrasound or microscope image, not like a film."),
    noop("It looks like a photograph, not like a radiograph."),
    noop("It looks like a drawing, a screenshot or a text, not like a radiograph."),
    noop("It shows more than one hand, or several films in one."),
)
"""What :data:`boneage.quality.suitability.OTHER_KINDS` says, several under one code."""
OTHER_HANDS = (
    noop("It shows two hands of the same side, which are not one child's left and right hand."),
    noop("The image is marked as one of both hands; the standards are of left hands."),
    noop("The file states a right hand, but the image shows both; the left one was analysed."),
    noop("In one place the image is said to be of a right hand; the standards are of left hands."),
    noop(
        "The image is described as one of a right hand, or of both; "
        "the standards are of left hands."
    ),
)
"""Likewise what is said of hands, under ``"several_hands"`` and ``"right_hand"``."""
NOT_DEFINED: Mapping[str, str] = {
    "no_age": noop("The chronological age is not known."),
    "birth_after_study": noop("The film states a birth date after its study date."),
    "placeholder_age": noop("The film states an age or dates that stand in for unknown ones."),
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
    return words.gettext(message if message in {*OTHER_KINDS, *OTHER_HANDS} else known[code])
