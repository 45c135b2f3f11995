"""C-STORE to the destination."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO

from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.association import Association

from boneage.apps.dicom_node.settings import Destination
from boneage.apps.dicom_node.sop_classes import RESULT_CLASSES
from boneage.reading.quiet import quiet

WARNINGS = range(0xB000, 0xC000)
"""Stored, with changes."""
DUPLICATE = 0x0111
"""The destination has it already."""
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


class Unreachable(Exception):  # noqa: N818  a state, met with another try
    """The destination cannot be reached, or the connection broke."""


class StoreRefused(Exception):  # noqa: N818  likewise
    """The destination refuses to store a result."""


class Sender:
    """The service class user: calls the destination as ``ae_title``.

    ``seconds`` is the timeout of every network operation.
    """

    def __init__(
        self,
        destination: Destination,
        ae_title: str,
        seconds: float,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.destination, self.tls = destination, tls
        self.entity = AE(ae_title)
        self.entity.acse_timeout = self.entity.dimse_timeout = seconds
        self.entity.network_timeout = self.entity.connection_timeout = seconds
        for sop_class in RESULT_CLASSES.values():
            self.entity.add_requested_context(sop_class, SYNTAXES)

    @contextmanager
    def connected(self) -> Iterator[Association]:
        """Hold an association, or raise `Unreachable`."""
        there = self.destination
        association = self.entity.associate(
            there.host,
            there.port,
            ae_title=there.ae_title,
            tls_args=None if self.tls is None else (self.tls, there.host),
        )
        if not association.is_established:
            raise Unreachable("rejected" if association.is_rejected else "no connection")
        try:
            yield association
        finally:
            if association.is_established:
                association.release()


def store(association: Association, file: bytes) -> None:
    """Send one object, stored when this returns; or raise `StoreRefused` or `Unreachable`."""
    if not association.is_established:
        raise Unreachable("the connection broke")
    with quiet():
        dataset = dcmread(BytesIO(file))
        try:
            response = association.send_c_store(dataset)
        except ValueError:  # no presentation context was accepted
            raise StoreRefused("it does not accept this kind of object") from None
        except RuntimeError:
            raise Unreachable("the connection broke") from None
    status = response.get("Status")
    if status is None:
        raise Unreachable("no response")
    if status not in {0x0000, DUPLICATE} and status not in WARNINGS:
        raise StoreRefused(f"status 0x{int(status):04X}")
