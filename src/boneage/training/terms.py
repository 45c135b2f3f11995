"""On what terms trained weights may be used: those of all films they learned from."""

from __future__ import annotations

from typing import Any

from boneage.training.finished import Finished

TERMS = (
    "RSNA Pediatric Bone Age Challenge 2017: research and education, not commercial use. "
    "Cite Halabi et al., Radiology 2019;290:498-503."
)
LOCAL_TERMS = "Fine-tuned on local films: whoever holds those states their terms."


def terms_of(finished: Finished | None) -> str:
    """The terms for the manifest.

    Fine-tuning takes none away: what binds the weights it started from binds
    all that descends from them.
    """
    if finished is None:
        return TERMS
    data: dict[str, Any] = finished.manifest.table.get("data", {})
    inherited: str = data.get("terms", TERMS)
    return f"{inherited.removesuffix(LOCAL_TERMS).rstrip()} {LOCAL_TERMS}"
