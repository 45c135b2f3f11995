"""Where the attention looks, from ``ruler.json``."""

from __future__ import annotations

from collections.abc import Mapping

from boneage.evaluation.accuracy.bands import LEAST_FILMS
from boneage.evaluation.accuracy.report_tables import number
from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    joined,
    listed,
    markdown,
    of_other_weights,
    percent,
    share,
    source,
    unmeasured,
    years,
)

COMMAND = "ruler"
LABELS: Mapping[str, str] = {
    "carpus": "carpus (marked boxes)",
    "carpus_from_points": "carpus (from key points)",
    "metacarpals": "metacarpals 1–5",
}
"""By target of the ruler."""
REGIONS: Mapping[str, str] = {
    "carpus": "carpal",
    "carpus_from_points": "carpal",
    "metacarpals": "metacarpal",
}
"""Whose crop each target should lie in."""
GROUPS: Mapping[str, str] = {
    "copy": "copy of the film",
    "split": "split",
    "sex": "sex",
    "age_band_years": "labelled bone age",
}
"""Groupings of the ruler that are shown; its sources are told apart by the targets."""
NAMES: Mapping[str, str] = {
    "squeezed": "squeezed to 299 × 299 pixels",
    "thumbnail": "thumbnail of 100 × 100 pixels",  # in evidence of earlier versions
    "train": "training",
}


def in_short(evidence: Evidence) -> str:
    """Say in a line or two how much of the anatomy the crops hold."""
    found = evidence.ruler
    if found is None:
        return unmeasured(evidence, COMMAND)
    overall = _overall(found)
    parts = [
        f"{percent(target['crop']['coverage']['value'])} of the {LABELS[name]} "
        f"(n = {target['count']})"
        for name, target in _targets(overall).items()
    ]
    return (
        f"Held against marks that other people drew on {overall['count']} films, and that were "
        f"never trained on, the crops hold on average {listed(parts)}; the metacarpal crop lies on "
        f"the fingers' side of the carpal one in {share(overall['in_order'])} of the films."
    )


def overall(evidence: Evidence) -> str:
    """Tabulate coverage, excess and overlap by target, and say where it falls short."""
    found = evidence.ruler
    if found is None:
        return unmeasured(evidence, COMMAND)
    limit = found["covered_from"]
    rows = [
        [
            *("target", "films", "inside the crop", f"films with {percent(limit)} or more inside"),
            *("inside the bare box", "excess", "IoU", "best IoU of any such box"),
        ]
    ]
    targets = _targets(_overall(found))
    for name, target in targets.items():
        crop = target["crop"]
        rows.append(
            [
                *(LABELS[name], str(target["count"]), share(crop["coverage"])),
                *(share(target["covered"]), share(target["box"]["coverage"])),
                *(percent(crop["excess"]["value"]), _iou(crop["iou"]), _iou(target["tight_iou"])),
            ]
        )
    note = (
        f"{found['films']['measured']} films, {source(found)}. In brackets: 95 % bootstrap "
        "intervals."
    )
    warning = of_other_weights(evidence, found)
    return joined(warning, markdown(rows), _verdict(targets, limit), note)


def by_group(evidence: Evidence) -> str:
    """Tabulate coverage by copy, split, sex and age; empty when it was not measured."""
    found = evidence.ruler
    if found is None:
        return ""
    targets = list(_targets(_overall(found)))
    rows = [["films", *(f"inside: {LABELS[name]}" for name in targets), "in the right order"]]
    groups = [("all", _overall(found))]
    for grouping, label in GROUPS.items():
        members: Table = found["groups"].get(grouping, {})
        groups += [(f"{label}: {_name(grouping, name)}", m) for name, m in members.items()]
    for label, group in groups:
        cells = [_coverage(group["targets"].get(name)) for name in targets]
        order = share(group["in_order"]) if group["count"] >= LEAST_FILMS else "–"
        rows.append([label, *cells, order])
    return markdown(rows)


def target_built(evidence: Evidence) -> str:
    """Say how the anatomical target was built from the marks; a list."""
    if evidence.ruler is None:
        return ""
    return "\n".join(f"- {sentence}" for sentence in evidence.ruler["target"]["built"])


def _verdict(targets: Table, limit: float) -> str:
    short = [
        f"{LABELS[name]} ({percent(target['crop']['coverage']['value'])})"
        for name, target in targets.items()
        if (target["crop"]["coverage"]["value"] or 0) < limit
    ]
    if not short:
        return f"On average each target lies inside by {percent(limit)} or more."
    return (
        f"**On average less than {percent(limit)} lies inside: {listed(short)}.** The network of "
        "that region does not see all that it is named after."
    )


def _overall(found: Table) -> Table:
    group: Table = found["groups"]["overall"]["overall"]
    return group


def _targets(group: Table) -> dict[str, Table]:
    return {name: group["targets"][name] for name in LABELS if name in group["targets"]}


def _name(grouping: str, name: str) -> str:
    return years(name) if grouping == "age_band_years" else NAMES.get(name, name)


def _coverage(target: Table | None) -> str:
    if target is None:
        return "–"
    if target["count"] < LEAST_FILMS:
        return f"n = {target['count']}, too few to say"
    return f"{share(target['crop']['coverage'])}, n = {target['count']}"


def _iou(estimate: Table) -> str:
    return number({**estimate, "low": None}, 2)
