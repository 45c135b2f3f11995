"""A slice of the fuzzing that ``make fuzz`` does at length, in a worker that may die."""

from __future__ import annotations

import pytest

from tools.fuzz import CRASH, HANG, Tally, Worker, corrupted, fuzz, seeds

INPUTS = 150


@pytest.mark.slow
def test_corrupted_images_end_in_an_image_or_a_reason() -> None:
    tally = [so_far for _, so_far in fuzz(1_000_000, INPUTS)][-1]
    assert tally.findings == []
    assert tally.inputs == INPUTS
    assert tally.films
    assert sum(tally.refused.values()) > tally.films


def test_a_number_gives_the_same_input() -> None:
    fast, slow = seeds()
    assert (fast, slow) == seeds()
    assert corrupted(7, fast, slow) == corrupted(7, fast, slow)
    assert len({corrupted(number, fast, slow) for number in range(50)}) > 40


@pytest.mark.parametrize("outcome", ["bug", HANG, CRASH, "memory"])
def test_what_goes_wrong_is_a_finding(outcome: str) -> None:
    tally = Tally()
    assert tally.count(3, outcome, "why")
    assert tally.table()["findings"] == [{"input": 3, "outcome": outcome, "detail": "why"}]


@pytest.mark.slow
def test_a_worker_that_dies_or_waits_is_noticed() -> None:
    worker = Worker()
    try:
        assert worker.answer(0.1)[0] == HANG
        worker.process.kill()
        worker.process.wait()
        assert worker.read(b"film", 5.0)[0] == CRASH
    finally:
        worker.stop()
