"""The state of one browser tab: images, results and requests, in memory alone."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import streamlit as st

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome
from boneage.apps.dashboard.downloads import ExportRequest
from boneage.apps.dashboard.uploads import Choice, RejectedFile, UploadedImage, read_upload
from boneage.errors import BoneageError
from boneage.history import HISTORY_VARIABLE
from boneage.inference.assessor import Assessor

File: TypeAlias = tuple[str, str, Callable[[], bytes]]
"""Key, name, and a function that gives the bytes."""


@dataclass(frozen=True, eq=False)
class AnalysisRequest:
    """A request to analyse an image."""

    choice: Choice
    force: bool = False
    """Even when it fails the quality check."""


@dataclass(frozen=True, eq=False)
class SaveMessage:
    """The message after an assessment was, or could not be, saved to the history."""

    analysed: AnalysedImage
    message: str
    failed: bool = False


@dataclass
class Visit:
    """The images of one browser tab, their assessments, and pending requests.

    Streamlit aborts a rerun of the page when its visitor clicks anything else, and the next
    rerun does not see the earlier click. So the callback of a click stores its request here,
    before the rerun, until it is done.
    """

    with_example: bool = False
    uploads: dict[str, UploadedImage | RejectedFile] = field(default_factory=dict)
    outcomes: dict[str, tuple[Choice, Outcome]] = field(default_factory=dict)
    all_requested: bool = False
    """Whether every image is to be analysed, by the choices at the next rerun."""
    requests: dict[str, AnalysisRequest] = field(default_factory=dict)
    export: ExportRequest | None = None
    saved: SaveMessage | None = None
    pseudonym_to_delete: str | None = None
    history_problem: str = ""
    """Why the last change of the history was not saved."""
    """The pseudonym of a child whose history is to be deleted."""

    @classmethod
    def current(cls) -> Visit:
        """The visit of the present page."""
        if "visit" not in st.session_state:
            st.session_state["visit"] = cls()
        visit: Visit = st.session_state["visit"]
        return visit

    def update_uploads(self, files: Iterable[File]) -> None:
        """Read new files, and discard removed ones."""
        given = {key: (name, data) for key, name, data in files}
        for key in set(self.uploads) - set(given):
            del self.uploads[key]
            self._discard(key)
        for key, (name, data) in given.items():
            if key not in self.uploads:
                self.uploads[key] = read_upload(key, name, data())

    def _discard(self, key: str) -> None:
        self.outcomes.pop(key, None)
        self.requests.pop(key, None)
        if self.export is not None and self.export.analysed.image.key == key:
            self.export = None
        if self.saved is not None and self.saved.analysed.image.key == key:
            self.saved = None

    def add_example(self) -> None:
        """Add the synthetic example."""
        self.with_example = True

    def request_all(self) -> None:
        """Request the analysis of every image."""
        self.all_requested = True

    def queue_all_requested(self, choices: Mapping[str, Choice], *, possible: bool) -> None:
        """Queue every image if that was requested; drop the request where it is impossible."""
        if self.all_requested and possible:
            for image in self.images:
                self.request(image, choices[image.key])
        self.all_requested = False

    def request(self, image: UploadedImage, choice: Choice, *, force: bool = False) -> None:
        """Request the analysis of an image by a choice."""
        self.requests[image.key] = AnalysisRequest(choice, force)

    def pending(self, choices: Mapping[str, Choice]) -> list[tuple[UploadedImage, AnalysisRequest]]:
        """The pending requests; those whose choice has changed since are dropped."""
        for key, request in list(self.requests.items()):
            if choices.get(key) != request.choice:
                self.requests.pop(key, None)
        images = [image for image in self.images if image.key in self.requests]
        return [(image, self.requests[image.key]) for image in images]

    def record_outcome(
        self, image: UploadedImage, request: AnalysisRequest, outcome: Outcome
    ) -> None:
        """Store an outcome, unless another rerun has completed the request."""
        if self.requests.get(image.key) is request:
            self.outcomes[image.key] = request.choice, outcome
            self.requests.pop(image.key, None)

    @property
    def images(self) -> list[UploadedImage]:
        """The images that can be analysed, in order of upload."""
        return [image for image in self.uploads.values() if isinstance(image, UploadedImage)]

    @property
    def rejected(self) -> list[RejectedFile]:
        """The files that cannot be analysed."""
        return [file for file in self.uploads.values() if isinstance(file, RejectedFile)]

    def outcome_of(self, image: UploadedImage, choice: Choice) -> Outcome | None:
        """Give the outcome of an image; None when there is none by this choice."""
        chosen, outcome = self.outcomes.get(image.key, (None, None))
        return outcome if chosen == choice else None


@st.cache_resource(show_spinner=False)
def assessor() -> Assessor:
    """The Assessor that all visits share; it stores nothing of an image."""
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
    """The file or URL of the history; None where the dashboard was started without one."""
    return os.environ.get(HISTORY_VARIABLE) or None
