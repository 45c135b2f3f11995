"""One image in the worklist: what the visitor states about the child, its analysis and reading."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum

from boneage.apps.dashboard.analysis import AnalysedImage, Outcome
from boneage.apps.dashboard.pictures import publish
from boneage.apps.dashboard.uploads import Choice, UploadedImage
from boneage.clinical.interpreting import with_reading
from boneage.domain.ages import parse_age
from boneage.domain.assessment import Case, Failure
from boneage.domain.child import check_height, height_from_inches, parse_height
from boneage.domain.radiograph import Sex
from boneage.domain.reader import ReaderReading
from boneage.domain.reported import completed, reported
from boneage.errors import BoneageError

INCHES = ("in", '"', "″", "zoll", "inches")


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
