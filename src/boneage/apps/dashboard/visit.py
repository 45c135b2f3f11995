"""The state of one browser tab: its worklist, in memory alone; analyses go on beside the page."""

from __future__ import annotations

import gc
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from weakref import WeakValueDictionary, ref

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome, analyse_image
from boneage.apps.dashboard.downloads import ExportRequest
from boneage.apps.dashboard.entry import Entry, Job, Status
from boneage.apps.dashboard.identity import SamePatient, same_patients
from boneage.apps.dashboard.memory import return_memory
from boneage.apps.dashboard.pictures import forget_decoded
from boneage.apps.dashboard.uploads import CaseTable, RejectedFile, Uploaded
from boneage.domain.assessment import Failure
from boneage.errors import BoneageError, WeightsError
from boneage.history import HISTORY_VARIABLE
from boneage.inference.assessor import Assessor
from boneage.inference.session import failure_of

WORKERS = max(1, min(4, (os.cpu_count() or 1) // 2))
_pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="boneage-dashboard")


@dataclass(frozen=True)
class Note:
    """A message of the page that stays until it is closed."""

    text: str
    failed: bool = False


_visits: WeakValueDictionary[str, Visit] = WeakValueDictionary()


@dataclass(eq=False)
class Visit:
    """The worklist of one browser tab, and pending requests.

    Streamlit aborts a rerun of the page when its visitor clicks anything else, and the next
    rerun does not see the earlier click. So the callback of a click stores its request here.
    """

    entries: dict[str, Entry] = field(default_factory=dict)
    rejected: dict[str, RejectedFile] = field(default_factory=dict)
    tables: list[CaseTable] = field(default_factory=list)
    uploader: int = 0
    """The number of the field for files, which is emptied when they are taken in."""
    opened: str = ""
    """Key of the image that is shown."""
    last_event: int = 0
    """Number of the last event of the worklist that was handled."""
    export: ExportRequest | None = None
    notes: list[Note] = field(default_factory=list)
    deletion: tuple[str, int | None] | None = None
    """The pseudonym of a child whose history is to be deleted."""
    history_problem: str = ""
    """Why the last change of the history was not saved."""
    name: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    """In the address that ends it; it cannot be guessed."""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def current(cls) -> Visit:
        """The visit of the present page."""
        if "visit" not in st.session_state:
            st.session_state["visit"] = new = cls()
            _visits[new.name] = new
        visit: Visit = st.session_state["visit"]
        return visit

    def take(self, uploaded: Iterable[Uploaded]) -> None:
        """Take in what was uploaded; tables fill in what they state of images, also of later ones.

        An image without a sex of its own stays in the list until one is chosen.
        """
        for one in uploaded:
            if isinstance(one, CaseTable):
                self.tables.append(one)
                for entry in self.entries.values():
                    self._fill(entry, one)
            elif isinstance(one, RejectedFile):
                self.rejected[one.key] = one
            else:
                entry = self.entries[one.key] = Entry(one, one.metadata.sex)
                _pool.submit(one.held.pack)
                for table in self.tables:
                    self._fill(entry, table)
        if self.opened not in self.entries:
            self.open(next(iter(self.entries), ""))

    @staticmethod
    def _fill(entry: Entry, table: CaseTable) -> None:
        case = table.case_of(entry.image.name)
        if case is not None:
            entry.fill(case)

    def open(self, key: str) -> None:
        """Show an image."""
        self.opened = key
        entry = self.entries.get(key)
        if entry is not None and entry.opened_at is None:
            entry.opened_at = time.monotonic()

    @property
    def opened_entry(self) -> Entry | None:
        """The image that is shown."""
        return self.entries.get(self.opened)

    def remove(self, keys: Iterable[str]) -> None:
        """Take images off the list, and everything that was made of them."""
        order = list(self.entries)
        place = order.index(self.opened) if self.opened in self.entries else 0
        for key in keys:
            self.rejected.pop(key, None)
            self.entries.pop(key, None)
            if self.export is not None and self.export.key == key:
                self.export = None
        if self.opened not in self.entries:
            left = list(self.entries)
            self.open(left[min(place, len(left) - 1)] if left else "")

    def ready(self, keys: Iterable[str] | None = None) -> list[Entry]:
        """The images that can be analysed now; those that were are left alone."""
        chosen = self.entries if keys is None else keys
        entries = [self.entries[key] for key in chosen if key in self.entries]
        return [entry for entry in entries if entry.status is Status.READY]

    def analyse(self, entries: Iterable[Entry], assessor: Assessor, *, force: bool = False) -> None:
        """Analyse images beside the page, one after the other."""
        here = ref(self)
        for entry in entries:
            entry.job = job = Job(entry.choice, force)
            entry.outcome = None
            _pool.submit(_work, here, entry, job, assessor)

    @property
    def is_busy(self) -> bool:
        """Whether an analysis is to come."""
        return any(entry.job is not None for entry in self.entries.values())

    def done(self, entry: Entry, job: Job, outcome: Outcome) -> None:
        """Store an outcome, unless the image was taken off the list, or is analysed anew."""
        with self._lock:
            if entry.job is not job:
                return
            entry.job, entry.outcome = None, outcome
            entry.version += 1
            if isinstance(outcome, AnalysedImage) and entry.choice != job.choice:
                entry.interpret_again()

    def patients(self) -> Mapping[str, SamePatient]:
        """The images that state one patient, by their keys."""
        images = [entry.image for entry in self.entries.values()]
        return same_patients([(image.key, image.header, image.metadata) for image in images])

    def shown_outcomes(self, *, hidden: bool) -> list[Outcome]:
        """Every outcome that there is, in the order of the images, as the reader states it.

        ``hidden``: without those that the reader has to read first.
        """
        found: list[Outcome] = []
        for entry in self.entries.values():
            if isinstance(entry.outcome, Failure):
                found.append(entry.outcome)
            elif entry.stated is not None and not (hidden and entry.own_reading is None):
                found.append(entry.stated)
        return found

    def end(self) -> None:
        """Give everything back: the tab was closed, and Streamlit may hold the visit for long."""
        self.remove([*self.entries, *self.rejected])
        self.tables.clear()

    def note(self, text: str, *, failed: bool = False) -> None:
        """Show a message until it is closed."""
        self.notes.append(Note(text, failed))

    def duplicates(self) -> Iterator[str]:
        """The keys of images whose file is in the list before them."""
        seen: set[str] = set()
        for entry in self.entries.values():
            if entry.image.digest in seen:
                yield entry.key
            seen.add(entry.image.digest)


def _work(visit: ref[Visit], entry: Entry, job: Job, assessor: Assessor) -> None:
    """Analyse an image in a thread, unless its visit has ended."""
    here = visit()
    if here is None or entry.job is not job or here.entries.get(entry.key) is not entry:
        return
    del here  # a closed tab is given back while its last image is analysed

    def show(step: str) -> None:
        job.step = step

    job.step = "…"
    outcome: Outcome
    try:
        outcome = analyse_image(assessor, entry.image, job.choice, show, force=job.force)
    except WeightsError as error:
        outcome = Failure(entry.image.name, "weights", str(error))
    except Exception as error:  # a thread has no caller
        outcome = failure_of(entry.image.name, error)
    here = visit()
    if here is not None:
        here.done(entry, job, outcome)


def _end(request: Request) -> Response:
    visit = _visits.get(request.path_params["name"])
    if visit is not None:
        visit.end()
        forget_decoded()
        gc.collect()
        return_memory()
    return Response(status_code=204)


ROUTES = [Route("/visit/{name}/end", _end, methods=["POST"])]


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
