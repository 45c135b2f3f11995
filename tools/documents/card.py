"""The model card: a template of words, and every figure from the evidence and the manifest."""

from __future__ import annotations

import os
import re
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from tools.documents import (
    accuracy,
    attention,
    failures,
    machine,
    making,
    parts,
    readers,
    robustness,
    suitability,
)
from tools.documents.evidence import Evidence

MODULES = (accuracy, attention, failures, machine, making, parts, readers, robustness, suitability)
"""The template calls what writes a section by its module's name: ``accuracy.bands(evidence)``."""
BLANK_LINES = re.compile(r"\n{3,}")
"""What sections that are empty leave behind."""


def model_card(evidence: Evidence, folder: Path, pictures: Path, document: Path) -> str:
    """Write the card of a set of weights.

    Parameters
    ----------
    evidence : Evidence
        With a manifest.
    folder : Path
        Of the evidence, for links.
    pictures : Path
        The folder of the pictures of failures, for links.
    document : Path
        The folder that the card will lie in: links start there.

    Returns
    -------
    str
        Markdown.
    """
    names = {module.__name__.rpartition(".")[2]: module for module in MODULES}
    text = _template().render(
        evidence=evidence,
        link=lambda name: Path(os.path.relpath(folder / name, document)).as_posix(),
        has=lambda name: (folder / name).exists(),
        pictures=failures.pictures(evidence, pictures, document),
        **names,
    )
    return BLANK_LINES.sub("\n\n", text).strip() + "\n"


@cache
def _template() -> Template:
    source = resources.files("tools.documents") / "model_card.md.jinja"
    environment = Environment(
        autoescape=False,  # noqa: S701  Markdown, not HTML; cells of tables escape what they hold
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(source.read_text("utf-8"))
