"""Fitting the gate: what tells a film of a hand from everything else, and how it lies."""
