"""C-STORE and C-ECHO: radiographs come in, and are on the disk before their sender hears so.

pynetdicom limits neither a protocol data unit nor an object, and shakes hands for TLS
where it accepts, so that one silent caller would keep out the others: its server, its
handler and its socket are replaced by ones that give no connection more than its share.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from socketserver import TCPServer
from typing import Any, cast

from pydicom.dataset import Dataset
from pynetdicom import AE, evt
from pynetdicom.dimse_primitives import C_STORE
from pynetdicom.events import Event
from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]
from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from boneage.apps.dicom_node.kinds import ANSWER_CLASSES, FILM_CLASSES, FILM_SYNTAXES, head_of
from boneage.apps.dicom_node.settings import MEBIBYTE, ListenSettings, NodeError
from boneage.apps.dicom_node.spool import Arrival, Spool, SpoolFull
from boneage.errors import FilmError

SUCCESS, NOT_SUPPORTED = 0x0000, 0x0122
NO_ROOM, NO_MATCH, NOT_UNDERSTOOD = 0xA700, 0xA900, 0xC000
"""PS3.4, B.2.3."""
MAX_COMMENT = MAX_UID = 64
STOP_SECONDS = 10.0
MAX_PDU_BYTES = 2**20
"""A caller is told less (16 KiB), and may not send more."""
SPARE_CONNECTIONS = 5
"""Beside the associations: a caller too many is told so rather than cut off."""
SPARE_BYTES = 2**16
"""For commands and the headers of protocol data units."""

logger = logging.getLogger("boneage.node")


class LimitedSocket(AssociationSocket):
    """Ends a connection that sends a longer object than is taken."""

    most_bytes: float = float("inf")
    taken = 0

    def recv(self, nr_bytes: int) -> bytearray:
        """Read from the socket."""
        self.taken += nr_bytes
        if nr_bytes > MAX_PDU_BYTES or self.taken > self.most_bytes:
            logger.warning("a connection is cut off: its object is larger than is taken")
            raise OSError("more than is taken")
        return super().recv(nr_bytes)


class LimitedHandler(RequestHandler):
    """Makes an association of a connection, on a `LimitedSocket`."""

    server: LimitedServer

    def _create_association(self) -> Any:
        made = super()._create_association()
        # A second socket would start the protocol's machine twice.
        taken: Any = made.dul.socket
        taken.__class__ = LimitedSocket
        taken.most_bytes = self.server.most_bytes
        return made


class LimitedServer(ThreadedAssociationServer):
    """Takes connections from those who may connect."""

    daemon_threads = True
    most_bytes = float("inf")
    settings: ListenSettings

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Take a connection; hands are shaken in its own thread."""
        assert self.socket is not None  # noqa: S101  for the type checker
        taken, address = self.socket.accept()
        taken.settimeout(self.ae.network_timeout)
        if self.ssl_context is not None:
            taken = self.ssl_context.wrap_socket(
                taken, server_side=True, do_handshake_on_connect=False
            )
        return taken, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Tell whether a connection may stay."""
        address = ipaddress.ip_address(str(client_address[0]).partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        networks = self.settings.networks
        if networks and not any((mapped or address) in network for network in networks):
            return False
        return len(self.active_associations) < self.settings.max_associations + SPARE_CONNECTIONS

    def stop(self) -> None:
        """Take no more connections; those that are open stay."""
        TCPServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what kind of error ended a connection before it was an association."""
        logger.warning("a connection failed: %s", type(sys.exception()).__name__)


class Receiver:
    """The service class provider; ``received`` is called when there is something to read.

    Raises a `NodeError` when the address is none of this computer, or taken.
    """

    def __init__(
        self,
        settings: ListenSettings,
        spool: Spool,
        received: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.spool, self.received = spool, received
        self._busy, self._changed = 0, threading.Condition()
        self.most_bytes = round(settings.max_object_mib * MEBIBYTE)
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
            (evt.EVT_REJECTED, _log_rejected),
        ]
        try:
            # By hand: AE.start_server takes no server of another class.
            self.server = LimitedServer(
                entity,
                (settings.host, settings.port),
                settings.ae_title,
                entity.supported_contexts,
                tls,
                handlers,
                LimitedHandler,
            )
        except OSError as error:
            raise NodeError(
                f"port {settings.port} of {settings.host!r} cannot be used: {error.strerror}"
            ) from error
        self.server.settings = settings
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
            caller = _caller(event)
            try:
                return self._take(event, caller)
            except SpoolFull:
                logger.error("an object of %r is refused: the disk is nearly full", caller)
                return _status(NO_ROOM, "the disk is nearly full")
            except OSError as error:
                logger.error("an object of %r cannot be written: %s", caller, error.strerror)
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
            logger.info("a result of boneage came back from %r; it is not read", caller)
            return SUCCESS
        if not head.is_film:
            return _refused(caller, NOT_SUPPORTED, "it is not an image that is read here")
        syntax = str(event.context.transfer_syntax).encode()
        content = syntax + b"\0" + cast("BytesIO", request.DataSet).getvalue()
        arrival = self.spool.receive(file, content, uid, caller)
        logger.info("an image of %d bytes from %r: %s", len(file), caller, arrival)
        if arrival not in {Arrival.AGAIN, Arrival.OWN}:
            self.received()
        return SUCCESS


def _caller(event: Event) -> str:
    return str(event.assoc.requestor.ae_title).strip()


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


def _log_rejected(event: Event) -> None:
    logger.warning("an association of %r is rejected", _caller(event))
