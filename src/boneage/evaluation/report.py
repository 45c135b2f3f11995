"""What every evaluation leaves behind: a page, drawn from a template, and JSON of the figures.

A page is self-contained: nothing is fetched, everything is escaped, and its texts and tables
stand in ``templates/``. It is made of the same plain values that the JSON file holds.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from boneage._version import __version__
from boneage.domain.assessment import Failure, WeightsName
from boneage.evaluation.metrics import DRAWS, LEVEL, METHOD, SEED, Estimate
from boneage.storage.delimited import csv_text
from boneage.storage.files import EVIDENCE_FORMAT, write_text

FIGURES = "figures"
"""The folder of the figures, beside the page."""
SHOWN_NAMES = 20
"""Films and problems named on a page; the files beside it name them all."""


@dataclass(frozen=True)
class Experiment:
    """Which weights were measured on which films, and when."""

    weights: WeightsName
    data: str
    """The folder of films, by its bare name."""
    split: str
    limit: int | None
    """Only so many films were tried; None for all."""
    day: date
    selection: Mapping[str, Any] = field(default_factory=dict)
    """Other choices of films; defaults are left out."""

    def header(self, method: str = "bootstrap") -> dict[str, Any]:
        """How the JSON file of an evaluation begins."""
        data = {"name": self.data, "split": self.split, "limit": self.limit, **self.selection}
        return {
            "format": EVIDENCE_FORMAT,
            "boneage": __version__,
            "date": self.day.isoformat(),
            "weights": asdict(self.weights),
            "data": data,
            "interval": interval_of(method),
        }


def interval_of(method: str = METHOD) -> dict[str, Any]:
    """How the intervals of an evaluation came about, for its JSON file."""
    return {"method": method, "level": LEVEL, "draws": DRAWS, "seed": SEED}


def failures_of(failures: Iterable[Failure]) -> list[dict[str, str]]:
    """Failures as plain values, for a JSON file."""
    return [{"case": f.film, "code": f.code, "message": f.message} for f in failures]


def number(
    estimate: Estimate | Mapping[str, float | None],
    digits: int = 1,
    *,
    sign: bool = False,
    scale: float = 1,
) -> str:
    """Write a figure and its interval, such as "8.0 (7.1 to 9.0)"; a dash where it is undefined.

    A mapping has the keys ``value``, ``low`` and ``high``. ``sign`` writes a plus, too; ``scale``
    is 100 for shares in per cent.
    """
    known = asdict(estimate) if isinstance(estimate, Estimate) else estimate
    form = f"{'+z' if sign else ''}.{digits}f"
    value, low, high = (
        None if (end := known[name]) is None else f"{scale * end:{form}}".replace("-", "−")
        for name in ("value", "low", "high")
    )
    if value is None:
        return "–"
    return value if low is None or high is None else f"{value} ({low} to {high})"


def share(estimate: Estimate | Mapping[str, float | None]) -> str:
    """Write a share of 0 to 1 in per cent, with its interval."""
    text = number(estimate, 0, scale=100)
    return text if text == "–" else f"{text} %"


def write_page(path: Path, template: str, **values: Any) -> None:
    """Write a page from ``templates/<template>.html.jinja``, whole or not at all."""
    page = _environment().get_template(f"{template}.html.jinja")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, page.render(titles=[], folder=path.parent, **values))


def paragraphs(template: str, **values: Any) -> list[str]:
    """Fill ``templates/<template>.txt.jinja``: plain text, a line a paragraph."""
    text = _environment().get_template(f"{template}.txt.jinja").render(**values)
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip()]


def write_rows(path: Path, rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV table, whole or not at all; its header is the first row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, csv_text(rows))


def write_records(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Write at least one record, all of the same keys, as a CSV table; None as an empty cell."""
    rows = [["" if cell is None else cell for cell in record.values()] for record in records]
    write_rows(path, [list(records[0]), *rows])


def counted(count: int, word: str) -> str:
    """Write a number of things, such as "1 film" or "1,472 films"."""
    return f"{count:,} {word}{'s' * (count != 1)}"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("boneage.evaluation"),
        autoescape=select_autoescape(["html.jinja"], default=False),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "number": number,
        "share": share,
        "counted": counted,
        "band": lambda name: name.replace("-", "–"),
        "names": _names,
        "data_uri": _data_uri,
    }
    environment.globals |= {"SHOWN_NAMES": SHOWN_NAMES}
    return environment


def _names(names: Sequence[str], shown: int = 10) -> str:
    """Write names with their count, the first of them only: "12 (a, b, c and 9 more)"."""
    if not names:
        return "none"
    more = f" and {len(names) - shown:,} more" if len(names) > shown else ""
    return f"{len(names):,} ({', '.join(names[:shown])}{more})"


def _data_uri(picture: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(picture.read_bytes()).decode()
