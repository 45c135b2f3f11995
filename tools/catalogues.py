"""``make catalogues``: the catalogues of words, brought up to date with the code.

New texts enter every ``boneage.po`` without a translation; those that are no longer used
leave it; the ``boneage.mo`` beside it is what the program reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from boneage.i18n.words import DOMAIN, FOLDER
from tests.i18n.codes import CODES, OTHER_HANDS, OTHER_KINDS

SOURCE = FOLDER.parent
KEYWORDS = {**DEFAULT_KEYWORDS, "noop": None}
LINE_WIDTH = 88


def texts_of_the_code() -> Catalog:
    """Collect every text of the code that is marked for translation."""
    catalog = Catalog(domain=DOMAIN)
    found = extract_from_dir(SOURCE, [("**.py", "python")], keywords=KEYWORDS)
    for file, _line, message, _comments, context in found:
        catalog.add(message, locations=[(file, None)], context=context)  # type: ignore[list-item]
    for kind, codes in CODES.items():
        for code in codes:
            catalog.add(code, locations=[("by code", None)], context=kind)  # type: ignore[list-item]
    for text in (*OTHER_KINDS, *OTHER_HANDS):
        catalog.add(text, locations=[("by code", None)])  # type: ignore[list-item]
    return catalog


def catalogue_files() -> Iterator[Path]:
    yield from sorted(FOLDER.glob(f"*/LC_MESSAGES/{DOMAIN}.po"))


def opened(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], domain=DOMAIN)


def compiled(path: Path) -> bytes:
    """Give what the ``boneage.mo`` beside a ``boneage.po`` must be."""
    file = BytesIO()
    write_mo(file, opened(path))
    return file.getvalue()


def _whole(message: Message) -> bool:
    """Whether a message is translated, in every form."""
    forms = message.string if isinstance(message.string, tuple) else (message.string,)
    return all(forms)


def main() -> None:
    template = texts_of_the_code()
    for path in catalogue_files():
        catalog = opened(path)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        catalog.msgid_bugs_address = ""
        catalog.last_translator = catalog.language_team = "The boneage maintainers"
        with path.open("wb") as file:
            write_po(file, catalog, width=LINE_WIDTH, sort_by_file=True)
        path.with_suffix(".mo").write_bytes(compiled(path))
        missing = [message.id for message in catalog if message.id and not _whole(message)]
        print(f"{path.parts[-3]}: {len(catalog)} texts, {len(missing)} untranslated")


if __name__ == "__main__":
    main()
