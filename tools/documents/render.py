"""Writes the documents from the evidence, in memory, with the filters of their templates."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, UndefinedError

from boneage.errors import DataError
from boneage.evaluation.accuracy.agreement import LEAST_FILMS, OLDEST_YEARS
from boneage.storage.files import write_text
from tools.documents.evidence import EVIDENCE, FILES, MISSED, Evidence, Table, read_checkout

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
MINUS = "−"
NOTICED = ("refused", "warned_far", "warned_near")
"""Outcomes of a perturbed radiograph that the user sees."""


def block(name: str, evidence: Evidence) -> str:
    """Write one block of figures; ValueError for an unknown name."""
    if name not in BLOCKS:
        raise ValueError(f"unknown block of figures {name!r}; known are {sorted(BLOCKS)}")
    with _complete():
        module = _templates().get_template("figures.md.j2").make_module(_context(evidence))
        return _tidy(getattr(module, name.replace("-", "_"))())


def with_figures(text: str, evidence: Evidence) -> str:
    """Generate every block of a document; ValueError for one of an unknown name."""
    return BLOCK.sub(
        lambda match: f"{match['open']}{block(match['name'], evidence)}{match['close']}", text
    )


def model_card(evidence: Evidence, folder: Path, document: Path, pictures: Path) -> str:
    """Write the model card; ``folder`` has the evidence, ``document`` is where the card will be."""

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
    """Generate the documents of a checkout, by name, in memory; DataError: it is none."""
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
    """Update the documents of a checkout from its evidence; by name, whether each differed."""
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


def number(estimate: Table, digits: int = 1) -> str:
    """A figure and its interval: "8.0 (7.1–9.0)", "0.6 (−0.7 to 1.9)"; "–" where not defined."""
    if estimate["value"] is None:
        return "–"
    value, low, high = (
        "" if estimate[key] is None else f"{estimate[key]:.{digits}f}".replace("-", MINUS)
        for key in ("value", "low", "high")
    )
    return f"{value} ({low}{' to ' if MINUS in low else '–'}{high})" if low else value


def share(estimate: Table) -> str:
    """A share of 0 to 1 in per cent, with the interval where there is one."""
    text = number({key: None if v is None else 100 * v for key, v in estimate.items()}, 0)
    return text if estimate["value"] is None else f"{text} %"


def signed(value: float) -> str:
    """A number to a tenth with its sign; what rounds to 0 has none."""
    text = f"{abs(value):.1f}"
    return text if text == "0.0" else f"{'+' if value > 0 else MINUS}{text}"


def difference(estimate: Table) -> str:
    """Months to a tenth with their sign, and the interval."""
    if estimate["value"] is None:
        return "–"
    if estimate["low"] is None:
        return signed(estimate["value"])
    return f"{signed(estimate['value'])} ({signed(estimate['low'])} to {signed(estimate['high'])})"


def percent(value: float | None) -> str:
    """A share of 0 to 1 in per cent."""
    return "–" if value is None else f"{100 * value:.0f} %"


def cell(text: str) -> str:
    """A name given by users, escaped for a Markdown table."""
    return re.sub(r"\s+", " ", text).replace("|", r"\|").replace("<", "&lt;")


def listed(parts: Iterable[str]) -> str:
    """Words as a list: "a, b and c"."""
    *first, last = parts
    return f"{', '.join(first)} and {last}" if first else last


def stage(name: str) -> str:
    """The folder of a training stage for people: "attention, phase 1"."""
    network, _, phase = name.partition("/phase-")
    return f"{network}, phase {int(phase) + 1}" if phase.isdigit() else name


def shift(change: Table) -> float:
    """The mean change of the answer; infinite where no answer was left."""
    value = change["mean_shift_months"]["value"]
    return float("inf") if value is None else float(value)


def by_shift(changes: Sequence[Table]) -> list[Table]:
    """Changes of a radiograph, those that move the answer most first."""
    return sorted(changes, key=lambda change: -shift(change))


def most_silent(changes: Sequence[Table]) -> list[Table]:
    """Changes that move answers far without a warning, those of most radiographs first."""
    silent = [change for change in changes if change["silent_of_all"]["value"]]
    return sorted(silent, key=lambda change: (-change["silent_of_all"]["value"], -shift(change)))


FILTERS: Mapping[str, Callable[..., Any]] = {
    **{
        one.__name__: one
        for one in (
            *(number, share, percent, signed, difference, cell, listed, stage),
            *(shift, by_shift, most_silent),
        )
    },
    "months": number,
    "ms": lambda seconds: f"{1000 * seconds:.0f}",
    # The key of a two-year band for people: "2–4 years".
    "years": lambda band: f"{band.replace('-', '–')} years",
    # A count in per cent of a total, and the count itself.
    "part": lambda count, total: f"{100 * count / total:.1f} % ({count})" if total else "–",
    # The share of changed radiographs that were refused or warned about.
    "noticed": lambda change: sum(change["fates"].get(outcome, 0.0) for outcome in NOTICED),
    # About ten of many rows, the last among them.
    "sampled": lambda rows, most=10: rows[::-1][:: max(1, len(rows) // most)][::-1],
}
