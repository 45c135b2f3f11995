"""A real browser and a real dashboard, for the tests and for what measures them.

Debian's Chromium, driven by Playwright; Playwright's own download of a browser
is not used.
"""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Dialog, Locator, Page, Playwright, Request, Route

from boneage.apps.dashboard.launch import address_of, is_ready

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",  # tests may run as root, where Chromium has none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_SECONDS = 60
"""The machine may be busy with something else."""
EXAMPLE = "Try the synthetic example"
ASSESS = re.compile(r"^(Assess bone age|Analyse \d+ radiographs)$")
ANSWERED = """() => {
    const all = [...document.querySelectorAll('*')];
    const list = all.find(e => e.shadowRoot?.querySelector('tr.row'))?.shadowRoot;
    const waits = ['Waiting', 'Being analysed', 'Ready'];
    return list && !list.querySelector('.bar')
        && ![...list.querySelectorAll('.status')].some(e => waits.includes(e.innerText));
}"""
"""Every row of the worklist has its answer, or the reason why not."""


def find_chromium() -> str | None:
    """Find the browser; None where none is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def launch(playwright: Playwright) -> Browser:
    return playwright.chromium.launch(executable_path=find_chromium(), args=list(FLAGS))


@dataclass
class Server:
    """A dashboard that runs."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def address(self) -> str:
        return address_of(self.port)

    def memory_mb(self) -> float:
        """Resident memory, 10^6 bytes; Linux only."""
        table = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        kilobytes = next(line.split()[1] for line in table.splitlines() if "VmRSS" in line)
        return int(kilobytes) * 1024 / 1e6


@contextmanager
def serving(weights: Path | None, log: Path, history: Path | None = None) -> Iterator[Server]:
    """Run ``boneage dashboard``, as a user starts it, until the block ends."""
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [sys.executable, "-m", "boneage", "dashboard", "--no-browser", "--port", str(port)]
    command += ["--weights", str(weights)] if weights else []
    command += ["--history", str(history)] if history else []
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_ready(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the dashboard did not start: {log.read_text('utf-8')}")
            time.sleep(0.1)
        yield Server(process, port, log)
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


@dataclass
class Visitor:
    """One person at the dashboard, without a network beyond it."""

    page: Page
    address: str
    outside: list[str] = field(default_factory=list)
    """What the page asked of other computers; they are not reached."""

    def __post_init__(self) -> None:
        self.page.set_default_timeout(PATIENCE_SECONDS * 1000)
        self.page.route("**/*", self._only_here)
        self.page.on("request", self._note)

    def open(self, path: str = "") -> None:
        """Go to a page; where leaving asks, the answer is yes."""

        def leave(dialog: Dialog) -> None:
            dialog.accept()

        self.page.on("dialog", leave)
        self.page.goto(f"{self.address}/{path}")
        self.page.wait_for_selector("h1")
        self.page.remove_listener("dialog", leave)

    def add(self, *files: Path) -> None:
        """Pick files, as with the browse button."""
        self.page.set_input_files('[data-testid="stFileUploaderDropzoneInput"]', files)

    def drop(self, *paths: Path) -> None:
        """Drag files or folders onto the field, as from the desktop, and let go."""
        box = self.page.get_by_test_id("stFileUploaderDropzone").bounding_box()
        assert box is not None
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
        devtools = self.page.context.new_cdp_session(self.page)
        for kind in ("dragEnter", "dragOver", "drop"):
            devtools.send("Input.dispatchDragEvent", {"type": kind, **at, "data": data})

    def add_example(self) -> None:
        self.page.get_by_role("button", name=EXAMPLE).click()
        self.wait_for_film()

    def wait_for_film(self, count: int = 1) -> None:
        """Wait for the rows of so many images, and until the page lies still."""
        self.rows.nth(count - 1).wait_for()
        self.wait_until_idle()

    @property
    def rows(self) -> Locator:
        return self.page.locator("tr.row")

    def row(self, name: str) -> Locator:
        return self.page.locator("tr.row", has_text=name)

    def choose(self, sex: str, name: str = "") -> None:
        """State the sex in a row, by default the first."""
        row = self.row(name) if name else self.rows.first
        row.locator("select").select_option(sex.lower())
        self.wait_until_idle()

    def expand(self, label: str) -> None:
        """Open what is folded away, and wait until it lies still.

        Playwright scrolls to a button inside while it opens, which makes the button wander: a
        click pressed there and let go a moment later, on a busy machine, comes to nothing.
        """
        folded = self.page.locator("details").filter(has_text=label).first
        folded.locator("summary").click()
        self.page.wait_for_function(
            "folded => folded.open && folded.getAnimations().length === 0",
            arg=folded.element_handle(),
        )

    def wait_until_idle(self) -> None:
        """Wait until the page is drawn to its end: a click before may come to nothing."""
        self.page.wait_for_selector('[data-test-script-state="notRunning"]')

    def read(self) -> str:
        """Click, and give the months off the page when they are there."""
        self.page.get_by_role("button", name=ASSESS).click()  # waits until it is enabled
        self.wait_for_answers()
        return self.months()

    def wait_for_answers(self) -> None:
        """Wait until no row waits any more, and the page shows that."""
        self.page.wait_for_function(ANSWERED)
        self.page.locator(".bone-age-months").wait_for()
        self.wait_until_idle()

    def tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).click()

    def months(self) -> str:
        text = self.page.locator(".bone-age-months").inner_text()
        return text.partition(" months")[0]

    def wait_for_pictures(self) -> None:
        """Wait until the viewer shows the image that is opened."""
        self.page.locator(".viewer .pane[data-shown]").first.wait_for()

    def _is_here(self, url: str) -> bool:
        return url.startswith((self.address, "data:", "blob:"))

    def _note(self, request: Request) -> None:
        if not self._is_here(request.url):
            self.outside.append(request.url)

    def _only_here(self, route: Route) -> None:
        if self._is_here(route.request.url):
            route.continue_()
        else:
            route.abort()
