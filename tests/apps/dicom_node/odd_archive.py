"""A DICOMweb archive with whatever oddness a test wants, over real HTTP."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

STUDY, SERIES = "1.2.3", "1.2.3.1"
CR = "1.2.840.10008.5.1.4.1.1.1"
JSON = "application/dicom+json"


@dataclass
class Reply:
    """What is answered."""

    body: bytes = b""
    kind: str = JSON
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def rows(content: Any, **more: Any) -> Reply:
    return Reply(json.dumps(content).encode(), **more)


def element(vr: str, value: Any) -> dict[str, Any]:
    return {"vr": vr, "Value": [value]}


def image_row(uid: str, sop_class: str | None = CR) -> dict[str, Any]:
    row = {"00080018": element("UI", uid)}
    return row | ({} if sop_class is None else {"00080016": element("UI", sop_class)})


def series_row(uid: str = SERIES, images: int | None = None) -> dict[str, Any]:
    stated = {} if images is None else {"00201209": element("IS", images)}
    return {"0020000E": element("UI", uid), "00080060": element("CS", "CR"), **stated}


def multipart(*files: bytes, kind: str = 'multipart/related; type="application/dicom"') -> Reply:
    parts = (b"--B B\r\nContent-Type: application/dicom\r\n\r\n%b\r\n" % file for file in files)
    return Reply(b"".join(parts) + b"--B B--\r\n", f'{kind}; boundary="B B"')


Give = Callable[[dict[str, str]], Reply]


@dataclass
class OddArchive:
    """Answers by the last part of the path; ``"POST"`` stands for what is stored."""

    url: str = ""
    answers: dict[str, Give | Reply] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    stored: list[bytes] = field(default_factory=list)

    def give(self, path: str, query: dict[str, str]) -> Reply:
        """The reply to a request."""
        last = path.rpartition("/")[2]
        found = self.answers.get(last, self.answers.get("*", Reply(status=404)))
        return found if isinstance(found, Reply) else found(query)

    def pages(self, all_rows: list[dict[str, Any]], most: int, **odd: bool) -> Give:
        """Answer a search in pages of so many rows."""

        def give(query: dict[str, str]) -> Reply:
            start = 0 if odd.get("ignores_offset") else int(query.get("offset", 0))
            page = all_rows[start : start + most]
            left = len(all_rows) - start - len(page)
            if not page and odd.get("ends_with_204"):
                return Reply(status=204)
            if start and odd.get("refuses_offset"):
                return Reply(status=400)
            headers = {}
            if left > 0 and not odd.get("silent"):
                headers["Warning"] = f'299 odd "There are {left} additional results"'
            if left > 0 and odd.get("links"):
                headers["Link"] = f'<?offset={start + len(page)}>; rel="next"'
            return rows(page, headers=headers)

        return give


@contextmanager
def odd_archive(**answers: Give | Reply) -> Iterator[OddArchive]:
    """Run an archive that holds one series, unless told otherwise."""
    archive = OddArchive(answers={"series": rows([series_row()]), **answers})

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Write nothing."""

        def do_GET(self) -> None:
            self._answer(self.path)

        def do_POST(self) -> None:
            archive.stored.append(self.rfile.read(int(self.headers["Content-Length"])))
            self._answer("/POST")

        def _answer(self, path: str) -> None:
            archive.asked.append(path)
            parts = urlparse(path)
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            reply = archive.give(parts.path, query)
            self.send_response(reply.status)
            headers = {"Content-Type": reply.kind, "Content-Length": str(len(reply.body))}
            for name, value in {**headers, **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if reply.status != 204:
                self.wfile.write(reply.body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    archive.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield archive
    finally:
        server.shutdown()
        server.server_close()
