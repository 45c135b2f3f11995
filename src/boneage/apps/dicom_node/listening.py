"""The server that takes connections, and gives none of them more than its share.

pynetdicom limits neither a protocol data unit nor an object, and shakes hands for TLS
where it accepts, so that one silent caller would keep out the others.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
from socketserver import TCPServer
from typing import Any

from pynetdicom.transport import AssociationSocket, RequestHandler, ThreadedAssociationServer

from boneage.apps.dicom_node.settings import Listening

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


class Handler(RequestHandler):
    """Makes an association of a connection."""

    server: Server

    def _create_association(self) -> Any:
        made = super()._create_association()
        # A second socket would start the protocol's machine twice.
        taken: Any = made.dul.socket
        taken.__class__ = LimitedSocket
        taken.most_bytes = self.server.most_bytes
        return made


class Server(ThreadedAssociationServer):
    """Takes connections from those who may connect."""

    daemon_threads = True
    most_bytes = float("inf")
    limits: Listening | None = None

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
        if self.limits is None:
            return True
        address = ipaddress.ip_address(str(client_address[0]).partition("%")[0])
        mapped = getattr(address, "ipv4_mapped", None)
        networks = self.limits.networks
        if networks and not any((mapped or address) in network for network in networks):
            return False
        return len(self.active_associations) < self.limits.max_associations + SPARE_CONNECTIONS

    def stop(self) -> None:
        """Take no more connections; those that are open stay."""
        TCPServer.shutdown(self)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say what kind of error ended a connection before it was an association."""
        logger.warning("a connection failed: %s", type(sys.exception()).__name__)
