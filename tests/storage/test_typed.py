"""Typed settings, and the sentence for what they may not be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct

from boneage.errors import ProfileError
from boneage.storage.typed import broken_file, converted, read_toml


class Inner(Struct, frozen=True, forbid_unknown_fields=True):
    count: Annotated[int, Meta(ge=1, le=9)]
    names: tuple[Annotated[str, Meta(pattern="^[a-z]+$", description="a small word")], ...] = ()
    how: Literal["slow", "fast"] = "slow"
    rate: Annotated[float, Meta(gt=0)] | None = None

    def __post_init__(self) -> None:
        if self.count == 7:
            raise ValueError("7 brings bad luck")


class Outer(Struct, frozen=True, forbid_unknown_fields=True):
    inner: Inner
    more: Inner | None = None
    on: bool = False


def test_tables_become_settings() -> None:
    made = converted({"inner": {"count": 1, "names": ["a"]}}, Outer, "x", ProfileError)
    assert made == Outer(Inner(1, ("a",)))


@pytest.mark.parametrize(
    ("tables", "sentence"),
    [
        ({}, "x: inner is missing"),
        ({"inner": {}}, "x: inner.count is missing"),
        ({"outer": 1}, "x: unknown key 'outer' (= 1); valid keys: inner, more, on"),
        (
            {"inner": {"coun": 1}},
            "x: unknown key 'inner.coun' (= 1); valid keys: count, names, how, rate",
        ),
        ({"inner": 3}, "x: inner is 3; it must be a table"),
        ({"inner": {"count": 10}}, "x: inner.count is 10; it must be a whole number of at most 9"),
        ({"inner": {"count": "1"}}, "x: inner.count is '1'; it must be a whole number"),
        ({"inner": {"count": 1, "names": "a"}}, "x: inner.names is 'a'; it must be a list"),
        (
            {"inner": {"count": 1, "names": ["a", "B"]}},
            "x: inner.names is 'B'; it must be a small word",
        ),
        (
            {"inner": {"count": 1, "how": "so"}},
            "x: inner.how is 'so'; it must be one of 'slow', 'fast'",
        ),
        ({"inner": {"count": 1, "rate": 0}}, "x: inner.rate is 0; it must be a number above 0.0"),
        ({"inner": {"count": 7}}, "x: inner: 7 brings bad luck"),
        ({"inner": {"count": 1}, "on": 1}, "x: on is 1; it must be true or false"),
        ({"inner": {"count": 1}, "more": {}}, "x: more.count is missing"),
    ],
)
def test_errors_quote_key_and_value(tables: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ProfileError) as raised:
        converted(tables, Outer, "x", ProfileError)
    assert str(raised.value) == sentence


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    with pytest.raises(ProfileError, match=r"a\.toml' cannot be read"):
        read_toml(path, ProfileError)
    path.write_text("[a")
    with pytest.raises(ProfileError, match=r"a\.toml' is not valid TOML"):
        read_toml(path, ProfileError)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{", "it is not valid JSON (Expecting property name"),
        ("{}", "'limits' is missing"),
        ("[]", "it is not laid out as such a file is"),
        ('{"limits": "many"}', "could not convert string to float: 'many'"),
    ],
)
def test_a_broken_file_is_described_without_python(content: str, says: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)) as found:
        float(json.loads(content)["limits"])
    assert broken_file(found.value).startswith(says)
