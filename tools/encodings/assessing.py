"""Assess files through the command line; an interrupted run resumes."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import boneage
from boneage.inference.weights import Weights
from boneage.storage.parallel import Journal, in_parallel
from tools.encodings.images import Source
from tools.encodings.raster import encoded
from tools.encodings.ways import Way

PLAIN = "plain"
PLAIN_WAY = Way(PLAIN, ".png", lambda grey: encoded(grey, "PNG"))
"""The unchanged image, which all others are compared with."""
COMMAND = (sys.executable, "-m", "boneage", "assess", "--json", "--table")
"""The command line of this environment."""
READ, CRASHED = "read", "crashed"
WRONG_USAGE = 2
"""The exit status of wrong usage."""
SECONDS, SECONDS_PER_FILE = 60.0, 5.0
"""The time limit of the program: a constant, and more for each file."""


@dataclass(frozen=True)
class FileAnswer:
    """The outcome of one file."""

    status: str
    """``"read"``, ``"refused"``, ``"failed"``; ``"crashed"`` where the program died."""
    age_months: float | None = None
    code: str | None = None
    """Of the reason, where there is no age."""
    warnings: Sequence[str] = ()
    """Codes of the findings that warn."""


def fingerprint(weights: Weights) -> str:
    """Hash the code and the weights of the program in this environment."""
    digest = hashlib.sha256(weights.name.sha256.encode())
    for path in sorted(Path(boneage.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def assess_all(
    sources: Sequence[Source], ways: Sequence[Way], work: Path, program: str, processes: int
) -> Iterator[tuple[Source, Mapping[str, FileAnswer]]]:
    """Write every image in every way and assess it; results in the images' order.

    Answers are stored in ``work``, and repeated only for another program (by its fingerprint) or
    another file.
    """

    def assess(source: Source) -> tuple[Source, Mapping[str, FileAnswer]]:
        with Journal(work / program[:16] / f"{source.name}.jsonl", {"program": program}) as known:
            return source, _assess_image(source, ways, work, known)

    return in_parallel(assess, sources, processes)


def _assess_image(
    source: Source, ways: Sequence[Way], work: Path, known: Journal
) -> Mapping[str, FileAnswer]:
    grey = source.load()
    digests: dict[str, str] = {}
    with TemporaryDirectory(dir=work, prefix="files-") as folder:
        files = []
        for way in (PLAIN_WAY, *ways):
            content = way.write(grey)
            digests[way.name] = hashlib.sha256(content).hexdigest()
            if digests[way.name] not in known.done:
                files.append(Path(folder) / f"{way.name}{way.suffix}")
                files[-1].write_bytes(content)
        if files:
            for name, answer in assess_files(Path(folder), files, source).items():
                known.add(digests[name], astuple(answer))
    return {name: FileAnswer(*known.done[digest]) for name, digest in digests.items()}


def assess_files(folder: Path, files: Sequence[Path], source: Source) -> dict[str, FileAnswer]:
    """Assess files in one run of the program; if it dies, in halves, down to the single file."""
    table = folder / "table.csv"
    with table.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["path", "sex"])
        rows.writerows([path.name, source.sex.value] for path in files)
    try:
        limit = SECONDS + SECONDS_PER_FILE * len(files)
        done = subprocess.run([*COMMAND, table], capture_output=True, timeout=limit, check=False)
        if done.returncode == WRONG_USAGE:
            raise RuntimeError(done.stderr.decode(errors="replace"))
        records = json.loads(done.stdout)["films"]
    except (subprocess.TimeoutExpired, ValueError):
        if len(files) == 1:
            return {files[0].stem: FileAnswer(CRASHED)}
        half = len(files) // 2
        parts = (assess_files(folder, part, source) for part in (files[:half], files[half:]))
        return {name: answer for part in parts for name, answer in part.items()}
    return {
        Path(record["film"]).stem: FileAnswer(
            record["status"],
            record.get("age_months"),
            record.get("code"),
            [finding["code"] for finding in record["findings"] if finding["severity"] == "warning"],
        )
        for record in records
    }
