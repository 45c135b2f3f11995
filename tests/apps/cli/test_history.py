"""``boneage assess --history`` and ``boneage history``."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from boneage.clinical.stature import cdc_2000
from boneage.domain.radiograph import Sex
from tests.apps.cli.conftest import Run

pytest.importorskip("sqlalchemy", reason="the history extra is not installed")


@pytest.fixture
def kept(run: Run, film: Path, tmp_path: Path) -> Path:
    """A history of one girl, read at two ages."""
    where = tmp_path / "children.sqlite"
    for age in ("9y", "11y4m"):
        options = ("--sex", "f", "--age", age, "--height-cm", "140", "--pseudonym", "K17")
        assert run("assess", film, *options, "--history", where).exit_code == 0
    return where


def test_a_history_is_shown_exported_and_deleted(run: Run, kept: Path, tmp_path: Path) -> None:
    assert run("history", "list", kept).stdout == "K17  female  2 entries\n"
    first, second, warning = run("history", "show", kept, "K17").stdout.splitlines()
    assert warning.startswith(
        "Warning: The same image is saved at 9 years 0 months and at 11 years"
    )
    assert first.startswith("1: at 9 years 0 months, bone age ")
    assert "height 140.0 cm" in second
    exported = json.loads(run("history", "export", kept, "K17").stdout)
    assert exported["pseudonym"] == "K17"
    ages = [entry["chronological_age_months"] for entry in exported["entries"]]
    assert ages == [108, 136]
    chart = tmp_path / "chart.svg"
    assert run("history", "export", kept, "K17", "--out", chart).exit_code == 0
    assert len(list(ET.parse(chart).getroot().iter("{http://www.w3.org/2000/svg}circle"))) == 2
    assert run("history", "delete", kept, "K17").exit_code == 1, "nobody answered the question"
    assert "1 entry deleted" in run("history", "delete", kept, "K17", "--entry", 1, "--yes").stdout
    assert "1 entry deleted" in run("history", "delete", kept, "K17", "--yes").stdout
    assert run("history", "list", kept).stdout == ""


def test_visits_without_an_image_and_the_parents_heights(run: Run, tmp_path: Path) -> None:
    where = tmp_path / "children.sqlite"
    add = ("history", "add", where, "K17", "--sex", "m")
    assert run(*add, "--age", "10y", "--height-cm", "139", "--bone-age", "9y6m").exit_code == 0
    more = ("--stage", "G2", "--treatment", "growth hormone")
    assert run(*add, "--age", "11y", "--height-cm", "144.5", *more).exit_code == 0
    parents = ("--father-cm", "180", "--mother-cm", "167")
    assert run("history", "parents", where, "K17", *parents).exit_code == 0
    first, second, target = run("history", "show", where, "K17").stdout.splitlines()
    assert "bone age by a reader 9 years 6 months (114.0 months)" in first
    sds = [cdc_2000().compare(139.0, months, Sex.MALE).sds for months in (120, 114)]
    assert f"height 139.0 cm (SDS {sds[0]:+.2f}, for bone age {sds[1]:+.2f}, CDC 2000)" in first
    assert "growth 5.5 cm a year" in second
    assert "pubertal stage G2, growth hormone" in second
    assert target.startswith("target height by the parents: 180.0 cm (70.9 in), 171.5 to 188.5 cm")
    own = tmp_path / "WHO 2007.csv"
    rows = (f"{sex},{age},1,{cm},0.05" for sex in "mf" for age, cm in ((0, 50), (240, 170)))
    own.write_text("\n".join(["sex,age_months,L,M_cm,S", *rows, ""]))
    shown = run("history", "show", where, "K17", "--height-reference", own).stdout
    assert "WHO 2007)" in shown
    assert run("history", "show", where, "K17", "--sds-reference", "none").exit_code == 2
    assert run("history", "parents", where, "K17").exit_code == 2
    assert "1.42" in run(*add, "--height-cm", "1.42").stderr


def test_the_follow_up_report_of_a_child(run: Run, kept: Path, tmp_path: Path) -> None:
    pytest.importorskip("reportlab", reason="the report extra is not installed")
    out = tmp_path / "report.pdf"
    options = ("--out", out, "--language", "de", "--paper", "letter")
    assert run("history", "export", kept, "K17", *options).exit_code == 0
    assert out.read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize("name", ["child.csv", "child.fhir.json"])
def test_a_child_moves_from_one_history_to_another(
    run: Run, kept: Path, tmp_path: Path, name: str
) -> None:
    file, other = tmp_path / name, tmp_path / "other.sqlite"
    assert run("history", "export", kept, "K17", "--out", file).exit_code == 0
    result = run("history", "import", other, file)
    assert (result.exit_code, result.stdout) == (0, "imported: 1 children, 2 visits\n")
    shown = [run("history", "show", where, "K17").stdout for where in (kept, other)]
    assert shown[0] == shown[1]
    again = run("history", "import", other, file)
    expected = "imported: 1 children, 0 visits; 2 visits were there already\n"
    assert (again.exit_code, again.stdout) == (0, expected)
    assert run("history", "show", other, "K17").stdout == shown[0], "nothing was added"


def test_a_clinics_own_table_is_imported(run: Run, tmp_path: Path) -> None:
    table, where = tmp_path / "clinic.csv", tmp_path / "children.sqlite"
    table.write_text("pseudonym,sex,age,bone_age,height_cm\nK1,f,8y,7y6m,125\nK1,f,9y,102,131\n")
    assert run("history", "import", where, table).stdout == "imported: 1 children, 2 visits\n"
    shown = run("history", "show", where, "K1").stdout
    assert "bone age by a reader 7 years 6 months (90.0 months)" in shown
    assert "bone age by a reader 8 years 6 months (102.0 months)" in shown
    table.write_text("pseudonym,sex,age,boneage_gp\nK1,f,10y,9y\n")
    wrong = run("history", "import", where, table)
    assert wrong.exit_code == 2
    assert "'boneage_gp'" in wrong.stderr
    assert "bone_age" in wrong.stderr
    assert run("history", "show", where, "K1").stdout == shown


def test_neither_image_nor_folder_is_stored(kept: Path) -> None:
    content = kept.read_bytes()
    assert b"K17" in content
    for trace in (b"hand", kept.parent.name.encode()):
        assert trace not in content


def test_nothing_is_stored_without_the_option(run: Run, film: Path, tmp_path: Path) -> None:
    before = set(tmp_path.rglob("*"))
    assert run("assess", film, "--sex", "f", "--age", "9y", "--pseudonym", "K17").exit_code == 0
    assert set(tmp_path.rglob("*")) == before


def test_a_table_names_the_children(run: Run, film: Path, tmp_path: Path) -> None:
    table, where = tmp_path / "cases.csv", tmp_path / "h.sqlite"
    table.write_text(f"path,sex,age,pseudonym\n{film.name},f,100,A\n{film.name},m,100,A\n")
    result = run("assess", "--table", table, "--history", where)
    assert result.exit_code == 1, "one child of two sexes"
    assert (
        "the entry in the history could not be written: the history states female for 'A'"
        in result.stderr
    )
    assert run("history", "list", where).stdout == "A  female  1 entry\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "a history needs the pseudonym of each child"),
        (("--pseudonym", "DOE^JANE"), "use 1 to 64 letters"),
    ],
)
def test_a_history_needs_a_pseudonym(
    run: Run, film: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    where = tmp_path / "h.sqlite"
    result = run("assess", film, "--sex", "f", "--history", where, *options)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())
    assert not where.exists()


def test_a_missing_history_is_reported(run: Run, tmp_path: Path) -> None:
    result = run("history", "list", tmp_path / "none.sqlite")
    assert result.exit_code == 2
    assert "there is no history" in result.stderr
    assert not (tmp_path / "none.sqlite").exists()
