"""A person reads films in a real browser."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.chromium import Visitor
from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow


def assessed(weights: Path, film: Path, *options: str) -> str:
    """What the command line says, as the page writes it."""
    command = [sys.executable, "-m", "boneage", "assess", str(film), "--json", *options]
    done = subprocess.run(
        [*command, "--weights", str(weights)], capture_output=True, check=True, text=True
    )
    return f"{json.loads(done.stdout)['films'][0]['age_months']:.1f}"


def drop(visitor: Visitor, film: Path) -> None:
    """Drag a file from the desktop onto the page and let it go."""
    content = base64.b64encode(film.read_bytes()).decode()
    transfer = visitor.page.evaluate_handle(
        """([content, name]) => {
            const bytes = Uint8Array.from(atob(content), letter => letter.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name));
            return transfer;
        }""",
        [content, film.name],
    )
    zone = visitor.page.get_by_test_id("stFileUploaderDropzone")
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": transfer})


def test_a_png_is_dropped_and_read(visit: Visit, films: dict[str, Path], weights: Path) -> None:
    visitor = visit()
    button = visitor.page.get_by_role("button", name="Assess bone age")
    expect(button).to_be_disabled()
    drop(visitor, films["png"])
    visitor.wait_for_film()
    expect(button).to_be_disabled()
    expect(visitor.page.get_by_text("Choose the sex.")).to_be_visible()
    visitor.choose("Male")
    expect(button).to_be_enabled()
    assert visitor.read() == assessed(weights, films["png"], "--sex", "male")
    visitor.wait_for_pictures()
    assert visitor.outside == []


def test_a_dicom_film_brings_its_sex(visit: Visit, films: dict[str, Path], weights: Path) -> None:
    visitor = visit()
    visitor.add(films["dicom"])
    visitor.wait_for_film()
    assert visitor.read() == assessed(weights, films["dicom"])
    expect(visitor.page.locator(".bone-age-months")).to_contain_text("female standard")
    expect(
        visitor.page.get_by_text("Chronological age 10 years 0 months (120.0 months)")
    ).to_be_visible()


def test_the_example_by_keyboard_alone(visit: Visit) -> None:
    visitor = visit()
    page = visitor.page
    page.get_by_role("button", name="Try the synthetic example").focus()
    page.keyboard.press("Enter")
    visitor.wait_for_film()
    focused = "document.activeElement.innerText || document.activeElement.value"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate(focused) == "Assess bone age":
            break
    page.keyboard.press("Enter")
    visitor.wait_for_pictures()
    slider = page.get_by_role("slider")
    slider.focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    expect(page.locator('img[alt*="40 % opaque"]')).to_be_visible()


def test_every_picture_has_words(visit: Visit) -> None:
    visitor = visit()
    visitor.add_example()
    visitor.read()
    visitor.wait_for_pictures()
    words = visitor.page.evaluate("[...document.images].map(image => image.alt)")
    assert len(words) == 1 + 3 + 3 + 1, "film, heat maps, crops, growth chart"
    assert all(words)


def test_many_films_and_their_downloads(
    visit: Visit, films: dict[str, Path], tmp_path: Path
) -> None:
    visitor = visit()
    visitor.add(films["png"], films["dicom"])
    page = visitor.page
    expect(page.get_by_text("Choose the sex for hand.png.")).to_be_visible()
    visitor.choose("Female")
    visitor.read()
    expect(page.get_by_test_id("stDataFrame")).to_be_visible()
    saved = {}
    for label in ("CSV", "JSON", "Pictures (ZIP)"):
        with page.expect_download() as waited:
            page.get_by_role("button", name=label, exact=False).click()
        saved[label] = tmp_path / waited.value.suggested_filename
        waited.value.save_as(saved[label])
    saved_record = json.loads(saved["JSON"].read_text("utf-8"))
    assert [film["film"] for film in saved_record["films"]] == ["hand.png", "hand.dcm"]
    assert saved["CSV"].read_text("utf-8").count("\n") == 3
    with zipfile.ZipFile(saved["Pictures (ZIP)"]) as archive:
        assert len(archive.namelist()) == 2


def touch_something_else(visitor: Visitor) -> None:
    """Ask for inches, which changes no answer but has the whole page redrawn."""
    visitor.page.get_by_text("inches", exact=True).first.click()
    visitor.page.get_by_label("Height in inches").first.wait_for()
    visitor.wait_until_idle()


def test_the_analysis_continues_when_something_else_is_touched(
    visit: Visit, films: dict[str, Path]
) -> None:
    visitor = visit()
    visitor.add(films["png"], films["dicom"])
    page = visitor.page
    page.get_by_text("Choose the sex for hand.png.").wait_for()
    visitor.choose("Female")
    visitor.expand("Age and height (optional)")
    page.get_by_role("button", name="Analyse 2 radiographs").click()
    touch_something_else(visitor)
    visitor.months()
    with page.expect_download() as waited:
        page.get_by_role("button", name="JSON").click()
    saved_record = json.loads(waited.value.path().read_text("utf-8"))
    assert [film["film"] for film in saved_record["films"]] == ["hand.png", "hand.dcm"]


def test_a_document_comes_when_something_else_is_touched(
    visit: Visit, films: dict[str, Path]
) -> None:
    visitor = visit()
    visitor.add(films["dicom"])
    visitor.wait_for_film()
    visitor.expand("Age and height (optional)")
    visitor.read()
    visitor.wait_for_pictures()
    visitor.wait_until_idle()
    visitor.expand("Report, FHIR and DICOM")
    visitor.page.get_by_role("button", name="Create DICOM files (ZIP)").click()
    touch_something_else(visitor)
    save = visitor.page.get_by_role("button", name="Save hand.boneage.zip")
    with visitor.page.expect_download() as waited:
        save.click()
    with zipfile.ZipFile(waited.value.path()) as archive:
        assert len(archive.namelist()) == 2


def test_two_visitors_see_only_their_own(visit: Visit, films: dict[str, Path]) -> None:
    one, other = visit(), visit()
    one.add(films["png"])
    one.wait_for_film()
    other.page.reload()
    other.page.wait_for_selector("h1")
    expect(other.page.get_by_text("Add a radiograph first.")).to_be_visible()
    expect(other.page.get_by_text("hand.png")).to_have_count(0)


def test_the_data_page(visit: Visit, tmp_path: Path, films: dict[str, Path]) -> None:
    folder = tmp_path / "boneage-training-dataset"
    folder.mkdir()
    for number in (1, 2):
        (folder / f"{number}.png").write_bytes(films["png"].read_bytes())
    labels = "id,boneage,male\n1,120,True\n2,60,False\n3,,False\n"
    (tmp_path / "boneage-training-dataset.csv").write_text(labels)
    visitor = visit("data")
    page = visitor.page
    page.get_by_label("Folder on this computer").fill(str(tmp_path))
    page.get_by_role("button", name="Analyse").click()
    expect(page.get_by_test_id("stVegaLiteChart")).to_have_count(2)
    expect(page.locator("canvas, svg.marks").first).to_be_visible()
    expect(page.get_by_text("is not a number of months")).to_be_visible()
    assert visitor.outside == []
