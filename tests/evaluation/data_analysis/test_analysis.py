"""The whole analysis of a labelled data set: numbers, figures, sentences, page."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageColor

from boneage.datasets.films import Film, Films, load_films
from boneage.datasets.labels import Kind, Problem
from boneage.domain.radiograph import Sex
from boneage.evaluation.accuracy.agreement import BANDS
from boneage.evaluation.data_analysis.analysis import (
    SPARSE_FILMS,
    AgeHeaping,
    Analysis,
    BandFilms,
    SparseAges,
    analyse_in_full,
)
from boneage.evaluation.data_analysis.report import (
    PAGE,
    PROBLEMS_SHOWN,
    draw_ages,
    draw_splits,
    draw_z_scores,
    findings,
    write_analysis,
    write_numbers,
)
from boneage.evaluation.plotting import ACCENT, BOTH, FEMALE, MALE

NUMBERS = ("statistics", "ages", "age_bands", "z_scores", "problems")


@pytest.fixture(autouse=True)
def coarse_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the pixels: the tests wait for nothing else."""
    monkeypatch.setattr("boneage.evaluation.plotting.DPI", 75)


def film(name: str, age: float, sex: Sex, split: str = "train", side: int = 0) -> Film:
    shape = (side, side // 2) if side else None
    return Film(name, Path(name), age, sex, "train" if split == "train" else "validation", shape)


def spread_films(per_age: int, ages: Sequence[float]) -> list[Film]:
    return [
        film(f"{sex}{age}.{n}", age, sex, ("train", "validation")[n % 4 == 0])
        for sex in Sex
        for age in ages
        for n in range(per_age)
    ]


@pytest.fixture
def analysis() -> Analysis:
    """Girls of 3 and 11 years, one boy of 11, one newborn boy; two of the labels are no good."""
    films = [film(str(n), 36 if n < 3 else 132, Sex.FEMALE) for n in range(6)]
    films += [film("6", 132, Sex.MALE, "validation"), film("7", 0, Sex.MALE)]
    problems = (
        Problem(Kind.NO_FILM, "8", "there is no image of this id"),
        Problem(Kind.SEX, "9", "sex '<b>x</b>' is not one"),
    )
    return analyse_in_full(Films(tuple(films), problems), "drawn")


def sentences(analysis: Analysis) -> str:
    return "\n".join(findings(analysis))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_tables_hold_every_film(analysis: Analysis, tmp_path: Path) -> None:
    write_numbers(tmp_path, analysis)
    assert [(row["group"], row["films"]) for row in rows_of(tmp_path / "statistics.csv")] == [
        ("overall", "8"),
        ("female", "6"),
        ("male", "2"),
        ("train", "7"),
        ("validation", "1"),
    ]
    girls = rows_of(tmp_path / "statistics.csv")[1]
    assert (girls["mean_months"], girls["median_months"], girls["most_months"]) == (
        "84.0",
        "84.0",
        "132.0",
    )
    ages = rows_of(tmp_path / "ages.csv")
    filled = {row["low_months"]: row for row in ages if row["films"] != "0"}
    assert list(filled) == ["0", "36", "132"]
    counts = [filled["132"][name] for name in ("films", "female", "male", "train", "validation")]
    assert counts == ["4", "3", "1", "3", "1"]
    bands = rows_of(tmp_path / "age_bands.csv")
    assert [row["films"] for row in bands] == ["1", "3", "0", "0", "0", "4", "0", "0", "0", "0"]
    assert (bands[1]["mean_months"], bands[2]["mean_months"]) == ("36.0", "")
    z_scores = rows_of(tmp_path / "z_scores.csv")
    assert sum(int(row["films"]) for row in z_scores) == 8
    problems = rows_of(tmp_path / "problems.csv")
    assert [(row["kind"], row["film"]) for row in problems] == [
        ("label_without_film", "8"),
        ("sex_not_one", "9"),
    ]


def test_json_states_the_same_as_the_tables(analysis: Analysis, tmp_path: Path) -> None:
    write_numbers(tmp_path, analysis)
    found = json.loads((tmp_path / "analysis.json").read_text("utf-8"))
    for name, rows in (
        ("ages", found["ages"]["histogram"]),
        ("z_scores", found["z_scores"]["histogram"]),
        ("age_bands", found["age_bands"]),
    ):
        as_text = [
            {key: "" if cell is None else str(cell) for key, cell in row.items()} for row in rows
        ]
        assert as_text == rows_of(tmp_path / f"{name}.csv")
    assert found["statistics_months"]["overall"]["count"] == 8
    assert found["splits"] == {"train": 7, "validation": 1}
    assert found["problems"]["count"] == 2
    assert found["problems"]["by_kind"]["sex_not_one"] == 1
    assert found["problems"]["by_kind"]["duplicate_id"] == 0


def test_the_same_data_give_the_same_bytes(analysis: Analysis, tmp_path: Path) -> None:
    folders = tmp_path / "a", tmp_path / "b"
    for folder in folders:
        folder.mkdir()
        write_analysis(folder, analysis)
    first, second = ({p.name: p.read_bytes() for p in folder.iterdir()} for folder in folders)
    assert first == second
    pictures = {"ages.png", "splits.png", "z_scores.png"}
    assert set(first) == {f"{name}.csv" for name in NUMBERS} | pictures | {"analysis.json", PAGE}


def test_the_page_states_what_is_wrong_and_escapes_it(analysis: Analysis, tmp_path: Path) -> None:
    page = write_analysis(tmp_path, analysis).read_text("utf-8")
    assert "Left out: 1 label without image, 1 sex other than male or female." in page
    assert "&lt;b&gt;x" in page
    assert "<b>x" not in page
    assert page.count("data:image/png;base64,") == 3
    for sentence in findings(analysis):
        assert sentence in page


def test_a_page_of_many_problems_names_the_first(tmp_path: Path) -> None:
    problems = tuple(Problem(Kind.NO_LABEL, f"<{n}>", "no label") for n in range(1_000))
    found = Films((film("1", 60, Sex.MALE),), problems)
    analysis = analyse_in_full(found, "x")
    page = write_analysis(tmp_path, analysis).read_text("utf-8")
    assert "1,000 images without label" in page
    assert page.count("no label</th>") == PROBLEMS_SHOWN
    assert f"and {1_000 - PROBLEMS_SHOWN} more, in problems.csv" in page
    assert len(rows_of(tmp_path / "problems.csv")) == 1_000


def test_bands_hold_their_ends_as_they_say() -> None:
    ages = (0, 23.9, 24, 239, 240)
    found = Films(tuple(film(str(n), age, Sex.MALE) for n, age in enumerate(ages)))
    bands = analyse_in_full(found, "x").bands
    assert [band.count for band in bands] == [2, 1, *[0] * 7, 2]
    assert bands[0].ages is not None
    assert bands[0].ages.mean == pytest.approx(11.95)


def test_sparse_ages_are_joined_and_counted() -> None:
    films = spread_films(SPARSE_FILMS, range(54, 234, 24))  # 4 to 20 years
    films += [film("young", 30, Sex.FEMALE)]
    films = [f for f in films if not (f.sex is Sex.MALE and 192 <= f.age_months < 216)]
    found = analyse_in_full(Films(tuple(films)), "x")
    girls, boys = SPARSE_FILMS * 8 + 1, SPARSE_FILMS * 7
    assert found.sparse == (
        SparseAges(Sex.MALE, 0, 4, 0, 0 / boys),
        SparseAges(Sex.MALE, 16, 18, 0, 0 / boys),
        SparseAges(Sex.FEMALE, 0, 4, 1, 1 / girls),
    )
    text = sentences(found)
    assert (
        "girls under 4 years (1 radiograph, 0.0 % of girls); boys under 4 years (0 radiographs"
        in text
    )
    assert "and of 16 to 18 years (0 radiographs" in text


@pytest.mark.parametrize(
    ("ends", "words"),
    [
        ((0, 4), "under 4 years"),
        ((16, 20), "of 16 years and over"),
        ((6, 8), "of 6 to 8 years"),
        ((0, 20), "of every age"),
    ],
)
def test_sparse_ages_in_words(ends: tuple[int, int], words: str) -> None:
    assert SparseAges(Sex.MALE, *ends, films=1, share=0.5).words == words


def test_no_age_is_sparse() -> None:
    found = analyse_in_full(Films(tuple(spread_films(SPARSE_FILMS, range(12, 240, 24)))), "x")
    assert found.sparse == ()
    assert "No age band is sparse" in sentences(found)


def test_of_a_small_data_set_every_age_is_sparse(analysis: Analysis) -> None:
    text = "girls of every age (6 radiographs); boys of every age (2 radiographs)."
    assert text in sentences(analysis)


def test_age_heaping_is_reported() -> None:
    ages = [120.0] * 5 + [132.0] * 4 + [float(month) for month in range(1, 9)]
    films = [film(str(n), age, Sex.FEMALE) for n, age in enumerate(ages)]
    found = analyse_in_full(Films(tuple(films)), "x")
    assert found.heaping == (AgeHeaping(Sex.FEMALE, (120.0, 132.0), 10),)
    assert "half of the girls have one of 2 ages (120, 132 months) out of 10" in sentences(found)
    even = [film(str(n), n, Sex.MALE) for n in range(20)]
    assert "heaping" not in sentences(analyse_in_full(Films(tuple(even)), "x"))


def test_copies_and_sizes() -> None:
    films = (
        film("1", 60, Sex.MALE, side=2000),
        film("1", 60, Sex.MALE),
        film("2", 72, Sex.MALE, side=1000),
    )
    found = analyse_in_full(Films(films), "x")
    assert (found.copies.detailed, found.copies.squeezed_only) == (1, 1)
    text = " ".join(findings(found))
    assert "1 radiograph of useful resolution, 1 radiograph only as a squeezed copy" in text
    assert "1000 to 2000 pixels (median 1500) high and 500 to 1000" in text
    plain = analyse_in_full(Films((film("1", 60, Sex.MALE),)), "x")
    assert "squeezed" not in " ".join(findings(plain))


@pytest.mark.parametrize(
    ("films", "colour"),
    [
        ([film("1", 0, Sex.MALE)], MALE),
        ([film("1", 240, Sex.FEMALE, "validation"), film("2", 240, Sex.FEMALE)], FEMALE),
    ],
)
def test_figures_of_any_data_set_are_drawn(tmp_path: Path, films: list[Film], colour: str) -> None:
    analysis = analyse_in_full(Films(tuple(films)), "x")
    draw_ages(tmp_path / "ages.png", analysis.dataset)
    draw_splits(tmp_path / "splits.png", analysis)
    draw_z_scores(tmp_path / "z.png", analysis.dataset)
    for name, wanted in (
        ("ages", colour),
        ("z", colour),
        ("splits", ACCENT if len(films) > 1 else BOTH),
    ):
        picture = np.asarray(Image.open(tmp_path / f"{name}.png").convert("RGB"))
        off = np.abs(picture.astype(int) - ImageColor.getrgb(wanted)).max(axis=-1)
        assert (off < 40).sum() > 100, name


def test_bars_of_both_sexes_stand_upon_one_another(
    analysis: Analysis, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = []
    monkeypatch.setattr("boneage.evaluation.plotting.save", lambda figure, _: drawn.append(figure))
    draw_z_scores(tmp_path / "z.png", analysis.dataset)
    bins = analysis.dataset.z_scores
    bars = [container.patches for container in drawn[0].axes[0].containers]
    tops = [upper.get_y() + upper.get_height() for upper in bars[1]]
    assert tops == [b.count for b in bins]
    assert [upper.get_y() for upper in bars[1]] == [lower.get_height() for lower in bars[0]]


def test_every_band_is_there(analysis: Analysis) -> None:
    assert [found.band for found in analysis.bands] == list(BANDS)
    assert all(isinstance(found, BandFilms) for found in analysis.bands)


@pytest.mark.films
def test_the_public_data_set_is_sparse_where_it_is_known_to_be(real_films: Path) -> None:
    found = analyse_in_full(load_films(real_films, strict=True), "rsna")
    ends = {(thin.sex, thin.low_years, thin.high_years) for thin in found.sparse}
    assert ends == {
        (Sex.FEMALE, 0, 4),
        (Sex.FEMALE, 16, 20),
        (Sex.MALE, 0, 4),
        (Sex.MALE, 18, 20),
    }
    assert sum(found.by_split[name].count for name in found.by_split) == 12_611
    assert found.copies.detailed == 1_472
    assert all(heaping.is_age_heaping for heaping in found.heaping)
