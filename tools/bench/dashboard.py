"""What a person at the dashboard waits for, measured in a real browser.

Run ``make dashbench``: the first page, a morning of thirty images from the drop to the last answer,
the time to another image, the server's memory, and what axe-core finds, into
docs/evidence/dashboard.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright

from boneage import __version__
from boneage.domain.radiograph import Sex
from boneage.inference.weights import Weights
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom, write_png
from tests.browser.accessibility import violations
from tests.browser.chromium import ANSWERED, ASSESS, Server, Visitor, find_chromium, launch, serving
from tools.bench.measuring import this_machine

FORMAT = 1
WIDTH, HEIGHT = 2000, 2500
IMAGES, SWITCHES, RUNS = 30, 20, 3
CLOSED_SECONDS = 10
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
NOTE_OPENED = """document.addEventListener(
    'boneage-open', () => { window.opened = performance.now(); })"""


@dataclass(frozen=True)
class Times:
    """Seconds over all runs."""

    median: float
    p95: float
    runs: int


def times_of(seconds: Sequence[float]) -> dict[str, Any]:
    p95 = float(np.quantile(seconds, 0.95))
    return asdict(Times(statistics.median(seconds), p95, len(seconds)))


def visit(stack: ExitStack, browser: Browser, server: Server, **options: Any) -> Visitor:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    stack.callback(context.close)
    return Visitor(context.new_page(), server.address)


def open_timed(visitor: Visitor) -> float:
    """Seconds until the page can be used."""
    visitor.open()
    visitor.page.get_by_test_id("stFileUploaderDropzone").wait_for()
    milliseconds: float = visitor.page.evaluate("performance.now()")
    return milliseconds / 1000


def first_page(browser: Browser, weights: Path | None, log: Path) -> float:
    """Seconds until the page of a dashboard just started can be used."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(weights, log))
        return open_timed(visit(stack, browser, server))


@dataclass(frozen=True)
class Morning:
    """A morning's images in one window: seconds, and megabytes of the server."""

    in_list: float
    """From drop to every row."""
    first_answer: float
    """From drop to the first bone age, with one click as soon as the rows are there."""
    all_answers: float
    switches: list[float]
    """From a click on a row to its image."""
    started_mb: float
    with_images_mb: float
    closed_mb: float
    """A few seconds after the tab was closed."""


def morning(browser: Browser, films: Sequence[Path], weights: Path | None, log: Path) -> Morning:
    """Drop the images in, analyse them, look through them, close the tab."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(weights, log))
        visitor = visit(stack, browser, server)
        visitor.open()
        page, started = visitor.page, server.memory_mb()
        begun = time.perf_counter()
        visitor.add(*films)
        visitor.rows.nth(len(films) - 1).wait_for()
        in_list = time.perf_counter() - begun
        page.get_by_role("button", name=ASSESS).click()
        page.locator("tr.row .strong").first.wait_for()
        first = time.perf_counter() - begun
        page.wait_for_function(ANSWERED)
        every = time.perf_counter() - begun
        page.evaluate(NOTE_OPENED)
        switches = [switch(visitor, number % len(films)) for number in range(1, SWITCHES + 1)]
        held = server.memory_mb()
        page.once("dialog", lambda dialog: dialog.accept())
        page.goto("about:blank")  # as closing does, it ends the page
        time.sleep(CLOSED_SECONDS)
        return Morning(in_list, first, every, switches, started, held, server.memory_mb())


def switch(visitor: Visitor, number: int) -> float:
    """Open a row, and give the seconds until the viewer shows its image."""
    row = visitor.rows.nth(number)
    row.locator(".name").click()
    pane = visitor.page.locator(f'.viewer .pane[data-shown="{row.get_attribute("data-key")}"]')
    pane.wait_for()
    shown = float(pane.get_attribute("data-at") or "nan")
    opened: float = visitor.page.evaluate("window.opened")
    visitor.wait_until_idle()
    return (shown - opened) / 1000


def accessibility(browser: Browser, server: Server, film: Path) -> dict[str, Any]:
    """Count what axe-core finds in every state, light and dark."""
    counts = dict.fromkeys(("critical", "serious", "moderate", "minor"), 0)
    rules: set[str] = set()
    states = 0
    for scheme in SCHEMES:
        with ExitStack() as stack:
            visitor = visit(stack, browser, server, color_scheme=scheme)
            steps = (visitor.open, partial(add, visitor, film), partial(read, visitor))
            for step in (*steps, partial(visitor.open, "data")):
                step()
                states += 1
                for violation in violations(Axe(), visitor.page):
                    counts[violation.impact] += 1
                    rules.add(f"{violation.impact}: {violation.rule}")
    return {"states": states, "violations": counts, "rules": sorted(rules)}


def add(visitor: Visitor, film: Path) -> None:
    visitor.add(film)
    visitor.wait_for_film()


def read(visitor: Visitor) -> None:
    visitor.choose("Female")
    visitor.read()
    visitor.wait_for_pictures()


def measure(weights: Path | None, runs: int) -> dict[str, Any]:
    opened = Weights(weights)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        png, log = Path(folder) / "hand.png", Path(folder) / "log.txt"
        with png.open("wb") as file:
            write_png(draw(120, Sex.FEMALE, height=HEIGHT, width=WIDTH), file)
        films = []
        for number in range(IMAGES):
            films.append(Path(folder) / f"IM{number:04}")
            sex = (Sex.FEMALE, Sex.MALE)[number % 2]
            with films[-1].open("wb") as file:
                write_dicom(draw(110 + 3 * number, sex, height=HEIGHT, width=WIDTH), file)
        browser = launch(playwright)
        pages = [first_page(browser, weights, log) for _ in range(runs)]
        mornings = [morning(browser, films, weights, log) for _ in range(runs)]
        with ExitStack() as stack:
            server = stack.enter_context(serving(weights, log))
            checked = accessibility(browser, server, png)
        version = browser.version
        browser.close()
    return {
        "format": FORMAT,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(machine),
        "browser": f"Chromium {version}",
        "weights": asdict(opened.name),
        "film": {"width": WIDTH, "height": HEIGHT},
        "images": IMAGES,
        "seconds": {
            "first_page": times_of(pages),
            "in_list": times_of([one.in_list for one in mornings]),
            "first_answer": times_of([one.first_answer for one in mornings]),
            "all_answers": times_of([one.all_answers for one in mornings]),
            "switch": times_of([second for one in mornings for second in one.switches]),
        },
        "memory_mb": {
            "started": max(one.started_mb for one in mornings),
            "with_images": max(one.with_images_mb for one in mornings),
            "closed": max(one.closed_mb for one in mornings),
        },
        "axe": checked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the dashboard in a real browser.")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--weights", type=Path, help="a folder of weights; default: the bundled")
    parser.add_argument("--runs", type=int, default=RUNS, help="mornings")
    given = parser.parse_args()
    if find_chromium() is None:
        parser.exit(2, "no Chromium is installed (apt-get install chromium)\n")
    table = measure(given.weights, given.runs)
    given.out.parent.mkdir(parents=True, exist_ok=True)
    given.out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    for name, times in table["seconds"].items():
        print(f"{name.replace('_', ' ')}: median {times['median']:.2f} s, p95 {times['p95']:.2f} s")
    print(f"memory: {table['memory_mb']}")
    print(f"axe: {table['axe']['violations']}")
    print(f"written: {given.out}")


if __name__ == "__main__":
    main()
