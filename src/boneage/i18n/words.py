"""Texts, numbers and ages in one language.

The message ids of the catalogues are the English texts, as gettext has it:
English needs no catalogue, and what a catalogue lacks appears in English.
"""

from __future__ import annotations

import gettext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

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
    """Says things in one language."""

    language: str
    catalogue: gettext.NullTranslations

    def gettext(self, message: str) -> str:
        """Translate a text."""
        return self.catalogue.gettext(message)

    def pgettext(self, context: str, message: str) -> str:
        """Translate a word that alone could mean several things."""
        return self.catalogue.pgettext(context, message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """Translate a text about so many things."""
        return self.catalogue.ngettext(one, many, count).format(count=count)

    def number(self, value: float, decimals: int = 1, *, sign: bool = False) -> str:
        """Write a number with the language's decimal mark, and a true minus."""
        text = f"{value:{'+' if sign else ''}.{decimals}f}"
        if not float(text):
            text = text.lstrip("+-")
        mark = self.pgettext("decimal mark", ".")
        return text.replace("-", "−").replace(".", mark)

    def percent(self, share: float) -> str:
        """Write a share, such as a level, in percent."""
        number = percent(share).removesuffix("%").replace(".", self.pgettext("decimal mark", "."))
        return self.pgettext("percent", "{number}%").format(number=number)

    def months(self, age_months: float, decimals: int = 1) -> str:
        """Write an age or a difference in months."""
        return self.gettext("{number} months").format(number=self.number(age_months, decimals))

    def age(self, age_months: float) -> str:
        """Write an age as clinicians say it, to the nearest month."""
        years, months = divmod(round(age_months), 12)
        return (
            self.ngettext("{count} year", "{count} years", years)
            + " "
            + self.ngettext("{count} month", "{count} months", months)
        )


@cache
def words_of(language: str) -> Words:
    """Open the catalogue of a language.

    Raises
    ------
    LanguageError
        When none ships for it.
    """
    if language == ENGLISH:
        return Words(language, gettext.NullTranslations())
    if language not in languages():
        raise LanguageError(
            f"there are no words for the language {language!r}; give one of {list(languages())}"
        )
    return Words(language, gettext.translation(DOMAIN, FOLDER, [language]))


def percent(level: float) -> str:
    """Say a level: 90%, 97.5%."""
    return f"{100 * level:g}%"
