"""Answers kept under pseudonyms."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

pytest.importorskip("sqlalchemy", reason="the history extra is not installed")
pytest.importorskip("alembic", reason="the history extra is not installed")

from sqlalchemy import create_engine, inspect

from boneage.clinical.course import course_of
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import HistoryError
from boneage.history.entry import HistoryPerson, checked_pseudonym
from boneage.history.store import History

GIRL = ClinicVisit(Sex.FEMALE, 122.4, "tiny-1", "ab" * 32, chronological_age_months=120.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty history, of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "children.sqlite")
    url: str = request.getfixturevalue("postgresql")
    opened = History(url)
    for person in opened.people():
        opened.delete(person.pseudonym)
    opened.close()
    return url


def test_what_is_kept_comes_back_by_age(where: str) -> None:
    history = History(where)
    younger = replace(GIRL, chronological_age_months=108.0, bone_age_months=110.0, height_cm=131.0)
    for entry in (GIRL, replace(GIRL, chronological_age_months=None), younger):
        history.add("K 17", entry)
    history.close()
    entries = History(where).entries("K 17")
    assert [entry.chronological_age_months for entry in entries] == [108, 120, None]
    kept = replace(entries[0], number=None, kept_at=None)
    assert kept == younger
    assert entries[0].kept_at is not None
    assert History(where).people() == [HistoryPerson("K 17", Sex.FEMALE, 3)]


def test_a_person_and_an_entry_are_deleted_for_good(where: str) -> None:
    history = History(where)
    for name in ("A", "A", "B"):
        history.add(name, GIRL)
    number = history.entries("A")[0].number
    assert history.delete("A", number) == 1
    assert history.people() == [
        HistoryPerson("A", Sex.FEMALE, 1),
        HistoryPerson("B", Sex.FEMALE, 1),
    ]
    assert history.delete("A") == 1
    assert history.people() == [HistoryPerson("B", Sex.FEMALE, 1)]
    with pytest.raises(HistoryError, match="has no child with the pseudonym 'A'"):
        history.entries("A")
    with pytest.raises(HistoryError, match="'B' has no entry 999"):
        history.delete("B", 999)


def test_a_child_of_two_sexes_is_refused(where: str) -> None:
    history = History(where)
    history.add("A", GIRL)
    with pytest.raises(HistoryError, match="states female for 'A', but this visit states male"):
        history.add("A", replace(GIRL, sex=Sex.MALE))
    assert len(history.entries("A")) == 1


def test_nothing_deleted_stays_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "children.sqlite"
    history = History(file)
    history.add("Kaleidoscope", GIRL)
    assert b"Kaleidoscope" in file.read_bytes()
    history.delete("Kaleidoscope")
    assert b"Kaleidoscope" not in file.read_bytes()


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    History(tmp_path / "made.sqlite").close()
    made = inspect(create_engine(f"sqlite:///{tmp_path / 'made.sqlite'}"))
    columns = {column["name"]: column["nullable"] for column in made.get_columns("entry")}
    own = {"id": False, "person_id": False, "kept_at": False}
    stated = {field.name: field.default is None for field in fields(ClinicVisit)}
    del stated["sex"], stated["number"]
    assert columns == stated | own
    people = {column["name"]: column["nullable"] for column in made.get_columns("person")}
    assert people == {
        **dict.fromkeys(("id", "pseudonym", "sex"), False),
        **dict.fromkeys(("father_cm", "mother_cm"), True),
    }


@pytest.mark.parametrize("text", ["", " ", "a/b", "x" * 65, "a\nb", "DOE^JANE", "-"])
def test_what_is_no_pseudonym(text: str) -> None:
    with pytest.raises(HistoryError, match="use 1 to 64 letters"):
        checked_pseudonym(text)


@pytest.mark.parametrize("text", ["K", "K17", "child 3.b", "Ä_1", "x" * 64, "7"])
def test_pseudonyms(text: str) -> None:
    assert checked_pseudonym(f" {text} ") == text


def test_what_cannot_be_opened_is_reported(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="there is no history"):
        History(tmp_path / "none.sqlite", create=False)
    with pytest.raises(HistoryError, match="cannot be used: unable to open"):
        History(tmp_path / "no" / "folder.sqlite")
    (tmp_path / "text").write_text("a text that is no database " * 99)
    with pytest.raises(HistoryError, match="cannot be used: file is not a database"):
        History(tmp_path / "text")
    other = sqlite3.connect(tmp_path / "other.sqlite")
    other.execute("create table films (id integer)")
    other.close()
    with pytest.raises(HistoryError, match="is not a history database"):
        History(tmp_path / "other.sqlite")


def test_a_history_of_a_newer_boneage_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "newer.sqlite"
    History(file).close()
    with sqlite3.connect(file) as newer:
        newer.execute("update boneage_history_version set version_num = '9999'")
    newer.close()
    with pytest.raises(HistoryError, match="was made by a newer boneage"):
        History(file)


def test_a_password_is_never_said() -> None:
    for url in ("postgresql://me:secret@127.0.0.1:1/none", "nosuch://me:secret@host/x"):
        with pytest.raises(HistoryError) as caught:
            History(url)
        assert "secret" not in str(caught.value)


def test_the_chart_of_a_history() -> None:
    older = replace(GIRL, chronological_age_months=132, interval_low_months=1)
    visits = (older, GIRL, replace(GIRL, chronological_age_months=None))
    chart = course_of(ChildRecord("K17", Sex.FEMALE, visits)).growth_chart
    assert [point.chronological_age_months for point in chart.points] == [120, 132]
    assert chart.sex is Sex.FEMALE


def test_a_child_with_visits_and_parents(where: str) -> None:
    history = History(where)
    height_alone = ClinicVisit(
        Sex.FEMALE, chronological_age_months=126.0, height_cm=138.2, pubertal_stage="B2"
    )
    read = replace(GIRL, reader_months=118.0, treatment="growth hormone", image_sha256="cd" * 32)
    history.add_children([ChildRecord("K 17", Sex.FEMALE, (height_alone, read), father_cm=180.0)])
    history.set_parents("K 17", mother_cm=166.0)
    child = History(where).child("K 17")
    assert (child.father_cm, child.mother_cm) == (180.0, 166.0)
    plain = [replace(visit, number=None, kept_at=None) for visit in child.visits]
    assert plain == [read, height_alone]


def test_a_child_is_stored_whole_or_not_at_all(where: str) -> None:
    history = History(where)
    visits = (GIRL, replace(GIRL, sex=Sex.MALE))
    with pytest.raises(HistoryError, match="nothing was saved"):
        history.add_children([ChildRecord("A", Sex.FEMALE, visits)])
    assert history.people() == []


def test_one_image_is_stored_once_at_an_age(where: str) -> None:
    history, image = History(where), replace(GIRL, image_sha256="cd" * 32)
    history.add("A", image)
    with pytest.raises(HistoryError, match="this image is in the history of 'A' already"):
        history.add("A", image)
    history.add("B", image)
    history.add("A", replace(image, chronological_age_months=132.0))  # reported as a contradiction
    assert len(history.entries("A")) == 2


def test_a_history_of_the_first_version_is_migrated(tmp_path: Path) -> None:
    """As boneage 0.1.0 wrote it before visits: its schema and a row, in plain SQL."""
    file = tmp_path / "old.sqlite"
    with sqlite3.connect(file) as old:
        old.executescript(OLD)
    old.close()
    (entry,) = History(file).entries("K 17")
    assert entry == replace(
        GIRL,
        number=7,
        kept_at=datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        interval_low_months=110.0,
        interval_high_months=134.5,
        interval_level=0.9,
        height_cm=138.0,
        sds=0.2,
        sds_centre="chronological age",
        determination="normal",
    )
    History(file).add("K 17", ClinicVisit(Sex.FEMALE, height_cm=140.0))
    assert len(History(file).entries("K 17")) == 2
    read = replace(GIRL, own_reading_months=118.0, reading_seconds=9.5, decision="edited")
    History(file).add("K 18", read)
    (found,) = History(file).readings()
    assert (found.own_reading_months, found.decision) == (118.0, "edited")


OLD = """
create table boneage_history_version (version_num varchar(32) not null primary key);
insert into boneage_history_version values ('0001');
create table person (id integer not null primary key, pseudonym varchar(64) not null unique,
  sex varchar(8) not null);
create table entry (id integer not null primary key,
  person_id integer not null references person (id) on delete cascade,
  kept_at datetime not null, bone_age_months float not null,
  chronological_age_months float, interval_low_months float, interval_high_months float,
  interval_level float, height_cm float, adult_height_cm float, sds float,
  sds_centre varchar(32), determination varchar(16),
  weights varchar(128) not null, weights_sha256 varchar(64) not null);
create index ix_entry_person_id on entry (person_id);
insert into person values (1, 'K 17', 'female');
insert into entry values (7, 1, '2026-11-20 08:30:00.000000', 122.4, 120.0, 110.0, 134.5, 0.9,
  138.0, null, 0.2, 'chronological age', 'normal', 'tiny-1',
  'abababababababababababababababababababababababababababababababab');
"""
