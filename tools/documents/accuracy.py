"""How far the readings lie from the labels, from ``metrics.json``."""

from __future__ import annotations

from boneage.evaluation.accuracy.bands import LEAST_FILMS
from boneage.evaluation.accuracy.report_tables import metrics_table, networks_table, number
from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    films_of,
    joined,
    listed,
    markdown,
    months,
    of_other_weights,
    percent,
    share,
    source,
    unmeasured,
    years,
)

COMMAND = "evaluate"


def headline(evidence: Evidence) -> str:
    """Say in one sentence how many films, and how far off."""
    found = evidence.metrics
    if found is None:
        return "The bundled weights are not measured yet: `make evaluate` will write this sentence."
    overall = found["metrics"]["overall"]
    return (
        f"On {films_of(found, found['films']['read'])}, the mean absolute error is "
        f"**{months(overall['mae_months'])} months**, R² {number(overall['r2'], 3)}, "
        f"and {share(overall['within_12'])} of the readings are within a year "
        "(in brackets: 95 % bootstrap intervals)."
    )


def validation(evidence: Evidence) -> str:
    """Tabulate all figures, overall and by sex."""
    found = evidence.metrics
    if found is None:
        return unmeasured(evidence, COMMAND)
    note = (
        f"Measured on {films_of(found, found['films']['read'])} with {source(found)}. "
        f"In brackets: 95 % bootstrap intervals. {_failed(found)}"
    )
    warning = of_other_weights(evidence, found)
    return joined(warning, markdown(metrics_table(found["metrics"])), note)


def networks(evidence: Evidence) -> str:
    """Set each network alone beside the answer that joins them."""
    found = evidence.metrics
    if found is None:
        return unmeasured(evidence, COMMAND)
    header, *rows = networks_table(found)
    shares = [found["attention_found"].get(name) for name in found["networks"]]
    cells = ["" if value is None else percent(value) for value in shares]
    last = [*cells, *[""] * (len(rows) - len(cells))]
    table = [[*row, cell] for row, cell in zip(rows, last, strict=True)]
    return markdown([["reading", *header[1:], "attention found"], *table])


def bands_in_short(evidence: Evidence) -> str:
    """Say in a line or two at which ages the error is small and large."""
    found = evidence.metrics
    if found is None or not found.get("by_band"):
        return _missing(evidence)
    enough = {name: m for name, m in found["by_band"].items() if m["count"] >= LEAST_FILMS}
    few = [name for name in found["by_band"] if name not in enough]
    parts = []
    if enough:
        by_error = sorted(enough, key=lambda name: enough[name]["mae_months"]["value"])
        best, worst = by_error[0], by_error[-1]
        parts.append(
            f"By two-year band of labelled bone age, the mean absolute error is smallest at "
            f"{_band(best, enough[best])} and largest at {_band(worst, enough[worst])}."
        )
    if few:
        parts.append(f"Fewer than {LEAST_FILMS} films, too few to say: {listed(map(years, few))}.")
    return " ".join(parts)


def bands(evidence: Evidence) -> str:
    """Tabulate the figures of every two-year band, the thin ones marked."""
    found = evidence.metrics
    if found is None or not found.get("by_band"):
        return _missing(evidence)
    rows = [["labelled bone age", "films", "MAE, months", "bias, months", "within 12 months"]]
    for name, measured in found["by_band"].items():
        if measured["count"] < LEAST_FILMS:
            rows.append([years(name), f"{measured['count']}, too few to say", "", "", ""])
            continue
        errors = months(measured["mae_months"]), months(measured["bias_months"])
        cells = (str(measured["count"]), *errors, share(measured["within_12"]))
        rows.append([years(name), *cells])
    return markdown(rows)


def bands_by_sex(evidence: Evidence) -> str:
    """Tabulate the mean absolute error of every band by sex, bands with enough films only."""
    found = evidence.metrics
    if found is None or not found.get("by_sex_and_band"):
        return ""
    by_sex = found["by_sex_and_band"]
    names = [name for name in found["by_band"] if any(name in bands for bands in by_sex.values())]
    if not names:
        return ""
    rows = [["labelled bone age", *(f"{sex}, MAE, months" for sex in by_sex)]]
    for name in names:
        cells = [
            f"{months(bands[name]['mae_months'])}, n = {bands[name]['count']}"
            if name in bands
            else f"fewer than {LEAST_FILMS} films"
            for bands in by_sex.values()
        ]
        rows.append([years(name), *cells])
    return markdown(rows)


def standards_in_short(evidence: Evidence) -> str:
    """Say how much younger the female standard reads the same films, overall and at most."""
    found = evidence.metrics
    if found is None or not found.get("standards"):
        return _missing(evidence)
    overall, by_band = found["standards"]["overall"], found["standards"]["by_band"]
    text = (
        f"The same film reads {months(overall['difference_months'])} months younger by the "
        f"female standard than by the male one, and younger at all in "
        f"{share(overall['female_younger'])} of {overall['count']} films"
    )
    enough = {name: band for name, band in by_band.items() if band["count"] >= LEAST_FILMS}
    if not enough:
        return f"{text}."
    most = max(enough, key=lambda name: enough[name]["difference_months"]["value"])
    return (
        f"{text}; the most at {years(most)}: {months(enough[most]['difference_months'])} months, "
        f"{share(enough[most]['female_younger'])} of {enough[most]['count']} films."
    )


def standards(evidence: Evidence) -> str:
    """Tabulate by band how far apart the two standards read the same films; thin ones marked."""
    found = evidence.metrics
    if found is None or not found.get("standards"):
        return _missing(evidence)
    rows = [["labelled bone age", "films", "male minus female, months", "female younger in"]]
    for name, measured in found["standards"]["by_band"].items():
        if measured["count"] < LEAST_FILMS:
            rows.append([years(name), f"{measured['count']}, too few to say", "", ""])
            continue
        rows.append([years(name), *_apart(measured)])
    rows.append(["all", *_apart(found["standards"]["overall"])])
    return markdown(rows)


def agreement(evidence: Evidence) -> str:
    """Say between which limits the differences lie, and how the readings lean."""
    found = evidence.metrics
    if found is None or not found.get("agreement"):
        return _missing(evidence)
    limits, line = found["agreement"]["bland_altman"], found["agreement"]["regression"]
    text = (
        f"Bland–Altman: read minus labelled is {months(limits['mean_months'])} months on average; "
        f"95 % of the differences are expected between {months(limits['lower_months'])} and "
        f"{months(limits['upper_months'])} months."
    )
    if line is None:
        return text
    leaning = " (below 1: young hands are read too old, old ones too young)"
    return (
        f"{text} The line of read on labelled ages has the slope {line['slope']:.2f}"
        f"{leaning if line['slope'] < 1 else ''} and the intercept "
        f"{line['intercept_months']:.1f} months."
    )


def intervals(evidence: Evidence) -> str:
    """Say how often the stated intervals hold the labelled age."""
    found = evidence.metrics
    if found is None or "prediction_intervals" not in found:
        return _missing(evidence)
    stated = found["prediction_intervals"]
    if stated is None:
        return "The answers of these weights state no interval."
    rows = [["stated interval", "films", "holds the label in", "mean width, months"]]
    for level in stated["levels"]:
        overall = level["overall"]
        width = f"{overall['mean_width_months']:.1f}"
        cells = (str(overall["count"]), share(overall["share"]), width)
        rows.append([percent(level["level"]), *cells])
    return joined(markdown(rows), f"In brackets: {stated['method']}, 95 %.")


def _band(name: str, measured: Table) -> str:
    return f"{years(name)} ({months(measured['mae_months'])} months, n = {measured['count']})"


def _apart(measured: Table) -> tuple[str, str, str]:
    apart = months(measured["difference_months"])
    return str(measured["count"]), apart, share(measured["female_younger"])


def _failed(metrics: Table) -> str:
    films = metrics["films"]
    if not films["failed"]:
        return "Every film was read."
    return f"{films['failed']} of {films['tried']} films could not be read and are left out."


def _missing(evidence: Evidence) -> str:
    asked = unmeasured(evidence, COMMAND)
    if evidence.metrics is None:
        return asked
    return f"The metrics at hand are of an older form, without this. {asked}"
