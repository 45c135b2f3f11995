"""How connections of a node are encrypted: TLS 1.2 or later, as DICOM PS3.15, B.12 asks."""

from __future__ import annotations

import ssl

from boneage.apps.dicom_node.settings import NodeError, Tls


def server_context(tls: Tls) -> ssl.SSLContext:
    """For those who call.

    Raises
    ------
    NodeError
        When a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _load(context, tls)
    if tls.mutual:
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(tls: Tls) -> ssl.SSLContext:
    """For the destination, whose certificate has to name its host.

    Raises
    ------
    NodeError
        When a file cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load(context, tls)
    return context


def _load(context: ssl.SSLContext, tls: Tls) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (OSError, ssl.SSLError) as error:
        raise NodeError(
            f"tls: the certificate {str(tls.certificate)!r} and key {str(tls.key)!r} cannot be "
            f"used: {error.strerror or error}"
        ) from error
    if tls.ca is not None:
        try:
            context.load_verify_locations(tls.ca)
        except (OSError, ssl.SSLError) as error:
            raise NodeError(
                f"tls: the certificates {str(tls.ca)!r} cannot be used: {error.strerror or error}"
            ) from error


def _no_password() -> str:
    """Never ask at a terminal for the password of a key."""
    return ""
