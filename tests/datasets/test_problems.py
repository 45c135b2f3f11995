"""What is wrong is counted by kind, in words."""

from __future__ import annotations

import pytest

from boneage.datasets.labels import Kind, Problem, ProblemList, count_by_kind, in_words
from boneage.errors import DataError


def test_problems_are_counted_by_kind_in_words() -> None:
    problems = ProblemList(strict=False)
    problems.add(Kind.DUPLICATE, "2", "id '2' is labelled twice")
    for name in ("7", "8", "9"):
        problems.add(Kind.NO_FILM, name, "there is no image of this id")
    assert in_words(problems.found) == "3 labels without image, 1 duplicate id"
    assert count_by_kind(problems.found) == {Kind.NO_FILM: 3, Kind.DUPLICATE: 1}
    assert str(problems.found[0]) == "2: id '2' is labelled twice"


def test_no_problems_give_an_empty_text() -> None:
    assert in_words([]) == ""
    assert count_by_kind([]) == {}


def test_a_strict_list_stops_at_the_first() -> None:
    with pytest.raises(DataError, match=r"^7: no film$"):
        ProblemList(strict=True).add(Kind.NO_FILM, "7", "no film")


def test_every_kind_has_singular_and_plural() -> None:
    message = [in_words([Problem(kind, "1", "")] * n) for kind in Kind for n in (1, 1_200)]
    assert len(set(message)) == 2 * len(Kind)
    assert all(text.startswith(("1 ", "1,200 ")) for text in message)
