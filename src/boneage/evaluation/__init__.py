"""Measuring the readings: numpy only, so that anyone who can read can measure."""
