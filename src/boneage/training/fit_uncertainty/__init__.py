"""Calibrating on labelled films that no network saw: weights get an interval, a clinic a line."""
