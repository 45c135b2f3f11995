"""Assessments as a CSV table, one row an image, failures too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from enum import Enum
from typing import BinaryIO

from boneage._version import __version__
from boneage.domain.assessment import (
    CARPAL,
    METACARPAL,
    PHALANX,
    WHOLE_HAND,
    Assessment,
    Failure,
    Finding,
    Verdict,
)
from boneage.domain.reported import reported, years_and_months
from boneage.reports.record import decimals_of, status_of
from boneage.reports.wording import interval_text, reasons
from boneage.storage.delimited import csv_text

REGIONS = (CARPAL, METACARPAL, PHALANX)
CORNERS = ("min_row", "min_col", "max_row", "max_col")
ATTRIBUTES: Mapping[str, str] = {
    "film": "film",
    "status": "",
    "verdict": "verdict",
    "sex": "sex",
    "age_months": "age_months",
    "age_text": "",
    "interval_low_months": "interval.low_months",
    "interval_high_months": "interval.high_months",
    "interval_level": "",
    "interval_text": "",
    "uncalibrated_months": "calibrated.uncalibrated_months",
    "calibration": "calibrated.name",
    "calibration_date": "calibrated.date",
    "calibration_films": "calibrated.films",
    "calibration_sha256": "calibrated.sha256",
    "chronological_age_months": "chronological_age_months",
    "age_source": "clinical.context.age_source",
    "difference_months": "clinical.growth.difference_months",
    "sds": "clinical.growth.sds",
    "sds_low": "clinical.growth.sds_low",
    "sds_high": "clinical.growth.sds_high",
    "sds_centre": "clinical.growth.centre",
    "sds_table": "clinical.growth.table",
    "sd_months": "clinical.growth.sd_months",
    "normal_low_months": "clinical.growth.normal_low_months",
    "normal_high_months": "clinical.growth.normal_high_months",
    "determination": "clinical.growth.determination",
    "confidence": "clinical.growth.confidence",
    "probability_delayed": "clinical.growth.probabilities.delayed",
    "probability_normal": "clinical.growth.probabilities.normal",
    "probability_advanced": "clinical.growth.probabilities.advanced",
    "height_cm": "clinical.context.height_cm",
    "height_category": "clinical.adult_height.category",
    "percent_of_adult_height": "clinical.adult_height.percent",
    "adult_height_cm": "clinical.adult_height.predicted_cm",
    "adult_height_low_cm": "clinical.adult_height.low_cm",
    "adult_height_high_cm": "clinical.adult_height.high_cm",
    "adult_height_interval_low_cm": "clinical.adult_height.interval_low_cm",
    "adult_height_interval_high_cm": "clinical.adult_height.interval_high_cm",
    "standards": "clinical.standards.text",
    "not_defined": "",
    "other_hand_months": "other_hand.age_months",
    **{f"{name}_months": "" for name in (WHOLE_HAND, *REGIONS)},
    **{f"{name}_{part}": "" for name in REGIONS for part in (*CORNERS, "attention_found")},
    "film_height": "film_height",
    "film_width": "film_width",
    "warnings": "",
    "findings": "",
    "code": "",
    "message": "",
    "weights": "weights.name",
    "weights_sha256": "weights.sha256",
    "seconds": "",
    "boneage": "",
}
"""Each column, and its attribute of an assessment; empty: :func:`row` derives it.

No date is among them: dates point at a child.
"""
COUNTS = frozenset({"calibration_films", "film_height", "film_width"})
COLUMNS = tuple(ATTRIBUTES)
"""The same whichever regions the weights detect; the others stay empty."""

Row = dict[str, object]


def row(assessment: Assessment | Failure) -> Row:
    """One row of the table, by column name."""
    if isinstance(assessment, Failure):
        return {
            "film": assessment.film,
            "status": status_of(assessment),
            "verdict": Verdict.REFUSED.value if assessment.refused else "",
            "findings": codes_of(assessment.findings),
            "code": assessment.code,
            "message": assessment.message,
            "boneage": __version__,
        }
    held = {column: _attribute(assessment, path) for column, path in ATTRIBUTES.items() if path}
    cells: Row = {name: _cell(name, value) for name, value in held.items() if value is not None}
    cells |= {
        "status": status_of(assessment),
        "findings": codes_of(assessment.findings),
        "age_text": years_and_months(assessment.age_months),
        "warnings": " ".join(finding.message for finding in assessment.warnings),
        "seconds": f"{assessment.seconds:.3f}",
        "boneage": __version__,
    }
    if assessment.interval is not None:
        cells["interval_level"] = f"{assessment.interval.level:g}"
        cells["interval_text"] = interval_text(assessment.interval)
    if assessment.clinical is not None:
        cells["not_defined"] = "; ".join(reason.message for reason in reasons(assessment.clinical))
    for name, age in assessment.age_by_network.items():
        cells[f"{name}_months"] = _cell(f"{name}_months", age)
    for detection in assessment.detections:
        for corner in CORNERS:
            cells[f"{detection.region}_{corner}"] = getattr(detection.box, corner)
        cells[f"{detection.region}_attention_found"] = int(detection.attention_found)
    return cells


def codes_of(findings: Sequence[Finding]) -> str:
    """List the codes of findings in one cell."""
    return ";".join(dict.fromkeys(finding.code for finding in findings))


def _attribute(value: object, path: str) -> object:
    """Follow a dotted path of attributes; None where one of them is None."""
    for name in path.split("."):
        value = None if value is None else getattr(value, name)
    return value


def _cell(column: str, value: object) -> object:
    if isinstance(value, Enum):
        return value.value
    if column in COUNTS or not isinstance(value, int | float):
        return value
    decimals = decimals_of(column)
    return value if decimals is None else f"{reported(value, decimals):.{decimals}f}"


def write_table(file: BinaryIO, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows under their header, as UTF-8, to an open file, as they come."""
    table = TableWriter(file, columns)
    for cells in rows:
        table.add(cells)
    table.finish()


class TableWriter:
    """Appends whole rows: when writing is interrupted, the file is still a complete table.

    Parameters
    ----------
    file : BinaryIO
        Open for writing, best without a buffer
        (:func:`boneage.storage.files.atomically` with ``keep``).
    columns : sequence of str
        Other keys of a row are left out.
    begun : bool
        The file has a header already, and perhaps rows.
    """

    def __init__(
        self, file: BinaryIO, columns: Sequence[str] = COLUMNS, *, begun: bool = False
    ) -> None:
        self._file, self._columns = file, columns
        self._terminal = file.isatty()
        self._begun = begun
        self.rows = 0

    def add(self, cells: Row) -> None:
        """Write a row, and the header before the first one.

        Raises
        ------
        OSError
            When the row cannot be written; the rows before it stay complete.
        """
        self._begin()
        self._write([cells.get(name, "") for name in self._columns])
        self.rows += 1

    def finish(self) -> None:
        """Write the header of a table without rows."""
        self._begin()

    def clear(self) -> None:
        """Remove all rows, where the file is seekable: an earlier table is not to be replaced."""
        if self._file.seekable():
            self._file.seek(0)
            self._file.truncate()
            self._begun, self.rows = False, 0

    def _begin(self) -> None:
        if not self._begun:
            self._write(self._columns)
            self._begun = True

    def _write(self, cells: Sequence[object]) -> None:
        line = csv_text([cells], terminal=self._terminal, end="\r\n")
        left = memoryview(line.encode("utf-8", "backslashreplace"))
        whole = self._file.tell() if self._file.seekable() else None
        try:
            while left:
                left = left[self._file.write(left) :]
            self._file.flush()
        except BaseException:  # a full disk, or a signal in the middle of the row
            if whole is not None:
                with suppress(OSError):
                    self._file.seek(whole)
                    self._file.truncate()
            raise
