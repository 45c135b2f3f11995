"""One image: decoded once, assessed, and interpreted for the child.

Every interface (command line, batch, dashboard, service, DICOM node) calls :func:`assess_case` and
gets the same outcome; every writer takes the session's radiograph instead of decoding again.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from traceback import format_tb
from typing import TYPE_CHECKING, BinaryIO, TypeAlias, TypeVar

from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Assessment, Case, Failure
from boneage.domain.child import Child
from boneage.domain.radiograph import Radiograph, Sex
from boneage.errors import BoneageError, WeightsError
from boneage.inference.networks import OnStep
from boneage.reading import read
from boneage.reading.source import UNNAMED, NamedFile, load, name_of

if TYPE_CHECKING:
    from boneage.inference.assessor import Assessor

Result = TypeVar("Result")
Source: TypeAlias = str | os.PathLike[str] | bytes | BinaryIO | Radiograph

DECODING = "reading the file"
UNKNOWN_CHILD = Child()

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Session:
    """One image and its assessment, or the reason why there is none."""

    outcome: Assessment | Failure
    """Its ``film`` is the name that the caller has chosen for the image."""
    radiograph: Radiograph | None = field(default=None, repr=False)
    """None: it could not be decoded."""
    data: bytes | None = field(default=None, repr=False)
    """The image's file; None: it could not be read, or there is none."""

    @property
    def assessment(self) -> Assessment:
        """The assessment; ValueError where there is none."""
        if isinstance(self.outcome, Failure):
            raise ValueError(f"there is no assessment: {self.outcome.message}")
        return self.outcome

    @property
    def image(self) -> Radiograph:
        """The radiograph; ValueError where it could not be decoded."""
        if self.radiograph is None:
            raise ValueError("the image was not decoded")
        return self.radiograph

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the pixels, computed on first use."""
        return self.image.fingerprint

    def file(self) -> BinaryIO:
        """Open the image's file; empty where there is none."""
        return NamedFile(self.data or b"", self.radiograph.name if self.radiograph else UNNAMED)


def steps_of(assessor: Assessor) -> tuple[str, ...]:
    """The names of the steps of :func:`assess_case`, in their order."""
    return (DECODING, *assessor.steps)


def assess_case(
    assessor: Assessor,
    case: Case | Failure | Source,
    *,
    sex: Sex | str | None = None,
    child: Child | None = UNKNOWN_CHILD,
    level: float | None = None,
    force: bool = False,
    name: str | None = None,
    on_step: OnStep | None = None,
) -> Session:
    """Decode an image, assess it, and interpret the result for the child.

    The session has a Failure where the image cannot be read, fails the quality check, or what is
    stated of the child is impossible. WeightsError: then every image would fail.

    Parameters
    ----------
    case : Case, Failure, path, bytes, binary file or Radiograph
        A Failure, such as of a table's invalid row, is its own outcome.
    sex : Sex or str, optional
        Where the case states none; it takes precedence over the image's.
    child : Child, optional
        What is known of the child, where the case states nothing else. None: no clinical
        findings, as for a measurement.
    level : float, optional
        Of the interval; default: that of the assessor.
    name : str, optional
        What the outcome calls the image; default: the file's name without its folder.
    on_step : callable, optional
        Called with each of :func:`steps_of` when it begins, in the same thread.
    """
    if isinstance(case, Failure):
        return Session(case if name is None else replace(case, film=name))
    source, stated = (case.film, case) if isinstance(case, Case) else (case, Case(""))
    start = time.perf_counter()
    radiograph: Radiograph | None = None
    data: bytes | None = None
    outcome: Assessment | Failure
    try:
        if level is not None:
            assessor.interval_predictor.check(level)
        if on_step is not None:
            on_step(DECODING)
        if isinstance(source, Radiograph):
            radiograph = source
        else:
            data, file_name = load(source)
            radiograph = read(NamedFile(data, file_name))
        answer = assessor.assess(
            radiograph,
            stated.sex or sex,
            chronological_age_months=stated.chronological_age_months,
            on_step=on_step,
            force=force,
        )
        if level is not None:
            answer = replace(answer, interval=assessor.interval_predictor.around(answer, level))
        if child is not None:
            own = stated.child or Child(stated.chronological_age_months)
            answer = with_clinical_findings(answer, own.completed(child))
        outcome = replace(answer, seconds=time.perf_counter() - start)
    except Exception as error:
        outcome = failure_of(radiograph.name if radiograph else name_of(source), error)
    if name is not None:
        outcome = replace(outcome, film=name)
    return Session(outcome, radiograph, data)


def attempt(name: str, work: Callable[[], Result]) -> Result | Failure:
    """Do something with one of many images; a Failure where it cannot be done."""
    try:
        return work()
    except Exception as error:
        return failure_of(name, error)


def failure_of(name: str, error: Exception) -> Failure:
    """Give why an image could not be assessed; a WeightsError is raised: every image would fail."""
    if isinstance(error, WeightsError):
        raise error
    if isinstance(error, BoneageError):
        return Failure(name, error.code, str(error), error.findings)
    # Neither logged nor shown in full: its message may quote the patient.
    kind = type(error).__name__
    logger.error("unexpected %s", kind)
    logger.debug("%s", "".join(format_tb(error.__traceback__)))
    return Failure(name, "unexpected", f"unexpected {kind}")
