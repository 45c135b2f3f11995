"""Growth, height, documents and history in a browser, dark and light, phone and monitor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

pytest.importorskip("sqlalchemy", reason="the history extra is not installed")
pytest.importorskip("reportlab", reason="the report extra is not installed")

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from boneage.history.store import History
from tests.browser.accessibility import SERIOUS, Violation, violations
from tests.browser.chromium import Server, Visitor, serving

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def keeping_server(
    browser: Browser, _built_weights: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Path]]:
    """A dashboard that keeps answers where it is asked to, and its file."""
    assert browser.is_connected()
    folder = tmp_path_factory.mktemp("keeping")
    kept = folder / "children.sqlite"
    with serving(_built_weights, folder / "log.txt", kept) as server:
        yield server, kept
        assert "Traceback" not in server.log.read_text("utf-8")


def tell_and_read(visitor: Visitor, film: Path) -> None:
    """Add a DICOM film, which states sex and age; say the height, and read."""
    visitor.add(film)
    visitor.wait_for_film()
    height = visitor.rows.first.locator("td.heights input")
    height.fill("139.5")
    height.press("Enter")
    visitor.wait_until_idle()
    visitor.read()
    visitor.wait_for_pictures()
    visitor.tab("Report and export")


def make_report(visitor: Visitor) -> Path:
    with visitor.page.expect_download() as saved:
        visitor.page.get_by_role("button", name="Report (PDF)").click()
    return saved.value.path()


def keep(visitor: Visitor, pseudonym: str) -> None:
    field = visitor.page.get_by_role("textbox", name="Pseudonym of the child")
    field.fill(pseudonym)
    visitor.page.get_by_role("button", name="Save to history").click()
    visitor.page.get_by_text(f"Saved to history as {pseudonym}.").first.wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_child_is_read_reported_and_kept(
    browser: Browser,
    keeping_server: tuple[Server, Path],
    films: dict[str, Path],
    scheme: Literal["light", "dark"],
    width: int,
    tmp_path: Path,
) -> None:
    server, kept = keeping_server
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
    )
    visitor = Visitor(context.new_page(), server.address)
    pseudonym = f"{scheme}{width}"
    found: dict[str, list[Violation]] = {}
    visitor.open()
    tell_and_read(visitor, films["dicom"])
    assert make_report(visitor).read_bytes().startswith(b"%PDF")
    keep(visitor, pseudonym)
    found["answer"] = violations(Axe(), visitor.page)
    visitor.page.screenshot(path=tmp_path / "answer.png", full_page=True)
    assert no_wider_than_the_screen(visitor)
    visitor.open("history")
    visitor.page.get_by_role("combobox", name="Child").wait_for()
    visitor.page.get_by_test_id("stDataFrame").wait_for()
    found["history"] = violations(Axe(), visitor.page)
    visitor.page.screenshot(path=tmp_path / "history.png", full_page=True)
    assert no_wider_than_the_screen(visitor)
    assert not visitor.outside
    context.close()
    assert pseudonym in {person.pseudonym for person in History(str(kept)).people()}
    serious = {state: [v for v in seen if v.impact in SERIOUS] for state, seen in found.items()}
    assert not any(serious.values()), serious


def no_wider_than_the_screen(visitor: Visitor) -> bool:
    main = """document.querySelector('[data-testid="stMain"]')"""
    visitor.page.wait_for_function(f"(e => e.scrollWidth <= e.clientWidth)({main})")
    return True
