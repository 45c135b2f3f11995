"""A history on disk: a SQLite file, or a database that a URL names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

from alembic.util import CommandError
from sqlalchemy import Engine, create_engine, event, func, inspect, select
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from boneage.domain.radiograph import Sex
from boneage.errors import HistoryError
from boneage.history.entry import HistoryPerson, StoredAssessment, checked_pseudonym
from boneage.history.migrations import upgrade
from boneage.history.schema import EntryRow, PersonRow

IS_URL = re.compile(r"[a-z][a-z0-9+]*://")
POSTGRESQL_DRIVER = "postgresql+psycopg"
MAX_MESSAGE = 200
"""Characters quoted of a database's message."""


class History:
    """Assessments of children over time.

    Raises a `HistoryError` when it cannot be opened, is not a history, or was made by a newer
    boneage.

    Parameters
    ----------
    where : str or Path
        A SQLite file, or a URL that SQLAlchemy knows, such as
        ``postgresql://user@host/database``.
    create : bool
        Whether a missing SQLite file is made.
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
                self._refuse_other_tables(inspect(connection).get_table_names())
                upgrade(connection)

    def close(self) -> None:
        """Close the connection."""
        self._engine.dispose()

    def add(self, pseudonym: str, entry: StoredAssessment) -> None:
        """Store an assessment under a pseudonym, which is added when it is new.

        Raises a `HistoryError` when the pseudonym is invalid, or belongs to a child of the other
        sex.
        """
        pseudonym = checked_pseudonym(pseudonym)
        with self._session() as session:
            person = _find_person(session, pseudonym)
            if person is None:
                person = PersonRow(pseudonym=pseudonym, sex=entry.sex.value)
                session.add(person)
            if person.sex != entry.sex.value:
                raise HistoryError(
                    f"the history states {person.sex} for {pseudonym!r}, but this image was "
                    f"assessed by the {entry.sex} standard; nothing was saved"
                )
            person.entries.append(_row_of(entry))

    def people(self) -> list[HistoryPerson]:
        """Every child of the history, by pseudonym."""
        query = (
            select(PersonRow.pseudonym, PersonRow.sex, func.count(EntryRow.id))
            .outerjoin(EntryRow)
            .group_by(PersonRow.id, PersonRow.pseudonym, PersonRow.sex)
            .order_by(PersonRow.pseudonym)
        )
        with self._session() as session:
            return [
                HistoryPerson(name, Sex(sex), count) for name, sex, count in session.execute(query)
            ]

    def entries(self, pseudonym: str) -> list[StoredAssessment]:
        """The assessments of a child, by chronological age; those without one come last.

        Raises a `HistoryError` when the pseudonym does not exist.
        """
        with self._session() as session:
            rows = self._person(session, pseudonym).entries
            return [_stored_from(row) for row in sorted(rows, key=_by_age)]

    def delete(self, pseudonym: str, number: int | None = None) -> int:
        """Delete a person with all entries, or one entry; give the number of entries deleted.

        Raises a `HistoryError` when the pseudonym or the entry does not exist.
        """
        with self._session() as session:
            person = self._person(session, pseudonym)
            if number is None:
                count = len(person.entries)
                session.delete(person)
                return count
            for row in person.entries:
                if row.id == number:
                    session.delete(row)
                    return 1
        raise HistoryError(f"{pseudonym!r} has no entry {number} in the history")

    def _person(self, session: Session, pseudonym: str) -> PersonRow:
        person = _find_person(session, pseudonym)
        if person is None:
            raise HistoryError(f"the history has no child with the pseudonym {pseudonym!r}")
        return person

    def _refuse_other_tables(self, names: list[str]) -> None:
        if names and "boneage_history_version" not in names:
            raise HistoryError(
                f"{self.name!r} is not a history database; give a file or a database "
                "used for nothing else"
            )

    @contextmanager
    def _session(self) -> Iterator[Session]:
        with self._database_errors(), Session(self._engine) as session, session.begin():
            yield session

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


def _find_person(session: Session, pseudonym: str) -> PersonRow | None:
    return session.scalar(select(PersonRow).where(PersonRow.pseudonym == pseudonym))


def _by_age(row: EntryRow) -> tuple[bool, float, int]:
    age = row.chronological_age_months
    return age is None, age or 0.0, row.id


def _row_of(entry: StoredAssessment) -> EntryRow:
    kept_at = datetime.now(UTC).replace(microsecond=0, tzinfo=None)
    return EntryRow(kept_at=kept_at, **{name: getattr(entry, name) for name in SHARED_COLUMNS})


def _stored_from(row: EntryRow) -> StoredAssessment:
    return StoredAssessment(
        sex=Sex(row.person.sex),
        kept_at=row.kept_at.replace(tzinfo=UTC),
        number=row.id,
        **{name: getattr(row, name) for name in SHARED_COLUMNS},
    )


SHARED_COLUMNS = tuple(
    field.name
    for field in fields(StoredAssessment)
    if field.name not in {"sex", "kept_at", "number"}
)
"""The columns that are as in :class:`StoredAssessment`."""
