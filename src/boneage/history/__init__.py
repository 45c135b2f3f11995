"""Bone ages of a child over time, kept under a pseudonym, and only where somebody asked."""
