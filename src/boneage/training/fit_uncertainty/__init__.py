"""Fits on labelled films that no network saw: an interval for weights, a line for a clinic."""
