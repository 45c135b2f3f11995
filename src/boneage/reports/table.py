"""Answers as a CSV table, one row a film, failures too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
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
    years_and_months,
)
from boneage.reports.clinical_table import CLINICAL_COLUMNS, clinical_cells
from boneage.reports.record import status_of
from boneage.reports.text import interval_text
from boneage.storage.delimited import csv_text

REGIONS = (CARPAL, METACARPAL, PHALANX)
CORNERS = ("min_row", "min_col", "max_row", "max_col")
COLUMNS = (
    "film",
    "status",
    "verdict",
    "sex",
    "age_months",
    "age_text",
    "interval_low_months",
    "interval_high_months",
    "interval_level",
    "interval_text",
    "uncalibrated_months",
    "calibration",
    "calibration_date",
    "calibration_films",
    "calibration_sha256",
    "chronological_age_months",
    *CLINICAL_COLUMNS,
    "other_hand_months",
    *(f"{name}_months" for name in (WHOLE_HAND, *REGIONS)),
    *(f"{name}_{corner}" for name in REGIONS for corner in (*CORNERS, "attention_found")),
    "film_height",
    "film_width",
    "warnings",
    "findings",
    "code",
    "message",
    "weights",
    "weights_sha256",
    "seconds",
    "boneage",
)
"""The same whichever regions the weights look for; what they don't stays empty."""

Row = dict[str, object]


def row(answer: Assessment | Failure) -> Row:
    """One row of the table, by column name."""
    if isinstance(answer, Failure):
        return {
            "film": answer.film,
            "status": status_of(answer),
            "verdict": Verdict.REFUSED.value if answer.refused else "",
            "findings": codes_of(answer.findings),
            "code": answer.code,
            "message": answer.message,
            "boneage": __version__,
        }
    cells: Row = {
        "film": answer.film,
        "status": status_of(answer),
        "verdict": answer.verdict.value,
        "findings": codes_of(answer.findings),
        "sex": answer.sex.value,
        "age_months": f"{answer.age_months:.2f}",
        "age_text": years_and_months(answer.age_months),
        "film_height": answer.film_height,
        "film_width": answer.film_width,
        "warnings": " ".join(finding.message for finding in answer.warnings),
        "weights": answer.weights.name,
        "weights_sha256": answer.weights.sha256,
        "seconds": f"{answer.seconds:.3f}",
        "boneage": __version__,
    }
    if answer.interval is not None:
        cells["interval_low_months"] = f"{answer.interval.low_months:.2f}"
        cells["interval_high_months"] = f"{answer.interval.high_months:.2f}"
        cells["interval_level"] = f"{answer.interval.level:g}"
        cells["interval_text"] = interval_text(answer.interval)
    if answer.calibrated is not None:
        cells["uncalibrated_months"] = f"{answer.calibrated.uncalibrated_months:.2f}"
        cells["calibration"] = answer.calibrated.name
        cells["calibration_date"] = answer.calibrated.date
        cells["calibration_films"] = answer.calibrated.films
        cells["calibration_sha256"] = answer.calibrated.sha256
    if answer.other_hand is not None:
        cells["other_hand_months"] = f"{answer.other_hand.age_months:.2f}"
    if answer.chronological_age_months is not None:
        cells["chronological_age_months"] = f"{answer.chronological_age_months:.2f}"
    if answer.clinical is not None:
        cells |= clinical_cells(answer.clinical)
    for name, age in answer.readings.items():
        cells[f"{name}_months"] = f"{age:.2f}"
    for look in answer.looks:
        for corner in CORNERS:
            cells[f"{look.region}_{corner}"] = getattr(look.box, corner)
        cells[f"{look.region}_attention_found"] = int(look.attention_found)
    return cells


def codes_of(findings: Sequence[Finding]) -> str:
    """List the codes of findings in one cell."""
    return ";".join(dict.fromkeys(finding.code for finding in findings))


def write_table(file: BinaryIO, rows: Iterable[Row], columns: Sequence[str] = COLUMNS) -> None:
    """Write rows under their header, as UTF-8, to an open file, as they come."""
    table = TableWriter(file, columns)
    for cells in rows:
        table.add(cells)
    table.finish()


class TableWriter:
    """A table that grows by whole rows: where it is stopped, what was written is a table.

    Parameters
    ----------
    file : BinaryIO
        Open for writing, best without a buffer
        (:func:`boneage.storage.files.atomically` with ``keep``).
    columns : sequence of str
        What else a row holds is left out.
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
            When the row cannot be written; what went before it stands whole.
        """
        self._begin()
        self._write([cells.get(name, "") for name in self._columns])
        self.rows += 1

    def finish(self) -> None:
        """Write the header of a table without rows."""
        self._begin()

    def forget(self) -> None:
        """Take all rows back, where the file can: an earlier table is not to be replaced."""
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
