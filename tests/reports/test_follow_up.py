"""The follow-up report of a child, and the rules of its conclusion."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("reportlab", reason="the report extra is not installed")

from boneage.clinical.course import Course, course_of
from boneage.domain.radiograph import Sex
from boneage.domain.visits import ChildRecord, ClinicVisit
from boneage.i18n.words import words_of
from boneage.reports.course import conclusion
from boneage.reports.pdf.follow_up import follow_up_report
from tests.clinical.test_course import COHORT


def course(name: str) -> Course:
    return course_of(replace(COHORT[name], pseudonym="K 17"))


def pages_of(content: bytes, folder: Path) -> list[str]:
    """The text of each page, by poppler."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext is not here (apt-get install poppler-utils)")
    path = folder / "report.pdf"
    path.write_bytes(content)
    command = ["pdftotext", str(path), "-"]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [" ".join(page.split()) for page in text.split("\f")[:-1]]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("normal boy", ("within normal limits", "kept pace with age: 2.0 years in 2.0 years")),
        ("normal boy", ("within ±2 SD", "grows 5.5 cm a year", "is within the target")),
        ("precocious boy", ("advanced", "ran ahead of age: 1.5 years in 1.0 years")),
        ("precocious boy", ("above +2 SD", "is within the target, 169.0 to 186.0 cm")),
        ("precocious puberty, treated", ("fell behind age: 1.0 years in 2.0 years",)),
        ("constitutional delay", ("delayed", "is within the target")),
        (
            "growth hormone deficiency, treated",
            ("delayed", "below −2 SD", "Since the first visit it changed by +0.85 SDS"),
        ),
        ("Turner-like", ("within normal limits", "below −2 SD", "is below the target")),
        ("tall boy", ("within normal limits", "is below the target, 186.5 to 203.5 cm")),
    ],
)
def test_the_conclusion_follows_its_rules(name: str, said: tuple[str, ...]) -> None:
    text = conclusion(course(name))
    for part in said:
        assert part in text
    assert text.startswith("At ")


def test_little_known_gives_a_short_conclusion() -> None:
    empty = course_of(ChildRecord("K", Sex.MALE))
    assert conclusion(empty) == "No bone age is known at a known age."
    height = ClinicVisit(Sex.MALE, chronological_age_months=120.0, height_cm=139.0)
    text = conclusion(course_of(ChildRecord("K", Sex.MALE, (height,))))
    assert "No bone age is known" in text
    assert "The height of 139.0 cm" in text
    assert "predicted" not in text


def test_contradictions_are_part_of_the_conclusion() -> None:
    visits = COHORT["normal boy"].visits
    shrunk = replace(visits[-1], height_cm=130.0)
    found = course_of(ChildRecord("K", Sex.MALE, (*visits[:-1], shrunk)))
    assert "Please check: The height falls by 14 cm" in conclusion(found)


@pytest.mark.parametrize("name", COHORT)
@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_the_report_is_one_page_that_says_it_all(name: str, paper: str, tmp_path: Path) -> None:
    found = course(name)
    (text,) = pages_of(follow_up_report(found, paper=paper), tmp_path)
    assert "Pseudonym: K 17" in text
    assert "Not a medical device" in text
    assert " ".join(conclusion(found).split())[:60] in text
    assert "CDC 2000" in text
    assert "Brush Foundation children" in text
    for visit in found.visits:
        assert f"{visit.visit.height_cm:.1f}" in text


def test_it_speaks_german(tmp_path: Path) -> None:
    found = course("precocious boy")
    (text,) = pages_of(follow_up_report(found, language="de"), tmp_path)
    for part in ("Verlaufsbericht", "Zielgröße nach den Eltern", "Knochenalter", "Jungen", "4,5"):
        assert part in text
    english = {"Height", "visit", "bone age", "target", "years"}
    assert not {word for word in english if word in text.replace("CDC", "")}
    assert conclusion(found, words_of("de")).startswith("Lebensalter 9 Jahre 0 Monate: Das")


def test_many_visits_go_on_over_pages_and_the_same_course_is_the_same_file(
    tmp_path: Path,
) -> None:
    visits = tuple(
        ClinicVisit(
            Sex.FEMALE,
            chronological_age_months=36.0 + 3 * number,
            bone_age_months=34.0 + 3 * number,
            height_cm=95.0 + 1.4 * number,
            treatment="growth hormone 0.035 mg/kg",
        )
        for number in range(45)
    )
    found = course_of(ChildRecord("K", Sex.FEMALE, visits))
    content = follow_up_report(found)
    pages = pages_of(content, tmp_path)
    assert len(pages) > 1
    assert "Classification" in pages[1], "the head is repeated"
    assert follow_up_report(found) == content


def test_a_child_without_visits_has_a_report(tmp_path: Path) -> None:
    (text,) = pages_of(follow_up_report(course_of(ChildRecord("K", Sex.MALE))), tmp_path)
    assert "No bone age is known" in text
