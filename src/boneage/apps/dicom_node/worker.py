"""The two loops beside the receiver: radiographs are assessed, results are sent."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from pynetdicom.association import Association

from boneage.apps.audit_log import AuditError, AuditEvent, AuditLog
from boneage.apps.dicom_node.assessing import NoResult, assess_film, content_of, is_duplicate
from boneage.apps.dicom_node.sending import Sender, StoreRefused, Unreachable, store
from boneage.apps.dicom_node.settings import RetrySettings
from boneage.apps.dicom_node.spool import Spool
from boneage.apps.dicom_node.spool_database import QueuedImage, QueuedResult
from boneage.errors import FilmError, WeightsError
from boneage.inference.assessor import Assessor

MAX_STARTS = 5
"""A radiograph during which the process ended this often is not started again."""
POLL_SECONDS = 1.0
"""For radiographs and results that another process put into the spool."""
ERROR_PAUSE_SECONDS = 10.0
"""After an error of the disk, the audit log or the weights."""
SWEEP_SECONDS = 60.0
BATCH = 100
"""Answers sent over one association."""
SHORT = 12

logger = logging.getLogger("boneage.node")


class Loop:
    """Repeats a step in a thread until it is stopped.

    Each step gives the pause in seconds before the next one; ``wake`` ends the pause.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self.step = step
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.start = self._thread.start
        self.wake = self._wake.set

    def stop(self) -> None:
        """End after the present step."""
        self.stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end; False when it did not come in time."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                pause = self.step()
            except (OSError, sqlite3.Error, AuditError, WeightsError) as error:
                logger.error("%s: %s; retrying", self._thread.name, error)
                pause = ERROR_PAUSE_SECONDS
            except Exception as error:  # its message may quote the patient
                logger.error("%s: unexpected %s", self._thread.name, type(error).__name__)
                pause = ERROR_PAUSE_SECONDS
            if pause and not self.stopping.is_set():
                self._wake.wait(pause)


@dataclass
class SpoolAssessor:
    """Assesses the radiographs of a spool; calls ``on_result`` when there is something to send."""

    spool: Spool
    assessor: Assessor
    on_result: Callable[[], None]
    audit: AuditLog
    _swept: float = 0.0

    def step(self) -> float:
        """Assess one radiograph."""
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self.spool.sweep(time.time())
            self._swept = time.monotonic()
        film = self.spool.next_film()
        if film is None:
            return POLL_SECONDS
        try:
            try:
                self._assess(film)
            except NoResult as outcome:
                self._dead_letter(film, outcome.code, outcome.reason)
        except BaseException:
            self.spool.put_back(film.key)
            raise
        return 0

    def _dead_letter(self, film: QueuedImage, code: str, reason: str) -> None:
        self.audit.append(AuditEvent(film.caller, "assess", film=film.key, error=code))
        if self.spool.dead_letter(film.key, code, reason):
            logger.warning("no result for image %s (%s): %s", film.key[:SHORT], code, reason)

    def _assess(self, film: QueuedImage) -> None:
        if film.starts > MAX_STARTS:
            reason = f"the node ended {MAX_STARTS} times while assessing this image"
            raise NoResult("crash", reason)
        start, short = time.perf_counter(), film.key[:SHORT]
        try:
            data = self.spool.film_path(film.key).read_bytes()
        except FileNotFoundError:
            raise NoResult("missing", "its file is missing from the spool") from None
        if self._is_duplicate(film, data):
            reason = "this image has been assessed already, under the same SOP Instance UID"
            self.spool.skip(film.key, "duplicate", reason)
            logger.info("image %s is skipped: %s", short, reason)
            return
        result = assess_film(self.assessor, data, short)
        missing = "; ".join(
            f"the {kind} could not be written: {why}" for kind, why in result.unwritten.items()
        )
        if self.spool.is_waiting(film.key):
            self.audit.append(
                AuditEvent.of_assessment(
                    film.caller, "assess", result.fingerprint, result.assessment
                )
            )
            if missing:
                logger.warning("image %s: %s", short, missing)
            if self.spool.store_results(
                film.key, result.fingerprint, result.files, result.content, missing or None
            ):
                seconds = time.perf_counter() - start
                logger.info("image %s assessed in %.1f seconds", short, seconds)
                self.on_result()
                return
        logger.info("image %s was replaced during its assessment", short)

    def _is_duplicate(self, film: QueuedImage, data: bytes) -> bool:
        """Whether the same image was assessed already, perhaps in another transfer syntax.

        Raises `NoResult` when another image was assessed under its SOP Instance UID.
        """
        assessed = self.spool.assessed(film.key)
        if not assessed:
            return False
        others = [(other.content, partial(self._file_of, other.key)) for other in assessed]
        try:
            if is_duplicate(content_of(data), others):
                return True
            why = "differs from it"
        except FilmError as error:
            why = f"cannot be read ({error.code})"
        except Exception as error:  # its message may quote the patient
            why = f"cannot be compared ({type(error).__name__})"
        raise NoResult(
            "conflict",
            "another image was assessed under this SOP Instance UID, and this later one "
            f"{why}; requeue it to assess it as well",
        )

    def _file_of(self, key: str) -> bytes | None:
        with suppress(OSError):
            return self.spool.film_path(key).read_bytes()
        return None


@dataclass
class Dispatcher:
    """Sends the results of a spool, until it is ``stopping``."""

    spool: Spool
    sender: Sender
    retry: RetrySettings
    stopping: Callable[[], bool]
    audit: AuditLog

    @property
    def title(self) -> str:
        """The AE title of the destination."""
        return self.sender.destination.ae_title

    def step(self) -> float:
        """Send the results that are due."""
        now, longest = time.time(), self.retry.longest_seconds
        failures, due = self.spool.destination()
        if now < due <= now + longest:
            return min(due - now, POLL_SECONDS)
        results = self.spool.due_results(now, BATCH, longest)
        if not results:
            return POLL_SECONDS
        try:
            with self.sender.connected() as association:
                if failures:
                    self.spool.note_destination(0, 0)
                self._send_all(association, results)
        except Unreachable as error:
            failures, _ = self.spool.destination()
            pause = self.retry.pause_seconds(failures + 1)
            self.spool.note_destination(failures + 1, time.time() + pause)
            logger.warning(
                "the destination %r cannot be reached (%s); retrying in %.0f seconds",
                *(self.title, error, pause),
            )
        return 0

    def _send_all(self, association: Association, results: list[QueuedResult]) -> None:
        refused: set[str] = set()
        for result in results:
            if self.stopping():
                return
            if result.film in refused:
                continue
            path = self.spool.result_path(result.film, result.kind)
            try:
                store(association, path.read_bytes())
            except FileNotFoundError:
                reason = "a result's file is missing from the spool"
                self.spool.dead_letter(result.film, "missing", reason)
                refused.add(result.film)
            except StoreRefused as error:
                refused.add(result.film)
                self._refused(result, str(error))
            else:
                self._sent(result)

    def _sent(self, result: QueuedResult) -> None:
        event = AuditEvent(self.title, f"send {result.kind}", film=result.fingerprint)
        self.audit.append(event)
        self.spool.note_sent(result)
        short = result.film[:SHORT]
        logger.info("the %s of image %s was sent to %r", result.kind, short, self.title)

    def _refused(self, result: QueuedResult, why: str) -> None:
        kind, short, times = result.kind, result.film[:SHORT], result.refusals + 1
        self.spool.note_refused(result, time.time() + self.retry.pause_seconds(times))
        logger.warning("%r refused the %s of image %s: %s", self.title, kind, short, why)
        if times >= self.retry.refusals:
            reason = f"the destination {self.title} refused the {kind} {times} times, last: {why}"
            self.spool.dead_letter(result.film, "refused", reason)
