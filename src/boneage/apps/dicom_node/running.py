"""A node from its start to its end."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from boneage.apps.audit_log import AuditLog
from boneage.apps.dicom_node.receiving import Receiver
from boneage.apps.dicom_node.sending import Sender
from boneage.apps.dicom_node.settings import NodeError, NodeSettings, ReadingSettings
from boneage.apps.dicom_node.spool import Spool
from boneage.apps.dicom_node.worker import Dispatcher, Loop, SpoolReader
from boneage.inference.assessor import Assessor
from boneage.storage.files import lock

FINISH_SECONDS = 60.0
"""For the image that is being analysed when the node is told to end."""

logger = logging.getLogger("boneage.node")


def run(settings: NodeSettings, report: Callable[[str], None]) -> None:
    """Take radiographs, analyse them and send the answers until SIGTERM or SIGINT.

    Raises a `BoneageError` when it cannot start.
    """
    logger.setLevel(logging.INFO)
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL + 1)
    end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: end.set())
    tls, there = settings.tls, settings.destination
    sender = Sender(
        there,
        settings.node.ae_title,
        settings.node.seconds,
        tls.client_context() if tls and tls.to_destination else None,
    )
    with ExitStack() as stack:
        spool = Spool(settings.spool)
        stack.callback(spool.close)
        stack.callback(os.close, _locked(settings.spool.folder))
        spool.recover()
        audit = AuditLog(settings.audit.log)
        assessor = _opened(settings.reading)
        dispatcher = Dispatcher(spool, sender, settings.retry, end.is_set, audit)
        dispatching = Loop("sending", dispatcher.step)
        reading = Loop("reading", SpoolReader(spool, assessor, dispatching.wake, audit).step)
        receiver = Receiver(
            settings.node, spool, reading.wake, tls.server_context() if tls else None
        )
        receiver.start()
        reading.start()
        dispatching.start()
        host, port = receiver.address
        report(
            f"boneage node: {settings.node.ae_title} at {host}:{port}{' (TLS)' if tls else ''}, "
            f"answers to {there.ae_title} at {there.host}:{there.port} (Ctrl+C ends it)"
        )
        end.wait()
        receiver.stop()
        reading.stop()
        dispatching.stop()
        whole = [loop.join(FINISH_SECONDS) for loop in (reading, dispatching)]
        logger.info("ended" if all(whole) else "ended in the middle; the next start resumes it")


def _opened(settings: ReadingSettings) -> Assessor:
    assessor = Assessor(
        settings.weights, threads=settings.threads, calibration=settings.calibration
    )
    assessor.weights.open_all()
    return assessor


def _locked(folder: Path) -> int:
    """Keep a second node out of a spool, as long as this process lives.

    Raises a `NodeError` when there is one.
    """
    opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not lock(opened):
        os.close(opened)
        raise NodeError(f"another node works in the spool {str(folder)!r}")
    return opened
