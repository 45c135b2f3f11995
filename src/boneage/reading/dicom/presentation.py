"""From what a VOI shows to what a viewer presents: inversion, and presentation tables.

PS3.3, C.11.4 and C.11.6: the last step, after which 0 is black.
"""

from __future__ import annotations

import numpy as np
from pydicom.dataset import Dataset

from boneage.domain.findings import Finding, Severity
from boneage.reading.dicom.functional_groups import first_item
from boneage.reading.dicom.grey_scale import Values
from boneage.reading.dicom.lookup_table import LookupTable
from boneage.reading.dicom.parsing import text_of

SHAPES = frozenset(("IDENTITY", "INVERSE"))
FEWEST_ENTRIES = 2


def is_inverse(dataset: Dataset, photometric: str) -> bool:
    """Whether low values are white. DX films say so twice, and are inverted once."""
    return photometric == "MONOCHROME1" or _shape(dataset) == "INVERSE"


def presented(
    greys: Values, dataset: Dataset, photometric: str
) -> tuple[Values, tuple[Finding, ...]]:
    """Present greys, 0 to 1, as the dataset says.

    A table says itself what is black. Where it does not fall, though the image's low values
    are said to be white, both are followed, with a warning: one of them is wrong.
    """
    table, garbled = _table(dataset)
    if table is None:
        notes = []
        if garbled:
            notes.append(_warning("A presentation lookup table is stated that cannot be read"))
        elif _shape(dataset) not in SHAPES | {""}:
            notes.append(
                _warning("The presentation of the grey levels is stated in a way that is not read")
            )
        return (1 - greys if is_inverse(dataset, photometric) else greys), tuple(notes)
    curve = table.entries / table.white
    inverse = photometric == "MONOCHROME1" and curve[-1] > curve[0]
    places = np.linspace(0.0, 1.0, len(curve))
    shown = np.interp(1 - greys if inverse else greys, places, curve)
    if not inverse:
        return shown, ()
    return shown, (
        _warning(
            "Low values are stated to be white, and a presentation lookup table leaves them dark"
        ),
    )


def _shape(dataset: Dataset) -> str:
    return (text_of(dataset, "PresentationLUTShape") or "").upper()


def _table(dataset: Dataset) -> tuple[LookupTable | None, bool]:
    """Give the table, and whether one is there that cannot be read."""
    item = first_item(dataset, "PresentationLUTSequence")
    if not len(item):
        return None, False
    try:
        table = LookupTable.of(item)
    except Exception:  # a garbled table is no table
        table = None
    if table is None or not table.whole or len(table.entries) < FEWEST_ENTRIES:
        return None, True
    return table, False


def _warning(what: str) -> Finding:
    return Finding(
        "presentation_doubtful",
        Severity.WARNING,
        f"{what}; compare the image with what a viewer shows",
    )
