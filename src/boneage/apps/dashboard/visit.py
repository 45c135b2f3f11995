"""The state of one browser tab: its worklist, in memory alone; analyses go on beside the page."""

from __future__ import annotations

import gc
import os
import secrets
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from enum import StrEnum
from weakref import WeakValueDictionary, ref

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome, analyse_image
from boneage.apps.dashboard.downloads import ExportRequest
from boneage.apps.dashboard.identity import SamePatient, same_patients
from boneage.apps.dashboard.memory import return_memory
from boneage.apps.dashboard.pictures import forget_decoded, publish
from boneage.apps.dashboard.uploads import CaseTable, Choice, RejectedFile, Uploaded, UploadedImage
from boneage.clinical.interpreting import with_reading
from boneage.domain.ages import parse_age
from boneage.domain.assessment import Case, Failure
from boneage.domain.child import check_height, height_from_inches, parse_height
from boneage.domain.radiograph import Sex
from boneage.domain.reader import ReaderReading
from boneage.domain.reported import completed, reported
from boneage.errors import BoneageError, WeightsError
from boneage.history import HISTORY_VARIABLE
from boneage.inference.assessor import Assessor
from boneage.inference.session import failure_of

WORKERS = max(1, min(4, (os.cpu_count() or 1) // 2))
INCHES = ("in", '"', "″", "zoll", "inches")
_pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="boneage-dashboard")


class Status(StrEnum):
    """What becomes of an image."""

    REJECTED = "rejected"
    """The file cannot be read."""
    NO_SEX = "no_sex"
    INVALID = "invalid"
    """An age or a height is impossible."""
    READY = "ready"
    WAITING = "waiting"
    ANALYSING = "analysing"
    READ = "read"
    REFUSED = "refused"
    FAILED = "failed"


@dataclass(eq=False)
class Job:
    """One requested analysis."""

    choice: Choice
    force: bool
    step: str = ""
    """What is being done; empty: it waits."""


@dataclass(eq=False)
class Entry:
    """One image in the worklist, with what the visitor states about the child."""

    image: UploadedImage
    sex: Sex | None
    age: str = ""
    """As written; empty: as the file states it."""
    height: str = ""
    """As written, in centimetres unless it says inches."""
    pseudonym: str = ""
    problems: dict[str, str] = field(default_factory=dict)
    """Why what was written is impossible, by field."""
    outcome: Outcome | None = None
    job: Job | None = None
    version: int = 0
    """Of its pictures."""
    opened_at: float | None = None
    reading: ReaderReading | None = None
    """What the reader has decided."""
    own_reading: tuple[float, float] | None = None
    """The reader's own bone age, and the seconds it took."""
    problems_of_reading: str = ""
    """Why the reader's own bone age cannot be used."""
    saved_as: list[str] = field(default_factory=list)
    name: str = ""
    """In the address of its pictures."""

    def __post_init__(self) -> None:
        self.name = publish(self)

    @property
    def key(self) -> str:
        return self.image.key

    @property
    def analysed(self) -> AnalysedImage | None:
        """Its analysis; None: there is none."""
        return self.outcome if isinstance(self.outcome, AnalysedImage) else None

    @property
    def stated(self) -> AnalysedImage | None:
        """Its analysis as the reader states it; None: there is none, or the reader rejects it."""
        analysed, reading = self.analysed, self.reading
        if analysed is None or reading is None:
            return analysed
        if reading.bone_age_months is None:
            return None
        return replace(analysed, assessment=with_reading(analysed.assessment, reading))

    @property
    def status(self) -> Status:
        if self.job is not None:
            return Status.ANALYSING if self.job.step else Status.WAITING
        if self.problems:
            return Status.INVALID
        if isinstance(self.outcome, Failure):
            return Status.REFUSED if self.outcome.refused else Status.FAILED
        if self.analysed is not None:
            return Status.READ
        return Status.NO_SEX if self.sex is None else Status.READY

    @property
    def choice(self) -> Choice:
        """What to analyse by; what is impossible is left out."""
        age = None if "age" in self.problems or not self.age else parse_age(self.age)
        height = None if "height" in self.problems or not self.height else parse_length(self.height)
        return Choice(self.sex, age, height)

    def edit(self, name: str, text: str) -> None:
        """Take what the visitor writes: sex, age or height."""
        self.problems.pop(name, None)
        try:
            if name == "sex":
                self.sex = Sex.parse(text) if text else None
            elif name == "age":
                self.age = text.strip()
                if self.age:
                    parse_age(self.age)
            elif name == "height":
                self.height = text.strip()
                if self.height:
                    parse_length(self.height)
        except BoneageError as error:
            self.problems[name] = str(error)
            return
        self.interpret_again()

    def fill(self, case: Case) -> None:
        """Take what a table states; what the visitor has written stays."""
        if case.sex is not None and (self.sex is None or self.sex is self.image.metadata.sex):
            self.edit("sex", case.sex.value)
        child = case.child
        age = case.chronological_age_months
        if age is None and child is not None:
            age = child.chronological_age_months
        if age is not None and not self.age:
            self.edit("age", short_age(age))
        if child is not None and child.height_cm is not None and not self.height:
            self.edit("height", f"{reported(child.height_cm):g}")
        self.pseudonym = self.pseudonym or case.pseudonym or ""

    def interpret_again(self) -> None:
        """Keep the bone age where only age or height has changed; forget that of the other sex."""
        choice, analysed = self.choice, self.analysed
        if isinstance(self.outcome, Failure) or analysed is None:
            self.outcome = None
        elif analysed.choice.sex is not choice.sex:
            self.outcome, self.reading, self.own_reading = None, None, None
            self.saved_as.clear()
        elif analysed.choice != choice:
            try:
                self.outcome = analysed.for_child(choice)
            except BoneageError as error:
                self.problems["age"] = str(error)


def parse_length(text: str) -> float:
    """Read a height in centimetres, or in inches where it says so; HeightError."""
    plain = text.strip().lower()
    for unit in INCHES:
        if plain.endswith(unit):
            return height_from_inches(parse_height(plain.removesuffix(unit).strip()))
    return check_height(parse_height(plain.removesuffix("cm").strip()))


def short_age(months: float) -> str:
    """Write an age as people type it: 11y4m."""
    years, rest = completed(months)
    return f"{years}y{rest}m"


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
