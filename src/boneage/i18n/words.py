"""Texts, numbers and ages in one language.

The message ids of the catalogues are the English texts, as gettext has it: English needs
no catalogue, and what a catalogue lacks appears in English. Texts that quote values, those
of findings, are translated by their codes instead.
"""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from boneage.domain.reported import completed, reported
from boneage.errors import LanguageError

DOMAIN = "boneage"
FOLDER = Path(__file__).parent
ENGLISH = "en"


def languages() -> tuple[str, ...]:
    """Give the codes of all languages that a report may be written in."""
    found = FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.mo")
    return (ENGLISH, *sorted(path.parts[-3] for path in found))


def noop(message: str) -> str:
    """Mark a text for the catalogues that is translated where it is used."""
    return message


@dataclass(frozen=True)
class Words:
    """Texts in one language."""

    language: str
    catalogue: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """Translate a text."""
        return self.catalogue.gettext(message)

    def by_code(self, context: str, code: str, message: str) -> str:
        """Translate a message by its own text, or else by its code; English stays as it is."""
        for known in (self.gettext(message), self.catalogue.pgettext(context, code)):
            if known not in (message, code):
                return known
        return message

    def number(self, value: float, decimals: int = 1, *, sign: bool = False) -> str:
        """Write a number with the language's decimal mark, and a true minus."""
        shown = reported(value, decimals)
        text = f"{shown:{'+' if sign and shown else ''}.{decimals}f}"
        return self._marked(text.replace("-", "−"))

    def percent(self, share: float) -> str:
        """Write a share, such as a level, in percent."""
        return self._marked(percent(share))

    def months(self, age_months: float, decimals: int = 1, *, sign: bool = False) -> str:
        """Write an age or a difference in months."""
        number = self.number(age_months, decimals, sign=sign)
        return self.gettext("{number} months").format(number=number)

    def age(self, age_months: float) -> str:
        """Write an age in completed years and months."""
        years, months = completed(age_months)
        ngettext = self.catalogue.ngettext
        return (
            ngettext("{count} year", "{count} years", years).format(count=years)
            + " "
            + ngettext("{count} month", "{count} months", months).format(count=months)
        )

    def short_age(self, age_months: float) -> str:
        """Write an age in few letters: 11 y 4 m."""
        years, months = completed(age_months)
        return self.gettext("{years} y {months} m").format(years=years, months=months)

    def date(self, iso: str) -> str:
        """Write a date, given as 2026-11-28; anything else stays as it is."""
        parts = re.fullmatch(r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)", iso)
        return self.gettext("{year}-{month}-{day}").format(**parts.groupdict()) if parts else iso

    def to(self, low: str, high: str) -> str:
        """Write a range."""
        return self.gettext("{low} to {high}").format(low=low, high=high)

    def _marked(self, number: str) -> str:
        return number.replace(".", self.catalogue.pgettext("decimal mark", "."))


@cache
def words_of(language: str) -> Words:
    """Open the catalogue of a language; a `LanguageError` when none ships for it."""
    if language == ENGLISH:
        return Words(language, gettext.NullTranslations())
    if language not in languages():
        raise LanguageError(
            f"no translation ships for the language {language!r}; give one of {list(languages())}"
        )
    return Words(language, gettext.translation(DOMAIN, FOLDER, [language]))


def percent(level: float) -> str:
    """Write a level in percent: 90 %, 97.5 %."""
    return f"{100 * level:g} %"
