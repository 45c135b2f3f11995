"""What is worth saying of a labelled data set, in sentences made from its numbers."""

from __future__ import annotations

from boneage.datasets.problems import in_words
from boneage.domain.radiograph import Sex
from boneage.evaluation.data_analysis.analysis import THIN_FILMS, Analysis, ThinAges
from boneage.evaluation.data_analysis.dataset import Z_LIMIT, Statistics

WORDS = {Sex.FEMALE: "girls", Sex.MALE: "boys"}
"""How people are told of the sexes, and in which order."""


def findings(analysis: Analysis) -> list[str]:
    """What is worth saying of the data set, each a sentence or two."""
    return [
        _size_sentence(analysis),
        thin_sentence(analysis),
        heaped_sentence(analysis),
        outlier_sentence(analysis),
        split_sentence(analysis),
        _copies_sentence(analysis),
        problem_sentence(analysis),
    ]


def _size_sentence(analysis: Analysis) -> str:
    overall, by_sex = analysis.dataset.overall, analysis.dataset.by_sex
    sexes = " and ".join(
        f"{_number(by_sex[sex].count, who[:-1])} ({by_sex[sex].count / overall.count:.0%})"
        for sex, who in WORDS.items()
        if sex in by_sex
    )
    return (
        f"{_films(overall.count)}: {sexes}. Bone ages from {overall.least:g} to "
        f"{overall.most:g} months, mean {overall.mean:.1f}, median {overall.median:g}, standard "
        f"deviation {overall.standard_deviation:.1f}."
    )


def thin_sentence(analysis: Analysis) -> str:
    """Say at which ages there are few films of a sex."""
    if not analysis.thin:
        return f"No age is thin: every two-year band has {THIN_FILMS} films or more of each sex."
    parts = []
    for sex, who in WORDS.items():
        thin = [_thin_words(found) for found in analysis.thin if found.sex is sex]
        if thin:
            parts.append(f"{who} {' and '.join(thin)}")
    return (
        f"Few films (under {THIN_FILMS} in a two-year band): {'; '.join(parts)}. Less is learned "
        "there, and what is measured there is less certain."
    )


def _thin_words(thin: ThinAges) -> str:
    share = "" if thin.share == 1 else f", {thin.share:.1%} of {WORDS[thin.sex]}"
    return f"{thin.words} ({_films(thin.films)}{share})"


def heaped_sentence(analysis: Analysis) -> str:
    """Say where the labels keep to few ages; empty where they don't."""
    parts = [
        f"half of the {WORDS[found.sex]} bear one of {len(found.ages_months)} ages "
        f"({', '.join(f'{age:g}' for age in sorted(found.ages_months))} months) out of "
        f"{found.distinct} that occur"
        for found in sorted(analysis.heaped, key=lambda heaped: list(WORDS).index(heaped.sex))
        if found.strongly
    ]
    if not parts:
        return ""
    return (
        f"The labels keep to few ages, as those read from an atlas do: {'; '.join(parts)}. "
        "Gaps in the histograms come from that."
    )


def outlier_sentence(analysis: Analysis) -> str:
    """Say how far the ages spread."""
    low, high = analysis.dataset.z_range
    count = len(analysis.dataset.outliers)
    lie = "lies" if count == 1 else "lie"
    found = f"{_films(count)} {lie} beyond ±{Z_LIMIT:g}" if count else f"none beyond ±{Z_LIMIT:g}"
    return f"z-scores lie from {low:.2f} to {high:.2f}; {found}."


def split_sentence(analysis: Analysis) -> str:
    """Say how large the splits are, and of what age."""
    total = analysis.dataset.overall.count
    parts = [
        f"{name} {_films(found.count)} ({found.count / total:.1%}, "
        f"mean age {found.mean:.1f} months)"
        for name, found in analysis.by_split.items()
    ]
    return f"Splits: {', '.join(parts)}."


def _copies_sentence(analysis: Analysis) -> str:
    copies = analysis.copies
    if not copies.squeezed_only and copies.heights is None:
        return ""
    text = (
        f"At hand: {_films(copies.detailed)} of useful resolution, "
        f"{_films(copies.squeezed_only)} only as "
        f"{'a squeezed copy' if copies.squeezed_only == 1 else 'squeezed copies'}."
    )
    if copies.heights and copies.widths:
        text += (
            f" The originals are {_range(copies.heights)} high and {_range(copies.widths)} wide."
        )
    return text


def _range(found: Statistics) -> str:
    return f"{found.least:g} to {found.most:g} pixels (median {found.median:g})"


def problem_sentence(analysis: Analysis) -> str:
    """Say what was left out, counted by kind."""
    problems = analysis.dataset.problems
    if not problems:
        return "Nothing is wrong: each film has one label, each label its film, and all make sense."
    return f"Left out: {in_words(problems)}. Each is named in problems.csv."


def _films(count: int) -> str:
    return _number(count, "film")


def _number(count: int, word: str) -> str:
    return f"{count:,} {word}{'s' * (count != 1)}"
