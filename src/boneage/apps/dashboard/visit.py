"""What one visitor has on the page. Another visitor has another visit; nothing is on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import streamlit as st

from boneage.apps.dashboard.answers import Answer
from boneage.apps.dashboard.choices import Choice
from boneage.apps.dashboard.documents import Order
from boneage.apps.dashboard.films import Film, Refusal, admit
from boneage.domain.assessment import Failure
from boneage.errors import BoneageError
from boneage.inference.assessor import Assessor

File = tuple[str, str, Callable[[], bytes]]
"""Key, name, and what gives the bytes."""


@dataclass(frozen=True, eq=False)
class Asked:
    """That a film is to be read."""

    choice: Choice
    force: bool = False
    """Even when it is refused."""


@dataclass(frozen=True, eq=False)
class Kept:
    """What became of an answer that was to be kept in the history."""

    answer: Answer
    message: str
    failed: bool = False


@dataclass
class Visit:
    """The films of one browser tab, their answers, and what was asked for.

    Streamlit breaks off a redraw of the page when its visitor touches anything else, and tells
    the next redraw nothing of a button that was clicked before. What a click asked for is
    therefore noted here by the click itself, before the redraw, and kept until it is done.
    """

    with_example: bool = False
    admitted: dict[str, Film | Refusal] = field(default_factory=dict)
    answers: dict[str, tuple[Choice, Answer | Failure]] = field(default_factory=dict)
    all_wanted: bool = False
    """That every film is to be read, by what is then chosen for it."""
    to_read: dict[str, Asked] = field(default_factory=dict)
    order: Order | None = None
    kept: Kept | None = None
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
        kept = {key: (name, data) for key, name, data in files}
        for key in set(self.admitted) - set(kept):
            del self.admitted[key]
            self._forget(key)
        for key, (name, data) in kept.items():
            if key not in self.admitted:
                self.admitted[key] = admit(key, name, data())

    def _forget(self, key: str) -> None:
        self.answers.pop(key, None)
        self.to_read.pop(key, None)
        if self.order is not None and self.order.answer.film.key == key:
            self.order = None
        if self.kept is not None and self.kept.answer.film.key == key:
            self.kept = None

    def add_example(self) -> None:
        """Note that the synthetic example is wanted."""
        self.with_example = True

    def want_all(self) -> None:
        """Note that every film is to be read."""
        self.all_wanted = True

    def ask_all_wanted(self, choices: Mapping[str, Choice], *, possible: bool) -> None:
        """Ask for every film if that was wanted; forget it where it has become impossible."""
        if self.all_wanted and possible:
            for film in self.films:
                self.ask(film, choices[film.key])
        self.all_wanted = False

    def ask(self, film: Film, choice: Choice, *, force: bool = False) -> None:
        """Note that a film is to be read by a choice."""
        self.to_read[film.key] = Asked(choice, force)

    def still_to_read(self, choices: Mapping[str, Choice]) -> list[tuple[Film, Asked]]:
        """Give what is to be read; what was chosen otherwise since then is not."""
        for key, asked in list(self.to_read.items()):
            if choices.get(key) != asked.choice:
                self.to_read.pop(key, None)
        return [(film, self.to_read[film.key]) for film in self.films if film.key in self.to_read]

    def settle(self, film: Film, asked: Asked, found: Answer | Failure) -> None:
        """Keep an answer, unless a redraw that was not broken off came before."""
        if self.to_read.get(film.key) is asked:
            self.answers[film.key] = asked.choice, found
            self.to_read.pop(film.key, None)

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
