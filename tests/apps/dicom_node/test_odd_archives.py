"""Archives that give their lists in pages, and answers that are none."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pydicom import dcmread

from boneage.apps.cli import main
from boneage.apps.dicom_node.dicomweb_replies import ArchiveError
from boneage.apps.dicom_node.dicomweb_study import Archive, ArchivedImage, SkippedContent
from tests.apps.dicom_node.drawn import film, uid_of
from tests.apps.dicom_node.odd_archive import (
    CR,
    JSON,
    SERIES,
    STUDY,
    Reply,
    element,
    image_row,
    multipart,
    odd_archive,
    rows,
    series_row,
)

UIDS = [f"1.2.3.1.{number}" for number in range(8)]
ROWS = [image_row(uid) for uid in UIDS]


def listed(url: str, series: str | None = None) -> tuple[list[str], list[SkippedContent]]:
    found = list(Archive(url).images(STUDY, series))
    images = [one.instance for one in found if isinstance(one, ArchivedImage)]
    return images, [one for one in found if isinstance(one, SkippedContent)]


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"silent": True},
        {"ends_with_204": True},
        {"links": True},
        {"links": True, "silent": True},
    ],
)
@pytest.mark.parametrize("most", [1, 5, 8, 100])
def test_every_page_is_asked_for(odd: dict[str, bool], most: int) -> None:
    with odd_archive() as archive:
        archive.answers["instances"] = archive.pages(ROWS, most, **odd)
        assert listed(archive.url) == (UIDS, [])


def test_every_statement_that_there_is_more_is_recognised() -> None:
    warnings = (
        '299 - "The number of results exceeded the maximum; additional ones can be requested"',
        '199 x "slow", 299 odd: "There are 3 additional results that can be requested"',
        '299 odd "results are limited"',
    )
    incomplete = [rows(ROWS[:5], headers={"Warning": warning}) for warning in warnings]
    for reply in (*incomplete, rows(ROWS[:5], status=206)):
        with odd_archive(instances=reply) as archive:
            images, (left,) = listed(archive.url)
            assert (len(images), left.is_failure) == (5, True)
    other = {"Warning": '299 odd "The fuzzymatching parameter is not supported"'}
    with odd_archive(instances=rows(ROWS, headers=other)) as archive:
        assert listed(archive.url) == (UIDS, [])


@pytest.mark.parametrize("odd", ["ignores_offset", "refuses_offset"])
def test_what_an_archive_does_not_give_is_reported_or_found_in_the_metadata(odd: str) -> None:
    with odd_archive() as archive:
        archive.answers["instances"] = archive.pages(ROWS, 5, **{odd: True})
        images, (left,) = listed(archive.url)
        assert images == UIDS[:5]
        assert left.is_failure
        assert "more images than the 5 that it lists" in left.why
        archive.answers["metadata"] = rows(ROWS)
        images, left_out = listed(archive.url)
        assert (sorted(images), left_out) == (UIDS, [])
        # Its whole list at once, whatever the offset: nothing is missing.
        archive.answers["instances"] = archive.pages(ROWS, 8, **{odd: True})
        assert listed(archive.url) == (UIDS, [])


def test_fewer_images_than_the_series_states_are_reported() -> None:
    stated = series_row(images=8)
    with odd_archive(series=rows([stated])) as archive:
        archive.answers["instances"] = archive.pages(ROWS, 5, silent=True, ignores_offset=True)
        images, (left,) = listed(archive.url)
        assert images == UIDS[:5]
        assert "states 8 images, and lists 5" in left.why


def test_a_list_that_shifts_between_pages_is_walked_again() -> None:
    present = list(ROWS)
    with odd_archive() as archive:

        def shifting(query: dict[str, str]) -> Reply:
            page = archive.pages(list(present), 3)(query)
            if query.get("offset") == "3" and present[0] == ROWS[0]:
                del present[0]  # what comes next moves forward, past the offset
            return page

        archive.answers["instances"] = shifting
        assert sorted(listed(archive.url)[0]) == UIDS
        # And one that is added at the beginning moves others into the next page again.
        present[:] = ROWS[1:]

        def growing(query: dict[str, str]) -> Reply:
            if query and ROWS[0] not in present:
                present.insert(0, ROWS[0])
            return archive.pages(list(present), 3)(query)

        archive.answers["instances"] = growing
        assert sorted(listed(archive.url)[0]) == UIDS


def test_the_list_of_series_has_pages_too() -> None:
    names = [f"1.2.3.{number}" for number in range(5)]
    with odd_archive() as archive:
        archive.answers["series"] = archive.pages([series_row(name) for name in names], 2)
        archive.answers["instances"] = rows([])
        assert listed(archive.url) == ([], [])
        for name in names:
            assert f"/studies/{STUDY}/series/{name}/instances" in archive.asked
        archive.answers["series"] = archive.pages(
            [series_row(name) for name in names], 2, ignores_offset=True
        )
        _, (left,) = listed(archive.url)
        assert (left.what, left.is_failure) == (f"study {STUDY}", True)


def test_fewer_series_than_the_study_states_are_reported() -> None:
    study = {"0020000D": element("UI", STUDY), "00201206": element("IS", 3)}
    other = {"0020000D": element("UI", "1.2.9"), "00201206": element("IS", 9)}
    with odd_archive(studies=rows([other, study]), instances=rows([])) as archive:
        _, (left,) = listed(archive.url)
        assert "states 3 series, and lists 1" in left.why
        assert listed(archive.url, SERIES) == ([], [])
        named = [{**image_row(f"1.{n}"), **series_row(f"1.2.3.{n}")} for n in (1, 1, 2, 3)]
        archive.answers["metadata"] = rows(named)
        assert listed(archive.url) == ([], [])
        for number in (1, 2, 3):
            assert f"/studies/{STUDY}/series/1.2.3.{number}/instances" in archive.asked


def test_an_archive_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("boneage.apps.dicom_node.dicomweb_http.MAX_ROWS", 20)
    count = iter(range(10_000))
    with odd_archive(instances=lambda _: rows([image_row(f"1.2.{next(count)}")])) as archive:
        _, (left,) = listed(archive.url)
        assert "more than 20" in left.why


def test_a_link_to_elsewhere_is_not_followed() -> None:
    with odd_archive() as other, odd_archive() as archive:
        headers = {"Link": f'<{other.url}/studies/1/series>; rel="next"'}
        archive.answers["instances"] = lambda query: (
            rows([]) if query else rows(ROWS, headers=headers)
        )
        assert listed(archive.url) == (UIDS, [])
        assert not other.asked


def test_a_page_that_fails_is_reported_and_other_series_are_read() -> None:
    two = rows([series_row(), series_row("1.2.3.2")])
    with odd_archive(series=two) as archive:

        def broken(query: dict[str, str]) -> Reply:
            return Reply(status=503) if query else rows(ROWS[:5])

        archive.answers["instances"] = broken
        images, left_out = listed(archive.url)
        assert not images
        assert [left.what for left in left_out] == [f"series {SERIES}", "series 1.2.3.2"]
        assert "503" in left_out[0].why


def test_rows_without_a_class_or_a_uid() -> None:
    others = [
        image_row("1.9", None),
        image_row("1.8", None),
        image_row("1.7", "1.2.840.10008.5.1.4.1.1.11.1"),
    ]
    bare = [{"00080016": element("UI", CR)}, {"00080018": element("UI", "../x")}, {}]
    with odd_archive(instances=rows([ROWS[0], *others, *bare])) as archive:

        def metadata(_: dict[str, str]) -> Reply:
            if archive.asked[-1].endswith("/instances/1.9/metadata"):
                return rows([image_row("1.9")])
            return Reply(status=404)

        archive.answers["metadata"] = metadata
        images, left_out = listed(archive.url)
        # What nobody says the class of is fetched: the file says it.
        assert images == [UIDS[0], "1.9", "1.8"]
        unnamed, others_left = left_out
        assert unnamed.is_failure
        assert "the archive lists 3 images without a UID" in unnamed.why
        assert not others_left.is_failure
        assert "1 Grayscale Softcopy Presentation State Storage" in others_left.why


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b"<!DOCTYPE html><p>Log in</p>", "text/html"), "web page (HTML), such as a login"),
        (Reply(b"<html>", JSON), "web page (HTML)"),
        (Reply(b"{", JSON), "not with DICOM JSON"),
        (Reply(b'{"error": "no"}', "application/json"), "application/json, not with DICOM JSON"),
        (Reply(b'["a"]', JSON), "not with DICOM JSON"),
        (Reply(b"\xff\xfe\x00", ""), "content of no stated type"),
        (Reply(status=401), "denies access (401)"),
        (Reply(status=500), "status 500"),
        (Reply(status=404), "is not in the archive"),
        (Reply(status=204), "is not in the archive"),
        (
            Reply(status=302, headers={"Location": "/studies/1.2.3/series"}),
            "redirects endlessly",
        ),
        (Reply(b"[]", headers={"Content-Length": "100", "Connection": "close"}), ""),
    ],
)
def test_a_list_that_is_none_gets_the_true_reason(reply: Reply, words: str) -> None:
    with odd_archive(series=reply) as archive, pytest.raises(ArchiveError) as raised:
        list(Archive(archive.url, seconds=3).images(STUDY))
    assert words in str(raised.value)


def test_lists_are_read_whatever_their_content_type_states() -> None:
    kinds = ("application/json; charset=utf-8", "text/plain", "", "application/dicom+json;q=1")
    for kind in kinds:
        with odd_archive(instances=rows(ROWS, kind=kind)) as archive:
            assert listed(archive.url) == (UIDS, [])
    with odd_archive(series=Reply(b"\xef\xbb\xbf" + json.dumps(series_row()).encode())) as archive:
        archive.answers["instances"] = Reply(status=204)
        assert listed(archive.url) == ([], [])


FILM = film(1)
IMAGE = ArchivedImage(SERIES, uid_of(FILM))
PART = b"\r\nContent-Type: application/dicom; transfer-syntax=1.2.840.10008.1.2.1\r\n\r\n"


@pytest.mark.parametrize(
    "reply",
    [
        multipart(FILM),
        multipart(FILM, kind="Multipart/Related; TYPE=application/dicom; transfer-syntax=1.2"),
        multipart(film(2), FILM),
        Reply(FILM, "application/dicom"),
        Reply(FILM, "application/octet-stream"),
        Reply(FILM, "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"),
        Reply(b"--x" + PART + FILM, "multipart/related; boundary=x"),  # no last boundary
        Reply(b"--x" + PART + FILM + b"\r\n--x--", "multipart/related; boundary=x"),
        Reply(b"\r\n--x" + PART + FILM + b"\r\n--x--\r\n", "multipart/related; BOUNDARY='x'"),
        Reply(b"--x" + PART + FILM + b"\r\n--x--\r\n", "multipart/related"),
        Reply(
            b"preamble\r\n--x" + PART + FILM + b"\r\n--x--\r\nend", "multipart/related; boundary=x"
        ),
        Reply(b"--x\n\n" + FILM + b"\n--x--\n", 'multipart/related; type="a/b"; boundary="x"'),
        Reply(b"--x\r\n\r\n" + FILM + b"\r\n--x--\r\n", "multipart/related; boundary=x"),
    ],
)
def test_an_image_is_taken_out_of_what_is_sent(reply: Reply) -> None:
    with odd_archive(**{"*": reply}) as archive:
        assert Archive(archive.url).fetch(STUDY, IMAGE) == FILM


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(b"<html>log in", "text/html"), "web page (HTML)"),
        (Reply(b"{}", "application/json"), "application/json in place of a DICOM file"),
        (Reply(b"", "application/dicom"), "sends nothing"),
        (Reply(b"--x--", "multipart/related; boundary=x"), "sends no DICOM file"),
        (
            Reply(
                b"--x\r\nContent-Type: image/jpeg\r\n\r\n\xff\xd8\r\n--x--",
                "multipart/related; boundary=x",
            ),
            "image/jpeg",
        ),
        (multipart(film(2)), "another object"),
        (Reply(b"x", "multipart/related; boundary*1=a; boundary*="), "is invalid"),
        (multipart(b"no dicom"), "is damaged"),
        (Reply(status=404), "nothing at this address"),
        (
            Reply(
                FILM,
                "application/dicom",
                headers={"Content-Length": str(len(FILM) + 9), "Connection": "close"},
            ),
            "is incomplete",
        ),
    ],
)
def test_what_is_not_the_image_is_reported(reply: Reply, words: str) -> None:
    with odd_archive(**{"*": reply}) as archive, pytest.raises(ArchiveError) as raised:
        Archive(archive.url, seconds=3).fetch(STUDY, IMAGE)
    assert words in str(raised.value)


def test_an_archive_that_knows_no_wildcard_is_asked_otherwise() -> None:
    with odd_archive() as archive:
        archive.answers["*"] = lambda _: (
            Reply(status=406) if len(archive.asked) < 2 else multipart(FILM)
        )
        assert Archive(archive.url).fetch(STUDY, IMAGE) == FILM


def receipt(tag: str, uid: str = "1.9", reason: tuple[str, Any] | None = None) -> bytes:
    item = {"00081155": element("UI", uid), **dict([reason] if reason else [])}
    return json.dumps({tag: element("SQ", item)}).encode()


XML = (
    b'<?xml version="1.0"?><NativeDicomModel><DicomAttribute tag="00081199" vr="SQ">'
    b'<Item number="1">'
    b'<DicomAttribute tag="00081155" vr="UI"><Value number="1">1.9</Value></DicomAttribute>'
    b"</Item></DicomAttribute></NativeDicomModel>"
)


@pytest.mark.parametrize(
    ("reply", "warning"),
    [
        (Reply(receipt("00081199")), None),
        (Reply(b"[" + receipt("00081199") + b"]", "application/dicom+json; charset=utf-8"), None),
        (
            Reply(receipt("00081199", reason=("00081196", element("US", 0xB000))), status=202),
            0xB000,
        ),
        (Reply(receipt("00081198", reason=("00081197", element("US", 0x0111))), status=409), None),
        (Reply(XML, "application/dicom+xml"), None),
        (
            Reply(
                XML.replace(
                    b"<NativeDicomModel>",
                    b'<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM">',
                ),
                "application/dicom+xml",
            ),
            None,
        ),
    ],
)
def test_a_receipt_states_that_it_is_stored(reply: Reply, warning: int | None) -> None:
    with odd_archive(POST=reply) as archive:
        assert Archive(archive.url).store(STUDY, "1.9", b"file") == warning
        assert b"\r\n\r\nfile\r\n--" in archive.stored[0]


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply(), "does not confirm that it stored the object: status 200 with an empty response"),
        (Reply(status=202), "status 202 with an empty response"),
        (Reply(status=204), "status 204 with an empty response"),
        (Reply(b"{}"), "a response that does not name it"),
        (Reply(b"[]"), "a response that does not name it"),
        (Reply(receipt("00081199", "1.7")), "a response that does not name it"),
        (
            Reply(receipt("00081198", reason=("00081197", element("US", 0xA900)))),
            "refuses the object (0xA900)",
        ),
        (Reply(receipt("00081198"), status=202), "refuses the object (0x0000)"),
        (Reply(receipt("0008119A", ""), status=200), "refuses the object (0x0000)"),
        (
            Reply(receipt("00081198", reason=("00081197", element("US", 0x0110))), status=409),
            "0x0110",
        ),
        (Reply(status=409), "status 409"),
        (Reply(receipt("00081199"), status=500), "status 500"),
        (Reply(b"<html>log in", "text/html"), "did not confirm that it stored the object"),
        (Reply(b"<?xml version='1.0'?><a", "application/xml"), "damaged XML"),
        (Reply(status=302, headers={"Location": "/login"}), "redirects to another address (302)"),
        (Reply(status=307, headers={"Location": "/login"}), "redirects to another address (307)"),
        (Reply(status=403), "denies access"),
        (Reply(status=413), "status 413"),
    ],
)
def test_what_is_no_receipt_is_a_failure(reply: Reply, words: str) -> None:
    with odd_archive(POST=reply) as archive, pytest.raises(ArchiveError) as raised:
        Archive(archive.url).store(STUDY, "1.9", b"file")
    assert words in str(raised.value)


def ask(url: str, weights: Path, *options: str) -> Result:
    arguments = ["dicomweb", "--url", url, "--study", STUDY, "--weights", str(weights), *options]
    return CliRunner().invoke(main, arguments)


def test_all_of_it_together(weights: Path) -> None:
    films = {uid_of(one): one for one in (film(1), film(2), film(3))}
    with odd_archive(POST=Reply()) as archive:
        archive.answers["instances"] = archive.pages([image_row(uid) for uid in films], 2)
        archive.answers |= {uid: multipart(one) for uid, one in films.items()}
        read = ask(archive.url, weights, "--dry-run")
        assert (read.exit_code, read.output.count("standard)")) == (0, 3), read.output
        # An empty answer to what was sent is no success.
        unsaid = ask(archive.url, weights)
        assert unsaid.exit_code == 1
        assert unsaid.output.count("the report was not stored") == 3
        assert "stored picture" not in unsaid.output

        def named(_: dict[str, str]) -> Reply:
            start = archive.stored[-1].index(b"\r\n\r\n") + 4
            uid = str(dcmread(BytesIO(archive.stored[-1][start:])).SOPInstanceUID)
            return Reply(receipt("00081199", uid))

        archive.answers["POST"] = named
        stored = ask(archive.url, weights)
        assert (stored.exit_code, stored.output.count("stored picture and report")) == (0, 3)
        # What is cut short is read as far as it goes, and the status says so.
        archive.answers["instances"] = archive.pages(
            [image_row(uid) for uid in films], 2, ignores_offset=True
        )
        short = ask(archive.url, weights, "--dry-run")
        assert (short.exit_code, short.output.count("standard)")) == (1, 2), short.output


def test_an_object_that_turns_out_to_be_none_of_ours(weights: Path) -> None:
    own = film(1, Manufacturer="boneage", SOPClassUID="1.2.840.10008.5.1.4.1.1.7")
    other = film(2, SOPClassUID="1.2.840.10008.5.1.4.1.1.2")
    bare = [image_row(uid_of(one), None) for one in (own, other)]
    with odd_archive(instances=rows(bare)) as archive:
        archive.answers |= {uid_of(own): multipart(own), uid_of(other): multipart(other)}
        result = ask(archive.url, weights)
        assert result.exit_code == 1
        assert "it is a result of boneage" in result.output
        assert "this kind of object is not assessed: CT Image Storage" in result.output
