"""Starting and stopping a node."""

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
from boneage.apps.dicom_node.settings import NodeError, NodeSettings
from boneage.apps.dicom_node.spool import Spool
from boneage.apps.dicom_node.worker import Dispatcher, Loop, SpoolAssessor
from boneage.inference.assessor import Assessor
from boneage.storage.files import lock

STOP_SECONDS = 60.0
"""For the image being assessed when the node is stopped."""

logger = logging.getLogger("boneage.node")


def run(settings: NodeSettings, report: Callable[[str], None]) -> None:
    """Receive, assess and send until SIGTERM or SIGINT; a `BoneageError` when it cannot start."""
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
        stack.callback(os.close, _lock_spool(settings.spool.folder))
        spool.recover()
        audit = AuditLog(settings.audit.log)
        reading = settings.reading
        assessor = Assessor(
            reading.weights, threads=reading.threads, calibration=reading.calibration
        )
        assessor.weights.open_all()
        dispatcher = Dispatcher(spool, sender, settings.retry, end.is_set, audit)
        dispatching = Loop("sending", dispatcher.step)
        assessing = Loop("reading", SpoolAssessor(spool, assessor, dispatching.wake, audit).step)
        receiver = Receiver(
            settings.node, spool, assessing.wake, tls.server_context() if tls else None
        )
        receiver.start()
        assessing.start()
        dispatching.start()
        host, port = receiver.address
        report(
            f"boneage node: {settings.node.ae_title} at {host}:{port}{' (TLS)' if tls else ''}, "
            f"results to {there.ae_title} at {there.host}:{there.port} (Ctrl+C to stop)"
        )
        end.wait()
        receiver.stop()
        assessing.stop()
        dispatching.stop()
        ended = [loop.join(STOP_SECONDS) for loop in (assessing, dispatching)]
        logger.info("ended" if all(ended) else "ended during an image; the next start resumes it")


def _lock_spool(folder: Path) -> int:
    """Lock a spool for this process; a `NodeError` when another node has locked it."""
    opened = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not lock(opened):
        os.close(opened)
        raise NodeError(f"another node uses the spool {str(folder)!r}")
    return opened
