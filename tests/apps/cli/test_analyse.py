"""``boneage analyse``, as a person runs it."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from boneage.apps.cli import main
from tests.evaluation.drawn import write_films


@pytest.fixture(autouse=True)
def coarse_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of the pixels: the tests wait for nothing else."""
    monkeypatch.setattr("boneage.evaluation.plotting.DPI", 75)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["analyse", *map(str, arguments)])


def damage(folder: Path) -> None:
    labels = folder / "boneage-training-dataset.csv"
    with labels.open("a") as file:
        file.write("\n1,120,True\n2,999,False\n6,100,True\n7,60,other\n")
    (folder / "half-scale" / "99.png").touch()


def test_a_clean_folder(tmp_path: Path) -> None:
    result = run(write_films(tmp_path / "films"), "--out", tmp_path / "out", "--strict")
    assert result.exit_code == 0, result.output
    assert "5 radiographs: 3 girls (60 %) and 2 boys (40 %)" in result.output
    assert "No problems found" in result.output
    assert f"written: {tmp_path / 'out' / 'analysis.html'}" in result.output
    assert (tmp_path / "out" / "analysis.html").is_file()


def test_problems_are_listed_and_counted_and_the_run_continues(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    damage(folder)
    result = run(folder, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for message in (
        "left out 1: id '1' is labelled twice",
        "left out 6: films.csv does not list this id",
        "left out 7: 'other' is not a sex",
        "left out 99: image 'half-scale/99.png' has no label",
        "Left out: 1 image without label, 2 duplicate ids, 1 sex other than male",
    ):
        assert message in result.output
    assert len((tmp_path / "out" / "problems.csv").read_text().splitlines()) == 6


def test_strict_stops_at_the_first_and_writes_nothing(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    damage(folder)
    result = run(folder, "--out", tmp_path / "out", "--strict")
    assert result.exit_code == 2
    assert "1: id '1' is labelled twice" in result.output
    assert not (tmp_path / "out").exists()


def test_many_problems_do_not_flood_the_terminal(tmp_path: Path) -> None:
    folder = write_films(tmp_path / "films")
    for name in range(100, 150):
        (folder / "squeezed" / f"{name}.png").touch()
    result = run(folder, "--out", tmp_path / "out")
    assert result.output.count("left out") == 20
    assert f"and 30 more, in {tmp_path / 'out' / 'problems.csv'}" in result.output


def test_a_table_in_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    table = tmp_path / "labels.csv"
    table.write_text("path;sex;bone_age_months\na.png;f;120\nb.png;m;60\n")
    result = run(table, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "1 radiograph: 1 girls (100 %)" not in result.output
    assert "1 radiograph: 1 girl (100 %)" in result.output
    assert "1 label without image" in result.output


@pytest.mark.parametrize("strict", [[], ["--strict"]])
def test_a_folder_without_films_or_labels(tmp_path: Path, strict: list[str]) -> None:
    result = run(tmp_path, "--out", tmp_path / "out", *strict)
    assert result.exit_code == 2
    assert "no boneage-training-dataset.csv" in result.output
    (tmp_path / "boneage-training-dataset.csv").write_text("id,boneage,male\n1,60,True\n")
    result = run(tmp_path, "--out", tmp_path / "out", *strict)
    assert result.exit_code == 2
    assert "image" in result.output
    assert not (tmp_path / "out").exists()


def test_an_out_that_is_a_file_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert run(write_films(tmp_path / "films"), "--out", tmp_path / "out").exit_code == 2
