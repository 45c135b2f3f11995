"""What the catalogues translate by code, for the messages of the program quote values.

The translation of a code has no values. Where several messages without values share one code,
they are translated by their own texts.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path

import boneage
from boneage.clinical.standards import maturity_phases
from boneage.quality import checks

_FINDINGS = """
not_a_hand part_of_a_hand several_hands both_hands hands_differ unlike unsure_hand rather_unlike
no_contrast low_contrast noisy blurred saturated low_resolution burnt_in_text turned inverted
tilted tilt_corrected looks_right right_marker mirrored_marker thumb_left framed right_hand
other_body_part other_modality
burned_in_annotation adult end_of_scale in_colour sex_differs no_attention stored_values
stored_values_doubtful padding_not_stated window_ignored presentation_doubtful stray_pixels
shutter_ignored pixel_shape_contradictory grey_curve_applied grey_curve_ignored sides_differ
side_not_understood other_sex sex_not_understood date_not_understood time_not_understood
age_not_understood placeholder_age birth_after_study ages_differ unlikely_age
bone_age_falls bone_ages_differ height_falls heights_differ
sex_changes image_saved_twice mature wide_interval synthetic metal
study_date_elsewhere several_values more_follows skipped_elements
other_transfer_syntax
"""
_NOT_DEFINED = """
no_age birth_after_study placeholder_age no_study_date adult outside_brush
outside_bayley_pinneau no_prediction_error interval_outside outside_height_reference
outside_reference short_interval
"""
_FILES = """
animated colour constant damaged empty no_pixels not_an_image not_finite several_frames
several_pages too_large too_many_bytes too_small truncated unreadable unsupported_compression
unsupported_format unsupported_pixels unexpected table archive empty_archive sex age height weights
"""
_ADVICE = Path(boneage.__file__).parent / "apps" / "dashboard" / "advice.toml"
CODES: Mapping[str, tuple[str, ...]] = {
    "file": tuple(_FILES.split()),
    "advice": tuple(tomllib.loads(_ADVICE.read_text("utf-8"))),
    "finding": tuple(_FINDINGS.split()),
    "not defined": tuple(_NOT_DEFINED.split()),
    "phase": tuple(phase.name for phase in maturity_phases()),
}
"""By the context that :meth:`boneage.i18n.words.Words.by_code` is given."""
OTHER_KINDS = tuple(text for kind, text in checks.OTHER_KINDS.items() if kind != "part")
"""The messages of ``"not_a_hand"`` and ``"several_hands"``."""
OTHER_HANDS = (
    "The image shows two hands of the same side, not the left and right hand of one child.",
    "The image is marked as one of both hands; the standards apply to left hands.",
    "The file states a right hand, but the image shows both; the left one was analysed.",
    "One element of the file states a right hand; the standards apply to left hands.",
    "The image is described as one of a right hand or of both hands; the standards apply to left "
    "hands.",
)
"""The messages of ``"several_hands"`` and ``"right_hand"``."""
