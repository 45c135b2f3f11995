"""Bone ages of a child over time, stored under a pseudonym, and only where the user asks."""

HISTORY_VARIABLE = "BONEAGE_HISTORY"
"""Names the history that the dashboard saves to; without it, none."""
