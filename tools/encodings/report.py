"""How often another encoding of an image moved its bone age, or caused a refusal or warning."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.encodings.assessing import PLAIN, READ, FileAnswer
from tools.encodings.ways import Way

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


def limit_of(way: Way) -> float:
    """How far a way may move an answer, in months."""
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
        """The counts as plain values."""
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
    """Images whose plain file was read."""
    plain_refused: int

    def rates(self) -> dict[str, dict[str, Any]]:
        """The three limited rates, and whether each is within its limit."""
        counts = sum((tally.counts for _, tally in self.ways.values()), Counter[str]())
        rates = {}
        for name, (whole, limit) in RULES.items():
            rate = counts[name] / counts[whole] if counts[whole] else 0.0
            rates[name] = {
                "count": counts[name],
                "of": counts[whole],
                "rate": round(rate, 5),
                "limit": limit,
                "passed": rate <= limit,
            }
        return rates

    @property
    def passed(self) -> bool:
        """Whether all rates are within their limits."""
        return all(rate["passed"] for rate in self.rates().values())

    def table(self) -> dict[str, Any]:
        """Everything as plain values, for JSON."""
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
    read = refused = 0
    for answers in images:
        plain = answers[PLAIN]
        if plain.status != READ:
            refused += 1
            continue
        read += 1
        for way, tally in tallies.values():
            tally.count(way, plain, answers[way.name])
    return EncodingSummary(tallies, read, refused)


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
