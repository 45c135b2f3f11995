"""What one visitor has on the page. Another visitor has another visit; nothing is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import streamlit as st

from boneage.assessment import Failure
from boneage.assessor import Assessor
from boneage.dashboard.answers import Answer
from boneage.dashboard.choices import Choice
from boneage.dashboard.films import Film, Refusal, admit
from boneage.errors import BoneageError

File = tuple[str, str, Callable[[], bytes]]
"""Key, name, and what gives the bytes."""


@dataclass
class Visit:
    """The films of one browser tab, and their answers."""

    with_example: bool = False
    admitted: dict[str, Film | Refusal] = field(default_factory=dict)
    answers: dict[str, tuple[Choice, Answer | Failure]] = field(default_factory=dict)

    @classmethod
    def current(cls) -> Visit:
        """Give the visit that the page is drawn for."""
        if "visit" not in st.session_state:
            st.session_state["visit"] = cls()
        visit: Visit = st.session_state["visit"]
        return visit

    def admit(self, files: Iterable[File]) -> None:
        """Validate what is new, and forget what was taken away."""
        kept = {key: (name, data) for key, name, data in files}
        for key in set(self.admitted) - set(kept):
            del self.admitted[key]
            self.answers.pop(key, None)
        for key, (name, data) in kept.items():
            if key not in self.admitted:
                self.admitted[key] = admit(key, name, data())

    @property
    def films(self) -> list[Film]:
        """The films that can be read, as they were added."""
        return [film for film in self.admitted.values() if isinstance(film, Film)]

    @property
    def refusals(self) -> list[Refusal]:
        """The files that cannot."""
        return [file for file in self.admitted.values() if isinstance(file, Refusal)]

    def answer_to(self, film: Film, choice: Choice) -> Answer | Failure | None:
        """Give the answer to a film; None when there is none by this choice."""
        chosen, answer = self.answers.get(film.key, (None, None))
        return answer if chosen == choice else None


@st.cache_resource(show_spinner=False)
def _opened() -> Assessor:
    opened = Assessor()
    for network in opened.weights.manifest.networks:
        opened.weights.session(network)  # now, so that the first film does not wait
    return opened


def assessor() -> Assessor:
    """Give the Assessor that all visits share; it keeps nothing of a film."""
    return _opened()


def weights_problem() -> str:
    """Say why the weights, or the calibration, cannot be read with; empty when they can."""
    try:
        _opened()
    except BoneageError as error:
        return f"{str(error)[:1].upper()}{str(error)[1:]}."
    return ""
