"""Children over years, over HTTP: a real server with a real history."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from boneage.apps.audit_log import check_audit_log
from boneage.clinical.stature import cdc_2000
from boneage.domain.radiograph import Sex
from tests.apps.service.conftest import Server, Start
from tests.apps.service.test_service import problem, send

pytest.importorskip("sqlalchemy", reason="the history extra is not installed")
K17 = "/v1/children/K17"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("history")


@pytest.fixture(scope="module")
def with_history(start: Start, folder: Path) -> Server:
    history, audit = str(folder / "children.sqlite"), str(folder / "audit.jsonl")
    return start("--history", history, "--audit", audit)


@pytest.fixture
def client(with_history: Server) -> Iterator[httpx.Client]:
    """A client, which leaves no child behind."""
    with httpx.Client(base_url=with_history.url, timeout=120, trust_env=False) as opened:
        yield opened
        for child in opened.get("/v1/children").json()["children"]:
            opened.delete(f"/v1/children/{child['pseudonym']}")


def add(client: httpx.Client, **visit: Any) -> httpx.Response:
    return client.post(f"{K17}/visits", json=visit)


def test_a_child_over_years(client: httpx.Client, png: bytes) -> None:
    sent = send(client, png, {"sex": "female", "age": "11y4m"}).json()
    first = add(client, sex="female", age="10y", height_cm=138.0, bone_age="9y6m")
    assert first.status_code == 201, first.text
    child = add(client, assessment=sent["id"], height_cm=142.5, treatment="growth hormone").json()
    problem(add(client, assessment=sent["id"]), 422, "visit")
    before, after = child["entries"]
    expected = cdc_2000().compare(138.0, 120, Sex.FEMALE).sds
    assert before["height"]["for_age"]["sds"] == expected
    assert before["reader_months"] == 114
    assert after["bone_age_months"] == pytest.approx(sent["age_months"], abs=0.05)
    assert after["growth"]["determination"] == sent["clinical"]["growth"]["determination"]
    assert after["velocity"]["cm_a_year"] == pytest.approx(4.5 / (16 / 12), abs=0.06)
    got = client.put(f"{K17}/parents", json={"father_cm": 180, "mother_cm": 167})
    assert got.json()["target_height"]["cm"] == 167
    assert client.get("/v1/children").json() == {
        "children": [{"pseudonym": "K17", "sex": "female", "visits": 2}]
    }
    assert client.delete(f"{K17}/visits/{before['number']}").status_code == 204
    assert len(client.get(K17).json()["entries"]) == 1
    assert client.delete(K17).status_code == 204
    problem(client.get(K17), 404, "no_child")


def test_the_files_of_a_child(client: httpx.Client) -> None:
    add(client, sex="male", age="10y", height_cm=139)
    add(client, sex="male", age=132, height_cm=144.5, bone_age=120)
    report = client.get(f"{K17}/report", params={"language": "de", "paper": "letter"})
    assert (report.status_code, report.content[:5]) == (200, b"%PDF-"), report.text
    assert "<svg" in client.get(f"{K17}/chart/height").text
    assert "Knochenalter" in client.get(f"{K17}/chart/bone-age", params={"language": "de"}).text
    problem(client.get(f"{K17}/report", params={"language": "xx"}), 422, "query")
    table, bundle = client.get(f"{K17}/table"), client.get(f"{K17}/fhir")
    assert bundle.json()["resourceType"] == "Bundle"
    before = client.get(K17).json()["entries"]
    for file in (table, bundle):
        client.delete(K17)
        kind = {"content-type": file.headers["content-type"]}
        got = client.post("/v1/children", content=file.content, headers=kind)
        assert got.json() == {"children": 1, "visits": 2}, got.text
        after = client.get(K17).json()["entries"]
        own = ("number", "kept_at")
        assert [{k: v for k, v in one.items() if k not in own} for one in after] == [
            {k: v for k, v in one.items() if k not in own} for one in before
        ]


@pytest.mark.parametrize(
    ("visit", "status", "code"),
    [
        ({"age": "10y"}, 422, "visit"),
        ({"sex": "female", "height_cm": 1.42}, 422, "visit"),
        ({"sex": "female", "age": "nonsense"}, 422, "age"),
        ({"sex": "female", "unknown": 1}, 422, "visit"),
        ({"sex": "female", "bone_age": 300}, 422, "visit"),
        ({"assessment": "nosuch"}, 404, "no_answer"),
        ({"sex": "female", "treatment": "x" * 65}, 422, "visit"),
    ],
)
def test_a_wrong_visit_is_a_clear_problem(
    client: httpx.Client, visit: dict[str, Any], status: int, code: str
) -> None:
    problem(add(client, **visit), status, code)
    assert client.get("/v1/children").json() == {"children": []}


def test_wrong_bodies(client: httpx.Client, with_history: Server) -> None:
    kind = {"content-type": "application/json"}
    problem(client.post(f"{K17}/visits", content=b"{", headers=kind), 400, "bad_json")
    problem(client.post(f"{K17}/visits", content=b"{}"), 415, "no_json")
    problem(client.post(f"{K17}/visits", content=b"1" * 70000, headers=kind), 413, "too_many_bytes")
    table = {"content-type": "text/csv"}
    problem(client.post("/v1/children", content=b"", headers=table), 422, "visit")
    rows = b"pseudonym,sex,height_cm\nK17,f,1.42\nK18,f,142\n"
    wrong = problem(client.post("/v1/children", content=rows, headers=table), 422, "visit")
    assert "line 2" in wrong["detail"]
    assert client.get("/v1/children").json() == {"children": []}, "half an import"
    for broken in (b"[]", b'{"entry": [[]]}', b'{"entry": [{"resource": {}}]}', b"{" * 9999):
        fhir = {"content-type": "application/fhir+json"}
        problem(client.post("/v1/children", content=broken, headers=fhir), 422, "visit")
    problem(client.get("/v1/children/K99"), 404, "no_child")
    problem(client.post("/v1/children/%2e%2e%40/visits", json={"sex": "male"}), 422, "visit")
    problem(client.put("/v1/children/K99/parents", json={}), 404, "no_child")
    assert "K17" not in with_history.log()


def test_who_asked_for_a_child_is_in_the_audit_log(client: httpx.Client, folder: Path) -> None:
    add(client, sex="male", age="10y", height_cm=139)
    client.get(f"{K17}/report")
    checked = check_audit_log(folder / "audit.jsonl")
    assert checked.invalid_line is None
    lines = [json.loads(line) for line in (folder / "audit.jsonl").read_text().splitlines()]
    assert [line["action"] for line in lines[-2:]] == ["add_visit", "child/report"]
    assert "K17" not in (folder / "audit.jsonl").read_text()


def test_without_a_history_there_are_no_children(server: Server) -> None:
    with httpx.Client(base_url=server.url, trust_env=False) as plain:
        problem(plain.get("/v1/children"), 404, "no_page")
        assert "/v1/children" not in plain.get("/openapi.json").json()["paths"]
