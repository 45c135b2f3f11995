"""The pages as axe-core sees them, dark and light, on a phone and on a monitor."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.accessibility import SERIOUS, violations
from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_no_serious_violation(
    visit: Visit, scheme: Literal["light", "dark"], width: int, films: dict[str, Path]
) -> None:
    visitor = visit(width=width, color_scheme=scheme)
    found = {"start": violations(Axe(), visitor.page)}
    visitor.add(films["png"])
    visitor.wait_for_film()
    found["film"] = violations(Axe(), visitor.page)
    visitor.choose("Male")
    visitor.read()
    visitor.wait_for_pictures()
    found["answer"] = violations(Axe(), visitor.page)
    serious = {state: [v for v in seen if v.impact in SERIOUS] for state, seen in found.items()}
    assert not any(serious.values()), serious


def test_the_page_fits_a_phone(visit: Visit) -> None:
    visitor = visit(width=390, height=844)
    visitor.add_example()
    visitor.read()
    visitor.wait_for_pictures()
    # Waited for: pictures are laid out anew as they arrive.
    found = """document.querySelector('[data-testid="stMain"]')"""
    visitor.page.wait_for_function(f"(e => e.scrollWidth <= e.clientWidth)({found})")
    frame = visitor.page.locator(".frame")
    assert frame.evaluate("e => e.scrollWidth <= e.clientWidth"), "the rows fit, too"
