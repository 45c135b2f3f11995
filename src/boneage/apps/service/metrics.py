"""Metrics for Prometheus: counts and durations of requests, nothing of the child."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST as CONTENT_TYPE

__all__ = ["CONTENT_TYPE", "ServiceMetrics"]

BUCKETS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class ServiceMetrics:
    """The metrics of one service, in a registry of its own."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "boneage_requests",
            "Requests by action and outcome.",
            ("action", "outcome"),
            registry=registry,
        )
        self.seconds = Histogram(
            "boneage_seconds",
            "Seconds of receiving an image, waiting for a worker, working, and of all.",
            ("stage",),
            buckets=BUCKETS,
            registry=registry,
        )
        self.queue = Gauge(
            "boneage_queue_length",
            "Requests that wait for a worker or have one.",
            registry=registry,
        )
        self.stored = Gauge(
            "boneage_kept_answers", "Recent assessments in memory.", registry=registry
        )

    def text(self) -> bytes:
        """All metrics in the text format."""
        return generate_latest(self._registry)
