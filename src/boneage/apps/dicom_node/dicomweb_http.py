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
from requests.auth import AuthBase, HTTPBasicAuth

from boneage.apps.dicom_node.dicomweb_replies import (
    ArchiveError,
    Row,
    StoreResult,
    objects_of,
    rows_of,
    store_result_of,
    uid_of,
)
from boneage.reading.source import MAX_FILE_BYTES

JSON = "application/dicom+json"
MULTIPART_DICOM = 'multipart/related; type="application/dicom"'
ANY_SYNTAX = f"{MULTIPART_DICOM}; transfer-syntax=*"
SECONDS = 60.0
MAX_REDIRECTS = 5
MAX_PASSES = 3
"""A list of several pages is fetched again as long as that gives new rows."""
MAX_ROWS = 100_000
NOT_PAGED = frozenset((400, 404, 405, 410, 416, 422, 501))
"""Statuses of archives that support no offset, or have nothing there."""
INCOMPLETE_WARNING = re.compile(
    r"(?:^|,)\s*299\b.*\b(additional|remain\w*|more|exceed\w*|maximum|limit\w*|partial)", re.I
)
"""The warning of an incomplete list (PS3.18, 8.3.4.4); other warnings have the code 299, too."""
CHUNK_BYTES = 2**20
FAILURE_MESSAGES: tuple[tuple[type[Exception], str], ...] = (
    (
        requests.exceptions.SSLError,
        "the certificate of {url} is not trusted; give its CA certificate with --ca",
    ),
    (requests.TooManyRedirects, "the archive {url} redirects endlessly"),
    (requests.Timeout, "the archive {url} does not respond in time"),
    (requests.exceptions.ChunkedEncodingError, "the response of the archive {url} is incomplete"),
    (requests.exceptions.ContentDecodingError, "the response of the archive {url} is damaged"),
    (requests.RequestException, "the archive {url} cannot be reached ({kind})"),
    (ValueError, "the archive {url} cannot be reached ({kind})"),
    # Odd headers trip the libraries; their messages may be private.
    (Exception, "the response of the archive {url} is invalid ({kind})"),
)
"""The sentence for each error of a request; the first that matches."""


class StatusError(ArchiveError):
    """A status other than success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class BearerAuth(AuthBase):
    """A bearer token in the Authorization header (RFC 6750)."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add it to a request."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def authentication(token_file: Path | None, basic_file: Path | None) -> AuthBase | None:
    """Read the credentials for an archive: a file of a bearer token, or of ``user:password``.

    An `ArchiveError` when it cannot be read or is invalid; its content is not quoted.
    """
    path = token_file or basic_file
    if path is None:
        return None
    try:
        secret = path.read_text("ascii").strip()
    except OSError as error:
        raise ArchiveError(f"{str(path)!r} cannot be read: {error.strerror}") from error
    except UnicodeError:
        raise ArchiveError(f"{str(path)!r} contains other characters than ASCII") from None
    if path is token_file:
        if not secret or any(sign.isspace() for sign in secret):
            raise ArchiveError(f"{str(path)!r} contains no token, which is one word")
        return BearerAuth(secret)
    user, colon, password = secret.partition(":")
    if not colon or not user:
        raise ArchiveError(f"{str(path)!r} does not contain user:password")
    return HTTPBasicAuth(user, password)


@dataclass(frozen=True)
class Reply:
    """What came back from a request."""

    status: int
    content_type: str
    body: bytes
    more: bool
    """Whether the archive states that the list is incomplete."""
    next: str | None
    """The address of the next page, where the archive states it."""


@dataclass(frozen=True)
class Listing:
    """A list of an archive, page by page."""

    rows: dict[str, Row]
    """By UID, in the order in which they came."""
    unnamed: int
    """Rows without a UID."""
    cut_short: bool
    """Whether the archive states that there is more, and does not give it."""


class DicomWebClient:
    """Requests to one archive; every one of them may raise an `ArchiveError`.

    The URL is that of the service, without ``/studies``; the CA certificate is in PEM, by default
    those that the system trusts.
    """

    def __init__(
        self,
        url: str,
        auth: AuthBase | None = None,
        ca: Path | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self.url, self.seconds = url.rstrip("/"), seconds
        if not _is_address(self.url):
            raise ArchiveError(
                f"{url!r} is not the address of an archive, such as https://pacs/dicom-web"
            )
        self._session = requests.Session()
        self._session.auth = auth
        self._session.max_redirects = MAX_REDIRECTS
        if ca is not None:
            self._session.verify = str(ca)

    def rows(self, path: str) -> list[Row]:
        """The datasets of one reply."""
        return self._rows(self._get(path, JSON))

    def listing(self, path: str, keyword: str) -> Listing:
        """Every row of a search, from all pages.

        A page without new rows is the last one, also of an archive that ignores the offset and
        repeats its first page. The list may change and shift between pages, so one of several
        pages is fetched again. The keyword is that of the UID that identifies a row.
        """
        found: dict[str, Row] = {}
        for _ in range(MAX_PASSES):
            known = len(found)
            pages, cut_short = self._follow_pages(path, keyword, found)
            if pages < 2 or len(found) == known:
                break
        rows = {name: row for name, row in found.items() if uid_of(row, keyword)}
        return Listing(rows, len(found) - len(rows), cut_short)

    def _follow_pages(self, path: str, keyword: str, found: dict[str, Row]) -> tuple[int, bool]:
        """Fetch the pages once; give how many had new rows, and whether more were announced."""
        seen: set[str] = set()
        pages = offset = 0
        announced, address = False, path
        while True:
            try:
                reply = self._get(address, JSON)
            except StatusError as error:
                if pages and error.status in NOT_PAGED:
                    return pages, announced
                raise
            rows = self._rows(reply)
            # A row without a UID is identified by its content.
            named = {uid_of(row, keyword) or json.dumps(row, sort_keys=True): row for row in rows}
            fresh = named.keys() - seen
            if not fresh:
                return pages, reply.more or announced
            seen |= fresh
            for name, row in named.items():
                found.setdefault(name, row)
            if len(found) > MAX_ROWS:
                raise ArchiveError(f"the archive {self.url} lists more than {MAX_ROWS} objects")
            pages, offset, announced = pages + 1, offset + len(rows), reply.more
            address = reply.next or f"{path}?offset={offset}"

    def objects(self, path: str) -> list[bytes]:
        """The DICOM files of a reply, in the syntax in which the archive stores them."""
        try:
            reply = self._get(path, ANY_SYNTAX)
        except StatusError as error:
            if error.status != 406:
                raise
            reply = self._get(path, MULTIPART_DICOM)
        with self._named_archive():
            return objects_of(reply.content_type, reply.body)

    def store(self, study: str, uid: str, file: bytes) -> int | None:
        """Store an object into a study; when this returns, the archive has confirmed it.

        Returns the archive's warning, if there is one (PS3.18, I.2.2). Raises an `ArchiveError`
        when it refuses the object, or does not confirm that it stored it.
        """
        boundary = secrets.token_hex(16)
        body = (
            f"--{boundary}\r\nContent-Type: application/dicom\r\n\r\n".encode()
            + file
            + f"\r\n--{boundary}--\r\n".encode()
        )
        kind = f'{MULTIPART_DICOM}; boundary="{boundary}"'
        headers = {"Accept": JSON, "Content-Type": kind}
        reply = self._ask("POST", f"studies/{study}", headers, body)
        refused = reply.status >= 300
        result = StoreResult(stored=False)
        try:
            result = store_result_of(reply.content_type, reply.body, uid)
        except ArchiveError as error:
            if not refused:
                raise ArchiveError(
                    f"the archive {self.url} {error}; it did not confirm that it stored the object"
                ) from None
        if result.failure is not None:
            raise ArchiveError(
                f"the archive {self.url} refuses the object (0x{result.failure:04X})"
            )
        if result.stored and (not refused or reply.status == 409):
            return result.warning  # with status 409 of a duplicate
        if refused:
            raise self._refusal(reply.status)
        what = "a response that does not name it" if reply.body.strip() else "an empty response"
        raise ArchiveError(
            f"the archive {self.url} does not confirm that it stored the object: "
            f"status {reply.status} with {what}"
        )

    def _rows(self, reply: Reply) -> list[Row]:
        with self._named_archive():
            return rows_of(reply.content_type, reply.body)

    @contextmanager
    def _named_archive(self) -> Iterator[None]:
        """Name the archive in the errors of its reply."""
        try:
            yield
        except ArchiveError as error:
            raise ArchiveError(f"the archive {self.url} {error}") from None

    def _get(self, path: str, accept: str) -> Reply:
        reply = self._ask("GET", path, {"Accept": accept})
        if reply.status >= 300:
            raise self._refusal(reply.status)
        return reply

    def _ask(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> Reply:
        try:
            with self._session.request(
                method,
                path if _is_address(path) else f"{self.url}/{path}",
                headers=headers,
                data=body,
                timeout=self.seconds,
                stream=True,
                # A redirected POST would become a GET, whose response does not confirm anything.
                allow_redirects=method == "GET",
            ) as response:
                content = bytearray()
                for chunk in response.iter_content(CHUNK_BYTES):
                    content += chunk
                    if len(content) > MAX_FILE_BYTES:
                        raise ArchiveError(
                            f"the archive {self.url} sends more than the largest file"
                        )
                warning = response.headers.get("Warning", "")
                return Reply(
                    response.status_code,
                    response.headers.get("Content-Type", ""),
                    bytes(content),
                    response.status_code == 206 or INCOMPLETE_WARNING.search(warning) is not None,
                    self._next(response),
                )
        except ArchiveError:
            raise
        except Exception as error:
            sentence = next(text for kind, text in FAILURE_MESSAGES if isinstance(error, kind))
            kind = type(error).__name__
            raise ArchiveError(sentence.format(url=self.url, kind=kind)) from None

    def _next(self, response: requests.Response) -> str | None:
        """The link to the next page (RFC 8288), if it leads to the archive itself."""
        link = response.links.get("next", {}).get("url")
        if not link:
            return None
        address = urljoin(response.url, link)
        # The token must not be sent elsewhere.
        return address if urlsplit(address)[:2] == urlsplit(self.url)[:2] else None

    def _refusal(self, status: int) -> StatusError:
        if status in {401, 403}:
            why = f"denies access ({status}); see --token-file"
        elif status == 404:
            why = "has nothing at this address (404)"
        elif 300 <= status < 400:
            why = f"redirects to another address ({status}); give that one with --url"
        else:
            why = f"responds with the status {status}"
        return StatusError(status, f"the archive {self.url} {why}")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
