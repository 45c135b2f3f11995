"""Corrupt valid images at random, and see that reading them ends in an image or a reason.

Every input is made from its number alone, so that a finding can be made again::

    python -m tools.fuzz --inputs 100000 --out build/fuzz
    python -m tools.fuzz --first 4711 --inputs 1 --out build/fuzz
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import select
import struct
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import IO, Literal

import cv2
import numpy as np
from PIL import Image

from boneage.reading import Limits
from tests.reading.drawn import (
    BY_GDCM,
    GREY,
    LOSSLESS,
    LOSSY,
    UNIT,
    bare,
    dicom,
    encoded,
    in_syntax,
    linear_profile,
    raster,
    tiff,
)

FORMAT = 1
SECONDS = 5.0
"""A film that takes longer is a finding, if it does so again alone."""
MEGABYTES = 1024
"""Of memory that a worker may hold."""
HEADROOM = 3 * 1024**3
"""Bytes of address space: what asks for more gets none, and the machine stays whole."""
GDCM_SHARE = 0.02
"""Of the inputs: each starts a process of its own, which takes long."""
TINY = Limits(min_side_px=2)
LIMITS = {"seconds": SECONDS, "megabytes": MEGABYTES}

FILM, REFUSED, BUG, HANG, CRASH, MEMORY = "film", "refused", "bug", "hang", "crash", "memory"
PNG_HEAD = b"\x89PNG\r\n\x1a\n"


def seeds() -> tuple[list[bytes], list[bytes]]:
    """Valid films in every format: those read in this process, and those for GDCM."""
    deep = GREY.astype(np.uint16) << 8
    colour = np.dstack([GREY] * 3)
    fast = [
        raster("PNG"),
        raster("PNG", deep),
        raster("PNG", colour),
        raster("JPEG"),
        raster("JPEG", colour, progressive=True),
        raster("TIFF"),
        raster("TIFF", deep, compression="tiff_lzw"),
        raster("TIFF", colour, compression="tiff_adobe_deflate"),
        raster("TIFF", UNIT),
        tiff(np.stack([deep] * 3), photometric="rgb", planarconfig="separate", bigtiff=True),
        tiff(deep, photometric="minisblack", tile=(64, 48), compression="lzw", predictor=True),
        tiff(colour, photometric="rgb", rowsperstrip=64, compression="jpeg"),
        tiff(deep >> 6, photometric="minisblack", bitspersample=10),
        encoded(Image.fromarray(GREY), "PNG", icc_profile=linear_profile()),
        cv2.imencode(".png", np.dstack([deep] * 3))[1].tobytes(),
        raster("WEBP"),
        raster("BMP"),
        dicom(colour, 8),
        bare(implicit=True),
        bare(implicit=False),
        in_syntax("1.2.840.10008.1.2.4.50", GREY, 8),
        *(in_syntax(syntax) for syntax in (*LOSSLESS, *LOSSY) if syntax not in BY_GDCM),
    ]
    return fast, [in_syntax(syntax) for syntax in BY_GDCM]


def corrupted(number: int, fast: Sequence[bytes], slow: Sequence[bytes]) -> bytes:
    """Make the input of a number: one film, corrupted in one to eight places."""
    chance = random.Random(number)
    pool = slow if chance.random() < GDCM_SHARE else fast
    content = bytearray(chance.choice(pool))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        chance.choice(CORRUPTIONS)(content, chance, pool)
    if content.startswith(PNG_HEAD) and chance.random() < 0.7:
        content = _with_checksums(content)
    return bytes(content)


Corruption = Callable[[bytearray, random.Random, Sequence[bytes]], None]


def _place(content: bytearray, chance: random.Random) -> int:
    """Most of a film is pixels; what decoders must survive is in its head."""
    last = max(len(content) - 1, 0)
    return chance.randint(0, min(last, 700) if chance.random() < 0.7 else last)


def _flip(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    if content:
        content[_place(content, chance)] ^= 1 << chance.randrange(8)


def _overwrite(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    start = _place(content, chance)
    content[start : start + 8] = chance.randbytes(chance.randint(1, 8))


def _number(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    """Write a number that lies on an edge, in 1, 2, 4 or 8 bytes of either order."""
    size = chance.choice((1, 2, 4, 8))
    top = 1 << 8 * size
    value = chance.choice((0, 1, top - 1, top // 2, top // 2 - 1, chance.randrange(top), 9_999))
    start = _place(content, chance)
    order: Literal["little", "big"] = chance.choice(("little", "big"))
    content[start : start + size] = (value % top).to_bytes(size, order)


def _cut(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    del content[_place(content, chance) :]


def _remove(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    start = _place(content, chance)
    del content[start : start + chance.randint(1, 64)]


def _repeat(content: bytearray, chance: random.Random, _pool: Sequence[bytes]) -> None:
    start = _place(content, chance)
    piece = content[start : start + chance.randint(1, 256)]
    content[start:start] = piece * chance.choice((1, 2, 50))


def _splice(content: bytearray, chance: random.Random, pool: Sequence[bytes]) -> None:
    """Let another film go on in the middle of this one."""
    other = chance.choice(pool)
    start = _place(content, chance)
    content[start:] = other[chance.randint(0, len(other)) :]


CORRUPTIONS: tuple[Corruption, ...] = (
    *(_flip, _flip, _overwrite, _number, _number, _number),
    *(_cut, _remove, _repeat, _splice),
)
"""The likelier ones more than once."""


def _with_checksums(content: bytearray) -> bytearray:
    """Make the checksums of a PNG right again, so that its decoder goes on."""
    at = len(PNG_HEAD)
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            break
        struct.pack_into(">I", content, end, zlib.crc32(content[at + 4 : end]))
        at = end + 4
    return content


@dataclass
class Tally:
    """What became of the inputs."""

    inputs: int = 0
    films: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    findings: list[dict[str, object]] = field(default_factory=list)
    slowest_seconds: float = 0.0
    peak_megabytes: float = 0.0

    def count(self, number: int, outcome: str, detail: str) -> bool:
        """Note one outcome; true when it is a finding."""
        self.inputs += 1
        if outcome == FILM:
            self.films += 1
        elif outcome == REFUSED:
            self.refused[detail] += 1
        else:
            self.findings.append({"input": number, "outcome": outcome, "detail": detail})
            return True
        return False

    def table(self) -> dict[str, object]:
        """Plain values, for JSON."""
        return {
            "inputs": self.inputs,
            "films": self.films,
            "refused": sum(self.refused.values()),
            "refused_by_code": dict(sorted(self.refused.items())),
            "findings": self.findings,
            "slowest_seconds": round(self.slowest_seconds, 2),
            "peak_megabytes": round(self.peak_megabytes),
            "limits": LIMITS,
        }


class Worker:
    """A process that reads one input after the other, and may die of it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tools.fuzz", "--worker"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.answer(60.0)  # it says when it has loaded

    def read(self, content: bytes, seconds: float) -> tuple[str, str, float]:
        """Have one input read: outcome, detail, peak memory in MB."""
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(struct.pack(">I", len(content)) + content)
            self.process.stdin.flush()
        except BrokenPipeError:
            return CRASH, "ended", 0.0
        return self.answer(seconds)

    def answer(self, seconds: float) -> tuple[str, str, float]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        if not ready:
            return HANG, f"more than {seconds:g} s", 0.0
        line = self.process.stdout.readline().decode()
        if not line:
            return CRASH, f"exit status {self.process.wait()}", 0.0
        outcome, megabytes, detail = line.rstrip("\n").split("\t", 2)
        if float(megabytes) > MEGABYTES:
            return MEMORY, f"{megabytes} MB", float(megabytes)
        return outcome, detail, float(megabytes)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


def fuzz(first: int, count: int) -> Iterator[tuple[int, Tally]]:
    """Read inputs by their numbers; yields after each the number and all so far."""
    fast, slow = seeds()
    tally, worker = Tally(), Worker()
    try:
        for number in range(first, first + count):
            content = corrupted(number, fast, slow)
            start = time.monotonic()
            outcome, detail, megabytes = worker.read(content, SECONDS)
            taken = time.monotonic() - start
            if outcome in {HANG, CRASH, MEMORY}:
                worker.stop()
                worker = Worker()
            if outcome == HANG:  # or was the machine busy?
                outcome, detail, megabytes = worker.read(content, 4 * SECONDS)
                if outcome in {HANG, CRASH, MEMORY}:
                    worker.stop()
                    worker = Worker()
            else:
                tally.slowest_seconds = max(tally.slowest_seconds, taken)
            tally.peak_megabytes = max(tally.peak_megabytes, megabytes)
            tally.count(number, outcome, detail)
            yield number, tally
    finally:
        worker.stop()


def work(inputs: IO[bytes], answers: IO[bytes]) -> None:
    """What a worker does: read a length and that many bytes, answer one line."""
    from boneage import read  # noqa: PLC0415  as a user's process loads it
    from boneage.errors import FilmError  # noqa: PLC0415

    for content in seeds()[0]:  # every decoder is loaded before memory is measured
        read(content, limits=TINY)
    resource.setrlimit(resource.RLIMIT_AS, (HEADROOM, HEADROOM))
    _say(answers, "ready", "")
    while head := inputs.read(4):
        content = inputs.read(struct.unpack(">I", head)[0])
        try:
            film = read(content, limits=TINY)
            good = bool(np.isfinite(film.pixels).all()) and film.pixels.dtype == np.float32
            _say(answers, FILM if good else BUG, "" if good else "pixels are no film's")
        except FilmError as error:
            _say(answers, REFUSED, error.code)
        except Exception as error:  # this is what is looked for
            _say(answers, BUG, f"{type(error).__name__}: {error}"[:200])


def peak_megabytes() -> float:
    """Most memory that this program held; ``ru_maxrss`` starts from that of whoever began it."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _say(answers: IO[bytes], outcome: str, detail: str) -> None:
    megabytes = peak_megabytes()
    line = f"{outcome}\t{megabytes:.0f}\t{' '.join(detail.split())}\n"
    answers.write(line.encode("utf-8", "replace"))
    answers.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--inputs", type=int, default=2_000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"))
    options = parser.parse_args()
    if options.worker:
        work(sys.stdin.buffer, sys.stdout.buffer)
        return 0
    options.out.mkdir(parents=True, exist_ok=True)
    fast, slow = seeds()
    known, tally = 0, Tally()
    for number, tally in fuzz(options.first, options.inputs):
        for finding in tally.findings[known:]:
            (options.out / f"{number}.bin").write_bytes(corrupted(number, fast, slow))
            print(finding, flush=True)
        known = len(tally.findings)
        if tally.inputs % 1_000 == 0 or tally.inputs == options.inputs:
            stated = {"format": FORMAT, "date": date.today().isoformat(), "first": options.first}
            text = json.dumps({**stated, **tally.table()}, indent=1)
            (options.out / "fuzz.json").write_text(text + "\n")
            print(f"{tally.inputs} inputs, {known} findings", flush=True)
    return 1 if tally.findings else 0


if __name__ == "__main__":
    sys.exit(main())
