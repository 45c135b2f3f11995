"""Films of a study in a DICOMweb archive: fetched, read, and answered into the same study.

WADO-RS brings the films, STOW-RS takes the answers, and QIDO-RS says which films have
theirs already.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import requests
from dicomweb_client.api import DICOMwebClient
from pydicom import dcmread
from pydicom.dataset import Dataset
from requests.auth import AuthBase, HTTPBasicAuth

from boneage.assessor import Assessor
from boneage.node.answering import Answer, Unanswerable, answer_film
from boneage.node.kinds import ANSWER_CLASSES, FILM_CLASSES, MANUFACTURER
from boneage.node.settings import NodeError
from boneage.reading.quiet import quiet

SECONDS = 60.0
ANSWER_MODALITIES = ("SR", "OT")
"""Of the structured report and the picture."""

logging.getLogger("dicomweb_client").setLevel(logging.CRITICAL + 1)  # it writes identifiers


class ArchiveError(NodeError):
    """An archive that does not give, or does not take, what it was asked for."""


class Bearer(AuthBase):
    """A token, in the header that RFC 6750 says.

    Parameters
    ----------
    token : str
    """

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it to a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


@dataclass(frozen=True)
class Found:
    """A film in the archive, and which answers it has."""

    series: str
    instance: str
    answered: frozenset[str]
    """Of ``"picture"`` and ``"report"``."""

    @property
    def missing(self) -> tuple[str, ...]:
        """The answers that it does not have."""
        return tuple(kind for kind in ANSWER_CLASSES if kind not in self.answered)


@dataclass(frozen=True)
class Told:
    """What became of one film."""

    film: Found
    answer: Answer | None = None
    """None where there is none, or nothing was to do."""
    problem: str | None = None
    stored: tuple[str, ...] = ()
    """The answers that the archive took."""


def authentication(token_file: Path | None, basic_file: Path | None) -> AuthBase | None:
    """Read what opens an archive.

    Parameters
    ----------
    token_file : Path, optional
        Holds a bearer token.
    basic_file : Path, optional
        Holds ``user:password``.

    Raises
    ------
    ArchiveError
        When a file cannot be read, or does not hold that; its content is not quoted.
    """
    if token_file is not None:
        token = _secret(token_file)
        if not token or any(sign.isspace() for sign in token):
            raise ArchiveError(f"{str(token_file)!r} holds no token, which is one word")
        return Bearer(token)
    if basic_file is not None:
        user, colon, password = _secret(basic_file).partition(":")
        if not colon or not user:
            raise ArchiveError(f"{str(basic_file)!r} holds no user:password")
        return HTTPBasicAuth(user, password)
    return None


def _secret(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError as error:
        raise ArchiveError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise ArchiveError(f"{str(path)!r} holds more than ASCII") from None


class Archive:
    """An archive that speaks DICOMweb.

    Parameters
    ----------
    url : str
        Of the service, without ``/studies``.
    auth : AuthBase, optional
    ca : Path, optional
        Who signed its certificate, in PEM; None: whom the system trusts.
    seconds : float
        How long it may be silent.

    Raises
    ------
    ArchiveError
        When the address is none.
    """

    def __init__(
        self,
        url: str,
        auth: AuthBase | None = None,
        ca: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        session = requests.Session()
        session.auth = auth
        if ca is not None:
            session.verify = str(ca)
        self.url = url.rstrip("/")
        try:
            self._client = DICOMwebClient(self.url, session, timeout=seconds)
        except ValueError:
            raise ArchiveError(
                f"{url!r} is no address of an archive, such as https://pacs/dicom-web"
            ) from None
        self._client.set_http_retry_params(retry=False)

    def films(self, study: str, series: str | None = None) -> list[Found]:
        """Find the films of a study.

        Raises
        ------
        ArchiveError
            When the study is not there, or the archive does not answer.
        """
        with self._spoken(study):
            rows = [_plain(row) for row in self._client.search_for_series(study)]
            answered = self._answered(study, rows)
            chosen = [row for row in rows if series in {None, row.SeriesInstanceUID}]
            found = [film for row in chosen for film in self._films_of(study, row, answered)]
        if not chosen:
            where = f"the series {series}" if series and rows else f"the study {study}"
            raise ArchiveError(f"{where} is not in the archive {self.url}")
        return found

    def fetch(self, study: str, film: Found) -> bytes:
        """Bring a film, as a DICOM file, in the syntax that the archive keeps it in.

        Raises
        ------
        ArchiveError
        """
        with self._spoken(study), quiet():
            dataset = self._client.retrieve_instance(
                study, film.series, film.instance, media_types=(("application/dicom", "*"),)
            )
            file = BytesIO()
            dataset.save_as(file, enforce_file_format=True)
            return file.getvalue()

    def store(self, study: str, file: bytes) -> None:
        """Put an object into a study.

        Raises
        ------
        ArchiveError
            When the archive does not take it.
        """
        with self._spoken(study), quiet():
            said = self._client.store_instances([dcmread(BytesIO(file))], study)
        for failed in said.get("FailedSOPSequence") or ():
            reason = int(failed.get("FailureReason") or 0)
            raise ArchiveError(f"the archive {self.url} refuses it (0x{reason:04X})")

    def _films_of(
        self, study: str, row: Dataset, answered: Mapping[str, set[str]]
    ) -> Iterator[Found]:
        uid = str(row.SeriesInstanceUID)
        if row.get("Modality") == "SR":
            return
        for instance in map(_plain, self._client.search_for_instances(study, uid)):
            name = str(instance.SOPInstanceUID)
            if instance.get("SOPClassUID") not in FILM_CLASSES or name in answered[""]:
                continue
            kinds = frozenset(kind for kind in ANSWER_CLASSES if name in answered[kind])
            yield Found(uid, name, kinds)

    def _answered(self, study: str, rows: list[Dataset]) -> dict[str, set[str]]:
        """Which films have an answer of each kind; under the empty name, our own objects."""
        answered: dict[str, set[str]] = {"": set(), **{kind: set() for kind in ANSWER_CLASSES}}
        for row in rows:
            if row.get("Modality") not in ANSWER_MODALITIES:
                continue
            uid = str(row.SeriesInstanceUID)
            for said in map(_plain, self._client.retrieve_series_metadata(study, uid)):
                if said.get("Manufacturer") != MANUFACTURER:
                    continue
                for kind, sop_class in ANSWER_CLASSES.items():
                    if said.get("SOPClassUID") == sop_class:
                        answered[""].add(str(said.SOPInstanceUID))
                        answered[kind] |= set(_referenced(said))
        return answered

    @contextmanager
    def _spoken(self, study: str) -> Iterator[None]:
        """Say what went wrong in a sentence."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ArchiveError(
                f"the certificate of {self.url} is not trusted; give who signed it with --ca"
            ) from error
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            raise ArchiveError(self._status(status, study)) from error
        except requests.Timeout as error:
            raise ArchiveError(f"the archive {self.url} does not answer in time") from error
        except requests.RequestException as error:
            kind = type(error).__name__
            raise ArchiveError(f"the archive {self.url} cannot be reached ({kind})") from error
        except ArchiveError:
            raise
        except Exception as error:  # what it says may quote the patient
            kind = type(error).__name__
            raise ArchiveError(
                f"the archive {self.url} answers what makes no sense ({kind})"
            ) from None

    def _status(self, status: int, study: str) -> str:
        if status in {401, 403}:
            return f"the archive {self.url} does not let you in ({status}); see --token-file"
        if status == 404:
            return f"the study {study} is not in the archive {self.url}, or that is no DICOMweb"
        return f"the archive {self.url} answers with the status {status}"


def answer_study(
    archive: Archive,
    assessor: Callable[[], Assessor],
    study: str,
    series: str | None = None,
    *,
    again: bool = False,
    dry_run: bool = False,
) -> Iterator[Told]:
    """Read the films of a study, and put the answers into it.

    Parameters
    ----------
    archive : Archive
    assessor : callable
        Opens the assessor, when the first film needs it.
    study, series : str
        Instance UIDs; without a series, every film of the study.
    again : bool
        Answer films that have answers, too.
    dry_run : bool
        Store nothing.

    Raises
    ------
    ArchiveError
        When the study cannot be looked up; what fails with one film is told of it.
    """
    for film in archive.films(study, series):
        missing = tuple(ANSWER_CLASSES) if again else film.missing
        if not missing:
            yield Told(film)
            continue
        answer: Answer | None = None
        stored: list[str] = []
        problem = None
        try:
            answer = answer_film(assessor(), archive.fetch(study, film), "the film")
            for kind in () if dry_run else missing:
                archive.store(study, answer.files[kind][1])
                stored.append(kind)
        except (Unanswerable, ArchiveError) as error:
            problem = str(error)
        yield Told(film, answer, problem, tuple(stored))


def _plain(row: Mapping[str, Any] | Dataset) -> Dataset:
    return row if isinstance(row, Dataset) else Dataset.from_json(dict(row))


def _referenced(said: Dataset) -> Iterator[str]:
    """Which objects an answer is about: of a picture its source, of a report its evidence."""
    for item in said.get("SourceImageSequence") or ():
        yield str(item.ReferencedSOPInstanceUID)
    for study in said.get("CurrentRequestedProcedureEvidenceSequence") or ():
        for series in study.get("ReferencedSeriesSequence") or ():
            for item in series.get("ReferencedSOPSequence") or ():
                yield str(item.ReferencedSOPInstanceUID)
