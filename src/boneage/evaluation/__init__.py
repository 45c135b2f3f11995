"""Measuring the readings: how far off, and where they look."""
