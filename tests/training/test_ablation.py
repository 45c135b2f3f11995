"""Leaving out a part: which variants there are, and that they differ in that part alone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace as changed

from boneage.apps.cli import main
from boneage.datasets.films import load_films
from boneage.errors import DataError, ProfileError
from boneage.training import fitting, network_training
from boneage.training.ablation import inputs as ablation_inputs
from boneage.training.ablation import networks as ablation_networks
from boneage.training.ablation.ablation import ablate, profile_of_run, selected_variants
from boneage.training.ablation.inputs import input_variants, inputs_baseline, load_run
from boneage.training.ablation.networks import backbone_variants, network_variants
from boneage.training.ablation.study import Facts, Months, Plan, Variant, carry_out
from boneage.training.images import CachedImages
from boneage.training.monitoring import read_log
from boneage.training.networks import region as region_networks
from boneage.training.networks.layers import ChannelAttention, SpatialAttention
from boneage.training.networks.region import build_attention_network, build_region_network
from boneage.training.profile import Profile, load_profile, parse_profile, plain, profile_of
from boneage.training.run import Run
from boneage.training.stages import train
from tests.conftest import drawn_hand, write_png
from tests.training.drawn import TINY, film_of, small_backbone, write_labels

FILMS = 24
ONE_REGION = (
    TINY.replace('["carpal", "metacarpal", "phalanx"]', '["carpal"]')
    .replace("horizontal_flip = true", "horizontal_flip = false")
    .replace("[fusion]\n", '[fusion]\npooling = "average"\nwhole_hand = true\nsex_units = 2\n')
)
ONE_PHASE = (
    ONE_REGION[: ONE_REGION.index("[[attention")] + ONE_REGION[ONE_REGION.rindex("[[attention") :]
)
"""As few networks, and as short trainings, as a run can have."""


def quiet(_: str) -> None:
    pass


def write_films(folder: Path) -> Path:
    """Drawn hands in the official layout: the older, the brighter."""
    for number in range(1, FILMS + 1):
        film = drawn_hand(160, 128, top=4_000 + 400 * number)
        write_png(folder / "boneage-training-dataset" / f"{number}.png", film)
    return write_labels(folder, [f"{n},{12 + 8 * n},{n % 2 == 0}" for n in range(1, FILMS + 1)])


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_films(tmp_path_factory.mktemp("films"))


@pytest.fixture(scope="module", autouse=True)
def _small() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(region_networks, "build_backbone", small_backbone)
        yield


@pytest.fixture(scope="module")
def profile_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("profile") / "one.toml"
    path.write_text(ONE_PHASE)
    return path


@pytest.fixture(scope="module")
def run(data: Path, profile_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that boneage train made, up to its fusion."""
    folder = tmp_path_factory.mktemp("run")
    train(str(profile_file), Run(folder, data), stage="fusion")
    return folder


@pytest.fixture(scope="module")
def profile() -> Profile:
    return parse_profile(ONE_PHASE)


def differences(one: Any, other: Any, path: str = "") -> list[str]:
    """Where two plain values differ."""
    if isinstance(one, Mapping):
        return [d for key in one for d in differences(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, list | tuple) and len(one) == len(other) == 1:
        return differences(one[0], other[0], f"{path}[0]")
    return [] if one == other else [path[1:]]


def test_inputs_are_left_out_with_and_without_the_sex() -> None:
    names = [variant.name for variant in input_variants(load_profile("compact"))]
    assert names[::2] == [f"{name}+sex" for name in names[1::2]]
    assert names[1::2] == [
        "carpal",
        "metacarpal",
        "whole_hand",
        "carpal+metacarpal",
        "carpal+metacarpal+phalanx",
        "carpal+metacarpal+phalanx+whole_hand",
    ]
    labels = [variant.label for variant in input_variants(load_profile("compact"))][::2]
    assert labels[2:] == [
        "whole hand alone",
        "carpal + metacarpal",
        "both + phalanx",
        "both + phalanx + whole hand",
    ]
    reference = load_profile("reference")
    assert [v.name for v in input_variants(reference)][1::2] == [
        "carpal",
        "metacarpal",
        "carpal+metacarpal",
    ]
    assert inputs_baseline(reference) == "carpal+metacarpal+sex"


@pytest.mark.parametrize(
    ("name", "changed"),
    [
        ("no-cbam", ["attention.cbam_reduction"]),
        ("clahe-none", ["preparation.clahe_clip_limit"]),
        ("clahe-64", ["preparation.clahe_tiles"]),
        ("no-sex", ["attention.sex_units"]),
        ("heat-map-cbam", ["attention.heat_map_after", "attention.phases[0].focus"]),
    ],
)
def test_a_network_differs_from_the_baseline_in_its_part_alone(
    name: str, changed: list[str]
) -> None:
    variants = network_variants(load_profile("compact"), 5)
    baseline, other = plain(variants["baseline"][1]), plain(variants[name][1])
    assert sorted(differences(baseline, other)) == changed


def test_the_schedule_is_short_and_the_same_for_all() -> None:
    compact = load_profile("compact")
    half = tuple(side // 2 for side in compact.attention.input)
    variants = network_variants(compact, 5)
    assert "clahe-8" not in variants, "that is the baseline"
    for _, profile in variants.values():
        assert profile.attention.input == half
        (phase,) = profile.attention.phases
        assert (phase.films, phase.epochs, phase.input) == ("detailed", 5, None)
        assert (phase.detailed_times, phase.squeezed_an_epoch) == (1, 0)


def test_what_a_profile_lacks_is_added_instead() -> None:
    reference = load_profile("reference")
    bare = changed(
        reference,
        attention=changed(reference.attention, cbam_reduction=0),
        preparation=changed(reference.preparation, clahe_clip_limit=0.0, clahe_tiles=8),
    )
    variants = network_variants(bare, 1)
    assert set(variants) == {"baseline", "cbam", "clahe-8", "clahe-64", "sex"}
    assert variants["baseline"][0].label == "baseline: no CBAM, no CLAHE, sex not seen"
    assert variants["cbam"][1].attention.cbam_reduction > 0
    assert variants["sex"][1].attention.sex_units > 0
    assert variants["clahe-8"][1].preparation.clahe_clip_limit == 2.0


def test_a_network_without_cbam_has_no_attention_and_still_a_heat_map(profile: Profile) -> None:
    spec = changed(profile.attention, cbam_reduction=0)
    network = build_attention_network(spec)
    assert not [x for x in network.layers if isinstance(x, ChannelAttention | SpatialAttention)]
    film = np.random.default_rng(0).uniform(0, 255, (1, 32, 24, 1)).astype(np.float32)
    answer = network({"film": film, "sex": np.array([0])})
    rgb = np.repeat(film / 127.5 - 1, 3, axis=-1)
    expected = np.asarray(network.get_layer("backbone")(rgb)).sum(axis=-1)
    assert np.asarray(answer["heat_map"]) == pytest.approx(expected, abs=1e-4)


def test_a_second_cbam_without_cbam_is_refused() -> None:
    spec = load_profile("compact")
    with pytest.raises(ProfileError, match="heat_map_after needs a CBAM"):
        changed(spec, attention=changed(spec.attention, cbam_reduction=0))


@pytest.mark.parametrize("name", ["compact", "convnext", "reference"])
def test_a_profile_comes_back_from_a_manifest(name: str) -> None:
    profile = load_profile(name)
    assert profile_of(json.loads(json.dumps(profile.to_dict()))) == profile


def test_features_hold_nothing_of_the_sex(profile: Profile) -> None:
    spec = changed(profile.attention, sex_units=4)
    film = np.random.default_rng(0).uniform(0, 255, (2, 32, 24, 1)).astype(np.float32)
    film[1] = film[0]
    codes = np.array([0, 1], np.int32)
    whole, region = build_attention_network(spec), build_region_network(spec, flatten=False)
    for network in (whole, region):
        answer = network({"film": film, "sex": codes})
        girl, boy = np.asarray(answer["feature"])
        assert np.array_equal(girl, boy)
        girl, boy = np.asarray(answer["age"])
        assert girl != boy, "the head sees it"


def test_what_is_asked_for_comes_with_its_baseline() -> None:
    profile = load_profile("compact")
    every = selected_variants(profile, 1, ())
    assert {name: len(names) for name, names in every.items()} == {"inputs": 12, "networks": 6}
    assert selected_variants(profile, 1, ["networks"]) == {"networks": every["networks"]}
    assert selected_variants(profile, 1, ["no-sex", "carpal"]) == {
        "inputs": ("carpal", "carpal+metacarpal+phalanx+whole_hand+sex"),
        "networks": ("baseline", "no-sex"),
    }
    with pytest.raises(
        DataError, match="no study or variant is called 'clahe-8'; give one of inputs, net"
    ):
        selected_variants(profile, 1, ["no-sex", "clahe-8"])


def plan_of_numbers(trained: list[str], fail_at: str = "", value: float = 1.0) -> Plan:
    """A study whose training writes down that it was called."""
    films = (film_of(Path("1.png"), "1"), film_of(Path("2.png"), "2"))

    def train(variant: Variant, seed: int, folder: Path) -> tuple[Months, Facts]:
        assert folder.is_dir()
        print("a line of Keras")
        if variant.name == fail_at:
            raise DataError("killed")
        trained.append(f"{variant.name}{seed}")
        months = {"1": value + seed, "2": value} if variant.name == "a" else {"1": value}
        return months, {}

    variants = Variant("a", "A"), Variant("b", "B")
    return Plan("inputs", "a", variants, 2, films, train, {"value": value}, {"epochs": 1})


def test_a_killed_study_resumes_and_trains_nothing_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trained: list[str] = []
    with pytest.raises(DataError, match="killed"):
        carry_out(plan_of_numbers(trained, fail_at="b"), tmp_path, quiet)
    assert trained == ["a0", "a1"]
    messages: list[str] = []
    for _ in range(2):
        study = carry_out(plan_of_numbers(trained), tmp_path, messages.append)
    assert trained == ["a0", "a1", "b0", "b1"]
    assert messages == ["inputs, 2 to train: b-seed-0", "inputs, 1 to train: b-seed-1"]
    assert not (tmp_path / "work" / "inputs").exists()
    assert not list((tmp_path / "work").iterdir())
    assert [film.id for film in study.films] == ["1"], "film 2 was not read by b"
    assert study.outcomes[0].predicted_months.tolist() == [[1], [2]]
    assert study.facts == {"epochs": 1, "seeds": 2}
    assert "Keras" not in capsys.readouterr().out
    assert "a line of Keras" in (tmp_path / "logs" / "inputs-a-seed-0.log").read_text()


def test_a_folder_of_another_recipe_is_refused(tmp_path: Path) -> None:
    carry_out(plan_of_numbers([]), tmp_path, quiet)
    with pytest.raises(DataError, match=r"inputs\.jsonl' was begun with other"):
        carry_out(plan_of_numbers([], value=2.0), tmp_path, quiet)


def test_nothing_in_common_is_no_comparison(tmp_path: Path) -> None:
    plan = replace(plan_of_numbers([]), held_out=(film_of(Path("2.png"), "2"),))
    with pytest.raises(DataError, match="no held-out image was analysed by every variant"):
        carry_out(plan, tmp_path, quiet)


def test_the_features_of_a_run_come_with_their_labels(
    run: Path, data: Path, profile: Profile
) -> None:
    found = load_run(profile, load_films(data), run)
    assert set(found.held_out.features) == {"whole_hand", "carpal"}
    assert len(found.train.films) + len(found.held_out.films) == FILMS
    assert all(film.split == "train" for film in found.train.films)


def relabelled(data: Path, folder: Path) -> Path:
    """The same films with other ages."""
    shutil.copytree(data, folder)
    return write_labels(folder, [f"{n},{230 - 8 * n},{n % 2 == 0}" for n in range(1, FILMS + 1)])


def test_other_labels_than_the_runs_are_found_out(
    run: Path, data: Path, profile: Profile, tmp_path: Path
) -> None:
    other = load_films(relabelled(data, tmp_path / "other"))
    with pytest.raises(DataError, match=r"erred by .* they are not those it was validated on"):
        load_run(profile, other, run)
    (tmp_path / "fewer").mkdir()
    fewer = load_films(write_films(tmp_path / "fewer"))
    fewer = replace(fewer, films=fewer.films[1:])
    with pytest.raises(DataError, match=r"features of .* but there are"):
        load_run(profile, fewer, run)


def test_withheld_inputs_are_not_there_and_a_withheld_sex_is_everyones(
    run: Path, data: Path, profile: Profile
) -> None:
    seen = load_run(profile, load_films(data), run).train
    assert set(seen.inputs["sex"]) == {0, 1}
    chosen = ablation_inputs.only(seen, ["carpal", "sex"]).inputs
    assert set(chosen) == {"carpal", "sex"}
    assert set(chosen["sex"]) == {0, 1}
    blind = ablation_inputs.only(seen, ["whole_hand"])
    assert set(blind.inputs) == {"whole_hand", "sex"}
    assert set(blind.inputs["sex"]) == {0}
    assert blind.ages_months.tolist() == seen.ages_months.tolist()


@pytest.mark.parametrize(
    ("path", "messages"),
    [
        ("fusion/final.weights.h5", "has no finished fusion"),
        ("fusion/features-validation/carpal.npy", "has no validation features of 'carpal'"),
        ("regions/regions.csv", r"has no regions\.csv"),
    ],
)
def test_an_unfinished_run_is_named(
    run: Path, data: Path, profile: Profile, tmp_path: Path, path: str, messages: str
) -> None:
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    (copy / path).unlink()
    with pytest.raises(DataError, match=messages):
        load_run(profile, load_films(data), copy)


def test_another_profile_than_the_runs_is_refused(run: Path, data: Path, profile: Profile) -> None:
    wider = changed(profile, fusion=changed(profile.fusion, hidden=(5,)))
    with pytest.raises(DataError, match="is not the profile's"):
        load_run(wider, load_films(data), run)


def state(folder: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in folder.rglob("*")}


def test_heads_are_trained_on_some_inputs_and_the_run_is_left_alone(
    run: Path, data: Path, profile_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(run)
    monkeypatch.setattr(ablation_inputs, "SEEDS", 1)
    profile, studies = ablate(
        run,
        data,
        tmp_path,
        profile_name=str(profile_file),
        only=["carpal"],
        epochs=1,
        seconds=1.0,
        report=quiet,
    )
    (study,) = studies
    assert profile.name == "tiny"
    assert study.baseline == "carpal+whole_hand+sex"
    blind, whole = (o.predicted_months[0] for o in study.outcomes)
    assert not np.array_equal(blind, whole)

    logged = read_log(run / "fusion")[-1]["val_mae_months"]
    ages = np.array([film.age_months for film in study.films])
    assert np.abs(whole - ages).mean() == pytest.approx(logged, abs=1e-3), "seed 0 is the run's own"
    assert state(run) == before, "nothing is written into the run"


def test_networks_are_trained_by_the_one_training_loop(
    run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[tuple[int, ...]] = []

    def counted(network: keras.Model, *arguments: Any, **options: Any) -> None:
        fitted.append(network.input["film"].shape[1:3])
        fitting.fit(network, *arguments, **options)

    monkeypatch.setattr(network_training, "fit", counted)
    path = tmp_path / "one.toml"
    path.write_text(ONE_PHASE)
    for _ in range(2):
        _, (study,) = ablate(
            run,
            data,
            tmp_path / "out",
            profile_name=str(path),
            only=["no-cbam"],
            epochs=1,
            seconds=1.0,
            limit=8,
            report=quiet,
        )
    assert fitted == [(16, 12), (16, 12)], "two variants, and nothing the second time"
    assert [o.variant.name for o in study.outcomes] == ["baseline", "no-cbam"]
    assert study.facts["train_films"] == 8
    assert all(np.isfinite(o.predicted_months).all() for o in study.outcomes)


def test_backbones_differ_in_the_backbone_and_its_start_alone() -> None:
    variants = backbone_variants(load_profile("compact"))
    assert [variant.label for variant, _ in variants.values()] == [
        "MobileNetV2 from mobilenet_v2_notop.weights.h5",
        "MobileNetV2 from random numbers",
        "ConvNeXtTiny from random numbers",
        "ViTTiny from random numbers",
    ]
    own, *others = (plain(profile) for _, profile in variants.values())
    for other in others:
        assert set(differences(own, other)) <= {"attention.backbone", "attention.initial_weights"}
    bare = parse_profile(ONE_PHASE)
    assert list(backbone_variants(bare)) == ["own", "convnext", "vit"]


def test_backbones_are_compared_only_when_asked_for() -> None:
    profile = load_profile("compact")
    assert "backbones" not in selected_variants(profile, 1, ())
    assert selected_variants(profile, 1, ["vit"]) == {"backbones": ("own", "vit")}


def test_backbones_are_trained_for_a_time_and_read_the_fold_that_they_do_not_know(
    run: Path, data: Path, profile_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folds: list[set[str]] = []
    original = ablation_networks._train_for

    def watched(seconds: float, profile: Profile, train: CachedImages, *rest: Any) -> Any:
        folds.append({film.id for film in train.films})
        assert seconds == 1.0
        return original(seconds, profile, train, *rest)

    monkeypatch.setattr(ablation_networks, "_train_for", watched)
    monkeypatch.setattr(ablation_networks, "films_per_second", lambda *_: 30.0)
    _, (study,) = ablate(
        run,
        data,
        tmp_path,
        profile_name=str(profile_file),
        only=["vit"],
        epochs=1,
        seconds=2.0,
        report=quiet,
    )
    read = {film.id for film in study.films}
    assert all(film.split == "train" for film in study.films)
    assert folds[0] | folds[1] == read
    assert not folds[0] & folds[1], "two folds, and each is trained on the other"
    trained = study.facts["trained"]
    assert set(trained) == {"own", "vit"}
    assert trained["own"]["films_per_second"] == 30.0
    # In a second at that pace, to the nearest whole number of short epochs.
    assert 15 <= trained["own"]["films"] <= 45


def boneage(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["ablate", *map(str, arguments)])


def test_the_command_writes_what_it_states(
    run: Path, data: Path, profile: Profile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation_inputs, "SEEDS", 1)
    copy = Path(shutil.copytree(run, tmp_path / "mine"))
    (copy / "weights").mkdir()
    manifest = json.dumps({"profile": profile.to_dict()})
    (copy / "weights" / "manifest.json").write_text(manifest)
    out = tmp_path / "out"
    result = boneage("--run", copy, "--data", data, "--only", "carpal+whole_hand+sex", "--out", out)
    assert result.exit_code == 0, result.output
    assert "inputs: mean absolute error in months" in result.output
    assert "carpal+whole_hand+sex" in result.output
    for name in ("ablation.json", "ablation.csv", "predictions.csv", "ablation.html"):
        assert (out / name).is_file()
    assert (out / "figures" / "ablation.png").read_bytes().startswith(b"\x89PNG")


def test_wrong_usage_is_a_sentence(run: Path, data: Path, tmp_path: Path) -> None:
    result = boneage("--run", run, "--data", data, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "does not state the run's profile" in result.output
    assert "give it with --profile" in result.output
    result = boneage(
        *("--run", run, "--data", data, "--profile", "compact"),
        *("--only", "networks", "--out", tmp_path / "out"),
    )
    assert result.exit_code == 2
    assert "name its folder with --initial-weights" in result.output


def test_a_manifest_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "weights").mkdir()
    for text in ("{", "{}", '"text"', '{"profile": {"name": "x"}}'):
        (tmp_path / "weights" / "manifest.json").write_text(text)
        with pytest.raises(ProfileError):
            profile_of_run(tmp_path)
