"""Fitting the quality check: what tells a hand from everything else, and its orientation."""
