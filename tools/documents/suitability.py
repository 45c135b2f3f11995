"""What is refused, from ``suitability/suitability.json``."""

from __future__ import annotations

from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    joined,
    listed,
    markdown,
    of_other_weights,
    unmeasured,
)

COMMAND = "suitability"
NAMES = {
    "chest": "chest",
    "other-limb": "other limb",
    "other-modality": "CT, MR, ultrasound, microscopy",
    "photo": "photograph",
    "drawing": "drawing, screenshot, text",
    "hand-unsuitable": "part of a hand, several hands",
    "hand-adult": "adult hand",
    "right-or-mirrored": "right or mirrored hand",
}


def in_short(evidence: Evidence) -> str:
    """Say what is refused and what is not, and tabulate it by category."""
    found = evidence.suitability
    if found is None:
        return unmeasured(evidence, COMMAND)
    return joined(
        of_other_weights(evidence, found),
        f"Of {films(found)}.",
        by_category(found),
        _text(found),
        "Each training film and each image was judged by a gate that was fitted without it and "
        "its near-copies; in the last column without any image of its source. Held-back films "
        f"were judged by the finished gate. Measured {found['date']}.",
    )


def films(found: Table) -> str:
    """Say how many films are refused, and about how many there is a warning."""
    sets = (("training", "training films"), ("validation", "held-back films"))
    return listed(
        f"{found[key]['films']:,} {words}, {_share(found[key]['refused'], found[key]['films'])} "
        f"are refused and {_share(found[key]['warned'], found[key]['films'])} are warned about"
        for key, words in sets
        if key in found
    )


def _text(found: Table) -> str:
    """Say how often burnt-in text is found."""
    table = found.get("text")
    if table is None:
        return ""
    films = table["films"]
    return (
        f"Of {films:,} held-back films with an invented name, number or date drawn at an edge, "
        f"there is a warning of text for {_share(table['with_text'], films)}; as they came, for "
        f"{_share(table['as_they_came'], films)}."
    )


def by_category(found: Table) -> str:
    """Tabulate the images of every category that should be refused, and those that should not."""
    without = found["source_left_out"]["by_category"]
    head = ["shows", "should be", "images", "refused", "warned about", "refused, source left out"]
    rows = [head]
    for expected, words in (("refuse", "refused"), ("warn", "read, with a warning")):
        for category, name in NAMES.items():
            table = found["by_category"].get(category, {}).get(expected)
            if table is None:
                continue
            other = without.get(category, {}).get(expected)
            rows.append(
                [
                    *(name, words, str(table["films"])),
                    _share(table["refused"], table["films"]),
                    _share(table["warned"], table["films"]),
                    _share(other["refused"], other["films"]) if other else "–",
                ]
            )
    return markdown(rows)


def confusion(evidence: Evidence) -> str:
    """Tabulate what images were taken for, by category, and how laid films are turned."""
    found = evidence.suitability
    if found is None:
        return ""
    kinds = sorted({kind for row in found["seen_as"].values() for kind in row})
    rows = [["shows", *(f"seen as {kind}" for kind in kinds)]]
    for category, row in found["seen_as"].items():
        rows.append([NAMES.get(category, category), *(str(row.get(kind, 0)) for kind in kinds)])
    lies = [["film laid so that it needs", "films", "found"]]
    for lie, row in found["lying"].items():
        lies.append([lie, str(row["films"]), _share(row["found"], row["films"])])
    return joined(markdown(rows), markdown(lies))


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} % ({part})" if whole else "–"
