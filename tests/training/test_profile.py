"""A profile says everything about a model, and says what is wrong with it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from boneage.errors import ProfileError
from boneage.imaging.preparing import Preparation
from boneage.training.profile import (
    Augmentation,
    FusionSpec,
    NetworkSpec,
    PhaseSpec,
    Profile,
    RegionSpec,
    bundled_profiles,
    load_profile,
    parse_profile,
)
from tests.training.drawn import TINY, bundled_text, toml

COMPACT = tomllib.loads(bundled_text("compact"))


def changed(old: str, new: str) -> str:
    assert old in TINY
    return TINY.replace(old, new, 1)


def leaves(table: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(table, dict):
        for key, value in table.items():
            yield from leaves(value, (*path, key))
    elif isinstance(table, list) and table and isinstance(table[0], dict):
        for i, value in enumerate(table):
            yield from leaves(value, (*path, i))
    else:
        yield path


@pytest.mark.parametrize("name", ["compact", "convnext", "long", "reference"])
def test_bundled_profiles_load(name: str) -> None:
    assert name in bundled_profiles()
    assert load_profile(name).name == name


def test_a_profile_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(TINY)
    assert load_profile(str(path)) == parse_profile(TINY)


def test_the_reference_profile_is_the_method_to_the_letter() -> None:
    assert load_profile("reference") == Profile(
        name="reference",
        seed=2017,
        preparation=Preparation((1.0, 99.0), 2.0, 64, "squeeze", antialias=False),
        augmentation=Augmentation(rotation_degrees=40.0, shift=0.2, zoom=0.2, horizontal_flip=True),
        attention=NetworkSpec(
            backbone="InceptionV3",
            input=(299, 299),
            output="sigmoid",
            phases=(PhaseSpec(60, 16, 1e-3, "binary_crossentropy", "best"),),
            initial_weights="none",
            sex_units=0,
            hidden=(),
            dropout=0.0,
        ),
        regions=RegionSpec(("carpal", "metacarpal"), 0.7, "box_to_lower_edge"),
        region=NetworkSpec(
            backbone="ResNet50",
            input=(224, 224),
            output="relu",
            phases=(PhaseSpec(30, 16, 3e-4, "mean_squared_error", "detailed"),),
            initial_weights="none",
            sex_units=0,
            hidden=(),
            dropout=0.0,
        ),
        fusion=FusionSpec(
            hidden=(128, 64, 32),
            training=PhaseSpec(10, 16, 1e-3, "mean_squared_error", optimizer="adam"),
            pooling="flatten",
            whole_hand=False,
            sex_units=0,
            dropout=0.0,
        ),
    )


def test_the_compact_profile_is_what_the_method_asks_of_it() -> None:
    profile = load_profile("compact")
    assert profile.fusion.whole_hand
    assert profile.fusion.pooling == "average"
    assert profile.fusion.sex_units == profile.attention.sex_units == 32
    assert profile.attention.initial_weights == "mobilenet_v2_notop.weights.h5"
    assert profile.regions.names[:2] == ("carpal", "metacarpal")


def test_a_profile_written_back_is_the_same_profile() -> None:
    assert parse_profile(toml(COMPACT)) == load_profile("compact")


def test_a_profile_becomes_plain_values_for_the_manifest() -> None:
    plain = load_profile("compact").to_dict()
    assert plain["preparation"]["stretch_percentiles"] == (1.0, 99.0)
    assert plain["attention"]["phases"][0]["batch"] == COMPACT["attention"]["phases"][0]["batch"]
    regions = json.loads(json.dumps(plain))["regions"]
    assert regions == {"exact": False, "zooms": []} | COMPACT["regions"]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (TINY + "colour = 1\n", ["colour' (= 1)", "valid keys: "]),
        (changed("sex_units = 4", "sex_unit = 4"), ["attention.sex_unit", "sex_units"]),
        (changed("seed = 5\n", ""), ["seed is missing"]),
        (changed("threshold = 0.7\n", ""), ["regions.threshold is missing"]),
        (changed("seed = 5", 'seed = "5"'), ["seed is '5'", "whole number"]),
        (changed("seed = 5", "seed = 5.5"), ["seed is 5.5", "whole number"]),
        (changed("seed = 5", "seed = true"), ["seed is True", "whole number"]),
        (changed("seed = 5", "seed = -5"), ["seed is -5", "negative"]),
        (changed("threshold = 0.7", "threshold = true"), ["regions.threshold is True", "a number"]),
        (changed("threshold = 0.7", "threshold = nan"), ["regions.threshold is nan", "finite"]),
        (changed("threshold = 0.7", "threshold = inf"), ["regions.threshold is inf", "finite"]),
        (changed("antialias = true", "antialias = 1"), ["antialias is 1", "true or false"]),
        (changed("hidden = [4]", "hidden = 4"), ["fusion.hidden is 4", "list"]),
        (changed("hidden = [4]", "hidden = [4, -1]"), ["fusion.hidden is -1", "negative"]),
        (changed("hidden = [4]", 'hidden = ["4"]'), ["fusion.hidden is '4'", "whole number"]),
        (changed("input = [32, 24]", "input = [32]"), ["attention.input is [32]", "list"]),
        (changed("input = [32, 24]", "input = 32"), ["attention.input is 32", "list"]),
        (changed('fit = "pad"', 'fit = "crop"'), ["fit is 'crop'", "'squeeze', 'pad'"]),
        (changed('loss = "huber"', 'loss = "hubris"'), ["loss is 'hubris'", "'huber'"]),
        (changed("epochs = 1", "epochs = 0"), ["epochs", "is 0", "more than 0"]),
        (changed("batch = 2", "batch = 0"), ["batch", "is 0", "more than 0"]),
        (changed("rate = 1e-3", "rate = 0.0"), ["learning_rate", "is 0.0", "more than 0"]),
        ("name = ", ["not valid TOML"]),
        ("", ["name is missing"]),
    ],
)
def test_what_is_wrong_is_quoted(text: str, messages: list[str]) -> None:
    with pytest.raises(ProfileError) as caught:
        parse_profile(text)
    for word in messages:
        assert word in str(caught.value)


def test_the_file_is_quoted_with_the_key_and_the_value(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(changed("batch = 2", 'batch = "two"'))
    with pytest.raises(
        ProfileError, match=r"mine.toml'.*attention.phases.batch is 'two'.*whole number"
    ):
        load_profile(str(path))


def test_a_value_in_place_of_a_table_is_quoted() -> None:
    text = toml({**COMPACT, "regions": 3})
    with pytest.raises(ProfileError, match="regions is 3; it must be a table"):
        parse_profile(text)


@pytest.mark.parametrize("network", ["attention", "region"])
def test_a_network_without_phases_is_no_network(network: str) -> None:
    text = toml({**COMPACT, network: {**COMPACT[network], "phases": []}})
    with pytest.raises(ProfileError, match=rf"{network}.phases is empty"):
        parse_profile(text)


@pytest.mark.parametrize(
    "names",
    [[], ["metacarpal"], ["metacarpal", "carpal"], ["carpal", "phalanx"], ["carpal", "thumb"]],
)
def test_regions_stand_on_the_ones_before(names: list[str]) -> None:
    text = toml({**COMPACT, "regions": {**COMPACT["regions"], "names": names}})
    with pytest.raises(ProfileError, match=r"regions\.names is") as caught:
        parse_profile(text)
    assert str(names) in str(caught.value)


def test_a_profile_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(
        ProfileError, match=r"no profile 'compat'.*'compact', 'convnext', 'long', 'reference'"
    ):
        load_profile("compat")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "film.toml"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(ProfileError, match=r"film.toml.* is not text"):
        load_profile(str(path))


@given(st.text(max_size=60))
def test_any_text_is_a_profile_or_a_profile_error(text: str) -> None:
    with pytest.raises(ProfileError):
        parse_profile(text)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-300, 300)
    | st.floats(-1e3, 1e3)
    | st.text("abc'\" \\é", max_size=5)
)


@given(st.sampled_from(list(leaves(COMPACT))), scalars | st.lists(scalars, max_size=3))
def test_any_value_anywhere_is_taken_as_it_is_or_refused(
    path: tuple[str | int, ...], value: Any
) -> None:
    def with_value(table: Any, keys: tuple[str | int, ...]) -> Any:
        if not keys:
            return value
        copy = table.copy()
        copy[keys[0]] = with_value(table[keys[0]], keys[1:])
        return copy

    values = value if isinstance(value, list) else [value]
    if None in values:  # TOML has no such value
        return
    try:
        profile = parse_profile(toml(with_value(COMPACT, path)))
    except ProfileError as error:
        assert str(path[-1]) in str(error)
        return
    taken: Any = profile
    for key in path:
        taken = taken[key] if isinstance(key, int) else getattr(taken, key)
    assert taken == (tuple(value) if isinstance(value, list) else value)


def test_ages_are_joined_only_where_features_are_averaged() -> None:
    fusion = replace(load_profile("reference").fusion, joins="ages")
    with pytest.raises(ProfileError, match="needs fusion"):
        replace(load_profile("reference"), fusion=fusion)


def test_a_profile_names_the_network_of_each_region() -> None:
    profile = load_profile("compact")
    assert list(profile.networks) == ["whole_hand", "carpal", "metacarpal", "phalanx"]
    assert profile.networks["whole_hand"] is profile.attention
    assert profile.networks["phalanx"] is profile.region


@pytest.mark.parametrize(
    "setting", ["warm_up = 1.0", "evened = 1.1", "end_learning_rate = 2e-3", "label_months = 0"]
)
def test_a_schedule_or_a_sampling_that_cannot_be_is_refused(setting: str) -> None:
    name = setting.split(maxsplit=1)[0]
    with pytest.raises(ProfileError, match=name):
        parse_profile(changed("learning_rate = 1e-3", f"learning_rate = 1e-3\n{setting}"))


def test_a_profile_that_is_written_anew_uses_the_names_of_today() -> None:
    with pytest.raises(ProfileError, match="'squeezed'"):
        parse_profile(changed('films = "squeezed"', 'films = "thumbnails"'))
