"""What axe-core finds wrong with a page."""

from __future__ import annotations

from dataclasses import dataclass

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Violation:
    """One rule that a page breaks."""

    rule: str
    impact: str
    """``minor``, ``moderate``, ``serious`` or ``critical``."""
    where: tuple[str, ...]


def violations(axe: Axe, page: Page) -> list[Violation]:
    """Check a page as it stands, once what moves has come to rest."""
    page.wait_for_timeout(500)
    return [
        Violation(
            found["id"],
            found["impact"],
            tuple(str(node["target"]) for node in found["nodes"]),
        )
        for found in axe.run(page).response["violations"]
    ]
