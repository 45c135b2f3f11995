"""Writes the documents from the evidence, in memory."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from boneage.errors import DataError
from boneage.evaluation.accuracy.agreement import LEAST_FILMS, OLDEST_YEARS
from boneage.storage.files import write_text
from tools.documents.evidence import EVIDENCE, FILES, MISSED, Evidence, read_checkout
from tools.documents.formats import FILTERS

README, CARD = "README.md", "MODEL_CARD.md"
MOST_CHANGES = 8
"""Changes of an image that the card tabulates."""
BLOCK = re.compile(
    r"(?P<open><!-- figures:(?P<name>[a-z-]+) -->\n).*?(?P<close><!-- /figures -->)", re.DOTALL
)
"""A block of a document; the text between its marks is generated."""
BLOCKS = (
    *("accuracy", "cluster", "dashboard", "folder", "fuzz", "node", "service", "speed"),
    "training-loop",
)
"""Each is a macro of ``figures.md.j2``, with _ for -."""


def block(name: str, evidence: Evidence) -> str:
    """Write one block of figures.

    Raises
    ------
    ValueError
        For an unknown name.
    """
    if name not in BLOCKS:
        raise ValueError(f"unknown block of figures {name!r}; known are {sorted(BLOCKS)}")
    with _complete():
        module = _templates().get_template("figures.md.j2").make_module(_context(evidence))
        return _tidy(getattr(module, name.replace("-", "_"))())


def with_figures(text: str, evidence: Evidence) -> str:
    """Generate every block of a document.

    Raises
    ------
    ValueError
        For a block of an unknown name.
    """
    return BLOCK.sub(
        lambda match: f"{match['open']}{block(match['name'], evidence)}{match['close']}", text
    )


def model_card(evidence: Evidence, folder: Path, document: Path, pictures: Path) -> str:
    """Write the model card of a set of weights.

    Parameters
    ----------
    evidence : Evidence
    folder : Path
        The evidence, for links.
    document : Path
        The folder of the card, for relative links.
    pictures : Path
        The folder of the pictures of failures, for links.
    """

    def link(path: Path) -> str:
        return Path(os.path.relpath(path, document)).as_posix()

    with _complete():
        text = _templates().get_template("model_card.md.j2")
        return _tidy(
            text.render(
                _context(evidence),
                link=lambda name: link(folder / name),
                has=lambda name: (folder / name).exists(),
                pictures=link(pictures),
            )
        )


def renewed(root: Path) -> dict[str, str]:
    """Generate the documents of a checkout in memory; by name.

    Raises
    ------
    DataError
        When the README is missing or the evidence cannot be read.
    """
    if not (root / README).is_file():
        raise DataError(f"no {README} in {str(root)!r}; give the folder of a checkout")
    evidence = read_checkout(root)
    texts = {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        for path in (root / README, *sorted((root / "docs").glob("*.md")))
    }
    marked = {name: text for name, text in texts.items() if BLOCK.search(text) or name == README}
    folder = root / EVIDENCE
    card = model_card(evidence, folder, root, (folder / FILES["failures"]).parent)
    return {**{name: with_figures(text, evidence) for name, text in marked.items()}, CARD: card}


def renew(root: Path, *, write: bool = True) -> dict[str, bool]:
    """Update the documents of a checkout from its evidence; by name, whether each differed.

    Raises
    ------
    DataError
        As ``renewed``.
    """
    differed = {}
    for name, text in renewed(root).items():
        path = root / name
        before = path.read_text(encoding="utf-8") if path.is_file() else None
        differed[name] = text != before
        if differed[name] and write:
            write_text(path, text)
    return differed


def _context(evidence: Evidence) -> dict[str, Any]:
    """The variables of the templates: every measurement by name, None where missing."""
    fields = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    constants = {
        **{"least": LEAST_FILMS, "oldest_years": OLDEST_YEARS},
        **{"missed_below": MISSED, "most_changes": MOST_CHANGES},
    }
    return {**dict.fromkeys(FILES), **evidence.tables, **fields, **constants}


def _tidy(text: str) -> str:
    """At most one empty line where sections are missing."""
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


@contextmanager
def _complete() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, UndefinedError) as error:
        raise DataError(f"the evidence or the manifest lacks something: {error!r}") from error


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,  # noqa: S701  Markdown, not HTML; names that people gave are escaped
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    return environment
