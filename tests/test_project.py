"""What the repository promises about itself."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "boneage"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
DOCUMENTS = ["README.md", "MODEL_CARD.md"]
DOCUMENTS += [f"docs/{page.name}" for page in sorted((ROOT / "docs").glob("*.md"))]
HEAVY = ("keras", "tensorflow", "torch", "matplotlib", "streamlit", "fastapi", "onnxruntime")
FILM_SUFFIXES = {".jpg", ".jpeg", ".dcm", ".tif", ".tiff", ".npy", ".npz"}
BUNDLE_LIMIT = 40_000_000
PINS = {
    canonicalize_name(name): Version(version)
    for name, version in re.findall(
        r"^([\w.-]+)==(\S+)$", (ROOT / "constraints.txt").read_text("utf-8"), re.MULTILINE
    )
}


def requirements() -> list[Requirement]:
    extras = PROJECT["optional-dependencies"].values()
    texts = [*PROJECT["dependencies"], *(text for extra in extras for text in extra)]
    found = [Requirement(text) for text in texts]
    return [one for one in found if one.name != PROJECT["name"]]  # an extra may contain others


@pytest.mark.parametrize("requirement", requirements(), ids=str)
def test_every_dependency_is_pinned_inside_its_range(requirement: Requirement) -> None:
    name = canonicalize_name(requirement.name)
    assert name in PINS, "run 'make constraints'"
    assert PINS[name] in requirement.specifier, "run 'make constraints'"


def targets() -> set[str]:
    text = (ROOT / "Makefile").read_text("utf-8")
    return set(re.findall(r"^([a-z]+):(?!=)", text, re.MULTILINE))


@pytest.mark.parametrize("text", DOCUMENTS)
def test_make_commands_in_the_texts_exist(text: str) -> None:
    named = re.findall(r"(?:`|^)make ([a-z]+)", (ROOT / text).read_text("utf-8"), re.MULTILINE)
    assert set(named) <= targets()


def test_the_two_commands_come_first() -> None:
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    commands = [number for number, line in enumerate(lines) if line.startswith("make ")]
    assert [lines[number].split()[1] for number in commands[:2]] == ["run", "test"]
    assert commands[1] < 12


def test_help_names_every_target() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    listed = set(re.findall(r"make (\w+)", shown.stdout))
    assert listed | {"help", "pytest"} == targets() | {"help"}


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("text", [*DOCUMENTS, "CHANGELOG.md"])
def test_links_lead_somewhere(text: str) -> None:
    page = ROOT / text
    # written by 'make evaluate'; and by the lead of the rebuilding
    not_yet = {"docs/evidence", "docs/evidence/cases.csv"}
    for target in re.findall(r"\]\((?!https?:)([^) ]+)", page.read_text("utf-8")):
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        if found.relative_to(ROOT).as_posix() in not_yet:
            continue
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_places_where_changes_go_exist() -> None:
    text = (ROOT / "docs" / "contributing.md").read_text("utf-8")
    table = text.split("## Where a change goes")[1].split("\n## ")[0]
    for place in re.findall(r"`([\w./]+)`", table):
        paths = [folder / f"{place}{end}" for folder in (SOURCE, ROOT) for end in ("", ".py")]
        assert any(path.exists() for path in paths), place


def test_import_is_light() -> None:
    code = f"import boneage, sys; print([m for m in {HEAVY!r} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_import_is_fast() -> None:
    # The best of five, for the machine may be busy; processor time likewise. Machines differ by
    # twice, so NumPy's own import is the measure.
    def best(module: str) -> float:
        code = f"import time; s = time.process_time(); import {module}; "
        command = [sys.executable, "-c", f"{code}print(time.process_time() - s)"]
        return min(float(subprocess.check_output(command, text=True)) for _ in range(5))

    assert best("boneage") < max(0.5, 4 * best("numpy"))


def test_evaluating_needs_no_training_extra() -> None:
    code = (
        "import sys; import boneage.evaluation.accuracy.evidence, tools.bench.single;"
        f"import boneage.apps.cli.evaluate; print([m for m in {HEAVY!r} if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [Path(name) for name in listed.stdout.decode().split("\0") if name]


def test_no_film_is_tracked() -> None:
    films = [path for path in tracked() if path.suffix.lower() in FILM_SUFFIXES]
    assert not films, "films are other people's; the project draws its own"


def test_tracked_pictures_are_the_projects_own() -> None:
    allowed = ("examples/synthetic_", "docs/", "tests/data/synthetic_")
    pictures = [path.as_posix() for path in tracked() if path.suffix.lower() == ".png"]
    assert not [name for name in pictures if not name.startswith(allowed)]


def test_the_bundle_stays_small() -> None:
    files = [path for path in (ROOT / "src/boneage/bundle").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= BUNDLE_LIMIT


@pytest.mark.parametrize("text", ["README.md", "MODEL_CARD.md", "CHANGELOG.md", "Makefile"])
def test_commands_in_the_texts_exist(text: str) -> None:
    command = [sys.executable, "-m", "boneage", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    known = set(re.findall(r"^  ([a-z]+)\b", shown, re.MULTILINE))
    content = (ROOT / text).read_text("utf-8")
    named = re.findall(r"(?:`|^|/)boneage ([a-z]+)", content, re.MULTILINE)
    assert named or text == "MODEL_CARD.md"
    assert set(named) <= known
