"""What the program answers for files: through its command line, resumed where it stopped."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boneage
from boneage.domain.assessment import WeightsName
from boneage.inference.weights import Weights
from tools.encodings.images import Source
from tools.encodings.raster import encoded
from tools.encodings.ways import Way

PLAIN = "plain"
PLAIN_WAY = Way(PLAIN, ".png", lambda grey: encoded(grey, "PNG"))
"""The image as it is: what all others are compared with."""
COMMAND = (sys.executable, "-m", "boneage", "assess", "--json", "--table")
"""The command line that a user of this environment has."""
READ, CRASHED = "read", "crashed"
WRONG_USAGE = 2
"""The exit status of the program where it cannot work at all."""
SECONDS, SECONDS_PER_FILE = 60.0, 5.0
"""After which the program is taken to hang: these, and so many more a file."""


@dataclass(frozen=True)
class Answer:
    """What became of one file."""

    status: str
    """``"read"``, ``"refused"``, ``"failed"``; ``"crashed"`` where the program died of it."""
    age_months: float | None = None
    code: str | None = None
    """Of the reason, where there is no age."""
    warnings: Sequence[str] = ()
    """Codes of the findings that warn."""


@dataclass(frozen=True)
class Program:
    """What answers."""

    version: str
    weights: WeightsName
    fingerprint: str
    """A hash of its code and its weights."""


def program() -> Program:
    """Describe the program of this environment."""
    weights = Weights().name
    digest = hashlib.sha256(weights.sha256.encode())
    for path in sorted(Path(boneage.__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return Program(boneage.__version__, weights, digest.hexdigest())


def assess_all(
    sources: Sequence[Source], ways: Sequence[Way], work: Path, asked: Program, processes: int
) -> Iterator[tuple[Source, Mapping[str, Answer]]]:
    """Write every image in every way and assess it; images in their order, as they are done.

    What was answered lies in ``work``, and is asked again only of another program or file.
    """
    work.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(processes) as pool:
        jobs = [pool.submit(_assess_image, source, ways, work, asked) for source in sources]
        for source, job in zip(sources, jobs, strict=True):
            yield source, job.result()


def _assess_image(
    source: Source, ways: Sequence[Way], work: Path, asked: Program
) -> Mapping[str, Answer]:
    grey = source.load()
    journal = work / f"{source.name}.json"
    known = _known(journal, asked)
    answers: dict[str, Answer] = {}
    with TemporaryDirectory(dir=work, prefix="files-") as folder:
        files: dict[Path, str] = {}
        for way in (PLAIN_WAY, *ways):
            content = way.write(grey)
            digest = hashlib.sha256(content).hexdigest()
            if digest in known:
                answers[way.name] = known[digest]
                continue
            path = Path(folder) / f"{way.name}{way.suffix}"
            path.write_bytes(content)
            files[path] = digest
        if files:
            found = assess_files(Path(folder), list(files), source)
            answers |= found
            new = {digest: found[path.stem] for path, digest in files.items()}
            _keep(journal, asked, known | new)
    return answers


def assess_files(folder: Path, files: Sequence[Path], source: Source) -> dict[str, Answer]:
    """Assess files in one run of the program; should it die, the halves, down to the one."""
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
            return {files[0].stem: Answer(CRASHED)}
        half = len(files) // 2
        parts = files[:half], files[half:]
        return {k: v for part in parts for k, v in assess_files(folder, part, source).items()}
    return {Path(record["film"]).stem: _answer(record) for record in records}


def _answer(record: Mapping[str, Any]) -> Answer:
    found = record["findings"]
    return Answer(
        record["status"],
        record.get("age_months"),
        record.get("code"),
        [finding["code"] for finding in found if finding["severity"] == "warning"],
    )


def _known(journal: Path, asked: Program) -> dict[str, Answer]:
    """Give what this program answered earlier, by the hash of each file."""
    try:
        stored = json.loads(journal.read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    if stored["program"] != asked.fingerprint:
        return {}
    return {digest: Answer(*answer) for digest, answer in stored["answers"].items()}


def _keep(journal: Path, asked: Program, answers: Mapping[str, Answer]) -> None:
    rows = {digest: astuple(answer) for digest, answer in answers.items()}
    new = journal.with_suffix(".new")
    new.write_text(json.dumps({"program": asked.fingerprint, "answers": rows}), "utf-8")
    new.replace(journal)
