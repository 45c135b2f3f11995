"""Assessments as a CSV table, one row an image, failures too."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from boneage._version import __version__
from boneage.domain.assessment import Assessment, Failure, Finding, Verdict
from boneage.domain.reported import reported
from boneage.reports.clinical_wording import reasons
from boneage.reports.record import decimals_of, status_of
from boneage.reports.wording import bone_age_text, interval_text
from boneage.storage.delimited import csv_text

with Path(__file__).with_name("columns.csv").open(encoding="utf-8", newline="") as _file:
    _COLUMNS = {column: (kind, path) for column, kind, path in islice(csv.reader(_file), 1, None)}
KINDS: Mapping[str, str] = {column: kind for column, (kind, _) in _COLUMNS.items()}
"""Each column, and whether it has text, numbers or counts.

The columns are the same whichever regions the weights detect. No date is among them: dates
point at a child.
"""
ATTRIBUTES = {column: path for column, (_, path) in _COLUMNS.items() if path}
"""The columns that are attributes of an assessment; :func:`row` derives the others."""
COLUMNS = tuple(KINDS)

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
    held = {column: _attribute(assessment, path) for column, path in ATTRIBUTES.items()}
    cells: Row = {name: _cell(name, value) for name, value in held.items() if value is not None}
    cells |= {
        "status": status_of(assessment),
        "findings": codes_of(assessment.findings),
        "age_text": bone_age_text(assessment),
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
        cells[f"{name}_months"] = _number(f"{name}_months", age)
    for detection in assessment.detections:
        for corner, place in asdict(detection.box).items():
            cells[f"{detection.region}_{corner}"] = place
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
    return _number(column, float(value)) if KINDS[column] == "number" else value  # type: ignore[arg-type]


def _number(column: str, value: float) -> str:
    decimals = decimals_of(column)
    return repr(value) if decimals is None else f"{reported(value, decimals):.{decimals}f}"


def write_table(file: BinaryIO, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows under their header, as UTF-8, to an open file, as they come."""
    table = TableWriter(file, columns)
    for cells in rows:
        table.add(cells)
    table.finish()


class TableWriter:
    """Appends whole rows: when writing is interrupted, the file is still a complete table.

    The file is best not buffered (:func:`boneage.storage.files.atomically` with
    ``keep_partial``); one that is ``begun`` has a header already, and perhaps rows. Keys of a row
    that are not among the columns are left out.
    """

    def __init__(
        self, file: BinaryIO, columns: Sequence[str] = COLUMNS, *, begun: bool = False
    ) -> None:
        self._file, self._columns = file, columns
        self._terminal = file.isatty()
        self._begun = begun
        self.rows = 0

    def add(self, cells: Row) -> None:
        """Write a row, after the header; an OSError leaves the rows before it complete."""
        self.finish()
        self._write([cells.get(name, "") for name in self._columns])
        self.rows += 1

    def finish(self) -> None:
        """Write the header, of a table that has none yet."""
        if not self._begun:
            self._write(self._columns)
            self._begun = True

    def clear(self) -> None:
        """Remove all rows, where the file is seekable: an earlier table is not to be replaced."""
        if self._file.seekable():
            self._file.seek(0)
            self._file.truncate()
            self._begun, self.rows = False, 0

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
