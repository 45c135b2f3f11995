"""Work on many items that goes on where it stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boneage.storage.parallel import Journal, resumed


@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_noted_is_not_done_again(tmp_path: Path, workers: int) -> None:
    done: list[int] = []

    def square(number: int, noted: Any) -> int:
        if noted is not None:
            return int(noted["square"])
        done.append(number)
        return number**2

    def note(result: int) -> dict[str, int] | None:
        return None if result == 9 else {"square": result}  # as if 3 had failed

    for numbers in ((1, 2, 3), (1, 2, 3, 4)):
        with Journal(tmp_path / "journal", {}) as journal:
            found = resumed(square, numbers, journal, workers, key=str, to_record=note)
            assert list(found) == [number**2 for number in numbers]
    assert sorted(done) == [1, 2, 3, 3, 4]
    lines = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [line.get("key") for line in lines] == [None, "1", "2", "4"]


def test_more_of_an_item_is_noted_beside_what_was_there(tmp_path: Path) -> None:
    def add(item: str, noted: Any) -> tuple[str, ...]:
        return (*(noted or ()), item)

    for expected in (("a",), ("a", "a")):
        with Journal(tmp_path / "journal", {}) as journal:
            found = resumed(add, "a", journal, 1, key=str, to_record=lambda result: result)
            assert list(found) == [expected]
    assert Journal(tmp_path / "journal", {}).done == {"a": ["a", "a"]}


def test_without_a_journal_everything_is_done() -> None:
    found = resumed(lambda item, noted: (item, noted), [1, 2], None, 2, key=str, to_record=str)
    assert list(found) == [(1, None), (2, None)]
