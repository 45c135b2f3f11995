"""Bone ages of a child over time, kept under a pseudonym, and only where somebody asked."""

HISTORY_VARIABLE = "BONEAGE_HISTORY"
"""Names the history that the dashboard keeps answers in; without it, none."""
