"""What one visitor has on the page. Another visitor has another visit; nothing is on disk."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import streamlit as st

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome
from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.downloads import ExportOrder
from boneage.apps.dashboard.uploads import RejectedFile, UploadedImage, admit
from boneage.errors import BoneageError
from boneage.history import HISTORY_VARIABLE
from boneage.inference.assessor import Assessor

File: TypeAlias = tuple[str, str, Callable[[], bytes]]
"""Key, name, and what gives the bytes."""


@dataclass(frozen=True, eq=False)
class AnalysisRequest:
    """That an image is to be analysed."""

    choice: Choice
    force: bool = False
    """Even when it fails the quality check."""


@dataclass(frozen=True, eq=False)
class SaveMessage:
    """What became of an assessment that was to be saved to the history."""

    analysed: AnalysedImage
    message: str
    failed: bool = False


@dataclass
class Visit:
    """The images of one browser tab, their assessments, and what was asked for.

    Streamlit breaks off a redraw of the page when its visitor touches anything else, and tells
    the next redraw nothing of a button that was clicked before. What a click asked for is
    therefore noted here by the click itself, before the redraw, and kept until it is done.
    """

    with_example: bool = False
    admitted: dict[str, UploadedImage | RejectedFile] = field(default_factory=dict)
    outcomes: dict[str, tuple[Choice, Outcome]] = field(default_factory=dict)
    all_wanted: bool = False
    """That every image is to be analysed, by what is then chosen for it."""
    requests: dict[str, AnalysisRequest] = field(default_factory=dict)
    order: ExportOrder | None = None
    saved: SaveMessage | None = None
    to_delete: str | None = None
    """The pseudonym of a child whose history is to be deleted."""

    @classmethod
    def current(cls) -> Visit:
        """Give the visit that the page is drawn for."""
        if "visit" not in st.session_state:
            st.session_state["visit"] = cls()
        visit: Visit = st.session_state["visit"]
        return visit

    def admit(self, files: Iterable[File]) -> None:
        """Validate what is new, and forget what was taken away."""
        given = {key: (name, data) for key, name, data in files}
        for key in set(self.admitted) - set(given):
            del self.admitted[key]
            self._forget(key)
        for key, (name, data) in given.items():
            if key not in self.admitted:
                self.admitted[key] = admit(key, name, data())

    def _forget(self, key: str) -> None:
        self.outcomes.pop(key, None)
        self.requests.pop(key, None)
        if self.order is not None and self.order.analysed.image.key == key:
            self.order = None
        if self.saved is not None and self.saved.analysed.image.key == key:
            self.saved = None

    def add_example(self) -> None:
        """Note that the synthetic example is wanted."""
        self.with_example = True

    def want_all(self) -> None:
        """Note that every image is to be analysed."""
        self.all_wanted = True

    def request_all_wanted(self, choices: Mapping[str, Choice], *, possible: bool) -> None:
        """Request every image if that was wanted; forget it where it has become impossible."""
        if self.all_wanted and possible:
            for image in self.images:
                self.request(image, choices[image.key])
        self.all_wanted = False

    def request(self, image: UploadedImage, choice: Choice, *, force: bool = False) -> None:
        """Note that an image is to be analysed by a choice."""
        self.requests[image.key] = AnalysisRequest(choice, force)

    def waiting(self, choices: Mapping[str, Choice]) -> list[tuple[UploadedImage, AnalysisRequest]]:
        """Give what is to be analysed; what was chosen otherwise since then is not."""
        for key, request in list(self.requests.items()):
            if choices.get(key) != request.choice:
                self.requests.pop(key, None)
        images = [image for image in self.images if image.key in self.requests]
        return [(image, self.requests[image.key]) for image in images]

    def settle(self, image: UploadedImage, request: AnalysisRequest, outcome: Outcome) -> None:
        """Keep an outcome, unless a redraw that was not broken off came before."""
        if self.requests.get(image.key) is request:
            self.outcomes[image.key] = request.choice, outcome
            self.requests.pop(image.key, None)

    @property
    def images(self) -> list[UploadedImage]:
        """The images that can be analysed, as they were added."""
        return [image for image in self.admitted.values() if isinstance(image, UploadedImage)]

    @property
    def rejected(self) -> list[RejectedFile]:
        """The files that cannot."""
        return [file for file in self.admitted.values() if isinstance(file, RejectedFile)]

    def outcome_of(self, image: UploadedImage, choice: Choice) -> Outcome | None:
        """Give the outcome of an image; None when there is none by this choice."""
        chosen, outcome = self.outcomes.get(image.key, (None, None))
        return outcome if chosen == choice else None


@st.cache_resource(show_spinner=False)
def assessor() -> Assessor:
    """Give the Assessor that all visits share; it keeps nothing of an image."""
    opened = Assessor()
    for network in opened.weights.manifest.networks:
        opened.weights.session(network)  # now, so that the first image does not wait
    return opened


def weights_problem() -> str:
    """Why the weights, or the calibration, cannot be used; empty when they can."""
    try:
        assessor()
    except BoneageError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""


def history_place() -> str | None:
    """Give the file or URL of the history; None where the dashboard was started without one."""
    return os.environ.get(HISTORY_VARIABLE) or None
