"""Big folders and clusters, from ``folder.json``."""

from __future__ import annotations

from tools.documents.evidence import Evidence, Table
from tools.documents.forms import joined, markdown, of_other_weights, unmeasured, where

TARGET = "bigbench"
MANY_FILMS = 10_000_000
CORES = (2, 16, 64, 256, 1024)
HOUR, GIGABYTE, TERABYTE = 3600, 1e9, 1e12
REAL_FILM_BYTES = 5_000_000
"""A film of 2000 × 2500 pixels, 8 bits, uncompressed."""


def in_short(evidence: Evidence) -> str:
    """Say in a sentence what a big folder costs."""
    found = evidence.folder
    if found is None:
        return unmeasured(evidence, TARGET)
    one, two = found["paces"][0], found["paces"][-1]
    killed = found["killed"]
    text = (
        f"{one['films_per_second']:.1f} small films a second by one process, "
        f"{two['films_per_second']:.1f} by {two['workers']} ({found['ratio']:.2f} times). "
        f"{killed['films']} films, with {killed['kills']} kills on the way: {killed['rows']} rows, "
        f"{killed['twice']} films twice, {killed['missing']} missing; no process held more than "
        f"{_most(found):.0f} MB."
    )
    return joined(of_other_weights(evidence, found), text)


def in_full(evidence: Evidence) -> str:
    """Tabulate pace and memory."""
    found = evidence.folder
    if found is None:
        return unmeasured(evidence, TARGET)
    paces = [["processes", "films", "films a second", "seconds in all"]]
    for pace in found["paces"]:
        rate = f"{pace['films_per_second']:.2f}"
        paces.append([str(pace["workers"]), str(pace["films"]), rate, f"{pace['seconds']:.0f}"])
    memory = [["films done", "the command, MB", "its processes, MB"]]
    for held in _spread(found["killed"]["memory"]):
        workers = ", ".join(f"{mb:.0f}" for mb in held["workers_mb"])
        memory.append([str(held["films"]), f"{held['parent_mb']:.0f}", workers])
    note = (
        f"On {where(found)}. Memory is "
        "the most that each process had held until then, since the kill before."
    )
    return joined(in_short(evidence), markdown(paces), markdown(memory), note)


def cluster(evidence: Evidence) -> str:
    """Say what ten million films take on a cluster, by multiplication alone."""
    found = evidence.folder
    if found is None:
        return unmeasured(evidence, TARGET)
    pace = found["paces"][-1]
    by_core = pace["films_per_second"] / pace["workers"]
    core_hours = MANY_FILMS / by_core / HOUR
    rows = [["cores", "hours", "films read a second", "from the disks, MB/s"]]
    for cores in CORES:
        rate = by_core * cores
        moved = f"{rate * REAL_FILM_BYTES / 1e6:.0f}"
        hours = core_hours / cores
        rows.append([str(cores), f"{hours:.{int(hours < 10)}f}", f"{rate:.0f}", moved])
    written = MANY_FILMS * found["killed"]["bytes_per_row"] / GIGABYTE
    text = (
        f"One process reads {by_core:.2f} films a second (measured with {pace['workers']} beside "
        f"each other), so {MANY_FILMS:,} films take {core_hours:,.0f} core hours. The rows take "
        f"{written:.1f} GB as CSV; the films, at {REAL_FILM_BYTES / 1e6:.0f} MB each, "
        f"{MANY_FILMS * REAL_FILM_BYTES / TERABYTE:.0f} TB, which all must leave their disks once."
    )
    note = (
        "This multiplies what was measured on one machine; no cluster of this size was used. Films "
        "of full size take longer to decode than the small ones that were timed."
    )
    return joined(of_other_weights(evidence, found), text, markdown(rows), note)


def _most(found: Table) -> float:
    return max(
        (
            mb
            for held in found["killed"]["memory"]
            for mb in (held["parent_mb"], *held["workers_mb"])
        ),
        default=0.0,
    )


def _spread(memory: list[Table], rows: int = 10) -> list[Table]:
    """Keep about ten of many samples, the last among them."""
    step = max(1, len(memory) // rows)
    return memory[::-1][::step][::-1]
