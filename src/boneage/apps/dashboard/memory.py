"""Memory that the C library holds back, where it is GNU's."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any

MMAP_THRESHOLD, ARENA_MAX = -3, -8
"""Parameters of ``mallopt``."""
LARGE_BYTES = 2**20


@cache
def _library() -> Any:
    """The C library of the process; None where it lacks what is needed, as on Windows."""
    try:
        library = ctypes.CDLL(None)
    except (OSError, TypeError):
        return None
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


def give_back_large_arrays() -> None:
    """Let what is as large as an image go back to the system when it is freed."""
    if (library := _library()) is not None:
        library.mallopt(MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(ARENA_MAX, 2)


def return_memory() -> None:
    """Return what is free to the system now."""
    if (library := _library()) is not None:
        library.malloc_trim(0)
