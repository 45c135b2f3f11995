"""The two things that go on beside receiving: radiographs are analysed, answers are sent."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pynetdicom.association import Association

from boneage.apps.audit_log import AuditError, AuditEvent, AuditLog
from boneage.apps.dicom_node.answering import Unanswerable, answer_film
from boneage.apps.dicom_node.sameness import content_of, same_as_any
from boneage.apps.dicom_node.sending import Refused, Sender, Unreachable, store
from boneage.apps.dicom_node.settings import RetrySettings
from boneage.apps.dicom_node.spool import Spool
from boneage.apps.dicom_node.spool_database import QueuedAnswer, QueuedImage
from boneage.errors import FilmError, WeightsError
from boneage.inference.assessor import Assessor

MAX_STARTS = 5
"""A radiograph at which the process ended so often is not begun again."""
POLL_SECONDS = 1.0
"""For what another process put into the spool."""
TROUBLE_SECONDS = 10.0
"""After the disk or the audit log failed."""
SWEEP_SECONDS = 60.0
BATCH = 100
"""Answers sent over one association."""
SHORT = 12

logger = logging.getLogger("boneage.node")


class Loop:
    """Does something again and again in a thread, until it is stopped.

    Each step gives how many seconds may pass until the next, unless it is woken.
    """

    def __init__(self, name: str, step: Callable[[], float]) -> None:
        self.step = step
        self.stopping = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.start = self._thread.start
        self.wake = self._wake.set

    def stop(self) -> None:
        """Let the present step be the last."""
        self.stopping.set()
        self._wake.set()

    def join(self, seconds: float) -> bool:
        """Wait for the end, and say whether it came."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self.stopping.is_set():
            self._wake.clear()
            try:
                pause = self.step()
            except (OSError, sqlite3.Error, AuditError, WeightsError) as error:
                logger.error("%s: %s; another try follows", self._thread.name, error)
                pause = TROUBLE_SECONDS
            except Exception as error:  # what it says may quote the patient
                logger.error("%s: unexpected %s", self._thread.name, type(error).__name__)
                pause = TROUBLE_SECONDS
            if pause and not self.stopping.is_set():
                self._wake.wait(pause)


class SpoolReader:
    """Analyses the radiographs of a spool; ``made`` is called when there is something to send."""

    def __init__(
        self, spool: Spool, assessor: Assessor, made: Callable[[], None], audit: AuditLog
    ) -> None:
        self.spool, self.assessor, self.made, self.audit = spool, assessor, made, audit
        self._swept = 0.0

    def step(self) -> float:
        """Analyse one radiograph."""
        if time.monotonic() - self._swept > SWEEP_SECONDS or not self._swept:
            self.spool.sweep(time.time())
            self._swept = time.monotonic()
        film = self.spool.next_film()
        if film is None:
            return POLL_SECONDS
        try:
            self._read_or_give_up(film)
        except BaseException:
            self.spool.put_back(film.key)
            raise
        return 0

    def _read_or_give_up(self, film: QueuedImage) -> None:
        try:
            self._read(film)
        except Unanswerable as why:
            self.audit.append(AuditEvent(film.caller, "assess", film=film.key, error=why.code))
            if self.spool.dead_letter(film.key, why.code, why.reason):
                short = film.key[:SHORT]
                logger.warning("image %s gets no answer (%s): %s", short, why.code, why.reason)

    def _read(self, film: QueuedImage) -> None:
        if film.starts > MAX_STARTS:
            reason = f"the node ended {MAX_STARTS} times while it analysed this image"
            raise Unanswerable("crash", reason)
        start, short = time.perf_counter(), film.key[:SHORT]
        try:
            data = self.spool.film_path(film.key).read_bytes()
        except FileNotFoundError:
            raise Unanswerable("missing", "its file is not in the spool") from None
        if self._has_answer(film, data):
            reason = "the same image was answered under its SOP Instance UID already"
            self.spool.skip(film.key, "duplicate", reason)
            logger.info("image %s is not read: %s", short, reason)
            return
        answer = answer_film(self.assessor, data, short)
        missing = "; ".join(
            f"the {kind} could not be written: {why}" for kind, why in answer.unwritten.items()
        )
        if self.spool.waits(film.key):
            self.audit.append(
                AuditEvent.of_assessment(
                    film.caller, "assess", answer.fingerprint, answer.assessment
                )
            )
            if missing:
                logger.warning("image %s: %s", short, missing)
            if self.spool.store_answers(
                film.key, answer.fingerprint, answer.files, answer.content, missing or None
            ):
                seconds = time.perf_counter() - start
                logger.info("image %s is read, in %.1f seconds", short, seconds)
                self.made()
                return
        logger.info("image %s was replaced while it was read", short)

    def _has_answer(self, film: QueuedImage, data: bytes) -> bool:
        """Whether the same image was answered, maybe in another transfer syntax.

        `Unanswerable` when another one was answered under its SOP Instance UID.
        """
        answered = self.spool.answered(film.key)
        if not answered:
            return False
        others = [(other.content, partial(self._file_of, other.key)) for other in answered]
        try:
            if same_as_any(content_of(data), others):
                return True
            why = "differs from it"
        except FilmError as error:
            why = f"cannot be read ({error.code})"
        except Exception as error:  # what it says may quote the patient
            why = f"cannot be compared ({type(error).__name__})"
        raise Unanswerable(
            "conflict",
            "an image was answered under this SOP Instance UID, and this one, which came later, "
            f"{why}; requeue it if it is to be read",
        )

    def _file_of(self, key: str) -> bytes | None:
        with suppress(OSError):
            return self.spool.film_path(key).read_bytes()
        return None


class Dispatcher:
    """Sends the answers of a spool, until it is ``stopping``."""

    def __init__(
        self,
        spool: Spool,
        sender: Sender,
        retry: RetrySettings,
        stopping: Callable[[], bool],
        audit: AuditLog,
    ) -> None:
        self.spool, self.sender, self.retry = spool, sender, retry
        self.stopping, self.audit = stopping, audit
        self.title = sender.destination.ae_title

    def step(self) -> float:
        """Send what is due."""
        now, longest = time.time(), self.retry.longest_seconds
        failures, due = self.spool.destination()
        if now < due <= now + longest:
            return min(due - now, POLL_SECONDS)
        answers = self.spool.due_answers(now, BATCH, longest)
        if not answers:
            return POLL_SECONDS
        try:
            with self.sender.connected() as association:
                if failures:
                    self.spool.note_destination(0, 0)
                self._send_all(association, answers)
        except Unreachable as error:
            failures, _ = self.spool.destination()
            pause = self.retry.pause_seconds(failures + 1)
            self.spool.note_destination(failures + 1, time.time() + pause)
            logger.warning(
                "the destination %r cannot be reached (%s); the next try is in %.0f seconds",
                *(self.title, error, pause),
            )
        return 0

    def _send_all(self, association: Association, answers: list[QueuedAnswer]) -> None:
        refused: set[str] = set()
        for answer in answers:
            if self.stopping():
                return
            if answer.film in refused:
                continue
            path = self.spool.answer_path(answer.film, answer.kind)
            try:
                store(association, path.read_bytes())
            except FileNotFoundError:
                reason = "an answer's file is not in the spool"
                self.spool.dead_letter(answer.film, "missing", reason)
                refused.add(answer.film)
            except Refused as error:
                refused.add(answer.film)
                self._refused(answer, str(error))
            else:
                self._sent(answer)

    def _sent(self, answer: QueuedAnswer) -> None:
        event = AuditEvent(self.title, f"send {answer.kind}", film=answer.fingerprint)
        self.audit.append(event)
        self.spool.note_sent(answer)
        short = answer.film[:SHORT]
        logger.info("the %s of image %s is sent to %r", answer.kind, short, self.title)

    def _refused(self, answer: QueuedAnswer, why: str) -> None:
        kind, short, times = answer.kind, answer.film[:SHORT], answer.refusals + 1
        self.spool.note_refused(answer, time.time() + self.retry.pause_seconds(times))
        logger.warning("%r refused the %s of image %s: %s", self.title, kind, short, why)
        if times >= self.retry.refusals:
            reason = f"the destination {self.title} refused the {kind} {times} times, last: {why}"
            self.spool.dead_letter(answer.film, "refused", reason)
