"""What the weights are and how they were made, from their manifest and ``analysis.json``."""

from __future__ import annotations

from collections.abc import Mapping

from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import SparseAges
from tools.documents.evidence import Evidence, Table
from tools.documents.forms import MEGABYTE, joined, listed, markdown, stage, unmeasured

NO_WEIGHTS = "No weights are bundled yet: `make train`."
SPLITS = (("training", "train"), ("held back (validation)", "validation"))
KINDS = (("films", "best"), ("of these at useful resolution", "detailed"))
"""What the manifest counts, in words."""
FILMS: Mapping[str, str] = {
    "best": "of each film the better copy",
    "detailed": "films of useful resolution",
    "squeezed": "squeezed copies of all films",
    "thumbnails": "thumbnails",  # in manifests of earlier versions, of 100 pixels
}
"""What a phase of training sees, by the word of the profile."""
GIRLS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}


def weights(evidence: Evidence) -> str:
    """Say what is in the bundle."""
    manifest = evidence.manifest
    if manifest is None:
        return NO_WEIGHTS
    files = [entry["file"] for entry in manifest["networks"].values()]
    return (
        f"Weights `{manifest['name']}`, profile `{manifest['profile']['name']}`, "
        f"{len(files)} networks: " + ", ".join(f"`{name}`" for name in files) + "."
    )


def regions(evidence: Evidence) -> str:
    """Name the regions that the weights look for."""
    return listed(evidence.manifest["regions"]["names"]) if evidence.manifest else ""


def networks(evidence: Evidence) -> str:
    """Tabulate the networks: what each sees, and how large its file is."""
    manifest = evidence.manifest
    if manifest is None:
        return NO_WEIGHTS
    rows = [["network", "sees", "file", "MB"]]
    for name, entry in manifest["networks"].items():
        size = evidence.sizes.get(entry["file"])
        megabytes = "–" if size is None else f"{size / MEGABYTE:.1f}"
        rows.append([name, _sees(name, entry, manifest), f"`{entry['file']}`", megabytes])
    return markdown(rows)


def _sees(name: str, entry: Table, manifest: Table) -> str:
    if entry["input"] is None:
        inputs = [item.replace("_", " ") for item in manifest["fusion"]["inputs"]]
        return f"what the others saw ({', '.join(inputs)}), and the sex"
    rows, columns = entry["input"]
    what = "the whole film" if name == "attention" else f"the {name} region, cut from the film"
    return f"{what}, at {rows} × {columns} pixels"


def data(evidence: Evidence) -> str:
    """Count the films that the weights were made from, and say on what terms."""
    manifest = evidence.manifest
    if manifest is None:
        return NO_WEIGHTS
    stated: Table = manifest.get("data", {})
    counts = stated.get("films")
    table = ""
    if isinstance(counts, dict):
        rows = [["", *(words for words, _ in SPLITS)]]
        for words, kind in KINDS:
            cells = [counts.get(f"{kind}_{split}") for _, split in SPLITS]
            rows.append([words, *("–" if cell is None else f"{cell:,}" for cell in cells)])
        table = markdown(rows)
    limit = stated.get("limit")
    tried = f"**A trial run: at most {limit:,} films of each kind were used.**" if limit else ""
    terms = stated.get("terms", "The manifest states no terms of use.")
    source = manifest.get("fine_tuned_from")
    local = "These are the films of the fine-tuning alone." if source else ""
    return joined(table, local, tried, f"Terms, as the manifest states them: {terms}")


def labels(evidence: Evidence) -> str:
    """Say what the labels of the data set are like, and at which ages they are few."""
    found = evidence.analysis
    if found is None:
        return f"Its labels: {unmeasured(evidence, 'analyse').lower()}"
    groups = found["statistics_months"]
    overall = groups["overall"]
    sexes = [f"{groups[str(s)]['count']:,} of {w}" for s, w in GIRLS.items() if str(s) in groups]
    text = (
        f"The labelled data set: {overall['count']:,} films, {listed(sexes)}, bone ages from "
        f"{overall['least']:g} to {overall['most']:g} months, mean {overall['mean']:.1f}, median "
        f"{overall['median']:g}, standard deviation {overall['standard_deviation']:.1f}."
    )
    problems = found["problems"]["count"]
    left_out = f" {problems:,} labels or films could not be used." if problems else ""
    return f"{text}{left_out} {thin_ages(evidence)}".strip()


def thin_ages(evidence: Evidence) -> str:
    """Say at which ages the data set has few films of a sex; empty where it has enough."""
    thin: Table = (evidence.analysis or {}).get("thin_ages", {})
    if not thin.get("found"):
        return ""
    found = [SparseAges(**{**entry, "sex": Sex(entry["sex"])}) for entry in thin["found"]]
    parts = [f"{GIRLS[one.sex]} {one.words} ({one.films:,} films)" for one in found]
    return (
        f"Few films, under {thin['fewer_films_than']} in a two-year band: {listed(parts)}; less "
        "is learned there, and readings are drawn towards the middle."
    )


def training(evidence: Evidence) -> str:
    """Say by which profile, when, at which commit and in which steps the weights were made."""
    manifest = evidence.manifest
    if manifest is None:
        return NO_WEIGHTS
    profile: Table = manifest["profile"]
    facts = [f"Profile `{profile['name']}`"]
    facts += [f"seed {profile['seed']}"] if "seed" in profile else []
    facts += [f"exported {manifest['date']}"] if manifest.get("date") else []
    facts += [f"at the commit `{manifest['commit']}`"] if manifest.get("commit") else []
    facts += _source(manifest)
    return joined(f"{', '.join(facts)}.", _steps(manifest), _rounding(manifest["networks"]))


def _source(manifest: Table) -> list[str]:
    """Say of fine-tuned weights which they were."""
    source: Table | None = manifest.get("fine_tuned_from")
    if source is None:
        return []
    films = source.get("data", {}).get("films")
    known = isinstance(films, dict) and "best_train" in films
    count = f", trained on {films['best_train']:,} films" if known else ""
    return [f"fine-tuned from `{source['name']}` (sha256 `{source['sha256'][:12]}`{count})"]


def _steps(manifest: Table) -> str:
    profile: Table = manifest["profile"]
    if not {"attention", "region", "fusion"} <= profile.keys():
        return "The manifest does not say how they were trained."
    errors: Table = manifest.get("metrics", {}).get("held_back_mae_months", {})
    rows = [["step", "starts from", "sees", "pixels", "epochs", "held-back MAE at its end, months"]]
    regions = [name for name in manifest["regions"]["names"] if name in manifest["networks"]]
    source: Table | None = manifest.get("fine_tuned_from")
    for name in ("attention", *regions):
        spec: Table = profile["attention" if name == "attention" else "region"]
        for number, phase in enumerate(spec["phases"]):
            first = source["name"] if source else spec["initial_weights"]
            start = "the phase before" if number else f"`{first}`"
            key = f"{name}/phase-{number}"
            rows.append(_step(stage(key), start, phase, spec["input"], errors.get(key)))
    head = profile["fusion"]["training"]
    start = f"`{source['name']}`" if source else "scratch"
    rows.append(_step("fusion", start, head, None, errors.get("fusion")))
    backbones = {f"`{profile[part]['backbone']}`": None for part in ("attention", "region")}
    note = (
        f"Backbone: {listed(backbones)}. The last column was logged on the held-back films when a "
        "step ended; it describes the step, the results below the answer."
    )
    return joined(markdown(rows), note)


def _step(
    name: str, start: str, phase: Table, size: tuple[int, int] | None, error: float | None
) -> list[str]:
    shape = phase.get("input") or size
    pixels = f"{shape[0]} × {shape[1]}" if shape else "–"
    return [
        *(name, start, _films(phase), pixels, str(phase["epochs"])),
        "–" if error is None else f"{error:.1f}",
    ]


def _films(phase: Table) -> str:
    words = FILMS.get(phase["films"], str(phase["films"]))
    times, squeezed = phase.get("detailed_times", 1), phase.get("squeezed_an_epoch", 0)
    thumbnails = phase.get("thumbnails_an_epoch", 0)
    often = f"; those of useful resolution {times} times an epoch" if times > 1 else ""
    some = f"; {squeezed:,} of the squeezed copies an epoch" if squeezed else ""
    some += f"; {thumbnails:,} of the thumbnails an epoch" if thumbnails else ""
    return words + often + some


def _rounding(networks: Table) -> str:
    halved = [entry for entry in networks.values() if entry.get("float16")]
    if not halved:
        return ""
    most = max(entry["float16_months"] for entry in halved)
    return (
        f"{len(halved)} of {len(networks)} networks are stored in half precision, which moved the "
        f"reading of none of them by more than {most:.2f} months on average."
    )
