"""Spoilt files and kills, from ``fuzz.json`` and ``node.json``."""

from __future__ import annotations

from tools.documents.evidence import Evidence
from tools.documents.forms import joined, of_other_weights, unmeasured, where


def fuzz(evidence: Evidence) -> str:
    """Say what became of files that were spoilt at random."""
    found = evidence.fuzz
    if found is None:
        return unmeasured(evidence, "fuzz")
    limits, findings = found["limits"], len(found["findings"])
    return (
        f"Of {found['inputs']:,} spoilt files, {found['films']:,} could be read all the same and "
        f"{found['refused']:,} were refused with a reason; {findings or 'none'} ended in a crash, "
        f"in an unknown error, after more than {limits['seconds']:g} s or with more than "
        f"{limits['megabytes']} MiB of memory (the slowest: {found['slowest_seconds']:.1f} s; "
        f"the most: {found['peak_megabytes']} MiB). {found['date']}."
    )


def node(evidence: Evidence) -> str:
    """Say what the DICOM node lost and doubled under kills."""
    found = evidence.node
    if found is None:
        return unmeasured(evidence, "nodebench")
    text = (
        f"{found['films']:,} films, {found['kills']} kills, {found['outages']} outage of the "
        f"archive: {found['lost']} lost, {found['doubled']} doubled, {found['dead']} given up; "
        f"{found['films_a_minute']:.1f} films a minute, restarts included, on "
        f"{where(found)}."
    )
    return joined(of_other_weights(evidence, found), text)
