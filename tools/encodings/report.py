"""Assess files by the command line, and compare the results with those for the plain images."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boneage
from boneage.inference.weights import Weights
from boneage.storage.parallel import Journal, in_parallel
from tools.encodings.raster import encoded
from tools.encodings.ways import Source, Way

MONTHS, MONTHS_CHANGED = 1.0, 1.5
"""How far a bone age may move, and how far where the encoding is lossy or resampled."""
RULES = {
    "silent": ("pairs", 0.005),
    "warned_unmoved": ("unmoved", 0.02),
    "refused": ("pairs", 0.005),
}
"""Limited counts: of which other count, and to what share of it."""
COUNTS = ("pairs", "moved", "silent", "warned_unmoved", "refused", "refused_as_listed")
DECIMALS = 3
PLAIN = "plain"
PLAIN_WAY = Way(PLAIN, ".png", lambda grey: encoded(grey, "PNG"))
"""The unchanged image, which all others are compared with."""
COMMAND = (sys.executable, "-m", "boneage", "assess", "--json", "--table")
READ, CRASHED = "read", "crashed"
WRONG_USAGE = 2
SECONDS, SECONDS_PER_FILE = 60.0, 5.0
"""The time limit of the program: a constant, and more for each file."""


def limit_of(way: Way) -> float:
    return MONTHS_CHANGED if way.lossy or way.resampled else MONTHS


@dataclass
class Tally:
    """What became of the pairs of an image and itself in another file."""

    counts: Counter[str] = field(default_factory=Counter)
    """``pairs``; of these ``moved``, ``unmoved``, and ``refused`` without being listed as
    unreadable; ``silent``: moved without a warning that the plain image has not, too;
    ``warned_unmoved``: with one; and ``refused_as_listed``."""
    differences: list[float] = field(default_factory=list)
    """Of the answers, in months, without sign."""
    codes: Counter[str] = field(default_factory=Counter)
    """Of refusals, and of warnings that the plain image has not."""

    def count(self, way: Way, plain: FileAnswer, answer: FileAnswer) -> None:
        """Count one pair, of which the plain image was read."""
        if answer.status != READ and way.unreadable is not None:
            self.counts["refused_as_listed"] += 1
            return
        self.counts["pairs"] += 1
        if answer.age_months is None or plain.age_months is None:
            self.counts["refused"] += 1
            self.codes[answer.code or answer.status] += 1
            return
        difference = abs(answer.age_months - plain.age_months)
        self.differences.append(difference)
        new = set(answer.warnings) - set(plain.warnings)
        self.codes.update(new)
        if difference > limit_of(way):
            self.counts.update(["moved"] if new else ["moved", "silent"])
        else:
            self.counts.update(["unmoved", "warned_unmoved"] if new else ["unmoved"])

    def table(self) -> dict[str, Any]:
        off = self.differences
        return {
            **{name: self.counts[name] for name in COUNTS},
            "mean_difference_months": round(sum(off) / len(off), DECIMALS) if off else None,
            "max_difference_months": round(max(off), DECIMALS) if off else None,
            "codes": dict(sorted(self.codes.items())),
        }


@dataclass(frozen=True)
class EncodingSummary:
    """All pairs, and those of each way."""

    ways: Mapping[str, tuple[Way, Tally]]
    images: int
    plain_refused: int

    def rates(self) -> dict[str, dict[str, Any]]:
        """The three limited rates, and whether each is within its limit."""
        counts = sum((tally.counts for _, tally in self.ways.values()), Counter[str]())
        rates = {}
        for name, (whole, limit) in RULES.items():
            rate = counts[name] / counts[whole] if counts[whole] else 0.0
            counted = {"count": counts[name], "of": counts[whole], "rate": round(rate, 5)}
            rates[name] = {**counted, "limit": limit, "passed": rate <= limit}
        return rates

    @property
    def passed(self) -> bool:
        return all(rate["passed"] for rate in self.rates().values())

    def table(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "plain_refused": self.plain_refused,
            "ways": len(self.ways),
            "pairs": sum(tally.counts["pairs"] for _, tally in self.ways.values()),
            "limits_months": {"exact": MONTHS, "lossy_or_resampled": MONTHS_CHANGED},
            "rates": self.rates(),
            "passed": self.passed,
            "by_way": {
                name: {
                    "lossy": way.lossy,
                    "resampled": way.resampled,
                    "listed_as_unreadable": way.unreadable is not None,
                    "limit_months": limit_of(way),
                    **tally.table(),
                }
                for name, (way, tally) in self.ways.items()
            },
        }


def summarise(ways: Sequence[Way], images: Iterable[Mapping[str, FileAnswer]]) -> EncodingSummary:
    """Compare the answers for every image with that for its plain file."""
    tallies = {way.name: (way, Tally()) for way in ways}
    every = list(images)
    read = [answers for answers in every if answers[PLAIN].status == READ]
    for answers in read:
        for way, tally in tallies.values():
            tally.count(way, answers[PLAIN], answers[way.name])
    return EncodingSummary(tallies, len(read), len(every) - len(read))


def lines(summary: EncodingSummary) -> list[str]:
    """A table for a terminal of the encodings that broke a rule, the worst first."""
    rows = {name: tally.table() for name, (_, tally) in summary.ways.items()}
    order = ("silent", "refused", "warned_unmoved")
    wrong = [(name, row) for name, row in rows.items() if any(row[key] for key in order)]
    wrong.sort(key=lambda item: [-item[1][key] for key in order])
    heading = f"{'way':38} pairs moved silent warned refused  mean   max  codes"
    text = [heading] if wrong else []
    for name, row in wrong:
        codes = ", ".join(f"{code} {count}" for code, count in row["codes"].items())
        text.append(
            f"{name:38} {row['pairs']:5} {row['moved']:5} {row['silent']:6} "
            f"{row['warned_unmoved']:6} {row['refused']:7} "
            f"{row['mean_difference_months'] or 0:5.1f} "
            f"{row['max_difference_months'] or 0:5.1f}  {codes}"
        )
    for name, rate in summary.rates().items():
        result = "passed" if rate["passed"] else "FAILED"
        text.append(
            f"{name}: {rate['count']} of {rate['of']} ({rate['rate']:.2%}; "
            f"limit {rate['limit']:.1%}): {result}"
        )
    return text


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
    for path in sorted(Path(boneage.__file__).parent.rglob("*.*")):
        if path.suffix in {".py", ".toml"}:
            digest.update(path.read_bytes())
    return digest.hexdigest()


def assess_all(
    sources: Sequence[Source], ways: Sequence[Way], work: Path, program: str, processes: int
) -> Iterator[tuple[Source, Mapping[str, FileAnswer]]]:
    """Write images in every way and assess them; for one program (fingerprint) and file once."""

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
