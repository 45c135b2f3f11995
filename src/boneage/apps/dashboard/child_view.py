"""What the answer means for the child: growth, adult height, standards, and the chart."""

from __future__ import annotations

import streamlit as st

from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.keeping import offer_to_keep
from boneage.apps.dashboard.markup import labelled
from boneage.clinical.growth import GrowthChart, GrowthPoint, growth_chart
from boneage.domain.assessment import Assessment
from boneage.reports.growth_svg import description, growth_svg
from boneage.reports.wording import clinical_entries


def show_child(answer: Answer) -> None:
    """Draw what follows from the bone age; the chart where the age is known."""
    assessment = answer.assessment
    if assessment.clinical is None:
        return
    chart = chart_of_answer(assessment)
    words, drawing = st.columns([1, 1.35], gap="large")
    with words:
        st.header("What it means for the child")
        st.html(labelled(clinical_entries(assessment.clinical)))
        if chart is None:
            st.caption("With the age of the child: difference, SDS, normal range, growth chart.")
        offer_to_keep(answer)
    if chart is not None:
        # As a picture: Streamlit takes drawings out of its HTML.
        drawing.image(growth_svg(chart), alt=description(chart), width="stretch")


def chart_of_answer(assessment: Assessment) -> GrowthChart | None:
    """Chart one answer; None where the chronological age is not known."""
    age, interval = assessment.chronological_age_months, assessment.interval
    if age is None or assessment.clinical is None:
        return None
    point = GrowthPoint(
        age,
        assessment.age_months,
        interval.low_months if interval else None,
        interval.high_months if interval else None,
    )
    return growth_chart(assessment.sex, [point], assessment.clinical.context.centre)
