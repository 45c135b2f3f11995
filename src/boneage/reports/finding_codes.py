"""Codes whose messages the catalogues translate, for these messages quote values.

The translation of a code has no values. Where several messages without values share one
code, they are translated by their own texts.
"""

from __future__ import annotations

from collections.abc import Mapping

from boneage.i18n.words import noop

_FINDINGS = """
not_a_hand part_of_a_hand several_hands both_hands hands_differ unlike unsure_hand rather_unlike
no_contrast low_contrast noisy blurred saturated low_resolution burnt_in_text turned inverted
tilted tilt_corrected looks_right framed right_hand other_body_part other_modality
burned_in_annotation adult end_of_scale in_colour sex_differs no_attention stored_values
stored_values_doubtful padding_not_stated window_ignored presentation_doubtful stray_pixels
shutter_ignored pixel_shape_contradictory grey_curve_applied grey_curve_ignored sides_differ
side_not_understood other_sex sex_not_understood date_not_understood time_not_understood
age_not_understood placeholder_age birth_after_study ages_differ unlikely_age
study_date_elsewhere several_values more_follows skipped_elements other_transfer_syntax
"""
_NOT_DEFINED = """
no_age birth_after_study placeholder_age no_study_date adult outside_brush
outside_bayley_pinneau no_prediction_error interval_outside
"""
CODES: Mapping[str, tuple[str, ...]] = {
    "finding": tuple(_FINDINGS.split()),
    "not defined": tuple(_NOT_DEFINED.split()),
}
"""By the context that :meth:`boneage.i18n.words.Words.by_code` is given."""
OTHER_KINDS = (
    noop("It looks like a film of a chest, not of a hand."),
    noop("It looks like a film of another part of the body, not of a hand."),
    noop("It looks like a CT, MR, ultrasound or microscope image, not like a film."),
    noop("It looks like a photograph, not like a radiograph."),
    noop("It looks like a drawing, a screenshot or a text, not like a radiograph."),
    noop("It shows more than one hand, or several films in one."),
)
"""The messages of :data:`boneage.quality.suitability.OTHER_KINDS`."""
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
"""The messages of ``"several_hands"`` and ``"right_hand"``."""
