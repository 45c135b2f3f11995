"""What each part of the method is worth, from ``ablation.json``."""

from __future__ import annotations

from collections.abc import Mapping

from boneage.evaluation.accuracy.report_tables import number
from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    difference,
    joined,
    listed,
    markdown,
    months,
    signed,
    unmeasured,
)

COMMAND = "ablate"
INPUTS, NETWORKS, BACKBONES = "inputs", "networks", "backbones"
TITLES: Mapping[str, str] = {
    INPUTS: "Inputs of the fusion",
    NETWORKS: "Parts of the whole-hand network",
    BACKBONES: "Backbones",
}


def in_short(evidence: Evidence) -> str:
    """Say in a line a study which variants err more and which less than the baseline."""
    found = evidence.ablation
    if found is None:
        return unmeasured(evidence, COMMAND)
    told = (_in_short(name, study) for name, study in found["studies"].items())
    return joined(*told, f"Of the training run `{found['run']}`, {found['date']}.")


def studies(evidence: Evidence) -> str:
    """Tabulate every study and say how its variants were trained."""
    found = evidence.ablation
    if found is None:
        return unmeasured(evidence, COMMAND)
    parts = []
    for name, study in found["studies"].items():
        parts += [f"**{TITLES.get(name, name)}.** {_how(name, study)}", _table(study)]
    note = (
        f"Run `{found['run']}`, profile `{found['profile']}`, {found['data']['split']} films, "
        f"boneage {found['boneage']}, {found['date']}. The difference is the variant's error "
        "minus the baseline's: above 0, what the variant lacks is worth something. In brackets: "
        "95 % bootstrap intervals, paired; where that of a difference holds 0, these films do not "
        "tell the two apart. A description, not a means of choosing: these are the films that the "
        "weights are reported on."
    )
    return joined(*parts, note)


def _in_short(name: str, study: Table) -> str:
    """What the variants that differ from the baseline in one thing are worth."""
    variants: Table = study["variants"]
    baseline = variants[study["baseline"]]
    others = [v for v in variants.values() if v["difference_months"] and _is_near(v, baseline)]
    parts = []
    for word, sign in (("more", 1), ("less", -1)):
        found = [v for v in others if _surely(v["difference_months"]) == sign]
        found.sort(key=lambda v: -abs(v["difference_months"]["value"]))
        if found:
            named = (f"{_quoted(v)} ({signed(v['difference_months']['value'])})" for v in found)
            parts.append(f"{word} with {listed(named)}")
    alike = [_quoted(v) for v in others if not _surely(v["difference_months"])]
    if alike:
        parts.append(f"not to be told apart with {listed(alike)}")
    return (
        f"{TITLES.get(name, name)}: the mean absolute error is "
        f"{number(baseline['mae_months'])} months with {_quoted(baseline)} (n = {study['films']})"
        f"{'; ' * bool(parts)}{'; '.join(parts)}."
    )


def _is_near(variant: Table, baseline: Table) -> bool:
    return bool(variant["series"] == baseline["series"] or variant["label"] == baseline["label"])


def _surely(estimate: Table) -> int:
    """1 where the whole interval lies above 0, -1 below it, else 0."""
    if estimate["low"] is None:
        return 0
    return int(estimate["low"] > 0) - int(estimate["high"] < 0)


def _label(variant: Table) -> str:
    return ", ".join(part for part in (variant["label"], variant["series"]) if part)


def _quoted(variant: Table) -> str:
    return f"“{_label(variant)}”"


def _how(name: str, study: Table) -> str:
    seeds, films = study["seeds"], f"{study['train_films']:,}"
    if name == INPUTS:
        return (
            "The networks stay as they are; for each row a head was trained anew on the named "
            f"inputs alone, from {seeds} seed{'s' * (seeds != 1)}, for {study['epochs']} epochs on "
            f"{films} films. “Without sex”, the head was told the same sex of every child."
        )
    rows, columns = study["input"]
    if name == BACKBONES:
        return (
            f"Each was trained for {study['seconds']:g} seconds of processor time on {films} "
            f"training films at {rows} × {columns} pixels, in {study['folds']} folds of which it "
            "reads the one that it was not trained on."
        )
    return (
        "A short schedule, to compare, not to compete: each was trained from the same start for "
        f"{study['epochs']} epochs on {films} films of useful resolution, at {rows} × {columns} "
        "pixels, and reads the age by itself, without regions or fusion."
    )


def _table(study: Table) -> str:
    rows = [[f"variant (n = {study['films']})", "MAE, months", "difference, months"]]
    for variant in study["variants"].values():
        found = variant["difference_months"]
        cell = "baseline" if found is None else difference(found)
        rows.append([_label(variant), months(variant["mae_months"]), cell])
    return markdown(rows)
