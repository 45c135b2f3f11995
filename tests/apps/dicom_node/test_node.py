"""A node among real peers: dcmtk sends to it, and takes its answers."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import (
    BasicTextSRStorage,
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.events import Event

from boneage.apps.audit_log import check_audit_log
from tests.apps.dicom_node.conftest import Build, Site
from tests.apps.dicom_node.drawn import film, uid_of
from tests.apps.dicom_node.peers import (
    HOST,
    ask_node,
    film_of,
    free_port,
    program,
    storescu,
    wait_until,
)
from tests.classifiers import put_classifier

Put = Callable[..., Path]
OTHER_SYNTAXES: dict[str, dict[str, Any]] = {
    RLELossless: {},
    JPEGLSLossless: {},
    JPEGLSNearLossless: {"jls_error": 4},
}


def test_a_film_comes_and_its_answers_go(build: Build, put: Put) -> None:
    site = build()
    content = film(1)
    echo = [program("echoscu", "dcmtk"), "-aec", "BONEAGE", HOST, str(site.node.port)]
    assert subprocess.run(echo, check=False).returncode == 0
    assert storescu(site.node.port, [put(content)]).returncode == 0
    wait_until(lambda: len(site.archive.names()) == 2, "both answers")
    film_read = dcmread(BytesIO(content), stop_before_pixels=True)
    for answer in site.archive.objects():
        assert answer.StudyInstanceUID == film_read.StudyInstanceUID
        assert answer.PatientName == film_read.PatientName
    assert set(site.archive.answers()) == {(uid_of(content), "SR"), (uid_of(content), "OT")}

    # A sender's retry is answered with success, and nothing follows.
    assert storescu(site.node.port, [put(content)]).returncode == 0
    # Our own answers, routed back to us, are no films.
    own = sorted(site.archive.folder.iterdir())
    assert storescu(site.node.port, own).returncode == 0
    # Another film under the same UID is kept for somebody to look at.
    assert storescu(site.node.port, [put(film(1, PatientSex="F"))]).returncode == 0
    wait_until(lambda: any((site.spool / "dead").glob("*.json")), "the dead letter")
    entries = json.loads(ask_node(*site.settings, "list", "--json"))
    assert sorted((e["state"], e["code"]) for e in entries) == [
        ("dead", "conflict"),
        ("sent", None),
    ]

    assert site.node.end() == 0
    assert len(site.archive.names()) == 2
    log = site.node.log()
    for phrase in ("SYNTHETIC", film_read.PatientID, str(film_read.StudyInstanceUID)):
        assert phrase not in log
    assert check_audit_log(site.folder / "audit.jsonl").invalid_line is None
    assert "SYNTHETIC" not in (site.folder / "audit.jsonl").read_text()


def states(site: Site) -> Counter[tuple[str, str | None]]:
    """How many images of the spool have a state and code, once none is waiting."""

    def entries() -> list[dict[str, Any]]:
        return list(json.loads(ask_node(*site.settings, "list", "--json")))

    wait_until(lambda: {e["state"] for e in entries()} <= {"sent", "dead", "skipped"}, "the end")
    return Counter((e["state"], e["code"]) for e in entries())


def associated(site: Site) -> Association:
    """An association with the node."""
    entity = AE("WARD")
    for syntax in (ExplicitVRLittleEndian, *OTHER_SYNTAXES):
        entity.add_requested_context(DigitalXRayImageStorageForPresentation, syntax)
    return entity.associate(HOST, site.node.port, ae_title="BONEAGE")


def test_a_correction_that_comes_before_the_first_was_read_counts(build: Build) -> None:
    site = build()
    ward = associated(site)
    for number in range(3, 9):  # they keep the reader busy
        ward.send_c_store(dcmread(BytesIO(film(number))))
    for sex in ("O", "M", "F"):
        assert ward.send_c_store(dcmread(BytesIO(film(1, PatientSex=sex)))).Status == 0
    ward.release()
    assert states(site) == {("skipped", "replaced"): 2, ("sent", None): 7}
    answers = [one for one in site.archive.objects() if film_of(one) == uid_of(film(1))]
    assert {str(one.PatientSex) for one in answers} == {"F"}
    assert len(answers) == 2


def test_corrections_outlive_a_kill(build: Build, put: Put) -> None:
    site = build()
    ward = associated(site)
    for number in range(3, 9):
        ward.send_c_store(dcmread(BytesIO(film(number))))
    assert ward.send_c_store(dcmread(BytesIO(film(1, PatientSex="")))).Status == 0
    site.kill()
    site.restart()
    assert storescu(site.node.port, [put(film(1))]).returncode == 0
    site.kill()
    site.restart()
    wait_until(lambda: len(site.archive.names()) == 14, "all answers")
    assert not any(code == "conflict" for _, code in states(site))


def test_the_same_image_stored_otherwise_is_no_conflict(build: Build) -> None:
    site = build()
    ward = associated(site)
    assert ward.send_c_store(dcmread(BytesIO(film(1)))).Status == 0
    wait_until(lambda: len(site.archive.names()) == 2, "both answers")

    def has_compared(count: int) -> bool:
        return states(site)["skipped", "duplicate"] == count

    for number, (syntax, options) in enumerate(OTHER_SYNTAXES.items(), 1):
        again = dcmread(BytesIO(film(1)))
        again.compress(syntax, generate_instance_uid=False, **options)
        assert ward.send_c_store(again).Status == 0
        # One that still waits would be replaced by the next.
        wait_until(partial(has_compared, number), "the comparison")
    touched = dcmread(BytesIO(film(1, InstanceCreationTime="120000", StationName="OTHER")))
    touched.add_new(0x00090010, "LO", "ARCHIVE")
    touched.add_new(0x00091001, "DT", "20260101120000")
    touched.PatientName = f"{touched.PatientName}^^"
    assert ward.send_c_store(touched).Status == 0
    assert states(site) == {("sent", None): 1, ("skipped", "duplicate"): 4}
    changed = dcmread(BytesIO(film(1)))
    pixels = bytearray(changed.PixelData)
    pixels[1000:1002] = b"\x01\x02"
    changed.PixelData = bytes(pixels)
    assert ward.send_c_store(changed).Status == 0
    ward.release()
    assert ("dead", "conflict") in states(site)
    assert len(site.archive.names()) == 2


def test_what_a_header_states_keeps_no_answer_back(build: Build, put: Put) -> None:
    site = build()
    odd = (
        film(1, PatientID="../../etc/passwd", StudyID="S" * 16),
        film(2, PatientName="A/B\\C^../x", AccessionNumber="A" * 16),
        film(3, StudyDescription="x" * 64, SeriesDescription=["a", "b"]),
    )
    for number, content in enumerate(odd):
        assert storescu(site.node.port, [put(content, str(number))]).returncode == 0
    # dcmtk cuts a UID that is too long in the command, and not in the data set.
    path = put(film(4, SOPInstanceUID=f"1.2.{'3' * 80}"))
    assert storescu(site.node.port, [path]).returncode == 0
    assert states(site)[("sent", None)] >= 3
    assert {path.parent for path in site.spool.rglob("*.dcm")} <= {
        site.spool / "films",
        site.spool / "answers",
    }
    assert "passwd" not in site.node.log()


def test_unknown_callers_are_rejected(build: Build, put: Put) -> None:
    site = build(node='calling_ae_titles = ["WARD"]\nmax_object_mib = 0.2')
    path = put(film(1))
    assert storescu(site.node.port, [path], calling="STRANGER").returncode != 0
    assert storescu(site.node.port, [path], called="OTHER").returncode != 0
    assert storescu(site.node.port, [path]).returncode != 0  # larger than is taken
    assert "is rejected" in site.node.log()
    assert "0 received, 0 made, 0 sent, 0 dead" in ask_node(*site.settings, "list")


def test_other_addresses_are_cut_off(build: Build) -> None:
    site = build(node='calling_addresses = ["10.255.255.1"]')
    echo = [program("echoscu", "dcmtk"), "-aec", "BONEAGE", HOST, str(site.node.port)]
    assert subprocess.run(echo, check=False, capture_output=True).returncode != 0


def test_films_without_an_answer_are_kept_with_the_reason(build: Build, put: Put) -> None:
    site = build()
    nobody = film(1, PatientSex="")
    small = film(2, Rows=100, Columns=100)
    assert storescu(site.node.port, [put(nobody, "a"), put(small, "b")]).returncode == 0
    wait_until(lambda: len(list((site.spool / "dead").glob("*.json"))) == 2, "dead letters")
    letters = [json.loads(path.read_text()) for path in (site.spool / "dead").iterdir()]
    assert {letter["code"] for letter in letters} == {"sex", "too_small"}
    assert not site.archive.names()
    # The clinic corrects the sex, and sends the film again.
    assert storescu(site.node.port, [put(film(1, PatientSex="F"), "a")]).returncode == 0
    wait_until(lambda: len(site.archive.names()) == 2, "both answers")


def test_what_is_no_hand_is_kept_with_the_reason(
    build: Build, put: Put, weights_copy: Path
) -> None:
    site = build(folder=str(put_classifier(weights_copy)))
    drawn = dcmread(BytesIO(film(1)))
    random = np.random.default_rng(1)
    shape = drawn.Rows, drawn.Columns
    pixels = random.integers(0, 4000, shape).astype(np.uint16)
    chest = film(1, PixelData=pixels.tobytes())
    assert storescu(site.node.port, [put(chest, "a"), put(film(2), "b")]).returncode == 0
    wait_until(lambda: len(site.archive.names()) == 2, "the hand's answers")
    wait_until(lambda: any((site.spool / "dead").glob("*.json")), "the dead letter")
    (letter,) = (json.loads(path.read_text()) for path in (site.spool / "dead").glob("*.json"))
    assert letter["code"] == "not_a_hand"
    assert "chest" in letter["reason"]


def test_what_is_no_film_is_refused(build: Build) -> None:
    site = build()
    entity = AE("WARD")
    entity.add_requested_context(BasicTextSRStorage)
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.88.33")
    association = entity.associate(HOST, site.node.port, ae_title="BONEAGE")
    assert association.is_established
    assert [str(c.abstract_syntax) for c in association.rejected_contexts] == [BasicTextSRStorage]
    others = film(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33", Manufacturer="Other")
    report = dcmread(BytesIO(others))
    del report.PixelData
    assert association.send_c_store(report).Status == 0x0122
    association.release()


def test_an_object_that_is_not_what_was_announced_is_refused(build: Build) -> None:
    site = build()
    entity = AE("WARD")
    entity.add_requested_context("1.2.840.10008.5.1.4.1.1.1.1")
    association = entity.associate(HOST, site.node.port, ae_title="BONEAGE")

    def lie(event: Event) -> None:
        event.message.command_set.AffectedSOPInstanceUID = "1.2.3"

    association.bind(evt.EVT_DIMSE_SENT, lie)
    assert association.send_c_store(dcmread(BytesIO(film(1)))).Status == 0xA900
    association.release()


def test_a_destination_that_is_down_is_asked_again(build: Build, put: Put) -> None:
    site = build(archive=False)
    assert storescu(site.node.port, [put(film(1))]).returncode == 0
    wait_until(lambda: site.node.log().count("cannot be reached") >= 2, "two tries")
    assert site.node.end() == 0
    site.archive.start()
    site.restart()
    wait_until(lambda: len(site.archive.names()) == 2, "both answers")


def test_what_the_destination_refuses_is_given_up_and_can_be_sent_later(
    build: Build, put: Put
) -> None:
    site = build(archive=False)
    entity = AE("PACS")
    for sop_class in ("1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.88.33"):
        entity.add_supported_context(sop_class)
    statuses = {"now": 0xA900}
    taken: list[str] = []

    def answer(event: Event) -> int:
        taken.append(str(event.request.AffectedSOPInstanceUID))  # type: ignore[union-attr]
        return statuses["now"]

    server = entity.start_server(
        (HOST, site.archive.port), block=False, evt_handlers=[(evt.EVT_C_STORE, answer)]
    )
    assert server is not None
    try:
        assert storescu(site.node.port, [put(film(1))]).returncode == 0
        wait_until(lambda: bool(list((site.spool / "dead").glob("*.json"))), "a dead letter")
        (letter,) = [json.loads(path.read_text()) for path in (site.spool / "dead").iterdir()]
        assert letter["code"] == "refused"
        assert "0xA900" in letter["reason"]
        refused = len(taken)
        statuses["now"] = 0
        ask_node(*site.settings, "requeue", letter["film"][:12])
        wait_until(lambda: len(taken) == refused + 2, "both answers")
        assert len(set(taken)) == 2  # the same objects as before
    finally:
        server.shutdown()


def test_tls_with_certificates_on_both_sides(build: Build, put: Put, tmp_path: Path) -> None:
    openssl = program("openssl", "openssl")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    made += ["-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(made, check=True, capture_output=True)
    site = build(
        f'[tls]\ncertificate = "{certificate}"\nkey = "{key}"\nca = "{certificate}"\n'
        "mutual = true\nto_destination = true",
        archive=False,
    )
    own = ("+tls", str(key), str(certificate), "+cf", str(certificate))
    site.archive.options = own
    site.archive.start()
    path = put(film(1))
    assert storescu(site.node.port, [path]).returncode != 0
    assert storescu(site.node.port, [path], *own).returncode == 0
    wait_until(lambda: len(site.archive.names()) == 2, "both answers")


def test_two_nodes_do_not_share_a_spool(build: Build) -> None:
    site = build()
    done = subprocess.run(
        [sys.executable, "-m", "boneage", "node", *site.settings],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "another node" in done.stderr


def test_a_silent_caller_keeps_nobody_out(build: Build, put: Put) -> None:
    site = build(node="seconds = 5")
    with socket.create_connection((HOST, site.node.port)):
        time.sleep(0.5)
        assert storescu(site.node.port, [put(film(1))]).returncode == 0


@pytest.mark.parametrize(
    "junk", [b"\x04\x00\xff\xff\xff\xff", b"GET / HTTP/1.0\r\n\r\n", b"\x01\x00"]
)
def test_junk_ends_a_connection_and_no_more(build: Build, put: Put, junk: bytes) -> None:
    site = build(node="seconds = 2")
    with socket.create_connection((HOST, site.node.port)) as opened:
        opened.sendall(junk + b"\0" * 4096)
    assert storescu(site.node.port, [put(film(1))]).returncode == 0


def test_a_port_that_is_taken_is_reported(build: Build) -> None:
    site = build()
    port = str(site.node.port)
    options = ("--port", port, "--spool", str(site.folder / "other"))
    done = subprocess.run(
        [*(sys.executable, "-m", "boneage", "node"), *options, "--destination", "P@h:1"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "cannot be used" in done.stderr
    assert free_port() != site.node.port
