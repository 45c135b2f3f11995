"""The stress test as one page: what moved, what the program noticed, and how it was measured."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from boneage.evaluation.metrics import DRAWS, Estimate
from boneage.evaluation.page import Picture, Section, write_page
from boneage.evaluation.robustness.evidence import StressTest
from boneage.evaluation.robustness.figures import draw_fates, draw_shifts
from boneage.evaluation.robustness.sheet import draw_sheet, example_film
from boneage.evaluation.robustness.stress import FAR_MONTHS
from boneage.evaluation.robustness.summary import VERY_FAR_MONTHS, Effect

PAGE = "stress.html"
FIGURES = "figures"
SMALL_MONTHS = 1.0
"""Less than this is what two saves of one film may differ by, and no change of an answer."""
RULE_OF_THREE = 3
"""0 of n seen: with 95 % confidence the share is below 3/n (Hanley & Lippman-Hand,
JAMA 1983;249:1743)."""


def write_report(folder: Path, test: StressTest) -> Path:
    """Draw the figures and write the page that holds them; gives the page's path."""
    figures = folder / FIGURES
    shifts, fates = figures / "stress_shifts.png", figures / "stress_fates.png"
    sheet = figures / "changes.png"
    draw_shifts(test.effects, shifts)
    draw_fates(test.effects, fates)
    draw_sheet(example_film(), test.changes, sheet)
    sections = (
        Section("In short", in_short(test)),
        Section(
            "How far the answer moves",
            "Each row is one change. Left: the mean difference between the answer to the changed "
            "film and the answer to the same film unchanged, whichever the direction. Right: how "
            "many films moved by more than a year, and by more than two. Lines are 95 % intervals.",
            pictures=[Picture(shifts, "Change of the answer in months, by change of the film")],
        ),
        Section(
            "What the program noticed",
            "A film that moves is no harm where the program refuses it or warns. What matters is "
            f"the wine red: answers moved by more than {FAR_MONTHS:g} months without a word.",
            pictures=[Picture(fates, "Share of films refused, warned about and silently moved")],
        ),
        Section("Figures: how far", table=shift_table(test.effects)),
        Section(
            "Figures: what was noticed",
            f"Silent: moved by more than {FAR_MONTHS:g} months, neither refused nor warned about. "
            "Shares of all films, but for one column: of those that moved so far.",
            table=noticed_table(test.effects),
        ),
        Section(
            "Figures: error against the labels",
            "The bias is the mean of the answer with the change minus the answer without: above 0, "
            "the change makes bones look older.",
            table=error_table(test.effects),
        ),
        Section(
            "What each change does",
            "Nobody's hand, drawn by boneage, as the program reads it after each change. Changes "
            "of the image quality are shown on a detail: made small, the film would not show them.",
            table=words_table(test.effects),
            pictures=[Picture(sheet, "One drawn film under every change")],
        ),
        Section("How it was measured", how(test)),
    )
    page = folder / PAGE
    write_page(page, "Stress test: the same films, changed", _lead(test), sections)
    return page


def _lead(test: StressTest) -> str:
    setting = test.setting
    only = f", the first {setting.limit} only" if setting.limit else ""
    return (
        f"{len(test.films)} {setting.split} films of {setting.data}{only}, each under "
        f"{len(test.changes)} changes, read with {setting.weights.name} "
        f"(sha256 {setting.weights.sha256[:12]}); {setting.day.isoformat()}."
    )


def in_short(test: StressTest) -> str:
    """Say what a reader wants first."""
    effects = test.effects
    harmless = [e.label for e in effects if _below(e.mean_shift_months, SMALL_MONTHS)]
    moved = [e for e in effects if e.mean_shift_months.value is not None]
    worst = sorted(moved, key=lambda e: -(e.mean_shift_months.value or 0))[:5]
    silent = sorted((e for e in effects if e.silent_of_all.value), key=_most_silent)[:5]
    parts = [
        f"{len(harmless)} of {len(effects)} changes move the answer by less than "
        f"{SMALL_MONTHS:g} month on average{': ' if harmless else ''}{', '.join(harmless)}.",
        "The answer moves most, on average, under "
        + "; ".join(f"{e.label}, {months(e.mean_shift_months)} months" for e in worst)
        + ".",
    ]
    if silent:
        listed = "; ".join(f"{e.label}, {share(e.silent_of_all)} of films" for e in silent)
        parts.append(
            f"Moved by more than {FAR_MONTHS:g} months in silence, that is neither refused nor "
            f"warned about, most often: {listed}."
        )
    else:
        parts.append(f"No answer moved by more than {FAR_MONTHS:g} months without a word.")
    return "\n\n".join(parts)


def _most_silent(effect: Effect) -> float:
    return -(effect.silent_of_all.value or 0)


def _below(estimate: Estimate, limit: float) -> bool:
    return estimate.value is not None and estimate.value < limit


def shift_table(effects: Sequence[Effect]) -> list[list[str]]:
    """How far: header and one row a change; months, and shares of answered films."""
    header = ["change", "mean change, months", "median", "95th percentile"]
    header += [f"> {FAR_MONTHS:g} months", f"> {VERY_FAR_MONTHS:g} months"]
    return [header] + [
        [
            e.label,
            months(e.mean_shift_months),
            _plain(e.median_shift_months),
            _plain(e.p95_shift_months),
            share(e.changed_12),
            share(e.changed_24),
        ]
        for e in effects
    ]


def noticed_table(effects: Sequence[Effect]) -> list[list[str]]:
    """What was noticed: header and one row a change."""
    header = ["change", "refused", "warned about", "silent"]
    header += [f"silent of those > {FAR_MONTHS:g} months", "why (films)"]
    return [header] + [
        [
            e.label,
            share(e.refused),
            share(e.warned),
            share(e.silent_of_all),
            share(e.silent),
            _counts({**e.refusals, **e.warnings}),
        ]
        for e in effects
    ]


def error_table(effects: Sequence[Effect]) -> list[list[str]]:
    """Against the labels: header and one row a change; months."""
    header = ["change", "films answered", "mean absolute error, months", "same films unchanged"]
    header += ["bias of the change, months"]
    return [header] + [
        [
            e.label,
            f"{e.answered} of {e.films}",
            months(e.mae_months),
            months(e.mae_unchanged_months),
            months(e.bias_months, sign=True),
        ]
        for e in effects
    ]


def words_table(effects: Sequence[Effect]) -> list[list[str]]:
    """What each change is."""
    header = ["change", "what is done", "name for --only"]
    return [header] + [[e.label, e.words, e.name] for e in effects]


def how(test: StressTest) -> str:
    """Say how the figures came about, and what they do not say."""
    count = len(test.films)
    failed = (
        f"{len(test.failures)} more films got no answer unchanged and are left out."
        if test.failures
        else "Every film got an answer unchanged."
    )
    return (
        "Each film is read once; its grey values are changed, written as the bytes of a PNG (or "
        "of the format that the change is), and read anew from these bytes, the way of any film. "
        "Grey values are clipped at black and white, as a file of that many bits does. Chance "
        "(noise) is seeded by the film's id.\n\n"
        f"{failed} Refused: the program gave an error and no age. Warned about: it gave an age and "
        "a warning that the unchanged film did not have. Silent: neither. Shares of moved films, "
        "the bias and the errors are of films answered; the others of all films.\n\n"
        f"In brackets: 95 % intervals, percentile bootstrap over films, {DRAWS} draws. Where no "
        f"film did something, the interval is 0 to 0; with {count} films that still allows a share "
        f"of up to {100 * min(1.0, RULE_OF_THREE / count):.1f} %.\n\n"
        "A change is put on films as they are: those that were framed, turned or inverted before "
        "are so twice. Turning ±15° and ±30° leaves black corners and cuts the forearm obliquely, "
        "which a hand laid obliquely on the plate would not."
    )


def months(estimate: Estimate, *, sign: bool = False) -> str:
    """Write an estimate in months, to a tenth, with its interval."""
    return _with_interval(estimate, "+.1f" if sign else ".1f", 1, "")


def share(estimate: Estimate) -> str:
    """Write a share in per cent, with its interval."""
    return _with_interval(estimate, ".0f", 100, " %")


def _with_interval(estimate: Estimate, form: str, scale: float, unit: str) -> str:
    def words(value: float) -> str:
        return f"{value * scale:{form}}".replace("-", "−")

    if estimate.value is None:
        return "–"
    value = words(estimate.value) + unit
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({words(estimate.low)} to {words(estimate.high)})"


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{code} ({count})" for code, count in counts.items()) or "–"


def _plain(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"
