"""How a figure, a share and a name are written in a document: the filters of the templates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from tools.documents.evidence import Table

MINUS = "−"
NOTICED = ("refused", "warned_far", "warned_near")
"""Outcomes of a perturbed radiograph that the user sees."""


def number(estimate: Table, digits: int = 1) -> str:
    """A figure and its interval: "8.0 (7.1–9.0)", "0.6 (−0.7 to 1.9)"; "–" where not defined."""
    if estimate["value"] is None:
        return "–"
    value, low, high = (
        "" if estimate[key] is None else f"{estimate[key]:.{digits}f}".replace("-", MINUS)
        for key in ("value", "low", "high")
    )
    return f"{value} ({low}{' to ' if MINUS in low else '–'}{high})" if low else value


def share(estimate: Table) -> str:
    """A share of 0 to 1 in per cent, with the interval where there is one."""
    text = number({key: None if v is None else 100 * v for key, v in estimate.items()}, 0)
    return text if estimate["value"] is None else f"{text} %"


def months(estimate: Table) -> str:
    """Months to a tenth, with the interval where there is one."""
    return number(estimate, 1)


def signed(value: float) -> str:
    """A number to a tenth with its sign; what rounds to 0 has none."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else MINUS}{text}"


def difference(estimate: Table) -> str:
    """Months to a tenth with their sign, and the interval."""
    if estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return signed(estimate["value"])
    return f"{signed(estimate['value'])} ({signed(estimate['low'])} to {signed(estimate['high'])})"


def percent(value: float | None) -> str:
    """A share of 0 to 1 in per cent."""
    return "–" if value is None else f"{100 * value:.0f} %"


def part(count: int, total: int) -> str:
    """A count in per cent of a total, and the count itself."""
    return f"{100 * count / total:.1f} % ({count})" if total else "–"


def cell(text: str) -> str:
    """A name given by users, escaped for a Markdown table."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").replace("<", "&lt;")


def listed(parts: Iterable[str]) -> str:
    """Words as a list: "a, b and c"."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def years(band: str) -> str:
    """The key of a two-year band for people: "2–4 years"."""
    return f"{band.replace('-', '–')} years"


def stage(name: str) -> str:
    """The folder of a training stage for people: "attention, phase 1"."""
    network, _, phase = name.partition("/phase-")
    return f"{network}, phase {int(phase) + 1}" if phase.isdigit() else name


def ms(seconds: float) -> str:
    """Seconds as whole milliseconds."""
    return f"{1000 * seconds:.0f}"


def shift(change: Table) -> float:
    """The mean change of the answer; infinite where no answer was left."""
    value = change["mean_shift_months"]["value"]
    return float("inf") if value is None else float(value)


def by_shift(changes: Sequence[Table]) -> list[Table]:
    """Changes of a radiograph, those that move the answer most first."""
    return sorted(changes, key=lambda change: -shift(change))


def most_silent(changes: Sequence[Table]) -> list[Table]:
    """Changes that move answers far without a warning, those of most radiographs first."""
    silent = [change for change in changes if change["silent_of_all"]["value"]]
    return sorted(silent, key=lambda change: (-change["silent_of_all"]["value"], -shift(change)))


def noticed(change: Table) -> float:
    """The share of changed radiographs that were refused or warned about."""
    return float(sum(change["fates"].get(outcome, 0.0) for outcome in NOTICED))


def sampled(rows: Sequence[Table], most: int = 10) -> Sequence[Table]:
    """About ten of many rows, the last among them."""
    step = max(1, len(rows) // most)
    return rows[::-1][::step][::-1]


FILTERS = {
    one.__name__: one
    for one in (
        *(number, months, share, percent, part, signed, difference, cell, listed, years, stage),
        *(ms, shift, by_shift, most_silent, noticed, sampled),
    )
}
