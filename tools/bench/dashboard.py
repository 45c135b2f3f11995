"""What a person at the dashboard waits for, measured in a real browser.

Run ``make dashbench``: click-to-answer times, first page loads, the memory of
five visitors at once, and what axe-core finds, into docs/evidence/dashboard.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
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
from boneage.synthetic.film import write_png
from tests.browser.accessibility import violations
from tests.browser.chromium import Server, Visitor, find_chromium, launch, serving
from tools.bench.measuring import this_machine

FORMAT = 1
WIDTH, HEIGHT = 2000, 2500
RUNS, SESSIONS = 20, 5
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WATCH = """() => {
    const asks = /^(Assess bone age|Analyse \\d+ radiographs)$/;
    const button = [...document.querySelectorAll('button')]
        .find(button => asks.test(button.innerText.trim()));
    button.addEventListener('click', () => { window.clicked = performance.now(); }, {once: true});
    window.answered = window.pictured = null;
    const watcher = new MutationObserver(look);
    watcher.observe(document.body, {childList: true, subtree: true, attributes: true});
    document.addEventListener('load', look, true);  // pictures load without a mutation
    function look() {
        if (!window.clicked || !document.querySelector('.bone-age')) return;
        window.answered ??= performance.now() - window.clicked;
        const shown = document.querySelector('.viewer .pane[data-full]');
        if (shown) window.pictured ??= performance.now() - window.clicked;
    }
}"""


@dataclass(frozen=True)
class Times:
    """Seconds over all runs."""

    median: float
    p95: float
    runs: int


@dataclass(frozen=True)
class Click:
    """Seconds from one click on the button."""

    answer: float
    """Until the bone age is on the page."""
    pictures: float
    """Until all its pictures are."""


def times_of(seconds: Sequence[float]) -> dict[str, Any]:
    p95 = float(np.quantile(seconds, 0.95))
    return asdict(Times(statistics.median(seconds), p95, len(seconds)))


def visit(stack: ExitStack, browser: Browser, server: Server, **options: Any) -> Visitor:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    stack.callback(context.close)
    return Visitor(context.new_page(), server.address)


def click(visitor: Visitor, pictures: int) -> Click:
    page = visitor.page
    page.evaluate("window.clicked = null")
    page.evaluate(WATCH.replace("WANTED", str(pictures)))
    visitor.read()
    page.wait_for_function("window.pictured !== null")
    answer, shown = page.evaluate("[window.answered, window.pictured]")
    return Click(answer / 1000, shown / 1000)


def open_timed(visitor: Visitor) -> float:
    """Seconds until the page can be used."""
    visitor.open()
    visitor.page.get_by_test_id("stFileUploaderDropzone").wait_for()
    milliseconds: float = visitor.page.evaluate("performance.now()")
    return milliseconds / 1000


def cold_run(
    browser: Browser, film: Path, weights: Path | None, log: Path, pictures: int
) -> tuple[float, Click]:
    """The first page and the first film of a dashboard just started."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(weights, log))
        visitor = visit(stack, browser, server)
        loaded = open_timed(visitor)
        add(visitor, film)
        visitor.choose("Female")
        return loaded, click(visitor, pictures)


def warm_runs(visitor: Visitor, film: Path, runs: int, pictures: int) -> list[Click]:
    """The same film again, by the other sex each time."""
    add(visitor, film)
    clicks = []
    for number in range(runs + 1):
        visitor.choose(("Female", "Male")[number % 2])
        visitor.page.locator(".bone-age").wait_for(state="detached")
        clicks.append(click(visitor, pictures))
    return clicks[1:]  # the first one only warms up


def memory(browser: Browser, film: Path, weights: Path | None, log: Path) -> dict[str, Any]:
    """The server alone, and with a film read by each of five visitors."""
    with ExitStack() as stack:
        server = stack.enter_context(serving(weights, log))
        alone = server.memory_mb()
        for _ in range(SESSIONS):
            visitor = visit(stack, browser, server)
            visitor.open()
            add(visitor, film)
            read(visitor)
        return {"started": alone, "sessions": SESSIONS, "with_sessions": server.memory_mb()}


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
    pictures = 1 + 2 * len(opened.manifest.plan.names)
    machine = this_machine()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        film, log = Path(folder) / "hand.png", Path(folder) / "log.txt"
        with film.open("wb") as file:
            write_png(draw(120, Sex.FEMALE, height=HEIGHT, width=WIDTH), file)
        browser = launch(playwright)
        cold = [cold_run(browser, film, weights, log, pictures) for _ in range(runs)]
        with ExitStack() as stack:
            server = stack.enter_context(serving(weights, log))
            visitor = visit(stack, browser, server)
            visitor.open()
            warm = warm_runs(visitor, film, runs, pictures)
            checked = accessibility(browser, server, film)
        used = memory(browser, film, weights, log)
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
        "seconds": {
            "first_page": times_of([loaded for loaded, _ in cold]),
            "cold_answer": times_of([found.answer for _, found in cold]),
            "cold_pictures": times_of([found.pictures for _, found in cold]),
            "warm_answer": times_of([found.answer for found in warm]),
            "warm_pictures": times_of([found.pictures for found in warm]),
        },
        "memory_mb": used,
        "axe": checked,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the dashboard in a real browser.")
    parser.add_argument("--out", type=Path, required=True, help="the JSON file to write")
    parser.add_argument("--weights", type=Path, help="a folder of weights; default: the bundled")
    parser.add_argument("--runs", type=int, default=RUNS, help="clicks, cold and warm each")
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
