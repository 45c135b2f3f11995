"""C-STORE and C-ECHO: films come in, and are on the disk before their sender is told so."""

from __future__ import annotations

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, cast

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, FILM_CLASSES, FILM_SYNTAXES, head_of
from boneage.apps.dicom_node.listening import SPARE_BYTES, Handler, LimitedSocket, Server
from boneage.apps.dicom_node.settings import MEBIBYTE, Listening, NodeError
from boneage.apps.dicom_node.spool import Receipt, Spool, SpoolFull
from boneage.errors import FilmError

SUCCESS, NOT_SUPPORTED = 0x0000, 0x0122
NO_ROOM, NO_MATCH, NOT_UNDERSTOOD = 0xA700, 0xA900, 0xC000
"""PS3.4, B.2.3."""
MAX_COMMENT = MAX_UID = 64
STOP_SECONDS = 10.0

logger = logging.getLogger("boneage.node")


class Receiver:
    """The service class provider.

    Parameters
    ----------
    settings : Listening
    spool : Spool
    received : callable
        Told when there is something to read.
    tls : SSLContext, optional

    Raises
    ------
    NodeError
        When the address is none of this computer, or taken.
    """

    def __init__(
        self,
        settings: Listening,
        spool: Spool,
        received: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.spool, self.received = spool, received
        self._busy, self._changed = 0, threading.Condition()
        entity = AE(settings.ae_title)
        entity.maximum_associations = settings.max_associations
        entity.require_calling_aet = list(settings.calling_ae_titles)
        entity.require_called_aet = settings.match_called_ae_title
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = settings.seconds
        entity.add_supported_context(Verification)
        for sop_class in dict.fromkeys((*FILM_CLASSES, *ANSWER_CLASSES.values())):
            entity.add_supported_context(sop_class, FILM_SYNTAXES)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DIMSE_RECV, _count_anew),
            (evt.EVT_REJECTED, _say_rejected),
        ]
        self.most_bytes = round(settings.max_object_mib * MEBIBYTE)
        try:
            # By hand: AE.start_server takes no server of another class.
            self.server = Server(
                entity,
                (settings.host, settings.port),
                settings.ae_title,
                entity.supported_contexts,
                tls,
                handlers,
                Handler,
            )
        except OSError as error:
            raise NodeError(
                f"port {settings.port} of {settings.host!r} cannot be used: {error.strerror}"
            ) from error
        self.server.limits = settings
        self.server.most_bytes = self.most_bytes + SPARE_BYTES + self.most_bytes // 50

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        host, port = self.server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Take associations, in other threads."""
        threading.Thread(
            target=self.server.serve_forever, name="boneage-listen", daemon=True
        ).start()

    def stop(self) -> None:
        """Take no more; what is being written is written and answered, the rest is cut off."""
        self.server.stop()
        until = time.monotonic() + STOP_SECONDS
        with self._changed:
            while self._busy and time.monotonic() < until:
                self._changed.wait(0.2)
        for association in self.server.active_associations:
            if association.is_established:
                association.abort(block=False)
            elif association.dul.socket is not None:
                association.dul.socket.close()  # nothing was agreed on that could be ended
            association.kill()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _store(self, event: Event) -> int | Dataset:
        with self._at_work():
            caller = str(event.assoc.requestor.ae_title).strip()
            try:
                return self._take(event, caller)
            except SpoolFull:
                logger.error("an object of %r is refused: the disk is nearly full", caller)
                return _status(NO_ROOM, "the disk is nearly full")
            except OSError as error:
                logger.error("an object of %r cannot be kept: %s", caller, error.strerror)
                return _status(NO_ROOM, "the object cannot be written")
            except Exception as error:  # what it says may quote the patient
                logger.error("an object of %r: unexpected %s", caller, type(error).__name__)
                return _status(NOT_UNDERSTOOD, f"unexpected {type(error).__name__}")

    def _take(self, event: Event, caller: str) -> int | Dataset:
        file = event.encoded_dataset()
        if len(file) > self.most_bytes:
            return _refused(caller, NO_ROOM, "the object is larger than is taken")
        try:
            head = head_of(file)
        except FilmError as error:
            return _refused(caller, NOT_UNDERSTOOD, str(error))
        request = cast("C_STORE", event.request)
        # A UID that is too long comes cut off in the command, or not at all.
        uid = head.sop_instance
        announced = str(request.AffectedSOPInstanceUID or uid[:MAX_UID])
        if (head.sop_class, uid[:MAX_UID]) != (str(request.AffectedSOPClassUID), announced):
            return _refused(caller, NO_MATCH, "the data set is not what was announced")
        if head.is_own:
            logger.info("an answer of boneage came back from %r; it is not read", caller)
            return SUCCESS
        if not head.is_film:
            return _refused(caller, NOT_SUPPORTED, "it is not an image that is read here")
        syntax = str(event.context.transfer_syntax).encode()
        content = syntax + b"\0" + cast("BytesIO", request.DataSet).getvalue()
        receipt = self.spool.receive(file, content, uid, caller)
        logger.info("an image of %d bytes from %r: %s", len(file), caller, receipt)
        if receipt not in {Receipt.AGAIN, Receipt.OWN}:
            self.received()
        return SUCCESS


def _refused(caller: str, status: int, why: str) -> Dataset:
    logger.warning("an object of %r is refused (0x%04X): %s", caller, status, why)
    return _status(status, why)


def _status(status: int, why: str) -> Dataset:
    answer = Dataset()
    answer.Status = status
    answer.ErrorComment = why[:MAX_COMMENT]
    return answer


def _count_anew(event: Event) -> None:
    """With each whole message the count of bytes begins again."""
    opened = event.assoc.dul.socket
    if isinstance(opened, LimitedSocket):
        opened.taken = 0


def _say_rejected(event: Event) -> None:
    caller = str(event.assoc.requestor.ae_title).strip()
    logger.warning("an association of %r is rejected", caller)
