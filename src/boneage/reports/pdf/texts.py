"""What a report says, in one language, before it has a place on the page."""

from __future__ import annotations

from dataclasses import dataclass

from boneage._version import __version__
from boneage.domain.assessment import Assessment, Interval, Severity
from boneage.domain.clinical_findings import (
    AdultHeight,
    Centre,
    ClinicalFindings,
    Growth,
    NearestStandards,
)
from boneage.domain.radiograph import Sex
from boneage.i18n.words import Words
from boneage.reports.identity import Identity
from boneage.reports.pdf.sentences import (
    CATEGORIES,
    DETERMINATIONS,
    finding_sentence,
    reason_sentence,
    region_name,
)
from boneage.reports.text import TOLD_WIDENING

CM_PER_INCH = 2.54
Entry = tuple[str, str]
"""A label and what is said of it."""


@dataclass(frozen=True)
class Section:
    """A heading and the entries below it."""

    title: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class ReportTexts:
    """Every text of a report but those around the pictures."""

    title: str
    purpose: str
    identity: tuple[Entry, ...]
    """Empty unless asked for: then there is a line to write on instead."""
    age: str
    answer: tuple[str, ...]
    """What stands below the age: months and standard, interval, calibration."""
    sections: tuple[Section, ...]
    refusals: tuple[str, ...]
    """Why the film should not have been read; it was, for somebody insisted."""
    warnings: tuple[str, ...]
    notes: tuple[str, ...]
    provenance: tuple[Entry, ...]
    film: str
    """The film's fingerprint, for the file's own description."""


def report_texts(
    answer: Assessment,
    words: Words,
    identity: Identity,
    *,
    film: str,
    weights_date: str | None = None,
) -> ReportTexts:
    """Say what a report says.

    Parameters
    ----------
    answer : Assessment
    words : Words
        The language.
    identity : Identity
        What may be said of the child; nothing else is, not even the film's name.
    film : str
        The film's fingerprint.
    weights_date : str, optional
        When the weights were made.
    """
    _ = words.gettext
    return ReportTexts(
        title=_("Bone age report"),
        purpose=_(
            "For research and education. Not a medical device: supports, does not replace, "
            "a reader."
        ),
        identity=_identity(identity, words),
        age=words.age(answer.age_months),
        answer=tuple(_answer(answer, words)),
        sections=tuple(_sections(answer, words)),
        refusals=_findings(answer, Severity.REFUSAL, words),
        warnings=_findings(answer, Severity.WARNING, words),
        notes=_findings(answer, Severity.NOTE, words),
        provenance=tuple(_provenance(answer, words, film, weights_date)),
        film=film,
    )


def standard_name(sex: Sex, words: Words) -> str:
    """Name the standard that a film was read by."""
    if sex is Sex.MALE:
        return words.gettext("Greulich and Pyle, male standard")
    return words.gettext("Greulich and Pyle, female standard")


def _findings(answer: Assessment, severity: Severity, words: Words) -> tuple[str, ...]:
    found = (finding for finding in answer.findings if finding.severity is severity)
    return tuple(finding_sentence(finding, words) for finding in found)


def _identity(identity: Identity, words: Words) -> tuple[Entry, ...]:
    _ = words.gettext
    told = (
        (_("Pseudonym"), identity.pseudonym),
        (_("Name"), identity.name),
        (_("Patient ID"), identity.patient_id),
        (_("Born"), identity.birth_date and identity.birth_date.isoformat()),
        (_("Film of"), identity.study_date and identity.study_date.isoformat()),
    )
    return tuple((label, text) for label, text in told if text)


def _answer(answer: Assessment, words: Words) -> list[str]:
    _ = words.gettext
    lines = [f"{words.months(answer.age_months)} · {standard_name(answer.sex, words)}"]
    if answer.interval is not None:
        lines += _interval(answer.interval, words)
    if (made := answer.calibrated) is not None:
        lines.append(
            _("Calibrated by {name} ({date}, {films} films); uncalibrated {age}").format(
                name=made.name,
                date=made.date,
                films=made.films,
                age=words.months(made.uncalibrated_months),
            )
        )
    return lines


def _interval(interval: Interval, words: Words) -> list[str]:
    _ = words.gettext
    low, high = interval.low_months, interval.high_months
    said = _("{level} interval: {low} to {high} ({low_months} to {high_months})").format(
        level=words.percent(interval.level),
        low=words.age(low),
        high=words.age(high),
        low_months=words.number(low, 0),
        high_months=words.months(high, 0),
    )
    lines = [said]
    if interval.widening >= TOLD_WIDENING:
        lines.append(
            _(
                "The interval is {times} times as wide as usual: the networks disagree, or the "
                "film is unlike the training films."
            ).format(times=words.number(interval.widening))
        )
    return lines


def _sections(answer: Assessment, words: Words) -> list[Section]:
    """Growth and height where something is known; the standards and the networks always."""
    _ = words.gettext
    sections = []
    if (clinical := answer.clinical) is not None:
        growth = _growth(clinical.growth, words) if clinical.growth else _no_age(clinical, words)
        sections.append(Section(_("Growth"), growth))
        if clinical.adult_height is not None:
            title = _("Adult height")
            sections.append(Section(title, _height(clinical.adult_height, words)))
        standards = standards_entries(clinical.standards, words)
    else:
        sections.append(Section(_("Growth"), _age_alone(answer, words)))
        standards = ()
    alone = ", ".join(
        f"{region_name(name, words)} {words.number(age, 0)}"
        for name, age in answer.readings.items()
    )
    networks = ((_("By network"), _("{ages} months").format(ages=alone)),)
    sections.append(Section(_("Reading"), (*standards, *networks)))
    return sections


def _age_alone(answer: Assessment, words: Words) -> tuple[Entry, ...]:
    age = answer.chronological_age_months
    said = words.age(age) if age is not None else words.gettext("not known")
    return ((words.gettext("Chronological age"), said),)


def _no_age(clinical: ClinicalFindings, words: Words) -> tuple[Entry, ...]:
    reason = clinical.context.age_not_defined
    said = reason_sentence(reason, words) if reason else words.gettext("not known")
    return ((words.gettext("Chronological age"), said),)


def _growth(growth: Growth, words: Words) -> tuple[Entry, ...]:
    _ = words.gettext
    difference = words.number(growth.difference_months, sign=True)
    entries = [
        (_("Chronological age"), words.age(growth.chronological_age_months)),
        (_("Bone age less that"), _("{number} months").format(number=difference)),
    ]
    if growth.sds is not None:
        entries.append((_("SDS"), _sds(growth, words)))
    if growth.normal_low_months is not None and growth.normal_high_months is not None:
        low, high = words.age(growth.normal_low_months), words.age(growth.normal_high_months)
        entries.append((_("Normal, ±2 SD"), _("{low} to {high}").format(low=low, high=high)))
    entries.append((_("Verdict"), _(DETERMINATIONS[growth.determination])))
    if growth.not_defined is not None:
        entries.append(("", reason_sentence(growth.not_defined, words)))
    else:
        centre = (
            _("around the chronological age")
            if growth.centre is Centre.CHRONOLOGICAL_AGE
            else _("around the mean of the table")
        )
        entries.append((_("By"), f"{_(growth.table)}, {centre}"))
    return tuple(entries)


def _sds(growth: Growth, words: Words) -> str:
    said = words.number(growth.sds or 0.0, sign=True)
    if growth.sds_low is not None and growth.sds_high is not None:
        ends = words.gettext("{low} to {high}").format(
            low=words.number(growth.sds_low, sign=True),
            high=words.number(growth.sds_high, sign=True),
        )
        said += f" ({ends})"
    return said


def _height(height: AdultHeight, words: Words) -> tuple[Entry, ...]:
    _ = words.gettext
    entries = [(_("Present height"), _length(height.present_height_cm, words))]
    if height.predicted_cm is not None:
        entries.append((_("Predicted"), _length(height.predicted_cm, words)))
    if height.low_cm is not None and height.high_cm is not None:
        entries.append((_("±2 SD"), _lengths(height.low_cm, height.high_cm, words)))
    if height.interval_low_cm is not None and height.interval_high_cm is not None:
        ends = _lengths(height.interval_low_cm, height.interval_high_cm, words)
        entries.append((_("By the interval"), ends))
    reasons = (height.not_defined, height.error_not_defined, height.interval_not_defined)
    entries += [("", reason_sentence(reason, words)) for reason in reasons if reason is not None]
    if height.category is not None and height.percent is not None:
        category = _(CATEGORIES[height.category])
        reached = _("{percent} reached").format(
            percent=words.percent(round(height.percent / 100, 3))
        )
        entries.append((_("By"), f"{_(height.table)}, {category}, {reached}"))
    return tuple(entries)


def standards_entries(standards: NearestStandards, words: Words) -> tuple[Entry, ...]:
    """Say which standards the bone age lies between, and what a reader compares there."""
    _ = words.gettext
    lower = words.age(standards.lower_months)
    if standards.upper_months is None:
        said = _("beyond the last, of {lower}").format(lower=lower)
    elif standards.upper_months == standards.lower_months:
        said = _("that of {lower}").format(lower=lower)
    else:
        upper = words.age(standards.upper_months)
        said = _("between {lower} and {upper}").format(lower=lower, upper=upper)
    return ((_("Nearest standards"), said), (_("A reader looks at"), _(standards.looks_at)))


def _length(cm: float, words: Words) -> str:
    return f"{words.number(cm)} cm ({words.number(cm / CM_PER_INCH)} in)"


def _lengths(low_cm: float, high_cm: float, words: Words) -> str:
    low, high = words.number(low_cm), words.number(high_cm)
    inches = words.number(low_cm / CM_PER_INCH), words.number(high_cm / CM_PER_INCH)
    to = words.gettext("{low} to {high}")
    return f"{to.format(low=low, high=high)} cm ({to.format(low=inches[0], high=inches[1])} in)"


def _provenance(
    answer: Assessment, words: Words, film: str, weights_date: str | None
) -> list[Entry]:
    _ = words.gettext
    weights = answer.weights
    model = [weights.name, _("profile {name}").format(name=weights.profile)]
    if weights_date:
        model.append(_("made {date}").format(date=weights_date))
    size = f"{answer.film_height} × {answer.film_width}"
    return [
        (_("Program"), f"boneage {__version__}"),
        (_("Weights"), ", ".join(model)),
        (_("sha256 of the weights"), weights.sha256),
        (_("sha256 of the film's pixels"), f"{film[:32]}… ({size})"),
    ]
