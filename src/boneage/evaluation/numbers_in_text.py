"""The numbers in README.md and MODEL_CARD.md, written from the evidence.

A text marks where numbers belong::

    <!-- figures:validation -->
    ...
    <!-- /figures -->

and ``boneage figures`` (``make figures``) writes what is between the marks from
``docs/evidence/*.json`` and the manifest of the bundled weights. Nobody types a
measured number, and a test fails when a text and its files disagree.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from boneage.errors import DataError

Table: TypeAlias = Mapping[str, Any]

TEXTS = ("README.md", "MODEL_CARD.md")
METRICS = Path("docs/evidence/metrics.json")
BENCH = Path("docs/evidence/bench.json")
DASHBOARD = Path("docs/evidence/dashboard.json")
MANIFEST = Path("src/boneage/bundle/manifest.json")
BLOCK = re.compile(
    r"(?P<open><!-- figures:(?P<name>[a-z-]+) -->\n).*?(?P<close><!-- /figures -->)", re.DOTALL
)


@dataclass(frozen=True)
class Evidence:
    """The measured files of a checkout; None where one was not written yet."""

    metrics: Table | None
    bench: Table | None
    manifest: Table | None
    dashboard: Table | None = None


def read_evidence(root: Path) -> Evidence:
    """Read what a checkout has measured."""
    return Evidence(*(_json(root / path) for path in (METRICS, BENCH, MANIFEST, DASHBOARD)))


def with_numbers(text: str, evidence: Evidence) -> str:
    """Write every marked block of a text anew.

    Raises
    ------
    ValueError
        For a block of an unknown name.
    """

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if name not in BLOCKS:
            raise ValueError(f"no figures are called {name!r}; known are {sorted(BLOCKS)}")
        return f"{match['open']}{BLOCKS[name](evidence)}\n{match['close']}"

    return BLOCK.sub(block, text)


def headline(evidence: Evidence) -> str:
    """Say in one sentence how many films, and how far off."""
    if evidence.metrics is None:
        return "The bundled weights are not measured yet: `make evaluate` will write this sentence."
    overall = evidence.metrics["metrics"]["overall"]
    return (
        f"On {_films(evidence.metrics)}, the mean absolute error is "
        f"**{_months(overall['mae_months'])} months**, R² {_number(overall['r2'], 3)}, "
        f"and {_share(overall['within_12'])} of the readings are within a year "
        "(in brackets: 95 % bootstrap intervals)."
    )


def validation(evidence: Evidence) -> str:
    """Tabulate all figures, overall and by sex."""
    if evidence.metrics is None:
        return "Not measured yet: `make evaluate`."
    groups = evidence.metrics["metrics"]
    rows = [["", *(f"{group} (n = {m['count']})" for group, m in groups.items())]]
    for label, key, form in _FIGURES:
        rows.append([label, *(form(metrics[key]) for metrics in groups.values())])
    weights = evidence.metrics["weights"]
    note = (
        f"Measured on {_films(evidence.metrics)} with the weights `{weights['name']}` "
        f"(sha256 `{weights['sha256'][:12]}`), boneage {evidence.metrics['boneage']}, "
        f"{evidence.metrics['date']}. In brackets: 95 % bootstrap intervals. "
        f"{_failed(evidence.metrics)}"
    )
    return f"{_markdown(rows)}\n\n{note}"


def networks(evidence: Evidence) -> str:
    """Set each network alone beside the answer that joins them."""
    if evidence.metrics is None:
        return "Not measured yet: `make evaluate`."
    found = evidence.metrics["attention_found"]
    rows = [["reading", "mean absolute error, months", "R²", "attention found"]]
    for name, measured in evidence.metrics["networks"].items():
        overall = measured["overall"]
        share = f"{found[name]:.1%}" if name in found else ""
        label = f"{name.replace('_', ' ')} alone"
        rows.append([label, _months(overall["mae_months"]), _number(overall["r2"], 3), share])
    overall = evidence.metrics["metrics"]["overall"]
    joined = [_months(overall["mae_months"]), _number(overall["r2"], 3), ""]
    return _markdown([*rows, ["all joined, with sex", *joined]])


def weights(evidence: Evidence) -> str:
    """Say what is in the bundle."""
    if evidence.manifest is None:
        return "No weights are bundled yet: `make train`."
    files = [entry["file"] for entry in evidence.manifest["networks"].values()]
    return (
        f"Weights `{evidence.manifest['name']}`, profile "
        f"`{evidence.manifest['profile']['name']}`, {len(files)} networks: "
        + ", ".join(f"`{name}`" for name in files)
        + "."
    )


def speed(evidence: Evidence) -> str:
    """Tabulate seconds, memory and size."""
    if evidence.bench is None:
        return "Not measured yet: `make bench`."
    bench, machine = evidence.bench, evidence.bench["machine"]
    rows = [["what", "measured"]]
    cold = bench["cold"]
    rows.append(["one film, from nothing (`boneage assess`)", f"{cold['seconds']:.1f} s"])
    rows.append(["peak memory of that", f"{cold['peak_memory_mb']:.0f} MB"])
    for warm in bench["warm"]:
        size = f"{warm['width']} × {warm['height']}"
        timing = f"{warm['median_seconds']:.2f} s (95th percentile {warm['p95_seconds']:.2f} s)"
        rows.append([f"one more film of {size} pixels", timing])
    rows.append(["`import boneage`", f"{bench['import_seconds']:.2f} s"])
    if bench["install"]:
        install = bench["install"]
        size = f"{install['seconds']:.0f} s, {install['size_mb']:.0f} MB"
        rows.append(["installing the base package", size])
    for stage in bench["training"]:
        pace = f"{stage['films_per_second']:.1f} films a second"
        rows.append([f"training, {stage['stage']}", pace])
    load = "" if machine["load"] is None else f"; load average before it {machine['load']:.1f}"
    note = f"On {machine['cores']} cores of {machine['processor']}, {bench['date']}{load}."
    return f"{_markdown(rows)}\n\n{note}"


def dashboard(evidence: Evidence) -> str:
    """Tabulate what a person at the dashboard waits for."""
    if evidence.dashboard is None:
        return "Not measured yet: `make dashbench`."
    found, machine = evidence.dashboard, evidence.dashboard["machine"]
    rows = [["what", "median", "95th percentile"]]
    for label, key in _WAITS:
        times = found["seconds"][key]
        rows.append([label, f"{times['median']:.2f} s", f"{times['p95']:.2f} s"])
    memory, film = found["memory_mb"], found["film"]
    counts = found["axe"]["violations"]
    worst = counts["critical"] + counts["serious"]
    load = "" if machine["load"] is None else f", load average before it {machine['load']:.1f}"
    note = (
        f"A synthetic film of {film['width']} × {film['height']} pixels, "
        f"{found['seconds']['warm_answer']['runs']} clicks each, in {found['browser']}, on "
        f"{machine['cores']} cores of {machine['processor']}, {found['date']}{load}. The server "
        f"takes {memory['started']:.0f} MB when it has started, and "
        f"{memory['with_sessions']:.0f} MB with {memory['sessions']} visitors who have each read "
        f"such a film. axe-core finds {worst or 'no'} serious violation{'s' * (worst != 1)} in "
        f"{found['axe']['states']} states of the pages, light and dark."
    )
    return f"{_markdown(rows)}\n\n{note}"


BLOCKS: Mapping[str, Callable[[Evidence], str]] = {
    "dashboard": dashboard,
    "headline": headline,
    "networks": networks,
    "speed": speed,
    "validation": validation,
    "weights": weights,
}


def _months(estimate: Table) -> str:
    return _number(estimate, 1)


def _number(estimate: Table, digits: int) -> str:
    if estimate["value"] is None:
        return "–"
    text = f"{estimate['value']:.{digits}f}"
    if estimate["low"] is None:
        return text
    return f"{text} ({estimate['low']:.{digits}f} to {estimate['high']:.{digits}f})"


def _share(estimate: Table) -> str:
    value = f"{estimate['value']:.0%}"
    if estimate["low"] is None:
        return value
    return f"{value} ({estimate['low']:.0%} to {estimate['high']:.0%})"


def _r2(estimate: Table) -> str:
    return _number(estimate, 3)


_FIGURES: tuple[tuple[str, str, Callable[[Table], str]], ...] = (
    ("mean absolute error, months", "mae_months", _months),
    ("root mean squared error, months", "rmse_months", _months),
    ("R²", "r2", _r2),
    ("bias (read minus labelled), months", "bias_months", _months),
    ("within 6 months", "within_6", _share),
    ("within 12 months", "within_12", _share),
    ("within 24 months", "within_24", _share),
)


_WAITS = (
    ("first page, server just started", "first_page"),
    ("click to answer, the first film", "cold_answer"),
    ("click to answer, a further film", "warm_answer"),
    ("click to all pictures, a further film", "warm_pictures"),
)


def _films(metrics: Table) -> str:
    limit = metrics["data"]["limit"]
    only = f" (only the first {limit} were tried)" if limit else ""
    return f"{metrics['films']['read']} {metrics['data']['split']} films{only}"


def _failed(metrics: Table) -> str:
    films = metrics["films"]
    if not films["failed"]:
        return "Every film was read."
    return f"{films['failed']} of {films['tried']} films could not be read and are left out."


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * len(rows[0]))
    return "\n".join(lines)


def _json(path: Path) -> Table | None:
    if not path.is_file():
        return None
    try:
        table: Table = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{str(path)!r} is no JSON: {error}") from error
    return table


def renew(root: Path, *, write: bool = True) -> dict[str, bool]:
    """Bring the documents of a checkout up to its evidence.

    Returns
    -------
    dict
        For each document, whether it differed.

    Raises
    ------
    DataError
        When a document is missing or the evidence is no JSON.
    """
    evidence = read_evidence(root)
    differed = {}
    for name in TEXTS:
        path = root / name
        if not path.is_file():
            raise DataError(f"no {name} in {str(root)!r}; give the folder of a checkout")
        text = path.read_text(encoding="utf-8")
        renewed = with_numbers(text, evidence)
        differed[name] = renewed != text
        if differed[name] and write:
            path.write_text(renewed, encoding="utf-8")
    return differed
