"""The requests to a DICOMweb archive, and every page of its lists."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
from requests.auth import AuthBase

from boneage.apps.dicom_node.dicomweb_answers import (
    ArchiveError,
    Row,
    objects_of,
    receipt_of,
    rows_of,
    uid_of,
)
from boneage.reading.source import MAX_FILE_BYTES

JSON = "application/dicom+json"
WHOLE = 'multipart/related; type="application/dicom"'
ANY_SYNTAX = f"{WHOLE}; transfer-syntax=*"
MAX_REDIRECTS = 5
MAX_WALKS = 3
"""A list of several pages is walked again as long as that brings something new."""
MAX_ROWS = 100_000
NOT_PAGED = frozenset((400, 404, 405, 410, 416, 422, 501))
"""What archives answer that know no offset, or have nothing there."""
MORE = re.compile(
    r"(?:^|,)\s*299\b.*\b(additional|remain\w*|more|exceed\w*|maximum|limit\w*|partial)", re.I
)
"""The warning that a list is not whole (PS3.18, 8.3.4.4); others carry the number 299, too."""
CHUNK_BYTES = 2**20


@dataclass(frozen=True)
class Answer:
    """What came back from a request that was not refused."""

    status: int
    content_type: str
    body: bytes
    more: bool
    """Whether the archive says that there is more than it gave."""
    next: str | None
    """The address of the next page, where the archive gives it."""


@dataclass(frozen=True)
class Listing:
    """A list of an archive, page by page."""

    rows: dict[str, Row]
    """By UID, in the order in which they came."""
    unnamed: int
    """Rows without a UID."""
    cut_short: bool
    """Whether the archive says that there is more, and does not give it."""


class Web:
    """Requests to one archive.

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

    def __init__(self, url: str, auth: AuthBase | None, ca: Path | None, seconds: float) -> None:
        self.url, self.seconds = url.rstrip("/"), seconds
        if not _is_address(self.url):
            raise ArchiveError(
                f"{url!r} is no address of an archive, such as https://pacs/dicom-web"
            )
        self._session = requests.Session()
        self._session.auth = auth
        self._session.max_redirects = MAX_REDIRECTS
        if ca is not None:
            self._session.verify = str(ca)

    def rows(self, path: str) -> list[Row]:
        """Give the datasets of one answer.

        Raises
        ------
        ArchiveError
        """
        return self._rows(self._get(path, JSON))

    def listing(self, path: str, tag: str) -> Listing:
        """Give every row of a search, however many pages the archive makes of it.

        A page that brings nothing new is the last one: thus also of an archive that knows no
        offset and gives its first page for ever. While pages are fetched the list may change
        and shift; so one of several pages is walked again.

        Parameters
        ----------
        path : str
        tag : str
            Of the UID that tells the rows apart.

        Raises
        ------
        ArchiveError
        """
        found: dict[str, Row] = {}
        for _ in range(MAX_WALKS):
            known = len(found)
            pages, cut_short = self._walk(path, tag, found)
            if pages < 2 or len(found) == known:
                break
        rows = {name: row for name, row in found.items() if uid_of(row, tag)}
        return Listing(rows, len(found) - len(rows), cut_short)

    def _walk(self, path: str, tag: str, found: dict[str, Row]) -> tuple[int, bool]:
        """Follow the pages once; say how many brought something, and whether more was promised."""
        seen: set[str] = set()
        pages = offset = 0
        promised, address = False, path
        while True:
            try:
                answer = self._get(address, JSON)
            except StatusError as error:
                if pages and error.status in NOT_PAGED:
                    return pages, promised
                raise
            rows = self._rows(answer)
            # A row without a UID is known by all that it says.
            named = {uid_of(row, tag) or json.dumps(row, sort_keys=True): row for row in rows}
            fresh = named.keys() - seen
            if not fresh:
                return pages, answer.more or promised
            seen |= fresh
            for name, row in named.items():
                found.setdefault(name, row)
            if len(found) > MAX_ROWS:
                raise ArchiveError(f"the archive {self.url} lists more than {MAX_ROWS} objects")
            pages, offset, promised = pages + 1, offset + len(rows), answer.more
            address = answer.next or f"{path}?offset={offset}"

    def object(self, path: str) -> list[bytes]:
        """Give the DICOM files of an answer, in the syntax in which the archive keeps them.

        Raises
        ------
        ArchiveError
        """
        try:
            answer = self._get(path, ANY_SYNTAX)
        except StatusError as error:
            if error.status != 406:
                raise
            answer = self._get(path, WHOLE)
        with self._named():
            return objects_of(answer.content_type, answer.body)

    def store(self, path: str, file: bytes, uid: str) -> int | None:
        """Put an object into the archive; when this returns it said that it has it.

        Returns
        -------
        int or None
            The archive's warning.

        Raises
        ------
        ArchiveError
            When it does not take it, or does not say that it did.
        """
        boundary = secrets.token_hex(16)
        body = b"".join(
            (
                f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode(),
                file,
                f"\r\n--{boundary}--\r\n".encode(),
            )
        )
        kind = f'{WHOLE}; boundary="{boundary}"'
        answer = self._ask("POST", path, {"Accept": JSON, "Content-Type": kind}, body)
        refused = answer.status >= 300
        receipt = None
        try:
            receipt = receipt_of(answer.content_type, answer.body, uid)
        except ArchiveError as error:
            if not refused:
                raise ArchiveError(
                    f"the archive {self.url} {error}; nothing says that it stored it"
                ) from None
        if receipt is not None and receipt.failure is not None:
            raise ArchiveError(f"the archive {self.url} refuses it (0x{receipt.failure:04X})")
        there = receipt is not None and receipt.taken and answer.status == 409  # a duplicate
        if refused and not there:
            raise self._refusal(answer.status)
        if receipt is None or not receipt.taken:
            empty = (
                "an empty answer" if not answer.body.strip() else "an answer that does not name it"
            )
            raise ArchiveError(
                f"the archive {self.url} does not say that it stored it: status {answer.status} "
                f"with {empty}"
            )
        return receipt.warning

    def _rows(self, answer: Answer) -> list[Row]:
        with self._named():
            return rows_of(answer.content_type, answer.body)

    def _get(self, path: str, accept: str) -> Answer:
        answer = self._ask("GET", path, {"Accept": accept})
        if answer.status >= 300:
            raise self._refusal(answer.status)
        return answer

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> Answer:
        url = path if _is_address(path) else f"{self.url}/{path}"
        with (
            self._spoken(),
            self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=self.seconds,
                stream=True,
                # A redirected POST would become a GET, whose answer says nothing of what was sent.
                allow_redirects=method == "GET",
            ) as response,
        ):
            content = bytearray()
            for chunk in response.iter_content(CHUNK_BYTES):
                content += chunk
                if len(content) > MAX_FILE_BYTES:
                    raise ArchiveError(f"the archive {self.url} sends more than a file may have")
            return Answer(
                response.status_code,
                response.headers.get("Content-Type", ""),
                bytes(content),
                response.status_code == 206
                or MORE.search(response.headers.get("Warning", "")) is not None,
                self._next(response),
            )

    def _next(self, response: requests.Response) -> str | None:
        """The link to the next page (RFC 8288), if it leads to the archive itself."""
        link = response.links.get("next", {}).get("url")
        if not link:
            return None
        address = urljoin(response.url, link)
        # Elsewhere the token must not go.
        return address if urlsplit(address)[:2] == urlsplit(self.url)[:2] else None

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say which archive it was."""
        try:
            yield
        except ArchiveError as error:
            raise ArchiveError(f"the archive {self.url} {error}") from None

    @contextmanager
    def _spoken(self) -> Iterator[None]:
        """Say what went wrong in a sentence."""
        try:
            yield
        except requests.exceptions.SSLError as error:
            raise ArchiveError(
                f"the certificate of {self.url} is not trusted; give who signed it with --ca"
            ) from error
        except requests.TooManyRedirects as error:
            raise ArchiveError(f"the archive {self.url} redirects without an end") from error
        except requests.Timeout as error:
            raise ArchiveError(f"the archive {self.url} does not answer in time") from error
        except requests.exceptions.ChunkedEncodingError as error:
            raise ArchiveError(f"the answer of the archive {self.url} is cut off") from error
        except requests.exceptions.ContentDecodingError as error:
            raise ArchiveError(f"the answer of the archive {self.url} is damaged") from error
        except (requests.RequestException, ValueError) as error:
            kind = type(error).__name__
            raise ArchiveError(f"the archive {self.url} cannot be reached ({kind})") from error
        except ArchiveError:
            raise
        except Exception as error:  # odd headers trip the libraries; what they say may be private
            kind = type(error).__name__
            raise ArchiveError(
                f"the archive {self.url} answers what makes no sense ({kind})"
            ) from None

    def _refusal(self, status: int) -> ArchiveError:
        return StatusError(status, f"the archive {self.url} {_status(status)}")


class StatusError(ArchiveError):
    """A status that is no success.

    Parameters
    ----------
    status : int
    message : str
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def _status(status: int) -> str:
    if status in {401, 403}:
        return f"does not let you in ({status}); see --token-file"
    if status == 404:
        return "has nothing at this address (404)"
    if 300 <= status < 400:
        return f"redirects to another address ({status}); give that one with --url"
    return f"answers with the status {status}"


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
