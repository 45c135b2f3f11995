"""Words, numbers and ages; and catalogues that lack nothing."""

from __future__ import annotations

from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Message

from boneage.errors import LanguageError
from boneage.i18n.words import languages, words_of
from tools.catalogues import catalogue_files, compiled, opened, texts_of_the_code

CATALOGUES = list(catalogue_files())


def by_id(messages: object) -> dict[tuple[object, object], Message]:
    return {(m.id, m.context): m for m in messages if m.id}  # type: ignore[attr-defined]


def forms(message: Message) -> list[str]:
    string = message.string or ""
    return [string] if isinstance(string, str) else list(string)


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_english_and_german_are_there() -> None:
    assert languages()[:1] == ("en",)
    assert "de" in languages()
    assert {path.parts[-3] for path in CATALOGUES} == set(languages()) - {"en"}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_every_text_of_the_code_is_translated(path: Path) -> None:
    used, known = by_id(texts_of_the_code()), by_id(opened(path))
    assert len(used) > 80
    assert used.keys() == known.keys(), "run 'make catalogues'"
    for key, message in known.items():
        assert all(forms(message)), f"{key} is not translated"
        assert not message.fuzzy, key


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_translations_keep_what_is_filled_in(path: Path) -> None:
    for message in opened(path):
        if message.id:
            ids = (message.id,) if isinstance(message.id, str) else message.id
            wanted = placeholders(ids[-1])
            assert all(placeholders(form) == wanted for form in forms(message)), ids


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parts[-3])
def test_what_the_program_reads_is_what_was_written(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(path), "run 'make catalogues'"


def test_ages_are_written_in_years_and_months() -> None:
    english, german = words_of("en"), words_of("de")
    assert english.age(131.6) == "10 years 11 months"
    assert english.age(13.2) == "1 year 1 month"
    assert german.age(13.2) == "1 Jahr 1 Monat"
    assert german.age(131.6) == "10 Jahre 11 Monate"
    assert english.months(122.374) == "122.4 months"
    assert german.months(122.374) == "122,4 Monate"


def test_dates_have_the_languages_form() -> None:
    assert words_of("en").date("2026-11-28") == "2026-11-28"
    assert words_of("de").date("2026-11-28") == "28.11.2026"
    assert words_of("de").date("in spring") == "in spring"


def test_numbers_have_the_languages_marks() -> None:
    english, german = words_of("en"), words_of("de")
    assert english.number(-1.26, sign=True) == "−1.3"
    assert german.number(-1.26, sign=True) == "−1,3"
    assert english.number(2, sign=True) == "+2.0"
    assert english.number(-0.01, sign=True) == "0.0"
    assert english.number(110.4, 0) == "110"
    assert english.percent(0.9) == "90 %"
    assert german.percent(0.975) == "97,5 %"


def test_a_message_is_translated_by_its_text_or_its_code() -> None:
    german = words_of("de")
    chest = "The image looks like a radiograph of a chest, not of a hand."
    assert "Thoraxaufnahme" in german.by_code("finding", "not_a_hand", chest)
    assert "vollständigen Hand" in german.by_code(
        "finding", "not_a_hand", "It looks like a foot (0.3)."
    )
    assert german.by_code("finding", "of_tomorrow", "It is new.") == "It is new."
    assert words_of("en").by_code("finding", "not_a_hand", chest) == chest


def test_a_language_without_a_translation_is_quoted() -> None:
    with pytest.raises(LanguageError, match=r"'xx'.*'en', 'de'"):
        words_of("xx")
