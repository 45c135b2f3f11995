"""How a figure, a share and a table are written in a document."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from boneage.evaluation.accuracy.report_tables import number
from tools.documents.evidence import Evidence, Table

MEGABYTE = 1_000_000
MINUS = "−"


def months(estimate: Table) -> str:
    """Months to a tenth, with the interval where there is one."""
    return number(estimate, 1)


def difference(estimate: Table) -> str:
    """Months to a tenth with their sign, and the interval."""
    if estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return signed(estimate["value"])
    return f"{signed(estimate['value'])} ({signed(estimate['low'])} to {signed(estimate['high'])})"


def signed(value: float) -> str:
    """Write a number to a tenth with its sign; what rounds to 0 has none."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else MINUS}{text}"


def share(estimate: Table) -> str:
    """A share of 0 to 1 in per cent, with the interval where there is one."""
    if estimate["value"] is None:
        return "–"
    return number({k: None if v is None else 100 * v for k, v in estimate.items()}, 0) + " %"


def percent(value: float | None) -> str:
    """A share of 0 to 1 in per cent, alone."""
    return "–" if value is None else f"{100 * value:.0f} %"


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A table; the first row is its header."""
    lines = ["| " + " | ".join(map(_cell, row)) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _cell(text: str) -> str:
    """Let no name that people gave break the table, or be taken for HTML."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").replace("<", "&lt;")


def listed(parts: Iterable[str]) -> str:
    """Join words as people do: "a, b and c"."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def joined(*paragraphs: str) -> str:
    """Put paragraphs under one another; empty ones are left out."""
    return "\n\n".join(paragraph for paragraph in paragraphs if paragraph)


def years(band: str) -> str:
    """Write the key of a two-year band for people: "2–4 years"."""
    return f"{band.replace('-', '–')} years"


def stage(name: str) -> str:
    """Write the folder of a stage of training for people: "attention, phase 1"."""
    network, _, phase = name.partition("/phase-")
    return f"{network}, phase {int(phase) + 1}" if phase.isdigit() else name


def unmeasured(evidence: Evidence, command: str) -> str:
    """Say that something was not measured, and by which command it is."""
    return f"Not measured yet: `{'make' if evidence.in_checkout else 'boneage'} {command}`."


def of_other_weights(evidence: Evidence, table: Table) -> str:
    """Warn when a measurement is of other weights than those described; else empty."""
    weights = table["weights"]
    if evidence.manifest_sha256 in (None, weights["sha256"]):
        return ""
    return (
        f"**Measured with other weights than these, `{weights['name']}` "
        f"(sha256 `{weights['sha256'][:12]}`).**"
    )


def source(table: Table) -> str:
    """Say with which weights something was measured, by which version, and when."""
    weights = table["weights"]
    version = f", boneage {table['boneage']}" if "boneage" in table else ""
    return (
        f"weights `{weights['name']}` (sha256 `{weights['sha256'][:12]}`){version}, {table['date']}"
    )


def films_of(table: Table, count: int) -> str:
    """Say how many films of which split, and when only some were tried."""
    data = table["data"]
    limit = f" (only the first {data['limit']} were tried)" if data.get("limit") else ""
    split = "" if data["split"] == "all" else f"{data['split']} "
    return f"{count:,} {split}films{limit}"


def where(found: Table) -> str:
    """Say on what machine something was measured, when, and beside how much other work."""
    machine = found["machine"]
    load = "" if machine["load"] is None else f", load average before it {machine['load']:.1f}"
    return f"{machine['cores']} cores of {machine['processor']}, {found['date']}{load}"
