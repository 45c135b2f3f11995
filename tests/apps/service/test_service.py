"""The service, asked as other programs ask it: a real process, the weights that ship."""

from __future__ import annotations

import json
import shutil
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pydicom
import pytest
from click.testing import CliRunner
from PIL import Image

from boneage import assess
from boneage.apps.audit_log import check_audit_log
from boneage.apps.cli import main
from boneage.apps.service.access import UnauthenticatedThrottle, add_token
from boneage.domain.reported import reported
from tests.apps.service.conftest import Server, Start

GIRL = {"sex": "female"}


def send(
    client: httpx.Client,
    film: bytes,
    fields: dict[str, str] = GIRL,
    name: str = "hand.png",
    **more: Any,
) -> httpx.Response:
    return client.post("/v1/assessments", files={"film": (name, film)}, data=fields, **more)


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return dict(answer.json())


@pytest.fixture(scope="module")
def answer(client: httpx.Client, png: bytes) -> dict[str, Any]:
    got = send(client, png, {**GIRL, "age": "11y4m", "height_cm": "142.5", "language": "de"})
    assert got.status_code == 201, got.text
    assert got.headers["location"] == got.json()["links"]["self"]
    return dict(got.json())


def test_an_answer_is_the_record_of_the_command_line(answer: dict[str, Any], png: bytes) -> None:
    assert answer["age_months"] == reported(assess(png, "female").age_months)
    assert answer["chronological_age_months"] == 136
    assert answer["clinical"]["growth"]["sds"] is not None


def test_the_documents_open(client: httpx.Client, answer: dict[str, Any]) -> None:
    links = answer["links"]
    assert "dicom_report" not in links
    assert client.get(links["self"]).json()["age_months"] == answer["age_months"]
    with Image.open(BytesIO(client.get(links["picture"]).content)) as picture:
        assert picture.format == "PNG"
    report = client.get(links["report"])
    assert report.headers["content-type"] == "application/pdf"
    assert report.content.startswith(b"%PDF-")
    assert client.get(links["fhir"]).json()["resourceType"] == "Observation"
    problem(client.get(f"{links['self']}/dicom/report"), 422, "output")


def test_a_dicom_film_is_answered_in_dicom(client: httpx.Client, tmp_path: Path) -> None:
    film = drawn_dicom(tmp_path / "film.dcm")
    got = send(client, film, {}, "film.dcm")
    assert got.status_code == 201, got.text
    study = pydicom.dcmread(BytesIO(film), stop_before_pixels=True).StudyInstanceUID
    for kind, modality in (("picture", "OT"), ("report", "SR")):
        content = client.get(got.json()["links"][f"dicom_{kind}"]).content
        dataset = pydicom.dcmread(BytesIO(content))
        assert (dataset.StudyInstanceUID, dataset.Modality) == (study, modality)


def drawn_dicom(path: Path) -> bytes:
    options = ["--out", str(path), "--sex", "female", "--age-years", "10"]
    drawn = CliRunner().invoke(main, ["synthetic", *options])
    assert drawn.exit_code == 0, drawn.output
    return path.read_bytes()


def test_a_deleted_answer_is_gone(client: httpx.Client, png: bytes) -> None:
    links = send(client, png).json()["links"]
    assert client.delete(links["self"]).status_code == 204
    problem(client.get(links["report"]), 404, "no_answer")
    problem(client.delete(links["self"]), 404, "no_answer")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "sex"),
        ({"sex": "x"}, "sex"),
        ({**GIRL, "age": "old"}, "age"),
        ({**GIRL, "birth_date": "30.8.2013"}, "age"),
        ({**GIRL, "birth_date": "2024-01-01", "study_date": "2020-01-01"}, "age"),
        ({**GIRL, "height_cm": "1.4"}, "height"),
        ({**GIRL, "height_cm": "nan"}, "height"),
        ({**GIRL, "level": "2"}, "level"),
        ({**GIRL, "level": "0.99999"}, "level"),
        ({**GIRL, "language": "xx"}, "language"),
        ({**GIRL, "paper": "a0"}, "paper"),
        ({**GIRL, "sds_reference": "/etc/passwd"}, "sds_reference"),
        ({**GIRL, "force": "maybe"}, "force"),
    ],
)
def test_a_wrong_field_is_reported(
    client: httpx.Client, png: bytes, fields: dict[str, str], code: str
) -> None:
    problem(send(client, png, fields), 422, code)


def test_what_is_no_form_is_reported(client: httpx.Client, png: bytes) -> None:
    problem(client.post("/v1/assessments", json={}), 415, "no_form")
    problem(client.post("/v1/assessments", files={"x": ("x", png)}), 400, "unknown_field")
    problem(client.post("/v1/assessments", files={"sex": (None, "female")}), 400, "no_film")
    headers = {"content-type": "multipart/form-data"}
    problem(client.post("/v1/assessments", content=b"x", headers=headers), 400, "bad_form")
    problem(client.get("/nothing"), 404, "no_page")
    problem(client.put("/v1/assessments"), 405, "method")


def test_what_is_no_film_is_reported(client: httpx.Client, png: bytes) -> None:
    assert "hand.png" in problem(send(client, b""), 422, "empty")["detail"]
    assert send(client, b"no film").status_code == 422
    assert send(client, png[:-500]).status_code == 422


def bomb() -> bytes:
    """A PNG of 60000 x 60000 black pixels, and of ten thousand bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
    data = zlib.compress(bytes(10_000_000), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def test_a_pixel_bomb_is_refused_at_once(client: httpx.Client) -> None:
    start = time.monotonic()
    problem(send(client, bomb()), 413, "too_large")
    assert time.monotonic() - start < 30


def test_too_many_bytes_are_refused_whatever_is_stated(
    server: Server, client: httpx.Client
) -> None:
    big = bytes(21 * 2**20)
    problem(send(client, big), 413, "too_many_bytes")

    def chunks() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="film"; filename="x"\r\n\r\n'
        for _ in range(21):
            yield bytes(2**20)

    headers = {"content-type": "multipart/form-data; boundary=b"}
    problem(
        client.post("/v1/assessments", content=chunks(), headers=headers), 413, "too_many_bytes"
    )


def test_a_file_name_is_a_name_and_no_path(client: httpx.Client) -> None:
    for name in ("../../etc/passwd", "..\\..\\win.ini", "/etc/shadow"):
        detail = problem(send(client, b"", name=name), 422, "empty")["detail"]
        assert repr(name.replace("\\", "/").rpartition("/")[2]) in detail


def test_a_name_cannot_bring_headers(server: Server, client: httpx.Client, png: bytes) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="sex"\r\n\r\nfemale\r\n'
        b"--b\r\nContent-Disposition: form-data; name=\"film\"; filename*=utf-8''a%0d%0aX-Evil:1"
        b'; filename="a%0D%0AX-Evil: 1.png"\r\n\r\n' + png + b"\r\n--b--\r\n"
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    got = client.post("/v1/assessments", content=body, headers=headers)
    assert got.status_code == 201, got.text
    shown = client.get(got.json()["links"]["picture"])
    assert "x-evil" not in got.headers and "x-evil" not in shown.headers
    assert "Evil" not in server.log()


def test_request_ids_are_kept_where_they_are_ones(server: Server, client: httpx.Client) -> None:
    good = client.get("/healthz", headers={"x-request-id": "ward-7.a_b"})
    assert good.headers["x-request-id"] == "ward-7.a_b"
    deadline = time.monotonic() + 10  # it is logged once the answer has gone
    while "ward-7.a_b" not in server.log():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    for bad in ("a b", "a\tb", "x" * 65, "<script>", "-rf"):
        got = client.get("/healthz", headers={"x-request-id": bad}).headers["x-request-id"]
        assert got != bad and len(got) == 32


def test_no_name_nor_query_is_logged(server: Server, client: httpx.Client, png: bytes) -> None:
    got = send(client, png, name="DOE_JANE.png", params={"token": "s3cret"})
    assert send(client, b"", name="DOE_JANE.png").status_code == 422
    for text in (server.log(), client.get("/metrics").text):
        assert "JANE" not in text and "s3cret" not in text and got.json()["id"] not in text


def test_only_this_host_is_answered(client: httpx.Client) -> None:
    problem(client.get("/healthz", headers={"host": "evil.example"}), 421, "host")
    problem(client.get("/healthz", headers={"origin": "http://evil.example"}), 403, "origin")
    problem(client.get("/healthz", headers={"origin": "null"}), 403, "origin")
    assert client.get("/healthz", headers={"host": "localhost:1"}).status_code == 200


def test_operations(client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
    (model,) = client.get("/v1/models").json()["models"]
    assert len(model["sha256"]) == 64
    text = client.get("/metrics").text
    assert 'boneage_requests_total{action="models",outcome="good"}' in text
    assert "boneage_queue_length 0.0" in text


def test_every_answer_is_in_the_audit_log(start: Start, tmp_path: Path, png: bytes) -> None:
    path = tmp_path / "audit.jsonl"
    server = start("--audit", str(path))
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        got = send(client, png, name="DOE.png", headers={"x-request-id": "r1"})
        client.get(got.json()["links"]["picture"])
        send(client, b"", name="DOE.png")
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [event["action"] for event in events] == ["assess", "picture", "assess"]
    assert events[0]["request"] == "r1"
    assert events[0]["answer_months"] == got.json()["age_months"]
    assert events[2]["error"] == "empty"
    assert "DOE" not in path.read_text()
    assert check_audit_log(path).invalid_line is None


def test_tokens_open_and_keep_answers_apart(start: Start, tmp_path: Path, png: bytes) -> None:
    path = tmp_path / "tokens"
    ward, clinic = add_token(path, "ward"), add_token(path, "clinic")
    assert ward not in path.read_text()
    server = start("--tokens", str(path))
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
        got = send(client, png)
        problem(got, 401, "token")
        assert got.headers["www-authenticate"] == "Bearer"
        for page in ("/metrics", "/v1/models"):
            problem(client.get(page), 401, "token")
        wrong = {"authorization": "Bearer x"}
        problem(send(client, png, headers=wrong), 401, "token")
        mine, other = ({"authorization": f"Bearer {token}"} for token in (ward, clinic))
        link = send(client, png, headers=mine).json()["links"]["self"]
        assert client.get(link, headers=mine).status_code == 200
        problem(client.get(link, headers=other), 404, "no_answer")
        problem(client.delete(link, headers=other), 404, "no_answer")
    assert ward not in server.log()


def test_a_full_queue_states_when_to_come_again(start: Start, png: bytes) -> None:
    server = start("--workers", "1", "--waiting", "0")
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(lambda _: send(client, png), range(6)))
        assert {answer.status_code for answer in answers} == {201, 429}
        busy = next(answer for answer in answers if answer.status_code == 429)
        assert int(busy.headers["retry-after"]) > 0
        problem(busy, 429, "busy")
        assert client.get("/readyz").status_code == 200


def test_answers_are_kept_for_a_while_and_not_more_than_so_many(start: Start, png: bytes) -> None:
    server = start("--keep-answers", "1", "--keep-minutes", "0.2")
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        first, second = (send(client, png).json()["links"]["self"] for _ in range(2))
        problem(client.get(first), 404, "no_answer")
        deadline = time.monotonic() + 60
        while client.get(second).status_code == 200:
            assert time.monotonic() < deadline
            time.sleep(1)
        problem(client.get(second), 404, "no_answer")
        assert "boneage_kept_answers 0.0" in client.get("/metrics").text


def test_a_film_that_waits_too_long_is_let_go(start: Start, png: bytes) -> None:
    server = start("--workers", "1", "--waiting", "30", "--seconds", "1")
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        with ThreadPoolExecutor(24) as pool:
            answers = list(pool.map(lambda _: send(client, png), range(24)))
        late = next(answer for answer in answers if answer.status_code == 503)
        problem(late, 503, "too_slow")
        assert int(late.headers["retry-after"]) > 0
        until_idle(client)
        assert 'outcome="too slow"' in client.get("/metrics").text


def until_idle(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while "boneage_queue_length 0.0" not in client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def form(length: int) -> bytes:
    """The head of a request whose form is said to be so long, and the form's beginning."""
    return (
        b"POST /v1/assessments HTTP/1.1\r\nHost: localhost\r\n"
        b"Content-Type: multipart/form-data; boundary=b\r\n"
        b"Content-Length: %d\r\n\r\n--b\r\n" % length
    )


def said_to(server: Server, sent: bytes) -> bytes:
    """What a server answers to these bytes, until it closes the connection."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port), timeout=60) as connection:
        connection.sendall(sent)
        return b"".join(iter(lambda: connection.recv(4096), b""))


def test_a_film_that_does_not_arrive_is_not_waited_for(start: Start) -> None:
    server = start("--seconds", "1")
    received = said_to(server, form(1000))  # and no more, though the connection stays open
    assert received.startswith(b"HTTP/1.1 408 ")
    assert b"connection: close" in received.lower()
    assert b'"code":"slow_upload"' in received


def test_a_stated_length_is_not_believed(server: Server, client: httpx.Client) -> None:
    too_short = said_to(server, form(5) + b"more than was stated")
    assert too_short.startswith(b"HTTP/1.1 400 ")
    assert said_to(server, form(10**15)).startswith(b"HTTP/1.1 413 ")  # at once, unread
    both = form(5).replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n", 1)
    assert b"HTTP/1.1 20" not in said_to(server, both + b"0\r\n\r\n")
    until_idle(client)


@pytest.mark.skipif(sys.platform != "linux", reason="limits another process, as Linux can")
def test_no_film_touches_the_disk(start: Start, png: bytes) -> None:
    resource = pytest.importorskip("resource", reason="only Unix has limits of a process")
    server = start()
    limit = 200_000  # more than is logged, less than the film
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (limit, limit))
    film = BytesIO()
    Image.open(BytesIO(png)).convert("L").resize((1100, 1500)).save(film, "BMP")
    assert len(film.getvalue()) > 2**20  # beyond which Starlette writes to the disk
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        got = send(client, film.getvalue())
        assert got.status_code == 201, got.text
        for name in ("picture", "report"):
            assert client.get(got.json()["links"][name]).status_code == 200


def test_poppler_opens_the_report(
    client: httpx.Client, answer: dict[str, Any], tmp_path: Path
) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("poppler is not here (apt-get install poppler-utils)")
    page = tmp_path / "report.pdf"
    page.write_bytes(client.get(answer["links"]["report"]).content)
    read = subprocess.run(["pdftotext", str(page), "-"], capture_output=True, check=True)
    assert "Knochenalter" in read.stdout.decode()


def test_nothing_is_answered_that_cannot_be_logged(start: Start, png: bytes) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full, the file that is always full")
    server = start("--audit", "/dev/full")
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        problem(send(client, png), 503, "unavailable")
        assert "boneage_kept_answers 0.0" in client.get("/metrics").text


def test_wrong_tokens_cannot_fill_the_log(start: Start, tmp_path: Path) -> None:
    path = tmp_path / "tokens"
    add_token(path, "ward")
    server = start("--tokens", str(path), "--audit", str(tmp_path / "audit"))
    with httpx.Client(base_url=server.url, timeout=120, trust_env=False) as client:
        for _ in range(30):
            problem(client.get("/metrics"), 401, "token")
    written = (tmp_path / "audit").read_text().splitlines()
    assert 10 <= len(written) <= 20  # ten a minute
    assert check_audit_log(tmp_path / "audit").invalid_line is None


def test_those_who_are_not_written_down_are_counted() -> None:
    clock = iter([0.0, 1, 2, 3, 4, 70])
    throttle = UnauthenticatedThrottle(2, lambda: next(clock))
    assert [throttle.to_be_logged() for _ in range(5)] == [1, 1, 0, 0, 3]


def test_a_client_that_goes_leaves_no_place_taken(server: Server, client: httpx.Client) -> None:
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port)) as connection:
        connection.sendall(
            b"POST /v1/assessments HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n--b\r\n"
        )
        time.sleep(0.3)
    until_idle(client)
