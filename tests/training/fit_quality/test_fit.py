"""Fitting the gate: the command on drawn films and drawn rubbish, and its parts."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from boneage.apps.cli import main
from boneage.datasets.films import Film
from boneage.domain.assessment import Box, Verdict, verdict_on
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Pixels, Sex
from boneage.errors import DataError, UnsuitableError, WeightsError
from boneage.imaging.perturbations import tilted
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import MANIFEST
from boneage.quality.classifier import HAND, ORIENTATIONS, classifier_from_bytes
from boneage.quality.model_file import ARRAYS, SUITABILITY
from boneage.synthetic import draw
from boneage.training.fit_quality.classifiers import (
    basis_of,
    fit_classifier,
    folds_of,
    sources_left_out,
)
from boneage.training.fit_quality.examples import (
    DRAWN,
    FILMS,
    Example,
    Features,
    examples_of_drawn,
    fused,
)
from boneage.training.fit_quality.fit import CASES, FIGURES, fit_quality_model
from boneage.training.fit_quality.judging import Maturity, highest
from boneage.training.fit_quality.pictures import PIECES, oriented, resaved, two_hands
from boneage.training.fit_quality.refusal_images import CATALOGUE, refusal_images
from tests.classifiers import LIMITS
from tests.conftest import write_labelled, write_png

HEADER = "file,category,expected,width,height,source,group,synthetic,notes"


def write_refusal(folder: Path, count: int = 16) -> Path:
    """Write bright ramps that call themselves chests and photographs, and one adult hand."""
    random = np.random.default_rng(4)
    lines = [HEADER]
    for number in range(count):
        level = random.uniform(0.5, 1.0)
        ramp = np.tile(np.linspace(0.3 * level, 1, 160), (200, 1)) + random.normal(
            0, 0.02, (200, 160)
        )
        write_png(folder / f"{number}.png", (np.clip(ramp, 0, 1) * 255).astype(np.uint8))
        kind, source = (("chest", "one"), ("photo", "two"))[number % 2]
        lines.append(f"{number}.png,{kind},refuse,160,200,{source},g{number // 2},0,none")
    write_png(folder / "tiny.png", np.zeros((9, 9), np.uint8))
    lines.append("tiny.png,photo,refuse,9,9,two,tiny,0,")
    (folder / CATALOGUE).write_text("\n".join([*lines, ""]))
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, assessor: Assessor) -> Path:
    return write_labelled(tmp_path_factory.mktemp("films"), assessor, 24)


@pytest.fixture(scope="module")
def refusal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_refusal(tmp_path_factory.mktemp("refusal"))


@pytest.fixture(scope="module")
def fitted(
    tmp_path_factory: pytest.TempPathFactory, _built_weights: Path, data: Path, refusal: Path
) -> tuple[Path, Path]:
    """Weights with a gate, and the evidence of it."""
    weights = Path(shutil.copytree(_built_weights, tmp_path_factory.mktemp("fitted") / "weights"))
    out = tmp_path_factory.mktemp("evidence")
    arguments = ["suitability", "--data", data, "--refusal", refusal, "--weights", weights]
    result = CliRunner().invoke(main, [*map(str, arguments), "--out", str(out)])
    assert result.exit_code == 0, result.output
    assert "training images: 0 of " in result.output, result.output
    assert "chest (to refuse): 8 of 8 refused" in result.output, result.output
    assert "left out: 'tiny.png'" in result.output
    return weights, out


def test_what_was_left_out_is_refused_and_films_are_not(fitted: tuple[Path, Path]) -> None:
    _, out = fitted
    figures = json.loads((out / FIGURES).read_text())
    for category in ("chest", "photo"):
        found = figures["by_category"][category]["refuse"]
        assert (found["films"], found["refused"]) == (8, 8)
    assert figures["by_source"]["one"]["refuse"]["refused"] == 8
    films = figures["training"]["films"]
    assert films >= 20
    assert sum(figures["lying"][lie]["films"] for lie in figures["lying"]) == films * 11
    with (out / CASES).open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 24 + 16, "one of them is held back"
    assert {row["verdict"] for row in rows if row["set"] == "refusal"} == {"refused"}


def test_the_weights_then_refuse(fitted: tuple[Path, Path], data: Path, refusal: Path) -> None:
    assessor = Assessor(fitted[0])
    with pytest.raises(UnsuitableError):
        assessor.assess(refusal / "0.png", "female")
    assert assessor.assess(data.parent / "0.png", "female").age_months >= 0


def test_a_second_fit_resumes_from_the_examined_images(
    fitted: tuple[Path, Path], data: Path, refusal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights, out = fitted
    before = (weights / ARRAYS).read_bytes(), json.loads((weights / SUITABILITY).read_text())
    for name in ("examples_of_film", "examples_of_image", "examples_of_drawn"):
        monkeypatch.setattr(f"boneage.training.fit_quality.examples.{name}", pytest.fail)
    fit_quality_model(weights, data, refusal, out, report=lambda _: None)
    assert (weights / ARRAYS).read_bytes() == before[0], "the same films give the same gate"
    assert json.loads((weights / SUITABILITY).read_text())["limits"] == before[1]["limits"]


def test_drawn_hands_teach_that_they_are_hands_and_count_as_nothing_else() -> None:
    seen: list[Pixels] = []

    def detection(pixels: Pixels, *, mirror: bool = False) -> Features:
        assert not mirror
        seen.append(pixels)
        return np.zeros((1, 4), np.float32)

    made = [example for number in (0, 1) for example in examples_of_drawn(number, detection)]
    assert [example.kind for example in made] == [HAND] * 4
    assert {example.source for example in made} == {DRAWN}
    assert not any(example.plain for example in made), "no limit is set on them"
    assert made[0].group == made[1].group != made[2].group
    again = list(seen)
    seen.clear()
    examples_of_drawn(0, detection)
    assert all(np.array_equal(a, b) for a, b in zip(again, seen, strict=False))


@pytest.mark.parametrize("sex", list(Sex))
@pytest.mark.parametrize("age_months", [36, 84, 120, 168, 204])
def test_the_weights_that_ship_read_hands_that_the_program_draws(
    bundled: Path, age_months: int, sex: Sex
) -> None:
    film = draw(age_months, sex, seed=1)  # none that the gate was fitted on
    answer = Assessor(bundled, threads=1, calibration="").assess(film.radiograph, sex)
    assert verdict_on(answer.findings) is not Verdict.REFUSED


def test_what_another_run_left_cut_off_is_begun_anew(
    fitted: tuple[Path, Path], data: Path, refusal: Path, tmp_path: Path
) -> None:
    journal = next(fitted[1].glob("examples-*.jsonl"))
    (tmp_path / journal.name).write_bytes(journal.read_bytes()[:5])
    weights = Path(shutil.copytree(fitted[0], tmp_path / "weights"))
    fit_quality_model(weights, data, refusal, tmp_path, report=lambda _: None)
    assert (weights / SUITABILITY).is_file()


def test_too_little_is_reported(
    fitted: tuple[Path, Path], assessor: Assessor, refusal: Path, tmp_path: Path
) -> None:
    few = write_labelled(tmp_path / "few", assessor, 3)
    with pytest.raises(DataError, match="3 training images and 16 images"):
        fit_quality_model(
            Path(shutil.copytree(fitted[0], tmp_path / "weights")),
            few,
            refusal,
            tmp_path,
            report=lambda _: None,
        )
    with pytest.raises(WeightsError, match="no weights in"):
        fit_quality_model(tmp_path / "none", few, refusal, tmp_path, report=lambda _: None)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        (None, "cannot be read"),
        (HEADER, "is empty"),
        (f"{HEADER}\na.png,chest,perhaps,1,1,s,g,0,", "expects 'perhaps'"),
        (f"{HEADER}\na.png,,refuse,1,1,s,g,0,", "line 2 .* states no category"),
    ],
)
def test_a_catalogue_that_is_none_is_reported(tmp_path: Path, table: str | None, says: str) -> None:
    if table is not None:
        (tmp_path / CATALOGUE).write_text(table)
    with pytest.raises(DataError, match=says):
        refusal_images(tmp_path)


def test_kinds_follow_the_catalogue(tmp_path: Path) -> None:
    lines = [
        "a.png,other-limb,refuse,1,1,s,g,0,foot",
        "b.png,hand-unsuitable,refuse,1,1,s,g,0,two hands in one film",
        "c.png,hand-unsuitable,refuse,1,1,s,g,0,wrist only",
        "d.png,hand-unsuitable,warn,1,1,s,g,0,implant",
        "e.png,hand-adult,warn,1,1,s,g,0,oblique",
    ]
    (tmp_path / CATALOGUE).write_text("\n".join([HEADER, *lines]))
    kinds = [image.kind for image in refusal_images(tmp_path)]
    assert kinds == ["limb", "several", "part", None, HAND]


def test_maturity_is_learned_where_the_labels_tell() -> None:
    """The first number of the feature tells fused growth plates from open ones."""
    random = np.random.default_rng(6)

    def example(number: int, fused: bool | None, level: float) -> Example:
        feature = random.normal(0, 0.2, (2, 4)).astype(np.float32)
        feature[:, 0] += level
        place = number % len(ORIENTATIONS)
        return Example(
            feature,
            group=f"g{number}",
            source=FILMS,
            plain=True,
            kind=HAND if number % 2 else "chest",
            orientation_class=place,
            degrees=float(random.uniform(-20, 20)),
            fused=fused,
            immature=not fused,
        )

    examples = [example(n, n % 3 == 0, 2.0 if n % 3 == 0 else -2.0) for n in range(60)]
    examples += [example(n, None, 0.0) for n in range(60, 80)]
    check = fit_classifier(examples, basis_of(examples))
    found = Maturity.of((check, one) for one in examples)
    assert (len(found.fused), len(found.immature)) == (20, 60)
    assert min(found.fused) > 0.9
    again = classifier_from_bytes(check.to_bytes())
    assert again.judge(examples[0].features).maturity == pytest.approx(found.fused[0], abs=1e-3)
    table = found.table(replace(LIMITS, mature_warned=highest(found.immature, 0.0)))
    assert table["fused"] == {"films": 20, "mature": 20}
    assert table["under_16_years"] == {"films": 60, "mature": 0}
    without = [one for one in examples if not one.fused]
    unknown = fit_classifier(without, basis_of(without))
    assert unknown.maturity is None
    assert classifier_from_bytes(unknown.to_bytes()).judge(examples[0].features).maturity is None


@pytest.mark.parametrize(
    ("months", "sex", "expected"),
    [
        (216, Sex.MALE, True),
        (204, Sex.MALE, None),
        (204, Sex.FEMALE, True),
        (150, Sex.FEMALE, False),
        (186, Sex.MALE, False),
        (120, Sex.MALE, None),
    ],
)
def test_labels_tell_fused_growth_plates(months: float, sex: Sex, expected: bool | None) -> None:
    assert fused(Film("1", Path("1.png"), months, sex, "train")) is expected


def test_one_command_fits_check_and_interval(
    _built_weights: Path, assessor: Assessor, refusal: Path, tmp_path: Path
) -> None:
    weights = Path(shutil.copytree(_built_weights, tmp_path / "weights"))
    manifest = json.loads((weights / MANIFEST).read_text())
    manifest["data"] = {"fold": "0/2"}
    (weights / MANIFEST).write_text(json.dumps(manifest))
    data = write_labelled(tmp_path / "films", assessor, 90)
    names = ("data", data), ("refusal", refusal), ("weights", weights), ("out", tmp_path / "out")
    arguments = [text for name, value in names for text in (f"--{name}", str(value))]
    result = CliRunner().invoke(main, ["fit", *arguments])
    assert result.exit_code == 0, result.output
    fitted = json.loads((weights / MANIFEST).read_text())
    assert fitted["interval"]["films"]["detailed"] >= 30
    assert {k: v for k, v in fitted.items() if k != "interval"} == manifest
    assert Assessor(weights).assess(data.parent / "0.png", "female").interval is not None


def test_no_group_and_no_source_is_on_both_sides() -> None:
    feature = np.zeros((1, 2), np.float32)
    examples = [
        Example(feature, f"g{n // 3}", FILMS if n < 9 else f"s{n % 3}", plain=True)
        for n in range(30)
    ]
    for fitted, rest in folds_of(examples):
        assert {examples[i].group for i in fitted}.isdisjoint(examples[i].group for i in rest)
    left_out = [{examples[i].source for i in rest} for _, rest in sources_left_out(examples)]
    assert left_out == [{"s0"}, {"s1"}, {"s2"}]


def test_altered_films_stay_films() -> None:
    random = np.random.default_rng(5)
    film = random.random((300, 220), dtype=np.float32)
    made = [resaved(film, random) for _ in range(20)]
    made += [resaved(piece(film, random), random) for piece in PIECES.values()]
    made += [tilted(film, 30.0), two_hands(film, film[:200], random)]
    for changed in made:
        assert changed.dtype == np.float32
        assert min(changed.shape) >= 32
        assert changed.min() >= 0
        assert changed.max() <= 1


@pytest.mark.parametrize("quarters", range(4))
def test_a_laid_film_is_brought_back_by_its_lie(quarters: int) -> None:
    film = np.random.default_rng(5).random((30, 22), dtype=np.float32)
    turned_images = oriented(film, quarters, inverted=True)
    orientation = Orientation(Box(0, 0, *turned_images.shape), quarters, inverted=True)
    np.testing.assert_allclose(orientation.upright(turned_images), film, atol=1e-6)
