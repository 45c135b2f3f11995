"""JPEG lossless and 12-bit JPEG, decoded by GDCM in a process of its own.

GDCM ends its process on some damaged data, and writes to its stderr; neither
must happen to whoever reads a film.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.reading.codestream import CodestreamHeader

SCRIPT = Path(__file__).with_name("gdcm_script.py")
SECONDS = 120
"""A film takes one or two."""


def decode_with_gdcm(
    frame: bytes, header: CodestreamHeader, bits_allocated: int
) -> npt.NDArray[Any]:
    """Decode one frame of JPEG.

    Raises
    ------
    ValueError
        When GDCM cannot.
    """
    width = 1 if header.bits <= 8 else 2
    numbers = (header.columns, header.rows, header.components, 8 * width, header.bits)
    command = [sys.executable, "-P", str(SCRIPT), *map(str, numbers), str(int(header.lossless))]
    # The command is this Python and our own script; the film only goes to its stdin.
    done = subprocess.run(  # noqa: S603
        command, input=frame, capture_output=True, timeout=SECONDS, check=False
    )
    size = header.columns * header.rows * header.components * width
    if done.returncode != 0 or len(done.stdout) != size:
        raise ValueError(f"GDCM gave {len(done.stdout)} of {size} bytes")
    return np.frombuffer(done.stdout, f"<u{width}")
