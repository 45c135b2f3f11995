"""Time, memory and size, from ``bench.json`` and ``dashboard.json``."""

from __future__ import annotations

from boneage.evaluation.documents.evidence import Evidence, Table
from boneage.evaluation.documents.forms import joined, markdown, of_other_weights, stage, unmeasured

WAITS = (
    ("first page, server just started", "first_page"),
    ("click to answer, the first film", "cold_answer"),
    ("click to answer, a further film", "warm_answer"),
    ("click to all pictures, a further film", "warm_pictures"),
)


def speed(evidence: Evidence) -> str:
    """Tabulate seconds, memory and size."""
    bench = evidence.bench
    if bench is None:
        return unmeasured(evidence, "bench")
    rows = [["what", "measured"]]
    cold = bench["cold"]
    rows.append(["one film, from nothing (`boneage assess`)", f"{cold['seconds']:.1f} s"])
    rows.append(["peak memory of that", f"{cold['peak_memory_mb']:.0f} MB"])
    for warm in bench["warm"]:
        size = f"{warm['width']} × {warm['height']}"
        timing = f"{warm['median_seconds']:.2f} s (95th percentile {warm['p95_seconds']:.2f} s)"
        rows.append([f"one more film of {size} pixels", timing])
    if report := bench.get("report"):  # measurements of before have none
        size = f"{report['width']} × {report['height']}"
        timing = f"{report['median_seconds']:.2f} s (95th percentile {report['p95_seconds']:.2f} s)"
        rows.append([f"from a film of {size} pixels to its report (PDF), warm", timing])
    rows.append(["`import boneage`", f"{bench['import_seconds']:.2f} s"])
    if bench["install"]:
        install = bench["install"]
        size = f"{install['seconds']:.0f} s, {install['size_mb']:.0f} MB"
        rows.append(["installing the base package", size])
    for entry in bench["training"]:
        pace = f"{entry['films_per_second']:.1f} films a second"
        rows.append([f"training, {stage(entry['stage'])}", pace])
    machine = bench["machine"]
    load = "" if machine["load"] is None else f"; load average before it {machine['load']:.1f}"
    note = f"On {machine['cores']} cores of {machine['processor']}, {bench['date']}{load}."
    warning = of_other_weights(evidence, bench)
    return joined(warning, markdown(rows), note)


def dashboard(evidence: Evidence) -> str:
    """Tabulate what a person at the dashboard waits for."""
    found = evidence.dashboard
    if found is None:
        return unmeasured(evidence, "dashbench")
    rows = [["what", "median", "95th percentile"]]
    for label, key in WAITS:
        times = found["seconds"][key]
        rows.append([label, f"{times['median']:.2f} s", f"{times['p95']:.2f} s"])
    warning = of_other_weights(evidence, found)
    return joined(warning, markdown(rows), _dashboard_note(found))


def _dashboard_note(found: Table) -> str:
    memory, film, machine = found["memory_mb"], found["film"], found["machine"]
    counts = found["axe"]["violations"]
    worst = counts["critical"] + counts["serious"]
    load = "" if machine["load"] is None else f", load average before it {machine['load']:.1f}"
    return (
        f"A synthetic film of {film['width']} × {film['height']} pixels, "
        f"{found['seconds']['warm_answer']['runs']} clicks each, in {found['browser']}, on "
        f"{machine['cores']} cores of {machine['processor']}, {found['date']}{load}. The server "
        f"takes {memory['started']:.0f} MB when it has started, and "
        f"{memory['with_sessions']:.0f} MB with {memory['sessions']} visitors who have each read "
        f"such a film. axe-core finds {worst or 'no'} serious violation{'s' * (worst != 1)} in "
        f"{found['axe']['states']} states of the pages, light and dark."
    )
