"""Finished weights to start from: whether they can be, what they say, and what they load."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from boneage.errors import ProfileError, WeightsError
from boneage.training.export import sha256_of
from boneage.training.fine_tuning import BUNDLED, LOCAL_TERMS, TERMS, find_pretrained, terms_of
from tests.training.drawn import tiny_profile


def network(units: int = 3) -> keras.Model:
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(units)])


def change(folder: Path, how: Callable[[dict[str, Any]], None]) -> Path:
    path = folder / "manifest.json"
    table = json.loads(path.read_text())
    how(table)
    path.write_text(json.dumps(table))
    return folder


@pytest.fixture
def with_keras(weights_copy: Path) -> Path:
    """Small weights with a Keras file of each network, as the export leaves them."""

    def add(table: dict[str, Any]) -> None:
        table["profile"] = tiny_profile().to_dict()
        for name, entry in table["networks"].items():
            path = weights_copy / f"{name}.weights.h5"
            network().save_weights(path)
            entry |= {"keras_file": path.name, "keras_sha256": sha256_of(path)}

    return change(weights_copy, add)


def test_a_network_gets_the_finished_ones_weights(with_keras: Path) -> None:
    pretrained = find_pretrained(str(with_keras))
    assert pretrained.profile == tiny_profile()
    saved, fresh = network(), network()
    saved.load_weights(with_keras / "carpal.weights.h5")
    pretrained.load(fresh, "carpal")
    assert np.array_equal(fresh.get_weights()[0], saved.get_weights()[0])


def test_a_network_of_another_shape_is_refused(with_keras: Path) -> None:
    message = r"carpal.weights.h5' does not fit the profile's carpal network"
    with pytest.raises(ProfileError, match=message):
        find_pretrained(str(with_keras)).load(network(5), "carpal")


def test_a_changed_or_missing_file_is_refused(with_keras: Path) -> None:
    pretrained = find_pretrained(str(with_keras))
    (with_keras / "carpal.weights.h5").write_bytes(b"\x89HDF cut off")
    with pytest.raises(WeightsError, match=r"carpal.weights.h5' does not have the sha256"):
        pretrained.load(network(), "carpal")
    (with_keras / "carpal.weights.h5").unlink()
    with pytest.raises(WeightsError, match=r"no carpal.weights.h5 to fine-tune from in"):
        pretrained.load(network(), "carpal")
    with pytest.raises(WeightsError, match="'tiny-1' have no 'ulna' network"):
        pretrained.load(network(), "ulna")


def test_weights_without_keras_files_cannot_be_fine_tuned(weights: Path, tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match="no Keras file of 'attention'; without them, they can be used"
    ):
        find_pretrained(str(weights))
    with pytest.raises(WeightsError, match=r"no weights in .*none.*manifest\.json cannot be read"):
        find_pretrained(str(tmp_path / "none"))


def test_a_profile_of_another_version_is_reported(with_keras: Path) -> None:
    change(with_keras, lambda table: table["profile"]["fusion"].update(mood="fair"))
    with pytest.raises(
        WeightsError, match=r"'tiny-1' state a profile .* cannot train by: .*unknown key"
    ):
        _ = find_pretrained(str(with_keras)).profile


def test_the_identity_is_that_of_the_networks_alone(with_keras: Path) -> None:
    before = find_pretrained(str(with_keras)).identity
    change(with_keras, lambda table: table.update(metrics={}))
    assert find_pretrained(str(with_keras)).identity == before
    change(with_keras, lambda table: table["networks"]["carpal"].update(keras_sha256="0"))
    assert find_pretrained(str(with_keras)).identity != before


def test_the_origin_names_them_with_date_checksum_and_data(with_keras: Path) -> None:
    text = {"date": "2026-11-24", "commit": "b0945f0", "data": {"films": {"best_train": 9}}}
    change(with_keras, lambda table: table.update(text))
    digest = sha256_of(with_keras / "manifest.json")
    origin = find_pretrained(str(with_keras)).origin
    assert origin == {"name": "tiny-1", "sha256": digest, **text}


def test_terms_are_inherited_and_the_local_films_added_once(with_keras: Path) -> None:
    assert terms_of(None) == TERMS
    change(with_keras, lambda table: table["data"].update(terms=TERMS))
    terms = terms_of(find_pretrained(str(with_keras)))
    assert terms == f"{TERMS} {LOCAL_TERMS}"
    change(with_keras, lambda table: table["data"].update(terms=terms))
    assert terms_of(find_pretrained(str(with_keras))) == terms
    change(with_keras, lambda table: table.pop("data"))
    assert terms_of(find_pretrained(str(with_keras))) == terms, "unstated: those of the challenge"


def test_the_weights_that_ship_can_be_fine_tuned(bundled: Path) -> None:
    pretrained = find_pretrained(BUNDLED)
    assert pretrained.folder == bundled
    for name, digest in pretrained.identity["networks"].items():
        assert sha256_of(bundled / f"{name}.weights.h5") == digest


def test_weights_of_before_state_squeezed_copies_by_their_earlier_name(with_keras: Path) -> None:
    def as_before(table: dict[str, Any]) -> None:
        first, *_ = table["profile"]["attention"]["phases"]
        assert first.pop("squeezed_an_epoch") == 0
        first |= {"films": "thumbnails", "thumbnails_an_epoch": 400}
        for name in ("evened", "warm_up", "end_learning_rate", "label_months"):
            del first[name]

    profile = find_pretrained(str(change(with_keras, as_before))).profile
    assert profile.attention.phases[0].films == "squeezed"
    assert profile.attention.phases[0].squeezed_an_epoch == 400


def test_the_weights_that_ship_state_a_profile_that_is_understood(bundled: Path) -> None:
    assert find_pretrained(str(bundled)).profile.attention.phases[0].films == "squeezed"
