"""The errors that boneage raises.

Every message quotes the wrong value and states what is accepted, because users see it: the
command line prints it unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

from boneage.domain.findings import Finding


class BoneageError(Exception):
    """Anything boneage itself raises; catch this to survive one bad image."""

    code: str = "failed"
    """A stable code for programs, such as ``"truncated"``."""
    findings: tuple[Finding, ...] = ()
    """All that was found of a refused image."""


class FilmError(BoneageError):
    """A file that cannot be read as one radiograph.

    Parameters
    ----------
    code : str
        A stable code for programs, such as ``"truncated"``.
    message : str
        One sentence for people, with the offending value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsuitableError(FilmError):
    """An image that can be decoded but fails the quality check, such as one of a foot.

    Parameters
    ----------
    message : str
        One sentence for people, with the name of the image.
    findings : sequence of Finding
        All findings, refusals first; the code is that of the first.
    """

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].code, message)
        self.findings = tuple(findings)


class SexError(BoneageError, ValueError):
    """A sex that is missing, or neither male nor female."""

    code = "sex"


class LanguageError(BoneageError, ValueError):
    """A language without a translation."""

    code = "language"


class OutputError(BoneageError):
    """A result that cannot be written in the requested form."""

    code = "output"


class WeightsError(BoneageError):
    """Weights that are missing, altered or of an unsupported format."""


class ProfileError(BoneageError, ValueError):
    """An invalid training profile."""


class GroupError(BoneageError):
    """Processes that cannot train one model together."""


class DataError(BoneageError):
    """A table or folder of images that cannot be used."""


class LevelError(BoneageError, ValueError):
    """A coverage level that no prediction interval can have."""

    code = "level"


class CalibrationError(BoneageError):
    """A site calibration that cannot be fitted, or not be used with these weights."""


class AgeError(BoneageError, ValueError):
    """An impossible chronological age, or impossible dates."""

    code = "age"


class HeightError(BoneageError, ValueError):
    """An impossible height."""

    code = "height"


class HistoryError(BoneageError):
    """A history that cannot be used."""


class NoChildError(HistoryError):
    """A child, or a visit of it, that the history does not have."""

    code = "no_child"


class VisitError(HistoryError, ValueError):
    """A visit, or a table of visits, that a history does not take."""

    code = "visit"
