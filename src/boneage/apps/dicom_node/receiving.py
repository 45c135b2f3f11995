"""C-STORE and C-ECHO: a radiograph is on the disk before its sender receives a success.

pynetdicom limits the size of neither a protocol data unit nor an object, and performs the TLS
handshake in the accepting thread, so that one silent caller would block the others: its server,
handler and socket are replaced by limited ones.
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

from boneage.apps.dicom_node.settings import MEBIBYTE, ListenSettings, NodeError
from boneage.apps.dicom_node.sop_classes import (
    FILM_CLASSES,
    FILM_SYNTAXES,
    RESULT_CLASSES,
    read_header,
)
from boneage.apps.dicom_node.spool import Arrival, Spool, SpoolFull
from boneage.errors import FilmError

SUCCESS, NOT_SUPPORTED = 0x0000, 0x0122
OUT_OF_RESOURCES, DATA_SET_MISMATCH, CANNOT_UNDERSTAND = 0xA700, 0xA900, 0xC000
"""PS3.4, B.2.3."""
MAX_COMMENT = MAX_UID = 64
STOP_SECONDS = 10.0
MAX_PDU_BYTES = 2**20
"""Far above the 16 KiB that are announced to a caller."""
SPARE_CONNECTIONS = 5
"""Beyond the associations, so that a caller too many is rejected properly, not cut off."""
SPARE_BYTES = 2**16
"""For commands and the headers of protocol data units."""

logger = logging.getLogger("boneage.node")


class LimitedSocket(AssociationSocket):
    """Ends a connection that sends an object above the limit."""

    max_bytes: float = float("inf")
    received = 0

    def recv(self, nr_bytes: int) -> bytearray:
        """Read from the socket."""
        self.received += nr_bytes
        if nr_bytes > MAX_PDU_BYTES or self.received > self.max_bytes:
            logger.warning("a connection is cut off: its object exceeds the limit")
            raise OSError("the object exceeds the limit")
        return super().recv(nr_bytes)


class LimitedHandler(RequestHandler):
    """Opens an association on a `LimitedSocket`."""

    server: LimitedServer

    def _create_association(self) -> Any:
        association = super()._create_association()
        # A second socket would start the protocol's state machine twice.
        opened: Any = association.dul.socket
        opened.__class__ = LimitedSocket
        opened.max_bytes = self.server.max_bytes
        return association


class LimitedServer(ThreadedAssociationServer):
    """Accepts connections from the permitted addresses."""

    daemon_threads = True
    max_bytes = float("inf")
    settings: ListenSettings

    def get_request(self) -> tuple[socket.socket, tuple[str, int]]:
        """Accept a connection; the TLS handshake follows in its own thread."""
        assert self.socket is not None  # noqa: S101  for the type checker
        accepted, address = self.socket.accept()
        accepted.settimeout(self.ae.network_timeout)
        if self.ssl_context is not None:
            accepted = self.ssl_context.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )
        return accepted, address

    def verify_request(self, request: Any, client_address: Any) -> bool:
        """Whether a connection is permitted."""
        address = ipaddress.ip_address(str(client_address[0]).partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        networks = self.settings.networks
        if networks and not any((mapped or address) in network for network in networks):
            return False
        return len(self.active_associations) < self.settings.max_associations + SPARE_CONNECTIONS

    def stop(self) -> None:
        """Accept no more connections; open ones continue."""
        TCPServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what kind of error ended a connection before it was an association."""
        logger.warning("a connection failed: %s", type(sys.exception()).__name__)


class Receiver:
    """The service class provider; calls ``on_image`` when there is something to assess.

    Raises a `NodeError` when the address is not one of this computer, or is in use.
    """

    def __init__(
        self,
        settings: ListenSettings,
        spool: Spool,
        on_image: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.spool, self.on_image = spool, on_image
        self._busy, self._changed = 0, threading.Condition()
        self.max_bytes = round(settings.max_object_mib * MEBIBYTE)
        entity = AE(settings.ae_title)
        entity.maximum_associations = settings.max_associations
        entity.require_calling_aet = list(settings.calling_ae_titles)
        entity.require_called_aet = settings.match_called_ae_title
        entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = settings.seconds
        entity.add_supported_context(Verification)
        for sop_class in dict.fromkeys((*FILM_CLASSES, *RESULT_CLASSES.values())):
            entity.add_supported_context(sop_class, FILM_SYNTAXES)
        handlers: list[Any] = [
            (evt.EVT_C_STORE, self._store),
            (evt.EVT_DIMSE_RECV, _reset_count),
            (evt.EVT_REJECTED, _log_rejected),
        ]
        try:
            # Not by AE.start_server, which accepts no other class of server.
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
        self.server.max_bytes = self.max_bytes + SPARE_BYTES + self.max_bytes // 50

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that it listens on."""
        host, port = self.server.server_address[:2]
        return str(host), int(port)

    def start(self) -> None:
        """Accept associations, in other threads."""
        threading.Thread(
            target=self.server.serve_forever, name="boneage-listen", daemon=True
        ).start()

    def stop(self) -> None:
        """Accept no more; objects being written are completed, other connections are aborted."""
        self.server.stop()
        until = time.monotonic() + STOP_SECONDS
        with self._changed:
            while self._busy and time.monotonic() < until:
                self._changed.wait(0.2)
        for association in self.server.active_associations:
            if association.is_established:
                association.abort(block=False)
            elif association.dul.socket is not None:
                association.dul.socket.close()  # there is no association to release
            association.kill()

    @contextmanager
    def _counted_as_busy(self) -> Iterator[None]:
        with self._changed:
            self._busy += 1
        try:
            yield
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()

    def _store(self, event: Event) -> int | Dataset:
        with self._counted_as_busy():
            caller = _caller(event)
            try:
                return self._accept(event, caller)
            except SpoolFull:
                logger.error("an object of %r is refused: the disk is nearly full", caller)
                return _status(OUT_OF_RESOURCES, "the disk is nearly full")
            except OSError as error:
                logger.error("an object of %r cannot be written: %s", caller, error.strerror)
                return _status(OUT_OF_RESOURCES, "the object cannot be written")
            except Exception as error:  # its message may quote the patient
                logger.error("an object of %r: unexpected %s", caller, type(error).__name__)
                return _status(CANNOT_UNDERSTAND, f"unexpected {type(error).__name__}")

    def _accept(self, event: Event, caller: str) -> int | Dataset:
        file = event.encoded_dataset()
        if len(file) > self.max_bytes:
            return _refused(caller, OUT_OF_RESOURCES, "the object exceeds the size limit")
        try:
            head = read_header(file)
        except FilmError as error:
            return _refused(caller, CANNOT_UNDERSTAND, str(error))
        request = cast("C_STORE", event.request)
        # A UID that is too long is truncated in the command, or missing.
        uid = head.sop_instance
        announced = str(request.AffectedSOPInstanceUID or uid[:MAX_UID])
        if (head.sop_class, uid[:MAX_UID]) != (str(request.AffectedSOPClassUID), announced):
            return _refused(caller, DATA_SET_MISMATCH, "the data set does not match the command")
        if head.is_own:
            logger.info("a result of boneage was sent back by %r; it is ignored", caller)
            return SUCCESS
        if not head.is_film:
            return _refused(caller, NOT_SUPPORTED, "this kind of object is not assessed")
        syntax = str(event.context.transfer_syntax).encode()
        content = syntax + b"\0" + cast("BytesIO", request.DataSet).getvalue()
        arrival = self.spool.receive(file, content, uid, caller)
        logger.info("an image of %d bytes from %r: %s", len(file), caller, arrival)
        if arrival not in {Arrival.AGAIN, Arrival.OWN}:
            self.on_image()
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


def _reset_count(event: Event) -> None:
    """Start the byte count again with each complete message."""
    opened = event.assoc.dul.socket
    if isinstance(opened, LimitedSocket):
        opened.received = 0


def _log_rejected(event: Event) -> None:
    logger.warning("an association of %r is rejected", _caller(event))
