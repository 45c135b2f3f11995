"""The tables of a history, as SQLAlchemy sees them; the migrations make them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, Float, ForeignKey, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Of every table."""


class PersonRow(Base):
    """A child, known by the pseudonym alone."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    pseudonym: Mapped[str] = mapped_column(String(64), unique=True)
    sex: Mapped[str] = mapped_column(String(8))
    entries: Mapped[list[EntryRow]] = relationship(
        back_populates="person", cascade="all, delete-orphan"
    )


class EntryRow(Base):
    """One assessment."""

    __tablename__ = "entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), index=True)
    kept_at: Mapped[datetime] = mapped_column(DateTime())
    bone_age_months: Mapped[float] = mapped_column(Float())
    chronological_age_months: Mapped[float | None] = mapped_column(Float())
    interval_low_months: Mapped[float | None] = mapped_column(Float())
    interval_high_months: Mapped[float | None] = mapped_column(Float())
    interval_level: Mapped[float | None] = mapped_column(Float())
    height_cm: Mapped[float | None] = mapped_column(Float())
    adult_height_cm: Mapped[float | None] = mapped_column(Float())
    sds: Mapped[float | None] = mapped_column(Float())
    sds_centre: Mapped[str | None] = mapped_column(String(32))
    determination: Mapped[str | None] = mapped_column(String(16))
    weights: Mapped[str] = mapped_column(String(128))
    weights_sha256: Mapped[str] = mapped_column(String(64))
    person: Mapped[PersonRow] = relationship(back_populates="entries")
