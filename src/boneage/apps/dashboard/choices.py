"""The choices for an image before it is analysed, and what prevents the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from boneage.apps.dashboard.uploads import UploadedImage
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex


@dataclass(frozen=True)
class Choice:
    """The standard to assess an image by, and the child's age and height if known."""

    sex: Sex | None
    chronological_age_months: float | None = None
    problem: str = ""
    """Why the age given is invalid; empty: it is not."""
    height_cm: float | None = None
    """Current standing height."""

    @property
    def child(self) -> Child:
        """The child's data."""
        return Child(self.chronological_age_months, height_cm=self.height_cm)


def age_in_months(years: int | None, months: int | None) -> float | None:
    """Months from whole years and months; None when neither is given."""
    if years is None and months is None:
        return None
    return 12.0 * (years or 0) + (months or 0)


def sex_mismatch(image: UploadedImage, choice: Choice) -> str:
    """A warning where the image states the other sex; else empty."""
    stated = image.metadata.sex
    if stated is None or choice.sex is None or stated is choice.sex:
        return ""
    return (
        f"The file states {stated}, but {choice.sex} was chosen. "
        "The standards differ by sex: check which is right."
    )


def blocking_reason(
    images: Sequence[UploadedImage], choices: Mapping[str, Choice], weights_problem: str
) -> str:
    """Why the images cannot be analysed yet; empty when they can."""
    if weights_problem:
        return "No model is available."
    if not images:
        return "Add a radiograph first."
    without = [image for image in images if choices[image.key].sex is None]
    if without:
        return f"Choose the sex{_of(without, images)}."
    wrong = [image for image in images if choices[image.key].problem]
    if wrong:
        return f"Correct the age{_of(wrong, images)}."
    return ""


def _of(some: Sequence[UploadedImage], images: Sequence[UploadedImage]) -> str:
    if len(images) == 1:
        return ""
    others = len(some) - 1
    more = f" and {others} other{'s' * (others > 1)}" if others else ""
    return f" for {some[0].name}{more}"
