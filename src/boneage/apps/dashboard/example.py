"""The film to try the dashboard on: drawn, nobody's."""

from __future__ import annotations

from io import BytesIO

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from boneage.synthetic.saving import write_dicom

NAME = "synthetic_hand_girl_10y.dcm"
AGE_MONTHS = 120


def example_film() -> bytes:
    """Draw the example, as a DICOM file that states its sex and dates."""
    file = BytesIO()
    write_dicom(draw(AGE_MONTHS, Sex.FEMALE), file)
    return file.getvalue()
