"""Write held-out images in many encodings, assess them, and compare the bone ages.

::

    python -m tools.encodings --data ../shared/data/rsna --out docs/evidence/encodings.json

Exit status: 0 when all rates are within their limits, 1 when one is not, 2 for wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

import boneage
from boneage.inference.weights import Weights
from boneage.storage.files import EVIDENCE_FORMAT, write_json
from tools.encodings import WAYS
from tools.encodings.report import assess_all, fingerprint, lines, summarise
from tools.encodings.ways import HELD_OUT, SEED, SYNTHETIC, Way, held_out, synthetic


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    ways = [WAYS[name] for name in options.ways]
    if options.list:
        _print_ways(ways)
        return 0
    real = options.data is not None and options.data.exists()
    if real:
        sources = held_out(options.data, options.images, options.seed)
    else:
        if options.data is not None:
            print(f"{str(options.data)!r} does not exist; using synthetic hands", file=sys.stderr)
        sources = synthetic(options.images)
    weights = Weights()
    options.work.mkdir(parents=True, exist_ok=True)
    answers = []
    for source, answered in assess_all(
        sources, ways, options.work, fingerprint(weights), options.processes
    ):
        answers.append(answered)
        print(f"{len(answers)} of {len(sources)} images ({source.name})", file=sys.stderr)
    summary = summarise(ways, answers)
    evidence = {
        "format": EVIDENCE_FORMAT,
        "date": datetime.now(UTC).date().isoformat(),
        "boneage": boneage.__version__,
        "weights": {"name": weights.name.name, "sha256": weights.name.sha256},
        "source": HELD_OUT if real else SYNTHETIC,
        "seed": options.seed,
        **summary.table(),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, evidence)
    print("\n".join(lines(summary)))
    return 0 if summary.passed else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tools.encodings", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, help="labelled images. Default: synthetic hands")
    parser.add_argument("--images", type=int, default=60)
    parser.add_argument("--out", type=Path, default=Path("build/encodings/encodings.json"))
    parser.add_argument("--work", type=Path, default=Path("build/encodings"))
    parser.add_argument("--ways", type=_ways, default=list(WAYS), metavar="NAME,...")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--list", action="store_true", help="list the encodings and exit")
    return parser


def _ways(text: str) -> list[str]:
    """Take the names of ways, or beginnings of several, such as ``dicom_window``."""
    chosen: dict[str, None] = {}
    for part in text.split(","):
        found = [part] if part in WAYS else [name for name in WAYS if name.startswith(part)]
        if not found:
            raise argparse.ArgumentTypeError(f"there is no encoding {part!r}; --list shows all")
        chosen |= dict.fromkeys(found)
    return list(chosen)


def _print_ways(ways: list[Way]) -> None:
    for way in ways:
        flags = [name for name in ("lossy", "resampled") if getattr(way, name)]
        if way.unreadable is not None:
            flags.append(f"may be refused: {way.unreadable}")
        print(f"{way.name:38} {'; '.join(flags)}".rstrip())
    print(f"{len(ways)} ways")


if __name__ == "__main__":
    sys.exit(main())
