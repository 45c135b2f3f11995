"""How often writing an image in another way moved, refused or warned about an answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.encodings.assessing import PLAIN, READ, Answer
from tools.encodings.ways import Way

MONTHS, MONTHS_CHANGED = 1.0, 1.5
"""How far an answer may move, and how far where the encoding is lossy or resampled."""
MAX_SILENT, MAX_WARNED, MAX_REFUSED = 0.005, 0.02, 0.005
"""Of all pairs: moved without a warning; of those unmoved: warned about; of all: refused."""
DECIMALS = 3


@dataclass
class Tally:
    """What became of the pairs of an image and itself in another file."""

    pairs: int = 0
    moved: int = 0
    silent: int = 0
    """Of those that moved: without a warning that the plain image has not, too."""
    warned: int = 0
    """Of those that moved by less: with such a warning."""
    refused: int = 0
    """Without an answer, although the way is not listed as unreadable."""
    refused_as_listed: int = 0
    differences: list[float] = field(default_factory=list)
    """Of the answers, in months, without sign."""
    codes: Counter[str] = field(default_factory=Counter)
    """Of refusals, and of warnings that the plain image has not."""

    def count(self, way: Way, plain: Answer, answer: Answer) -> None:
        """Count one pair, of which the plain image was read."""
        if answer.status != READ and way.unreadable is not None:
            self.refused_as_listed += 1
            return
        self.pairs += 1
        if answer.age_months is None or plain.age_months is None:
            self.refused += 1
            self.codes[answer.code or answer.status] += 1
            return
        difference = abs(answer.age_months - plain.age_months)
        self.differences.append(difference)
        new = set(answer.warnings) - set(plain.warnings)
        self.codes.update(new)
        if difference > limit_of(way):
            self.moved += 1
            self.silent += not new
        else:
            self.warned += bool(new)

    @property
    def unmoved(self) -> int:
        """Pairs that were answered alike."""
        return self.pairs - self.moved - self.refused

    def table(self) -> dict[str, Any]:
        """Give the counts as plain values."""
        off = self.differences
        return {
            "pairs": self.pairs,
            "moved": self.moved,
            "silent": self.silent,
            "warned_unmoved": self.warned,
            "refused": self.refused,
            "refused_as_listed": self.refused_as_listed,
            "mean_difference_months": round(sum(off) / len(off), DECIMALS) if off else None,
            "max_difference_months": round(max(off), DECIMALS) if off else None,
            "codes": dict(sorted(self.codes.items())),
        }


def limit_of(way: Way) -> float:
    """How far a way may move an answer, in months."""
    return MONTHS_CHANGED if way.lossy or way.resampled else MONTHS


@dataclass(frozen=True)
class Summary:
    """All pairs, and those of each way."""

    ways: Mapping[str, tuple[Way, Tally]]
    images: int
    """Images whose plain file was read."""
    plain_refused: int

    def rates(self) -> dict[str, dict[str, Any]]:
        """Give the three rates that the rules limit, and whether they are kept."""
        tallies = [tally for _, tally in self.ways.values()]

        def total(name: str) -> int:
            return sum(getattr(tally, name) for tally in tallies)

        return {
            "silent": _rate(total("silent"), total("pairs"), MAX_SILENT),
            "warned_unmoved": _rate(total("warned"), total("unmoved"), MAX_WARNED),
            "refused": _rate(total("refused"), total("pairs"), MAX_REFUSED),
        }

    @property
    def passed(self) -> bool:
        """Whether all rules are kept."""
        return all(rate["passed"] for rate in self.rates().values())

    def table(self) -> dict[str, Any]:
        """Give everything as plain values, for JSON."""
        return {
            "images": self.images,
            "plain_refused": self.plain_refused,
            "ways": len(self.ways),
            "pairs": sum(tally.pairs for _, tally in self.ways.values()),
            "limits_months": {"exact": MONTHS, "lossy_or_resampled": MONTHS_CHANGED},
            "rates": self.rates(),
            "passed": self.passed,
            "by_way": {name: _described(way) | t.table() for name, (way, t) in self.ways.items()},
        }


def summarise(ways: Sequence[Way], images: Iterable[Mapping[str, Answer]]) -> Summary:
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
    return Summary(tallies, read, refused)


def lines(summary: Summary) -> list[str]:
    """Say in a table for a terminal which ways break a rule, the worst first."""
    wrong = [
        (name, tally)
        for name, (_, tally) in summary.ways.items()
        if tally.silent or tally.warned or tally.refused
    ]
    wrong.sort(key=lambda item: (-item[1].silent, -item[1].refused, -item[1].warned))
    heading = f"{'way':38} pairs moved silent warned refused  mean   max  codes"
    text = [heading] if wrong else []
    for name, tally in wrong:
        row = tally.table()
        codes = ", ".join(f"{code} {count}" for code, count in row["codes"].items())
        text.append(
            f"{name:38} {tally.pairs:5} {tally.moved:5} {tally.silent:6} {tally.warned:6} "
            f"{tally.refused:7} {row['mean_difference_months'] or 0:5.1f} "
            f"{row['max_difference_months'] or 0:5.1f}  {codes}"
        )
    for name, rate in summary.rates().items():
        kept = "kept" if rate["passed"] else "BROKEN"
        text.append(
            f"{name}: {rate['count']} of {rate['of']} ({rate['rate']:.2%}; "
            f"limit {rate['limit']:.1%}): {kept}"
        )
    return text


def _rate(count: int, of: int, limit: float) -> dict[str, Any]:
    rate = count / of if of else 0.0
    passed = rate <= limit
    return {"count": count, "of": of, "rate": round(rate, 5), "limit": limit, "passed": passed}


def _described(way: Way) -> dict[str, Any]:
    return {
        "lossy": way.lossy,
        "resampled": way.resampled,
        "listed_as_unreadable": way.unreadable is not None,
        "limit_months": limit_of(way),
    }
