"""States and files on disk."""

from __future__ import annotations

import json
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from boneage.apps.dicom_node.settings import NodeError, RetrySettings, SpoolSettings
from boneage.apps.dicom_node.spool import Arrival, Spool, SpoolFull
from boneage.apps.dicom_node.spool_database import State

DAY = 86_400.0


def opened(folder: Path, **days: float) -> Spool:
    return Spool(SpoolSettings(folder / "spool", min_free_mib=0, **days))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return opened(tmp_path)


def receive(spool: Spool, uid: str = "1.2.3", content: bytes = b"a") -> Arrival:
    return spool.receive(b"file " + content, content, uid, "WARD")


def make(spool: Spool, uids: tuple[str, str] = ("1.9", "1.8")) -> str:
    film = spool.next_film()
    assert film is not None
    answers = {"picture": (uids[0], b"picture"), "report": (uids[1], b"report")}
    spool.store_results(film.key, "print", answers)
    return film.key


def send(spool: Spool) -> None:
    for answer in spool.due_results(time.time(), 10, 60):
        spool.note_sent(answer)


def test_a_film_goes_its_way(spool: Spool) -> None:
    assert receive(spool) is Arrival.NEW
    key = make(spool)
    assert spool.film_path(key).read_bytes() == b"file a"
    assert [a.kind for a in spool.due_results(time.time(), 10, 60)] == ["picture", "report"]
    send(spool)
    assert spool.counts()[State.SENT] == 1
    assert not spool.due_results(time.time(), 10, 60)
    assert spool.next_film() is None


def test_a_retry_is_known_in_every_state(spool: Spool) -> None:
    receive(spool)
    assert receive(spool) is Arrival.AGAIN
    make(spool)
    assert receive(spool) is Arrival.AGAIN
    send(spool)
    assert receive(spool) is Arrival.AGAIN
    assert receive(spool, "1.9") is Arrival.OWN


def test_a_correction_replaces_what_waits(spool: Spool) -> None:
    receive(spool)
    assert receive(spool, content=b"b") is Arrival.CORRECTION
    (first,) = spool.entries([State.SKIPPED])
    assert first.code == "replaced"
    film = spool.next_film()
    assert film is not None
    assert spool.film_path(film.key).read_bytes() == b"file b"
    assert spool.film_path(first.key).exists()
    assert not spool.assessed(film.key)


def test_what_was_replaced_while_it_was_read_is_not_answered(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    receive(spool)
    first = spool.next_film()
    assert first is not None
    assert spool.is_waiting(first.key)
    assert receive(spool, content=b"b") is Arrival.CORRECTION
    assert not spool.is_waiting(first.key)
    assert not spool.store_results(first.key, "print", {"report": ("1.9", b"report")})
    assert not spool.dead_letter(first.key, "sex", "none")
    spool.put_back(first.key)
    assert not list((spool.folder / "answers").iterdir())
    assert not list((spool.folder / "dead").iterdir())
    # Killed in the middle, both are still known, and the second is read.
    spool.result_path(first.key, "picture").write_bytes(b"half an answer")
    spool.close()
    spool = opened(tmp_path)
    spool.recover()
    assert not list((spool.folder / "answers").iterdir())
    assert spool.counts() == {"received": 1, "made": 0, "sent": 0, "dead": 0, "skipped": 1}
    assert spool.film_path(make(spool)).read_bytes() == b"file b"


def test_a_late_retry_of_what_was_replaced_does_not_replace_the_correction(spool: Spool) -> None:
    receive(spool)
    receive(spool, content=b"b")
    assert receive(spool) is Arrival.OTHER
    assert spool.counts()[State.RECEIVED] == 2
    corrected = spool.next_film()
    assert corrected is not None
    spool.put_back(corrected.key)
    spool.next_film()  # begun again, it still comes first
    film = spool.next_film()
    assert film is not None
    assert film.key == corrected.key
    assert spool.film_path(film.key).read_bytes() == b"file b"
    spool.store_results(film.key, "print", {"report": ("1.9", b"report")}, "content")
    late = spool.next_film()
    assert late is not None
    assert [(one.key, one.content) for one in spool.assessed(late.key)] == [(film.key, "content")]


def test_other_content_under_an_answered_uid_waits_to_be_compared(spool: Spool) -> None:
    receive(spool)
    key = make(spool)
    assert receive(spool, content=b"b") is Arrival.OTHER
    film = spool.next_film()
    assert film is not None
    assert [one.key for one in spool.assessed(film.key)] == [key]
    spool.dead_letter(film.key, "conflict", "differs")
    assert spool.film_path(film.key).read_bytes() == b"file b"
    spool.requeue(film.key)
    assert spool.counts()[State.RECEIVED] == 1
    assert not spool.assessed(film.key)  # somebody decided that it is to be read
    spool.skip(film.key, "duplicate", "same")
    assert receive(spool, content=b"b") is Arrival.AGAIN


def test_an_answer_of_one_file_states_what_is_missing(spool: Spool) -> None:
    receive(spool)
    film = spool.next_film()
    assert film is not None
    spool.store_results(film.key, "print", {"report": ("1.9", b"r")}, "content", "no picture")
    send(spool)
    (sent,) = spool.entries([State.SENT])
    assert (sent.code, sent.reason) == ("output", "no picture")


def test_two_associations_at_once_lose_neither(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    contents = [bytes([number]) for number in range(16)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda content: receive(spool, content=content), contents))
    counts = spool.counts()
    assert (counts[State.RECEIVED], counts[State.SKIPPED]) == (1, 15)
    assert len(list((spool.folder / "films").iterdir())) == 16


def test_a_spool_of_the_first_version_is_taken_over(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    receive(spool)
    make(spool)
    spool.close()
    with sqlite3.connect(tmp_path / "spool" / "spool.sqlite") as database:
        database.execute("ALTER TABLE film DROP COLUMN content")
        database.execute("ALTER TABLE film DROP COLUMN requeued")
        database.execute("PRAGMA user_version = 1")
    spool = opened(tmp_path)
    send(spool)
    assert spool.counts()[State.SENT] == 1
    receive(spool, content=b"b")
    film = spool.next_film()
    assert film is not None
    assert [one.content for one in spool.assessed(film.key)] == [None]


def test_a_corrected_film_is_read_where_the_first_had_no_answer(spool: Spool) -> None:
    receive(spool)
    film = spool.next_film()
    assert film is not None
    spool.dead_letter(film.key, "sex", "the film does not state it")
    assert receive(spool, content=b"b") is Arrival.NEW


def test_names_are_hashes_whatever_the_uid_states(spool: Spool) -> None:
    assert receive(spool, "../../../tmp/x") is Arrival.NEW
    (path,) = (spool.folder / "films").iterdir()
    assert path.stem.isalnum()
    assert len(path.stem) == 64
    assert path.stat().st_mode & 0o777 == 0o600


def test_dead_letters_state_why_and_nothing_else(spool: Spool) -> None:
    receive(spool)
    film = spool.next_film()
    assert film is not None
    spool.dead_letter(film.key, "no_hand", "no hand")
    letter = json.loads(spool.dead_letter_path(film.key).read_text())
    assert (letter["code"], letter["reason"], letter["caller"]) == ("no_hand", "no hand", "WARD")
    assert (spool.folder / letter["file"]).is_file()
    spool.requeue(film.key)
    assert not spool.dead_letter_path(film.key).exists()
    again = spool.next_film()
    assert again is not None
    assert again.starts == 1


def test_a_refused_answer_is_sent_after_requeue_and_only_that(spool: Spool) -> None:
    receive(spool)
    key = make(spool)
    first, second = spool.due_results(time.time(), 10, 60)
    spool.note_sent(first)
    spool.note_refused(second, time.time() + 30)
    assert not spool.due_results(time.time(), 10, 60)
    spool.dead_letter(key, "refused", "no")
    spool.requeue(key)
    assert [a.uid for a in spool.due_results(time.time(), 10, 60)] == [second.uid]


def test_a_clock_that_was_wrong_does_not_hold_answers_back(spool: Spool) -> None:
    receive(spool)
    make(spool)
    for answer in spool.due_results(time.time(), 10, 60):
        spool.note_refused(answer, time.time() + 10 * DAY)
    assert len(spool.due_results(time.time(), 10, 60)) == 2


def test_a_film_begun_often_comes_last(spool: Spool) -> None:
    receive(spool, "1", b"a")
    first = spool.next_film()
    receive(spool, "2", b"b")
    second = spool.next_film()
    assert first is not None
    assert second is not None
    assert first.key != second.key
    spool.put_back(second.key)
    again = spool.next_film()
    assert again == second


def test_what_a_crash_leaves_is_put_right(tmp_path: Path) -> None:
    spool = opened(tmp_path)
    receive(spool, "1", b"a")
    make(spool)
    receive(spool, "2", b"b")
    film = spool.next_film()
    assert film is not None
    (spool.folder / "films" / ("0" * 64 + ".dcm")).write_bytes(b"not answered for")
    (spool.folder / "films" / "x.dcm.1.part").write_bytes(b"half")
    spool.result_path(film.key, "picture").write_bytes(b"half an answer")
    spool.close()
    spool = opened(tmp_path)
    spool.recover()
    assert len(list((spool.folder / "films").iterdir())) == 2
    assert len(list((spool.folder / "answers").iterdir())) == 2
    spool.dead_letter(film.key, "x", "y")
    spool.dead_letter_path(film.key).unlink()
    (spool.folder / "dead" / "z.json").write_text("{}")
    spool.recover()
    assert [path.stem for path in (spool.folder / "dead").iterdir()] == [film.key]


def test_finished_films_go_and_are_remembered(tmp_path: Path) -> None:
    spool = opened(tmp_path, keep_hours=1, keep_dead_days=2, remember_days=3)
    receive(spool, "1", b"a")
    key = make(spool)
    send(spool)
    receive(spool, "2", b"b")
    film = spool.next_film()
    assert film is not None
    spool.dead_letter(film.key, "x", "y")
    spool.sweep(time.time() + 60)
    assert spool.film_path(key).exists()
    spool.sweep(time.time() + DAY)
    assert not spool.film_path(key).exists()
    assert not spool.result_path(key, "picture").exists()
    assert spool.film_path(film.key).exists()
    assert receive(spool, "1", b"a") is Arrival.AGAIN
    spool.sweep(time.time() + 4 * DAY)
    assert not spool.entries()
    assert not any(
        (spool.folder / name).glob("*")
        for name in ("films", "answers", "dead")
        if list((spool.folder / name).iterdir())
    )
    assert receive(spool, "1", b"a") is Arrival.NEW


def test_a_nearly_full_disk_takes_nothing(tmp_path: Path) -> None:
    spool = Spool(SpoolSettings(tmp_path / "spool", min_free_mib=2**29))
    with pytest.raises(SpoolFull):
        receive(spool)
    assert not list((spool.folder / "films").iterdir())


def test_a_spool_of_another_version_is_not_touched(tmp_path: Path) -> None:
    opened(tmp_path).close()
    with sqlite3.connect(tmp_path / "spool" / "spool.sqlite") as database:
        database.execute("PRAGMA user_version = 99")
    with pytest.raises(NodeError, match="version 99"):
        opened(tmp_path)


def test_pauses_double_up_to_the_longest() -> None:
    retry = RetrySettings(first_seconds=1, longest_seconds=100)
    pauses = [retry.pause_seconds(failures) for failures in (1, 2, 3, 50, 5000)]
    for pause, most in zip(pauses, (1, 2, 4, 100, 100), strict=True):
        assert most / 2 <= pause <= most
