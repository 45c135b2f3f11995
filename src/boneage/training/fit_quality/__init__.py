"""Fitting the quality check: a hand against everything else, and its orientation."""
