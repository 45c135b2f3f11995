"""What holds on every page: leaving asks first, and a stopped server says so in our words."""

from __future__ import annotations

from boneage.apps.dashboard.components import component
from boneage.apps.dashboard.language import page_words
from boneage.apps.dashboard.visit import Visit


def guard() -> None:
    """Draw nothing, and watch."""
    stopped = page_words().gettext(
        "The boneage server has stopped. What you see stays on this page until you close it; to go "
        "on, start boneage again and add the images anew."
    )
    visit = Visit.current()
    data = {
        "keep": bool(visit.entries),
        "stopped": stopped,
        "end": f"/visit/{visit.name}/end",
    }
    component("guard")(data=data, key="guard")
