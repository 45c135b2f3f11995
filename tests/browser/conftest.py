"""A browser, a dashboard with the small weights, and films on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytest.importorskip("streamlit", reason="the dashboard extra is not installed")

from playwright.sync_api import Browser, expect, sync_playwright

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom, write_png
from tests.browser.chromium import (
    PATIENCE_SECONDS,
    Server,
    Visitor,
    find_chromium,
    launch,
    serving,
)

Visit = Callable[..., Visitor]
expect.set_options(timeout=PATIENCE_SECONDS * 1000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if find_chromium() is None:
        pytest.skip("no Chromium is installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        opened = launch(playwright)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def server(
    browser: Browser, _built_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    assert browser.is_connected()  # without a browser, no server
    log = tmp_path_factory.mktemp("dashboard") / "log.txt"
    with serving(_built_weights, log) as server:
        yield server
        assert "Traceback" not in log.read_text("utf-8")


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Visit]:
    """Open the dashboard as somebody new; options are those of a browser context."""
    contexts = []

    def visit(path: str = "", width: int = 1280, height: int = 900, **options: object) -> Visitor:
        size = {"width": width, "height": height}
        context = browser.new_context(viewport=size, accept_downloads=True, **options)  # type: ignore[arg-type]
        contexts.append(context)
        visitor = Visitor(context.new_page(), server.address)
        visitor.open(path)
        return visitor

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A PNG that states nothing, and a DICOM film of a girl of 10 years."""
    folder = tmp_path_factory.mktemp("films")
    drawn = draw(120, Sex.FEMALE, height=1000, width=800)
    found = {"png": folder / "hand.png", "dicom": folder / "hand.dcm"}
    with found["png"].open("wb") as file:
        write_png(drawn, file)
    with found["dicom"].open("wb") as file:
        write_dicom(drawn, file)
    return found
