"""A history on disk: a SQLite file, or a database that a URL names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

from alembic.util import CommandError
from sqlalchemy import (
    Engine,
    MetaData,
    Row,
    Select,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.errors import HistoryError, NoChildError, VisitError
from boneage.history.entry import HistoryPerson, checked_pseudonym
from boneage.history.migrations import upgrade

IS_URL = re.compile(r"[a-z][a-z0-9+]*://")
POSTGRESQL_DRIVER = "postgresql+psycopg"
Run: TypeAlias = Callable[..., Any]
"""Runs one statement of a transaction."""
MAX_MESSAGE = 200
"""Characters quoted of a database's message."""


class History:
    """Visits of children over time, in a SQLite file or a database.

    A URL is one that SQLAlchemy knows, such as ``postgresql://user@host/database``. A missing
    SQLite file is made unless ``create`` is False. Raises a `HistoryError` when it cannot be
    opened, is not a history, or was made by a newer boneage.
    """

    def __init__(self, where: str | Path, *, create: bool = True) -> None:
        self.url = _url_of(where)
        self.name = self.url.render_as_string(hide_password=True)
        file = self.url.database if self.url.get_backend_name() == "sqlite" else None
        if file:
            self.name = file
            if not create and not Path(file).is_file():
                raise HistoryError(f"there is no history {file!r}")
        with self._database_errors():
            self._engine = create_engine(self.url)
            _enforce_foreign_keys(self._engine)
            with self._engine.begin() as connection:
                names = inspect(connection).get_table_names()
                if names and "boneage_history_version" not in names:
                    raise HistoryError(
                        f"{self.name!r} is not a history database; give a file or a database "
                        "used for nothing else"
                    )
                upgrade(connection)
                made = MetaData()
                made.reflect(connection)  # as the migrations have made them
        self._people, self._entries = made.tables["person"], made.tables["entry"]

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def add(self, pseudonym: str, visit: ClinicVisit) -> None:
        """Store a visit under a pseudonym, which is added when it is new.

        Raises a `VisitError` when the pseudonym is invalid, belongs to a child of the other sex,
        or has a visit with the same image at this age.
        """
        with self._transaction() as run:
            self._add(run, checked_pseudonym(pseudonym), visit)

    def add_children(self, children: Iterable[ChildRecord]) -> int:
        """Store children with all visits and the parents' heights, or nothing at all.

        What the history has of them already stays; a visit that it has with the very same
        values is not stored again. Gives the number of visits stored. Errors as of :meth:`add`.
        """
        count = 0
        with self._transaction() as run:
            for child in children:
                pseudonym = checked_pseudonym(child.pseudonym)
                stored = self._stored(run, self._key_of(run, pseudonym, child.sex), child.sex)
                there = {_plain(visit) for visit in stored}
                for visit in child.visits:
                    if _plain(visit) not in there:
                        self._add(run, pseudonym, visit)
                        count += 1
                heights = {"father_cm": child.father_cm, "mother_cm": child.mother_cm}
                known = {name: cm for name, cm in heights.items() if cm is not None}
                if known:
                    chosen = self._people.c.pseudonym == pseudonym
                    run(update(self._people).where(chosen).values(known))
        return count

    def set_parents(
        self, pseudonym: str, *, father_cm: float | None = None, mother_cm: float | None = None
    ) -> None:
        """Store the heights of a child's parents; one that is None stays as it is."""
        with self._transaction() as run:
            sex = Sex(self._known(run, pseudonym).sex)
        child = ChildRecord(pseudonym, sex, father_cm=father_cm, mother_cm=mother_cm)
        self.add_children([child])

    def child(self, pseudonym: str) -> ChildRecord:
        """A child with its visits and its parents' heights.

        Raises a `NoChildError` when the pseudonym does not exist.
        """
        with self._transaction() as run:
            person = self._known(run, pseudonym)
        visits = tuple(self.entries(pseudonym))
        return ChildRecord(pseudonym, Sex(person.sex), visits, person.father_cm, person.mother_cm)

    def _key_of(self, run: Run, pseudonym: str, sex: Sex) -> int:
        person = run(self._person(pseudonym)).first()
        if person is None:
            new = insert(self._people).values(pseudonym=pseudonym, sex=sex.value)
            return int(run(new).inserted_primary_key[0])
        if person.sex != sex.value:
            raise VisitError(
                f"the history states {person.sex} for {pseudonym!r}, but this visit states {sex}; "
                "nothing was saved"
            )
        return int(person.id)

    def _add(self, run: Run, pseudonym: str, visit: ClinicVisit) -> None:
        key, entry = self._key_of(run, pseudonym, visit.sex), self._entries.c
        if visit.image_sha256 is not None:
            same = (entry.person_id == key) & (entry.image_sha256 == visit.image_sha256)
            at = entry.chronological_age_months
            age = visit.chronological_age_months
            same &= at.is_(None) if age is None else at == age
            if run(select(entry.id).where(same)).first() is not None:
                raise VisitError(
                    f"this image is in the history of {pseudonym!r} already; nothing was saved"
                )
        now = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
        values = asdict(visit) | {"person_id": key, "kept_at": now}
        known = {one.name: values[one.name] for one in self._entries.c if one.name in values}
        run(insert(self._entries).values(known))

    def people(self) -> list[HistoryPerson]:
        """Every child of the history, by pseudonym."""
        people, entry = self._people.c, self._entries.c
        query = (
            select(people.pseudonym, people.sex, func.count(entry.id))
            .outerjoin_from(self._people, self._entries)
            .group_by(people.id)
            .order_by(people.pseudonym)
        )
        with self._transaction() as run:
            return [HistoryPerson(name, Sex(sex), count) for name, sex, count in run(query)]

    def entries(self, pseudonym: str) -> list[ClinicVisit]:
        """The visits of a child, by chronological age; those without one come last.

        Raises a `NoChildError` when the pseudonym does not exist.
        """
        with self._transaction() as run:
            person = self._known(run, pseudonym)
            found = self._stored(run, person.id, Sex(person.sex))
        return sorted(found, key=_by_age)

    def _stored(self, run: Run, key: int, sex: Sex) -> list[ClinicVisit]:
        """The visits of a child, in order of saving."""
        entry = self._entries.c
        rows = run(select(self._entries).where(entry.person_id == key).order_by(entry.id))
        return [_visit_of(row._asdict(), sex) for row in rows]

    def readings(self) -> list[ClinicVisit]:
        """The visits whose image a reader has decided on, in order of saving, without pseudonym."""
        entry, people = self._entries.c, self._people.c
        query = (
            select(self._entries, people.sex)
            .join_from(self._entries, self._people, entry.person_id == people.id)
            .where(entry.decision.is_not(None))
            .order_by(entry.id)
        )
        with self._transaction() as run:
            rows = [row._asdict() for row in run(query)]
        return [_visit_of(row, Sex(row.pop("sex"))) for row in rows]

    def delete(self, pseudonym: str, number: int | None = None) -> int:
        """Delete a person with all entries, or one entry; give the number of entries deleted.

        Raises a `NoChildError` when the pseudonym or the entry does not exist.
        """
        with self._transaction() as run:
            person, entry = self._known(run, pseudonym), self._entries.c
            chosen = delete(self._entries).where(entry.person_id == person.id)
            if number is not None:
                chosen = chosen.where(entry.id == number)
            count: int = run(chosen).rowcount
            if number is None:
                run(delete(self._people).where(self._people.c.id == person.id))
            elif not count:
                raise NoChildError(f"{pseudonym!r} has no entry {number} in the history")
        return count

    def _person(self, pseudonym: str) -> Select[Any]:
        return select(self._people).where(self._people.c.pseudonym == pseudonym)

    def _known(self, run: Run, pseudonym: str) -> Row[Any]:
        person: Row[Any] | None = run(self._person(pseudonym)).first()
        if person is None:
            raise NoChildError(f"the history has no child with the pseudonym {pseudonym!r}")
        return person

    @contextmanager
    def _transaction(self) -> Iterator[Run]:
        with self._database_errors(), self._engine.begin() as connection:
            yield connection.execute

    @contextmanager
    def _database_errors(self) -> Iterator[None]:
        """Convert database errors to one sentence, without values."""
        try:
            yield
        except CommandError as error:
            raise HistoryError(
                f"the history {self.name!r} was made by a newer boneage ({error})"
            ) from None
        except ModuleNotFoundError as error:
            raise HistoryError(
                f"the history {self.name!r} needs {error.name}, which is not installed"
            ) from None
        except SQLAlchemyError as error:
            message = " ".join(str(getattr(error, "orig", None) or error).split())[:MAX_MESSAGE]
            raise HistoryError(f"the history {self.name!r} cannot be used: {message}") from None


def _url_of(where: str | Path) -> URL:
    text = str(where)
    if not IS_URL.match(text):
        return URL.create("sqlite", database=text)
    try:
        url = make_url(text)
        if url.drivername == "postgresql":
            url = url.set(drivername=POSTGRESQL_DRIVER)
        url.get_dialect()
    except SQLAlchemyError:
        # The URL is not quoted: it may hold a password.
        raise HistoryError(
            "the history's URL names no supported database; give a file "
            "or postgresql://user@host/database"
        ) from None
    return url


def _enforce_foreign_keys(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _pragma(connection: object, _record: object) -> None:
            connection.execute("PRAGMA foreign_keys = ON")  # type: ignore[attr-defined]
            connection.execute("PRAGMA secure_delete = ON")  # type: ignore[attr-defined]


def _by_age(entry: ClinicVisit) -> tuple[bool, float]:
    age = entry.chronological_age_months
    return age is None, age or 0.0


def _plain(visit: ClinicVisit) -> ClinicVisit:
    """What is stated of a visit, without when and where it is stored."""
    return replace(visit, number=None, kept_at=None)


def _visit_of(row: dict[str, Any], sex: Sex) -> ClinicVisit:
    number, kept_at, _ = row.pop("id"), row.pop("kept_at"), row.pop("person_id")
    return ClinicVisit(sex=sex, number=number, kept_at=kept_at.replace(tzinfo=UTC), **row)
