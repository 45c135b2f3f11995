"""Forms as browsers, scripts and mail-like libraries write them, sent byte by byte."""

from __future__ import annotations

import base64
from typing import Any

import httpx
import pytest

from tests.apps.service.test_service import problem

DISPOSITION = 'Content-Disposition: form-data; name="film"; filename="hand.png"'
SEX = ('Content-Disposition: form-data; name="sex"', b"female")
Part = tuple[str, bytes]


def form(*parts: Part, end: bytes = b"--b--\r\n") -> bytes:
    """Its bytes; the headers of each part are one text."""
    return b"".join(b"--b\r\n%b\r\n\r\n%b\r\n" % (_raw(head), body) for head, body in parts) + end


def _raw(head: str) -> bytes:
    return head.replace("\n", "\r\n").encode("utf-8", "surrogateescape")


def post(client: httpx.Client, *parts: Part, kind: str = "", **more: Any) -> httpx.Response:
    headers = {"content-type": kind or "multipart/form-data; boundary=b"}
    query = more.pop("query", "")
    return client.post(f"/v1/assessments{query}", content=form(*parts, **more), headers=headers)


def named(client: httpx.Client, parameters: str) -> str:
    """What the service calls an empty film that came with these parameters."""
    got = post(client, (f'Content-Disposition: form-data; name="film"; {parameters}', b""), SEX)
    return str(problem(got, 422, "empty")["detail"])


@pytest.mark.parametrize(
    ("parameters", "name"),
    [
        ("filename*=UTF-8''h%C3%A4nd.png", "händ.png"),
        ("filename*=utf-8'en'h%C3%A4nd.png", "händ.png"),
        ("filename*=iso-8859-1''h%E4nd.png", "händ.png"),
        ("filename=\"x.png\"; filename*=UTF-8''h%C3%A4nd.png", "händ.png"),
        ("filename*=UTF-8''h%C3%A4nd.png; filename=\"x.png\"", "händ.png"),
        ("FileName*=UTF-8''a%20b.png", "a b.png"),
        ('filename*0="ha"; filename*1="nd.png"', "hand.png"),
        ('filename="händ.png"', "händ.png"),
        ('filename="h\udce4nd.png"', "händ.png"),
        ('filename="=?UTF-8?Q?h=C3=A4nd.png?="', "händ.png"),
        ('filename="=?utf-8?B?aMOkbmQucG5n?="', "händ.png"),
        ('filename="a;b.png"', "a;b.png"),
        (r'filename="a\"b.png"', 'a"b.png'),
        ("filename=hand.png", "hand.png"),
        ("filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ("filename*=UTF-8''C%3A%5Cfilms%5Chand.png", "hand.png"),
        (r'filename="C:\films\hand.png"', "hand.png"),
        ("filename*=UTF-8''a%0D%0A%1B%5B31mb%00%E2%80%AE.png", "a[31mb.png"),
        ("filename*=nonsense''hand.png", "hand.png"),
        ("filename*=undefined''hand.png", "hand.png"),
        ("filename*=UTF-8''%FF%FEhand.png", "��hand.png"),
        ('filename="..."', "..."),
        ("filename*=UTF-8''%2F", "film"),
    ],
)
def test_a_file_name_is_read_however_it_is_written(
    client: httpx.Client, parameters: str, name: str
) -> None:
    assert repr(name) in named(client, parameters)


def test_a_film_that_has_only_a_star_name_is_read(client: httpx.Client, png: bytes) -> None:
    starred = "Content-Disposition: form-data; name=\"film\"; filename*=UTF-8''h%C3%A4nd.png"
    bare = 'Content-Disposition: form-data; name="film"'
    for head in (starred, bare, f"{bare}\nContent-Type: image/png", DISPOSITION):
        assert post(client, (head, png), SEX).status_code == 201, head


@pytest.mark.parametrize(
    ("head", "sex"),
    [
        ('Content-Disposition: form-data; name="SEX"', b"female"),
        ("Content-Disposition: form-data; name=Sex", b"Female"),
        ('content-disposition: FORM-DATA; NAME="sex"', b"female"),
        ("Content-Disposition: form-data; name*=UTF-8''sex", b"female"),
        (f"{SEX[0]}\nContent-Transfer-Encoding: base64", base64.b64encode(b"female")),
        (f"{SEX[0]}\nContent-Transfer-Encoding: quoted-printable", b"fem=61le"),
        (f"{SEX[0]}\nContent-Type: text/plain; charset=utf-16", "female".encode("utf-16")),
        (f"{SEX[0]}\nContent-Type: text/plain; charset=nonsense", b"female"),
        (f"{SEX[0]}\nContent-Transfer-Encoding: 8bit", b" female\r\n"),
    ],
)
def test_a_field_is_read_however_it_is_written(
    client: httpx.Client, png: bytes, head: str, sex: bytes
) -> None:
    got = post(client, (DISPOSITION, png), (head, sex))
    assert (got.status_code, got.json().get("sex")) == (201, "female"), got.text


def test_the_charset_of_a_form_is_kept_to(client: httpx.Client, png: bytes) -> None:
    charset = ('Content-Disposition: form-data; name="_charset_"', b"shift_jis")
    name = ('Content-Disposition: form-data; name="sex"', "女".encode("shift_jis"))
    detail = problem(post(client, (DISPOSITION, png), name, charset), 422, "sex")["detail"]
    assert "女" in detail
    kind = "multipart/form-data; charset=utf-16; boundary=b"
    assert post(client, (DISPOSITION, png), SEX, kind=kind).status_code == 201


@pytest.mark.parametrize("lines", [True, False])
def test_a_film_in_base64_is_read(client: httpx.Client, png: bytes, lines: bool) -> None:
    encoded = base64.encodebytes(png) if lines else base64.b64encode(png)
    head = f"{DISPOSITION}\nContent-Transfer-Encoding: Base64"
    assert post(client, (head, encoded), SEX).status_code == 201
    printable = f"{DISPOSITION}\nContent-Transfer-Encoding: quoted-printable"
    quoted = b"=\r\n".join(b"=%02X" % byte for byte in png)
    assert post(client, (printable, quoted), SEX).status_code == 201
    cut = post(client, (head, encoded[:-30] + b"*"), SEX)
    assert "not" in problem(cut, 400, "bad_form")["detail"]
    other = post(client, (f"{DISPOSITION}\nContent-Transfer-Encoding: x-uue", png), SEX)
    assert "x-uue" in problem(other, 400, "bad_form")["detail"]


@pytest.mark.parametrize("field", ["sex", "age", "birth_date", "height_cm", "force", "level"])
def test_a_field_of_several_values_is_refused(client: httpx.Client, png: bytes, field: str) -> None:
    head = f'Content-Disposition: form-data; name="{field}"'
    for values in ((b"male", b"female"), (b"male", b"male"), (b"", b"female"), (b"1",) * 30):
        parts = [(head, value) for value in values]
        detail = problem(post(client, (DISPOSITION, png), *parts), 422, "repeated_field")["detail"]
        assert field in detail
    other_case = (head.replace(f'"{field}"', f'"{field.upper()}"'), b"male")
    problem(post(client, (DISPOSITION, png), (head, b"female"), other_case), 422, "repeated_field")


@pytest.mark.parametrize("value", [b"male,female", b"M\\F", b"male female"])
def test_several_values_in_one_are_refused(client: httpx.Client, png: bytes, value: bytes) -> None:
    problem(post(client, (DISPOSITION, png), (SEX[0], value)), 422, "sex")


def test_one_file_is_taken(client: httpx.Client, png: bytes) -> None:
    chosen: Part = (DISPOSITION, png)
    nothing_chosen: Part = (
        'Content-Disposition: form-data; name="film"; filename=""\n'
        "Content-Type: application/octet-stream",
        b"",
    )
    assert post(client, nothing_chosen, chosen, SEX).status_code == 201
    assert post(client, chosen, SEX, nothing_chosen).status_code == 201
    problem(post(client, nothing_chosen, SEX), 400, "no_film")
    problem(post(client, chosen, chosen, SEX), 422, "several_films")
    problem(post(client, chosen, (DISPOSITION, b""), SEX), 422, "several_films")
    problem(post(client, (DISPOSITION, b""), SEX), 422, "empty")
    nested = "Content-Type: multipart/mixed; boundary=c"
    got = post(client, (f"{DISPOSITION}\n{nested}", b"--c\r\n\r\nx\r\n--c--"), SEX)
    problem(got, 422, "several_films")
    as_file = (f'{SEX[0]}; filename="blob"', b"female")
    assert "as a file" in problem(post(client, chosen, as_file), 422, "field_is_file")["detail"]


def test_a_form_that_is_none_gets_the_true_reason(client: httpx.Client, png: bytes) -> None:
    film: Part = (DISPOSITION, png)
    cut = post(client, film, SEX, end=b"")
    assert "last boundary" in problem(cut, 400, "bad_form")["detail"]
    assert post(client, film, SEX, end=b"--b--").status_code == 201
    assert post(client, film, SEX, end=b"--b--\r\nend\r\n").status_code == 201
    nameless = post(client, film, ("Content-Disposition: form-data", b"female"))
    assert "no name" in problem(nameless, 400, "bad_form")["detail"]
    problem(post(client, film, ("X-Other: 1", b"female")), 400, "bad_form")
    odd = ('Content-Disposition: form-data; name="sex"; filename*1=a; filename*=', b"female")
    assert "damaged" in problem(post(client, film, odd), 400, "bad_form")["detail"]
    kind = "multipart/form-data; charset=undefined; boundary=b"
    assert post(client, film, SEX, kind=kind).status_code == 201
    astray = problem(post(client, film, query="?sex=male"), 422, "misplaced_field")
    assert "'sex' is in the address" in astray["detail"]
    quoted = 'multipart/form-data; boundary="b"'
    assert post(client, film, SEX, kind=quoted).status_code == 201
    assert post(client, film, SEX, kind="Multipart/Form-Data; Boundary=b").status_code == 201
