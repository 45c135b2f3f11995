"""Suppress warnings and log records of decoders: they may quote a patient."""

from __future__ import annotations

import logging
import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

LIBRARIES = r"(pydicom|highdicom|PIL|openjpeg|jpeg_ls|boneage\.reading)(\.|$)"
LOGGERS = ("pydicom", "pydicom.pixels.decoders.base", "pydicom.pixels.utils")
# Warning filters are one list for all threads, and warnings.catch_warnings restores an old list,
# also over changes by another thread. So one filter is added with the first reader and removed
# with the last.
_FILTER: tuple[Any, ...] = ("ignore", None, Warning, re.compile(LIBRARIES), 0)
_lock = threading.Lock()
_readers = 0
_this_thread = threading.local()


@contextmanager
def quiet() -> Iterator[None]:
    global _readers  # noqa: PLW0603  one list of filters, one count
    with _lock:
        _readers += 1
        if _readers == 1:
            warnings.filters.insert(0, _FILTER)  # type: ignore[attr-defined]
    depth = getattr(_this_thread, "depth", 0)
    _this_thread.depth = depth + 1
    try:
        yield
    finally:
        _this_thread.depth = depth
        with _lock:
            _readers -= 1
            if _readers == 0:
                with suppress(ValueError):  # the filters were replaced
                    warnings.filters.remove(_FILTER)  # type: ignore[attr-defined]


def _outside_quiet(_record: logging.LogRecord) -> bool:
    return not getattr(_this_thread, "depth", 0)


for _name in LOGGERS:
    logging.getLogger(_name).addFilter(_outside_quiet)
