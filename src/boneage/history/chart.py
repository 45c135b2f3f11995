"""The growth chart of what is kept of a person."""

from __future__ import annotations

from collections.abc import Sequence

from boneage.clinical.growth import GrowthChart, GrowthPoint, growth_chart
from boneage.domain.clinical_findings import Centre
from boneage.errors import HistoryError
from boneage.history.entry import Entry


def chart_of(entries: Sequence[Entry], centre: Centre = Centre.CHRONOLOGICAL_AGE) -> GrowthChart:
    """Chart the entries of one person; those without chronological age have no place in it.

    Raises
    ------
    HistoryError
        When there is no entry.
    """
    if not entries:
        raise HistoryError("nothing is kept of this person")
    points = [
        GrowthPoint(
            entry.chronological_age_months,
            entry.bone_age_months,
            entry.interval_low_months,
            entry.interval_high_months,
        )
        for entry in entries
        if entry.chronological_age_months is not None
    ]
    return growth_chart(entries[0].sex, points, centre)
