"""The worklist: a row for each image, drawn by our own script inside Streamlit's page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import streamlit as st

from boneage.apps.dashboard.components import component
from boneage.apps.dashboard.entry import Entry, Status, short_age
from boneage.apps.dashboard.identity import PatientHeader, SamePatient
from boneage.apps.dashboard.pictures import address
from boneage.apps.dashboard.uploads import RejectedFile, file_problem
from boneage.apps.dashboard.visit import Visit
from boneage.clinical.growth import NORMAL_SDS
from boneage.domain.assessment import Assessment, Failure
from boneage.domain.findings import Severity
from boneage.i18n.words import Words, noop
from boneage.reports import wording
from boneage.reports.clinical_wording import CLASSIFICATIONS, sds_number

Row: TypeAlias = dict[str, Any]
Event: TypeAlias = dict[str, Any]
KEY = "worklist"
STATUSES: Mapping[Status, str] = {
    Status.REJECTED: noop("Cannot be read"),
    Status.NO_SEX: noop("Choose the sex"),
    Status.INVALID: noop("Correct the entry"),
    Status.READY: noop("Ready"),
    Status.WAITING: noop("Waiting"),
    Status.ANALYSING: noop("Being analysed"),
    Status.READ: noop("Assessed"),
    Status.REFUSED: noop("Refused"),
    Status.FAILED: noop("Failed"),
}
CONTRADICTIONS: Mapping[str, str] = {
    "sex": noop("sex"),
    "birth date": noop("birth date"),
    "name": noop("name"),
}
TEXTS: Mapping[str, str] = {
    "image": noop("Image"),
    "sex": noop("Sex"),
    "age": noop("Age"),
    "height": noop("Height"),
    "boneAge": noop("Bone age"),
    "difference": noop("Difference, months"),
    "warnings": noop("Marks"),
    "female": noop("F"),
    "male": noop("M"),
    "filter": noop("Filter by name, patient or status"),
    "chooseAll": noop("Choose all"),
    "choose": noop("Choose"),
    "chosen": noop("{count} chosen"),
    "apply": noop("Apply to all chosen"),
    "remove": noop("Remove"),
    "removeAll": noop("Remove all chosen"),
    "table": noop("Radiographs; arrow keys move, Enter opens, f and m state the sex"),
    "ageHint": noop("Age at the examination, such as 11y4m, or months"),
    "heightHint": noop("Standing height in centimetres, or inches with in"),
}


def worklist(
    visit: Visit, words: Words, *, identities: bool, hidden: bool, on_events: Callable[[], None]
) -> None:
    """Draw the worklist; its events are handled before the page is drawn again.

    ``hidden``: bone ages that the reader has not read yet are not shown.
    """
    patients, twice = visit.patients(), set(visit.duplicates())
    rows = [
        _row(entry, patients.get(entry.key), words, identities, hidden, entry.key in twice)
        for entry in visit.entries.values()
    ]
    rows += [_rejected(file, words, identities) for file in visit.rejected.values()]
    data = {
        "rows": rows,
        "opened": visit.opened,
        "handled": visit.last_event,
        "words": {name: words.gettext(text) for name, text in TEXTS.items()},
    }
    component("worklist")(data=data, key=KEY, on_events_change=on_events)


def new_events(visit: Visit) -> list[Event]:
    """The events of the worklist that were not handled yet, in their order."""
    sent: Sequence[Event] = (st.session_state.get(KEY) or {}).get("events") or ()
    fresh = [event for event in sent if event["number"] > visit.last_event]
    if fresh:
        visit.last_event = max(event["number"] for event in fresh)
    return fresh


def handle(visit: Visit, event: Event) -> None:
    """Do what an event of the worklist asks for."""
    keys = [str(key) for key in event.get("keys", ())]
    if event["kind"] == "open":
        visit.open(keys[0])
    elif event["kind"] == "remove":
        visit.remove(keys)
    elif event["kind"] == "edit":
        for key in keys:
            entry = visit.entries.get(key)
            if entry is not None and entry.job is None:
                entry.edit(str(event["field"]), str(event["text"]))


def patient_text(header: PatientHeader, study_date: str, *, identities: bool) -> str:
    """Initials, study date and accession number; the whole identity where it is switched on."""
    named = header.initials
    if identities:
        named = ", ".join(filter(None, (header.full_name, header.patient_id)))
    return " · ".join(filter(None, (named, study_date, header.accession)))


def _row(
    entry: Entry,
    patient: SamePatient | None,
    words: Words,
    identities: bool,
    hidden: bool,
    twice: bool,
) -> Row:
    image, analysed, _ = entry.image, entry.analysed, words.gettext
    stated, metadata = image.metadata.sex, image.metadata
    date = words.date(str(metadata.study_date)) if metadata.study_date else ""
    row: Row = {
        "key": entry.key,
        "name": image.name,
        "patient": patient_text(image.header, date, identities=identities),
        "thumbnail": address(entry.name, "thumbnail"),
        "sex": entry.sex.value if entry.sex else "",
        "sexStated": stated.value if stated else "",
        "age": entry.age,
        "ageStated": _stated_age(entry),
        "height": entry.height,
        "problems": entry.problems,
        "status": entry.status.value,
        "statusText": _(STATUSES[entry.status]),
        "busy": entry.job is not None,
        "marks": list(_marks(entry, patient, words, twice=twice)),
        "boneAge": "",
        "reason": "",
    }
    if isinstance(entry.outcome, Failure):
        row["reason"] = failure_text(entry.outcome, words)
    elif entry.problems:
        row["reason"] = " ".join(entry.problems.values())
    if analysed is not None:
        if hidden and entry.own_reading is None:
            row["statusText"] = _("Your reading first")
            row["marks"] = [one for one in row["marks"] if one["kind"] != "finding"]
        else:
            row |= _answers(analysed.assessment, words)
    return row


def _stated_age(entry: Entry) -> str:
    age = entry.image.metadata.chronological_age_months
    return "" if age is None else short_age(age)


def _answers(assessment: Assessment, words: Words) -> Row:
    growth = assessment.clinical.growth if assessment.clinical else None
    interval = assessment.interval
    months = words.number(assessment.age_months)
    row: Row = {
        "boneAge": ("≥ " if assessment.is_mature else "") + words.short_age(assessment.age_months),
        "boneAgeMonths": assessment.age_months,
        "interval": months
        if interval is None
        else f"{words.number(interval.low_months, 0)} – {words.number(interval.high_months, 0)}",
    }
    if growth is not None:
        row |= {
            "difference": words.number(growth.difference_months, sign=True),
            "differenceMonths": growth.difference_months,
            "sds": "" if growth.sds is None else f"{sds_number(growth.sds, words)} SDS",
            "classification": words.gettext(CLASSIFICATIONS[growth.classification]),
            "outside": growth.sds is not None and abs(growth.sds) > NORMAL_SDS,
        }
    return row


def _marks(
    entry: Entry, patient: SamePatient | None, words: Words, *, twice: bool
) -> list[dict[str, str]]:
    """What is drawn as an icon, with its words."""
    _ = words.gettext
    analysed = entry.analysed
    findings = analysed.assessment.findings if analysed else entry.image.findings
    marks = [
        {"kind": "finding", "text": wording.finding_text(finding, words)}
        for finding in findings
        if finding.severity is not Severity.NOTE
    ]
    if mismatch := sex_mismatch(entry, words):
        marks.append({"kind": "contradiction", "text": mismatch})
    if patient is not None:
        text = _("{count} images state this patient.").format(count=patient.images)
        marks.append({"kind": "patient", "text": text})
        if patient.contradicts:
            what = ", ".join(_(CONTRADICTIONS[one]) for one in patient.contradicts)
            text = _("The images of this patient contradict each other: {what}.").format(what=what)
            marks.append({"kind": "contradiction", "text": text})
    if twice:
        marks.append({"kind": "duplicate", "text": _("This file is in the list twice.")})
    if entry.saved_as:
        text = _("Saved to history as {pseudonym}.").format(pseudonym=", ".join(entry.saved_as))
        marks.append({"kind": "saved", "text": text})
    if entry.reading is not None:
        marks.append({"kind": "reader", "text": _("A reader has decided.")})
    return marks


def sex_mismatch(entry: Entry, words: Words) -> str:
    """A warning where the image states the other sex; else empty."""
    stated = entry.image.metadata.sex
    if stated is None or entry.sex is None or stated is entry.sex:
        return ""
    return words.gettext(
        "The file states the other sex. The standards differ by sex: check which is right."
    )


def _rejected(file: RejectedFile, words: Words, identities: bool) -> Row:
    message, advice = file_problem(file, words)
    return {
        "key": file.key,
        "name": file.name,
        "patient": patient_text(file.header, "", identities=identities),
        "thumbnail": "",
        "status": Status.REJECTED.value,
        "statusText": words.gettext(STATUSES[Status.REJECTED]),
        "reason": f"{message} {advice}",
        "marks": [],
        "boneAge": "",
        "problems": {},
    }


def failure_text(failure: Failure, words: Words) -> str:
    """Why an image has no bone age."""
    refusals = [one for one in failure.findings if one.severity is Severity.REFUSAL]
    if refusals:
        return " ".join(wording.finding_text(one, words) for one in refusals)
    return words.by_code("file", failure.code, failure.message)
