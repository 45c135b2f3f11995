"""Stage 2: the regions of every film, found once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from msgspec.structs import replace as changed

from boneage.datasets.films import Films, load_films
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box
from boneage.errors import FilmError, ProfileError
from boneage.training import regions
from boneage.training.networks import region as region_networks
from boneage.training.networks.region import build_attention_network
from boneage.training.regions import (
    COLUMNS,
    FoundRegion,
    find_all_regions,
    keras_attention,
    measured_fallback,
    prepare_crops,
)
from boneage.training.run import Run
from tests.training.drawn import FILM_SHAPE, grey_hand, small_backbone, tiny_profile

PROFILE = tiny_profile()
REGIONS = PROFILE.regions.names
Found = dict[tuple[str, str], FoundRegion]


class BrightIsHot:
    """An attention that goes to what is bright, and counts the films it looked at."""

    def __init__(self) -> None:
        self.looked = 0

    def __call__(self, canvases: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        self.looked += len(canvases)
        n, rows, cols = canvases.shape
        cells = canvases.reshape(n, rows // 4, 4, cols // 4, 4)
        return np.asarray(cells.mean(axis=(2, 4)), np.float32)


@pytest.fixture
def attention(monkeypatch: pytest.MonkeyPatch) -> BrightIsHot:
    attend = BrightIsHot()
    monkeypatch.setattr(regions, "keras_attention", lambda _, **__: attend)
    return attend


@pytest.fixture
def films(official: Path) -> Films:
    return load_films(official)


def detection(films: Films, run: Run) -> Found:
    return find_all_regions(None, PROFILE, films, run)


def table(run: Run) -> Path:
    return run.folder / "regions" / "regions.csv"


def journal(run: Run) -> Path:
    return run.folder / "regions" / "regions.jsonl"


def found_region(film: str, box: Box, *, found: bool = True) -> FoundRegion:
    return FoundRegion(film, CARPAL, box.edges, (200, 100), found)


def test_every_film_gets_every_region(films: Films, tmp_path: Path, attention: BrightIsHot) -> None:
    run = Run(tmp_path / "run", tmp_path)
    found = detection(films, run)
    assert set(found) == {(film.id, region) for film in films.films for region in REGIONS}
    carpal, metacarpal = found["1", CARPAL], found["1", METACARPAL]
    assert carpal.film_size[0] == FILM_SHAPE[0]
    assert carpal.film_size[1] < FILM_SHAPE[1], "air beside the drawn hand is cut off"
    assert carpal.edges.top < 0.75 * 160 < carpal.edges.bottom
    assert metacarpal.edges.top < 0.5 * 160 < metacarpal.edges.bottom <= carpal.edges.top + 5
    assert table(run).read_text().splitlines()[0] == ",".join(COLUMNS)


def test_a_second_run_detects_nothing_again(
    films: Films, tmp_path: Path, attention: BrightIsHot
) -> None:
    run = Run(tmp_path / "run", tmp_path)
    found = detection(films, run)
    attention.looked = 0
    assert detection(films, run) == found
    assert attention.looked == 0


@pytest.mark.parametrize("cut", [1, 3, 12, 40])
def test_a_journal_that_was_cut_off_in_a_line_is_resumed(
    films: Films, tmp_path: Path, attention: BrightIsHot, cut: int
) -> None:
    run = Run(tmp_path / "run", tmp_path)
    found = detection(films, run)
    whole, rows = journal(run).read_bytes(), table(run).read_bytes()
    journal(run).write_bytes(whole[: len(whole) // 2 - cut])
    table(run).unlink()
    attention.looked = 0
    assert detection(films, run) == found
    assert 0 < attention.looked < len(films.films) * len(REGIONS), "only what was missing"
    assert sorted(table(run).read_bytes().split()) == sorted(rows.split())


def test_a_journal_cut_off_anywhere_gives_the_same_regions(
    films: Films, tmp_path: Path, attention: BrightIsHot
) -> None:
    run = Run(tmp_path / "run", tmp_path)
    two = replace(films, films=films.films[:2])
    found = detection(two, run)
    whole = journal(run).read_bytes()
    for end in range(0, len(whole), 7):
        journal(run).write_bytes(whole[:end])
        assert detection(two, run) == found, end


def test_a_film_that_cannot_be_read_is_named_and_left_out(
    films: Films, tmp_path: Path, attention: BrightIsHot, capsys: pytest.CaptureFixture[str]
) -> None:
    films.films[1].path.write_bytes(b"no film at all")
    found = detection(films, Run(tmp_path / "run", tmp_path))
    assert {film for film, _ in found} == {"1", "3", "4", "5", "6"}
    assert "skipped 2: '2.png'" in capsys.readouterr().out
    with pytest.raises(FilmError):
        detection(films, Run(tmp_path / "strict", tmp_path, strict=True))


def test_a_folder_of_broken_films_gives_no_regions(
    films: Films, tmp_path: Path, attention: BrightIsHot
) -> None:
    for film in films.films:
        film.path.write_bytes(b"no film at all")
    assert detection(films, Run(tmp_path / "run", tmp_path)) == {}


def test_only_films_of_useful_resolution_are_used(
    rich: Path, tmp_path: Path, attention: BrightIsHot
) -> None:
    found = detection(load_films(rich), Run(tmp_path / "run", tmp_path))
    assert {film for film, _ in found} == {"1", "3"}


def test_the_attention_network_gives_the_heat_maps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    network = build_attention_network(PROFILE.attention)
    canvases = np.stack([grey_hand((32, 24)), np.zeros((32, 24), np.uint8)])
    heat_maps = keras_attention(network)(canvases)
    films = canvases[..., np.newaxis].astype(np.float32)
    for sex in (0, 1):
        answer = network({"film": films, "sex": np.full(2, sex, np.int32)})
        assert np.allclose(heat_maps, np.asarray(answer["heat_map"]), rtol=1e-4)


def test_the_mirror_image_has_the_mirrored_heat_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(region_networks, "build_backbone", small_backbone)
    network = build_attention_network(PROFILE.attention)
    canvas = np.random.default_rng(5).integers(0, 256, (1, 32, 24), dtype=np.uint8)
    alone = keras_attention(network)
    assert not np.allclose(alone(canvas), alone(canvas[:, :, ::-1])[:, :, ::-1], rtol=1e-3)
    both = keras_attention(network, mirror=True)
    assert np.allclose(both(canvas), both(canvas[:, :, ::-1])[:, :, ::-1], rtol=1e-4)


def test_the_fallback_is_the_median_of_what_was_found() -> None:
    found = [
        found_region("1", Box(20, 10, 40, 30)),
        found_region("2", Box(40, 20, 60, 50)),
        found_region("3", Box(60, 40, 180, 90)),
        found_region("4", Box(0, 0, 200, 100), found=False),
        replace(found_region("1", Box(100, 0, 200, 50)), region=PHALANX, film_size=(400, 100)),
    ]
    fallback = measured_fallback(found)
    assert fallback == {
        CARPAL: pytest.approx((0.2, 0.2, 0.3, 0.5)),
        PHALANX: pytest.approx((0.25, 0.0, 0.5, 0.5)),
    }


def test_where_nothing_was_found_nothing_is_measured() -> None:
    assert measured_fallback([found_region("1", Box(0, 0, 2, 2), found=False)]) == {}


def test_the_plan_is_the_profiles() -> None:
    plan = PROFILE.regions.plan
    assert (plan.names, plan.threshold, plan.carpal_mask) == (REGIONS, 0.7, "rows_to_lower_edge")


def test_a_phase_of_every_film_lets_regions_be_cut_from_all(
    rich: Path, tmp_path: Path, attention: BrightIsHot
) -> None:
    """One copy of each film, the better one; those of useful resolution stand first."""
    films, run = load_films(rich), Run(tmp_path / "run", tmp_path)
    coarse, fine = (changed(PROFILE.region.phases[0], films=kind) for kind in ("best", "detailed"))
    profile = changed(
        PROFILE,
        region=changed(PROFILE.region, phases=(coarse, fine)),
        degradation=changed(PROFILE.degradation, copies=1),
    )
    found = find_all_regions(None, profile, films, run)
    assert {film for film, _ in found} == {"1", "2", "3", "4"}
    crops = prepare_crops(films, "train", found, profile, run)
    assert [(f.id, f.squeezed, f.perturbed) for f in crops.crops.films] == [
        ("1", False, 0),
        ("1", False, 1),
        ("2", True, 0),
    ]
    detailed = crops.detailed
    assert [film.id for film in detailed.crops.films] == ["1", "1"]
    np.testing.assert_array_equal(detailed.crops.images, crops.crops.images[:2])
    assert len(detailed.of(CARPAL).ages_months) == len(crops.of(CARPAL).of_kind("detailed").films)


def test_regions_are_never_cut_from_the_copy_that_is_not_the_best() -> None:
    squeezed = changed(PROFILE.region.phases[0], films="squeezed")
    with pytest.raises(ProfileError, match="best copy"):
        changed(PROFILE, region=changed(PROFILE.region, phases=(squeezed,)))
