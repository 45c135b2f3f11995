"""The errors boneage raises, one small family.

Every message quotes the offending value and says what is accepted, because
the message is what the user sees: the command line prints it as it is.
"""

from __future__ import annotations

from collections.abc import Sequence

from boneage.domain.findings import Finding


class BoneageError(Exception):
    """Anything boneage itself raises; catch this to survive one bad image."""

    code: str = "failed"
    """A stable short word for programs, such as ``"truncated"``."""
    findings: tuple[Finding, ...] = ()
    """Of an image that was refused."""


class FilmError(BoneageError):
    """A file that cannot be read as one film.

    Parameters
    ----------
    code : str
        A stable short word for programs, such as ``"truncated"``.
    message : str
        One sentence for people, with the offending value.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class UnsuitableError(FilmError):
    """A film that can be decoded but should not be read, such as one of a foot.

    Parameters
    ----------
    message : str
        One sentence for people, with the name of the film.
    findings : sequence of Finding
        All that was found of the film, refusals first; the code is the first one's.
    """

    def __init__(self, message: str, findings: Sequence[Finding]) -> None:
        super().__init__(findings[0].code, message)
        self.findings = tuple(findings)


class SexError(BoneageError, ValueError):
    """A sex that is missing or not one of male and female."""

    code = "sex"


class LanguageError(BoneageError, ValueError):
    """A language that no catalogue of words ships for."""

    code = "language"


class OutputError(BoneageError):
    """An answer that cannot be written in the form that was asked for."""

    code = "output"


class WeightsError(BoneageError):
    """Weights that are missing, altered or of another format."""


class ProfileError(BoneageError, ValueError):
    """A training profile that does not describe a model."""


class GroupError(BoneageError):
    """Processes that cannot train one model together."""


class DataError(BoneageError):
    """A table or folder of films that cannot be used."""


class LevelError(BoneageError, ValueError):
    """A level that no interval can be given at."""

    code = "level"


class CalibrationError(BoneageError):
    """A clinic's calibration that cannot be made, or not be used with these weights."""


class AgeError(BoneageError, ValueError):
    """A chronological age, or dates, that cannot be those of a child and a film."""

    code = "age"


class HeightError(BoneageError, ValueError):
    """A height that cannot be a child's."""

    code = "height"


class HistoryError(BoneageError):
    """A history that cannot be used, or does not hold what was asked for."""
