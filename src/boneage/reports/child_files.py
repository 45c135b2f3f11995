"""The files that can be written of a child over years: one list for every interface."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib import import_module

from boneage.clinical.course import Course
from boneage.errors import VisitError
from boneage.history.entry import plain_visit
from boneage.i18n.words import noop, words_of
from boneage.reports.chart_svg import chart_svg
from boneage.reports.charts import BONE_AGE, HEIGHT, SDS, course_charts
from boneage.reports.child_record import child_bundle, children_table
from boneage.reports.course import conclusion
from boneage.reports.exports import ReportOptions
from boneage.reports.record import CLASSIFICATION, Record, plain
from boneage.storage.files import as_json

DEFAULT = ReportOptions()


@dataclass(frozen=True)
class ChildFile:
    """A kind of file that can be written of a child."""

    name: str
    label: str
    """On the button that downloads it."""
    suffix: str
    media_type: str
    write: Callable[[Course, ReportOptions], bytes]
    """Raises a `VisitError` where the child's visits do not suffice."""
    library: str | None = None
    """Python module that must be installed; :mod:`boneage.extras` names the extra."""

    def require(self) -> None:
        """Load the library; a `ModuleNotFoundError` where it is missing."""
        if self.library is not None:
            import_module(self.library)

    def content(self, course: Course, options: ReportOptions = DEFAULT) -> bytes:
        """Write the file."""
        self.require()
        return self.write(course, options)


def course_record(course: Course) -> Record:
    """A child with its visits as JSON values: as stored, and what they say of growth."""
    child = course.child
    entries = []
    for found in course.visits:
        growth = plain(found.growth)
        if growth is not None:
            growth[CLASSIFICATION] = growth.pop("classification")
        entries.append(
            {
                **plain_visit(found.visit),
                "growth": growth,
                "height": plain(found.height),
                "velocity": plain(found.velocity),
                "adult_height": plain(found.adult_height),
            }
        )
    return {
        "pseudonym": child.pseudonym,
        "sex": child.sex.value,
        "father_cm": child.father_cm,
        "mother_cm": child.mother_cm,
        "target_height": plain(course.target),
        "conclusion": conclusion(course),
        "findings": plain(course.findings),
        "entries": entries,
    }


def _json(course: Course, _options: ReportOptions) -> bytes:
    return as_json(course_record(course)).encode()


def _table(course: Course, _options: ReportOptions) -> bytes:
    return children_table([course.child]).encode()


def _bundle(course: Course, _options: ReportOptions) -> bytes:
    return as_json(child_bundle(course.child)).encode()


def _chart(name: str, course: Course, options: ReportOptions) -> bytes:
    charts = course_charts(course, words_of(options.language))
    if name not in charts:
        raise VisitError(f"this chart cannot be drawn: no {NEEDS[name]} is known at a known age")
    return chart_svg(charts[name]).encode()


def _report(course: Course, options: ReportOptions) -> bytes:
    from boneage.reports.pdf.follow_up import follow_up_report  # noqa: PLC0415  an extra

    return follow_up_report(course, paper=options.paper, language=options.language)


NEEDS = {BONE_AGE: "bone age", HEIGHT: "height", SDS: "bone age or height"}
CHILD_FILES: Mapping[str, ChildFile] = {
    one.name: one
    for one in (
        ChildFile(
            *("report", noop("Follow-up report (PDF)"), ".pdf", "application/pdf", _report),
            library="reportlab",
        ),
        *(
            ChildFile(
                *(f"chart/{name}", label, suffix, "image/svg+xml"),
                write=partial(_chart, name),
            )
            for name, label, suffix in (
                (HEIGHT, noop("Height chart (SVG)"), ".height.svg"),
                (SDS, noop("SDS chart (SVG)"), ".sds.svg"),
                (BONE_AGE, noop("Bone age chart (SVG)"), ".svg"),
            )
        ),
        ChildFile("table", "Table (CSV)", ".csv", "text/csv", _table),
        ChildFile("fhir", "FHIR Bundle", ".fhir.json", "application/fhir+json", _bundle),
        ChildFile("json", "JSON", ".json", "application/json", _json),
    )
}
"""Every file, by its name; a file's suffix is looked for in this order."""
JSON = CHILD_FILES["json"]


def file_for(name: str) -> ChildFile:
    """The kind of file that a file name asks for by its ending; JSON for any other."""
    lower = name.lower()
    return next((one for one in CHILD_FILES.values() if lower.endswith(one.suffix)), JSON)
