"""One self-contained HTML page of text, tables and figures: nothing is fetched, all is escaped."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, Template

from boneage.storage.files import atomically


@dataclass(frozen=True)
class Picture:
    """A PNG of the page; ``alt`` says in words what it shows."""

    path: Path
    alt: str

    @property
    def data_uri(self) -> str:
        """The file itself, for the page."""
        return "data:image/png;base64," + base64.b64encode(self.path.read_bytes()).decode()


@dataclass(frozen=True)
class Section:
    """A headed part of a page; what is empty is left out."""

    title: str
    text: str = ""
    """Paragraphs, parted by empty lines."""
    table: Sequence[Sequence[str]] = ()
    """The first row is the header; first cells of rows head their row."""
    pictures: Sequence[Picture] = ()


def write_page(path: Path, title: str, lead: str, sections: Sequence[Section]) -> None:
    """Write a page, whole or not at all."""
    text = _template().render(title=title, lead=lead, sections=sections)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


@cache
def _template() -> Template:
    source = (resources.files("boneage.evaluation") / "page.html.jinja").read_text("utf-8")
    return Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(source)
