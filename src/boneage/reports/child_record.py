"""Children over years as files: a CSV table, one row a visit, and a FHIR R4 Bundle.

https://hl7.org/fhir/R4/bundle.html. Neither has a date, a name or an identifier: ages only. A
Bundle of another program may have dates: they give the age, and are dropped.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

from boneage.domain.ages import months_between, parse_age
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import BoneageError, VisitError
from boneage.history.entry import checked_pseudonym
from boneage.reports.fhir import (
    BONE_AGE_CODES,
    LOINC,
    OWN_CODES,
    PSEUDONYM_SYSTEM,
    Resource,
    own_code,
    quantity,
)
from boneage.reports.wording import DISCLAIMER
from boneage.storage.delimited import Row, csv_text, read_delimited
from boneage.storage.typed import broken_file

NOT_IN_TABLE = ("kept_at", "number", "sex")
TEXTS = (
    *("weights", "weights_sha256", "image_sha256", "sds_centre", "determination"),
    *("pubertal_stage", "treatment", "decision"),
)
PARENTS = ("father_cm", "mother_cm")
AGE = "chronological_age_months"
VISIT_COLUMNS = tuple(f.name for f in fields(ClinicVisit) if f.name not in NOT_IN_TABLE)
CHILD_COLUMNS = ("pseudonym", "sex", *PARENTS)
COLUMNS = (*CHILD_COLUMNS, *VISIT_COLUMNS)
AGE_TEXTS = {"age": AGE, "bone_age": "reader_months"}
"""Columns of ages as people write them, by the value that they give: 11y4m."""
MOST_PROBLEMS = 10
"""So many wrong rows are named."""
READ = "read by a person"
GENDERS = {"female": Sex.FEMALE, "male": Sex.MALE}
SELF = "urn:boneage"
MALFORMED = (AttributeError, TypeError, StopIteration, RecursionError)
"""What reading a JSON of another shape raises, beside errors of values."""
OWN_VISIT = re.compile(r"visit-\d+-")
"""In the id of an observation that :func:`child_bundle` made: its visit."""
VISIT = own_code("visit", "Visit")
"""What a visit without a value is."""


@dataclass(frozen=True)
class _Value:
    """A value of a visit that is an Observation of its own."""

    attribute: str
    codes: Sequence[Mapping[str, str]]
    unit: str
    ucum: str
    status: str


VALUES = (
    _Value("bone_age_months", BONE_AGE_CODES, "months", "mo", "preliminary"),
    _Value("reader_months", BONE_AGE_CODES, "months", "mo", "final"),
    _Value(
        "height_cm",
        ({"system": LOINC, "code": "8302-2", "display": "Body height"},),
        *("cm", "cm", "final"),
    ),
)
OTHERS = tuple(
    name for name in VISIT_COLUMNS if name not in {AGE, *(one.attribute for one in VALUES)}
)


def children_table(children: Sequence[ChildRecord]) -> str:
    """Children as a CSV table, one row a visit; a child without visits has one row."""
    rows = [
        [_cell(getattr(child, name)) for name in CHILD_COLUMNS]
        + [_cell(getattr(visit, name)) for name in VISIT_COLUMNS]
        for child in children
        for visit in child.visits or (ClinicVisit(child.sex),)
    ]
    return csv_text([COLUMNS, *rows])


def _cell(value: object) -> object:
    return "" if value is None else value


def read_children(path: Path, content: bytes | None = None) -> list[ChildRecord]:
    """Read children from a CSV table or, where the name ends in .json, a FHIR Bundle.

    ``content``: its bytes, where it is no file; then ``path`` only names it. A VisitError names
    every wrong row; then nothing can be used.
    """
    if path.name.lower().endswith(".json"):
        return [_child_of_bundle(path, content)]
    table = read_delimited(path, ragged=True, content=content)
    for column in ("pseudonym", "sex"):
        if column not in table.columns:
            raise VisitError(f"the table {str(path)!r} has no column {column!r}")
    known_columns = (*COLUMNS, *AGE_TEXTS)
    unknown = [name for name in table.columns if name not in known_columns]
    if unknown:  # a value that is left out without a word is lost
        raise VisitError(
            f"nothing is imported from {str(path)!r}: remove or rename the columns that are not "
            f"known: {', '.join(map(repr, unknown))}; known are {', '.join(known_columns)}"
        )
    children: dict[str, ChildRecord] = {}
    problems = []
    for row in table.rows:
        try:
            one = _child_of_row(row)
            known = children.get(one.pseudonym, replace(one, visits=()))
            children[one.pseudonym] = _joined(known, one)
        except (BoneageError, ValueError) as error:
            problems.append(f"line {row.line}: {error}")
    if problems:
        more = len(problems) - MOST_PROBLEMS
        shown = "; ".join(problems[:MOST_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
        raise VisitError(f"nothing is imported from {str(path)!r}: {shown}")
    return list(children.values())


def _child_of_row(row: Row) -> ChildRecord:
    if row.problem:
        raise VisitError(row.problem)
    cells = {name: text for name, text in row.cells.items() if text}
    sex = Sex.parse(cells.get("sex", ""))
    values: dict[str, Any] = {}
    for name in VISIT_COLUMNS:
        if name in cells:
            values[name] = cells[name] if name in TEXTS else _number(name, cells)
    for column, name in AGE_TEXTS.items():
        if column in cells and name not in cells:
            values[name] = parse_age(cells[column])
    parents = {name: _number(name, cells) for name in PARENTS if name in cells}
    visits = (ClinicVisit(sex, **values),) if values else ()
    return ChildRecord(checked_pseudonym(cells.get("pseudonym", "")), sex, visits, **parents)


def _number(name: str, cells: Mapping[str, str]) -> float:
    try:
        return float(cells[name].replace(",", "."))
    except ValueError:
        raise VisitError(f"{name} {cells[name]!r} is not a number") from None


def _joined(known: ChildRecord, more: ChildRecord) -> ChildRecord:
    if known.sex is not more.sex:
        raise VisitError(f"{more.pseudonym!r} is {known.sex} in an earlier line")
    return replace(
        known,
        visits=(*known.visits, *more.visits),
        father_cm=known.father_cm if more.father_cm is None else more.father_cm,
        mother_cm=known.mother_cm if more.mother_cm is None else more.mother_cm,
    )


def child_bundle(child: ChildRecord) -> Resource:
    """A child as a FHIR Bundle: a Patient under a pseudonym, and the Observations of its visits."""
    resources = [_patient(child)]
    for number, visit in enumerate(child.visits, 1):
        resources += _observations(visit, f"visit-{number}")
    return {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"fullUrl": f"{SELF}:{one['id']}", "resource": one} for one in resources],
    }


def _patient(child: ChildRecord) -> Resource:
    extensions = [
        {"url": f"{OWN_CODES}:{name}", "valueQuantity": quantity(height, "cm", "cm")}
        for name in PARENTS
        if (height := getattr(child, name)) is not None
    ]
    return {
        "resourceType": "Patient",
        "id": "child",
        **({"extension": extensions} if extensions else {}),
        "identifier": [{"system": PSEUDONYM_SYSTEM, "value": child.pseudonym}],
        "gender": child.sex.value,
    }


def _observations(visit: ClinicVisit, name: str) -> Iterator[Resource]:
    """One for each value of a visit, or one of the visit; what else is known is in the first."""
    others = [(key, getattr(visit, key)) for key in OTHERS]
    parts = [_stated(key, value) for key, value in others if value is not None]
    age = visit.chronological_age_months
    at = [] if age is None else [_stated(AGE, age)]
    found = [one for one in VALUES if getattr(visit, one.attribute) is not None]
    for one in found or (None,):
        resource: Resource = {
            "resourceType": "Observation",
            "id": f"{name}-{one.attribute.replace('_', '-') if one else 'visit'}",
            "status": one.status if one else "final",
            "code": {"coding": [dict(code) for code in one.codes]} if one else VISIT,
            "subject": {"reference": f"{SELF}:child"},
            "component": [*at, *parts],
        }
        parts = []
        if one:
            value = getattr(visit, one.attribute)
            resource["valueQuantity"] = quantity(value, one.unit, one.ucum)
        if one and one.attribute == "reader_months":
            resource["method"] = {"text": READ}
        if one and one.attribute == "bone_age_months":
            resource["note"] = [{"text": DISCLAIMER}]
        yield {key: value for key, value in resource.items() if value}


def _stated(key: str, value: object) -> Resource:
    code = own_code(key.replace("_", "-"), key.replace("_", " "))
    if isinstance(value, float | int):
        return {"code": code, "valueQuantity": {"value": value}}
    return {"code": code, "valueString": str(value)}


def _child_of_bundle(path: Path, content: bytes | None) -> ChildRecord:
    """Read what :func:`child_bundle` makes, or another program's Patient and Observations."""
    try:
        bundle = json.loads(path.read_bytes() if content is None else content)
        resources = [entry["resource"] for entry in bundle["entry"]]
        (patient,) = (one for one in resources if one["resourceType"] == "Patient")
        pseudonym = next(one["value"] for one in patient["identifier"])
        sex, born = GENDERS[patient["gender"]], patient.get("birthDate")
        parents = {
            one["url"].rpartition(":")[2]: float(one["valueQuantity"]["value"])
            for one in patient.get("extension", ())
            if one["url"].startswith(f"{OWN_CODES}:")
        }
        visits: dict[object, dict[str, Any]] = {}
        for one in resources:
            if one["resourceType"] == "Observation":
                _add_observation(visits, one, born)
    except (OSError, ValueError, LookupError, *MALFORMED) as error:
        raise VisitError(
            f"{str(path)!r} is not a FHIR Bundle of one child: {broken_file(error)}"
        ) from error
    found = tuple(ClinicVisit(sex, **values) for values in visits.values())
    return ChildRecord(checked_pseudonym(pseudonym), sex, found, **parents)


def _add_observation(
    visits: dict[object, dict[str, Any]], observation: Resource, born: str | None
) -> None:
    """Put an observation's values where those of its visit are; others are left out."""
    codes = {code.get("code") for code in observation["code"]["coding"]}
    kinds = [one for one in VALUES if codes & {code["code"] for code in one.codes}]
    read = observation.get("method", {}).get("text") == READ
    kind = next((one for one in kinds if (one.attribute == "reader_months") == read), None)
    if kind is None and observation["code"] != VISIT:
        return
    values: dict[str, Any] = {}
    if kind is not None:
        values[kind.attribute] = float(observation["valueQuantity"]["value"])
    for part in observation.get("component", ()):
        key = part["code"]["coding"][0]["code"].replace("-", "_")
        if key in (AGE, *OTHERS):
            text = key in TEXTS
            values[key] = part["valueString"] if text else float(part["valueQuantity"]["value"])
    day = observation.get("effectiveDateTime")
    if AGE not in values and born and day:
        values[AGE] = months_between(date.fromisoformat(born), date.fromisoformat(day[:10]))
    visit: object = values.get(AGE, id(observation))
    if own := OWN_VISIT.match(str(observation.get("id"))):
        visit = own[0]
    elif kind is not None and kind.attribute in visits.get(visit, {}):
        visit = id(observation)  # a second one at this age
    visits.setdefault(visit, {}).update(values)
