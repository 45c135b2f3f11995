"""A person reads films in a real browser."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Dialog, expect

from boneage.domain.radiograph import Sex
from boneage.reports.wording import EN
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom, write_png
from tests.browser.chromium import ASSESS, Visitor, serving
from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow
SWITCHED_SECONDS = 0.3
"""From a click on a row to its image, on a quiet machine; a busy one is given five times that."""


def assessed(weights: Path, film: Path, *options: str) -> str:
    """What the command line says, as the page writes it."""
    command = [sys.executable, "-m", "boneage", "assess", str(film), "--json", *options]
    done = subprocess.run(
        [*command, "--weights", str(weights)], capture_output=True, check=True, text=True
    )
    return f"{json.loads(done.stdout)['films'][0]['age_months']:.1f}"


def by_the_command_line(
    weights: Path, morning: Path, table: Path
) -> Iterator[tuple[str, dict[str, str]]]:
    """Each DICOM image of the morning and its row, as the command line writes it."""
    films = sorted(str(one) for one in morning.glob("IM0*") if not one.suffix)
    command = [sys.executable, "-m", "boneage", "assess", *films, "--csv", str(table)]
    subprocess.run([*command, "--weights", str(weights)], capture_output=True, check=True)
    with table.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(films) > 15
    yield from ((row.pop("film"), row) for row in rows)


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


@pytest.fixture(scope="module")
def morning(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of 30 mixed files: DICOM, PNG, one that is cut off, one of words; and a table."""
    folder = tmp_path_factory.mktemp("morning")
    for number in range(28):
        sex = (Sex.FEMALE, Sex.MALE)[number % 2]
        drawn = draw(72 + 5 * number, sex, height=500, width=400, seed=number)
        dicom = number % 3 != 2
        with (folder / f"IM{number:04}{'' if dicom else '.png'}").open("wb") as file:
            (write_dicom if dicom else write_png)(drawn, file)
    whole = (folder / "IM0000").read_bytes()
    (folder / "IM9998").write_bytes(whole[: len(whole) // 2])
    (folder / "IM9999").write_text("The hand was fine.\n")
    rows = [f"IM{number:04}.png,{'fm'[number % 2]}" for number in range(2, 28, 3)]
    (folder / "cases.csv").write_text("\n".join(["path,sex", *rows, ""]))
    return folder


def test_a_png_is_dropped_and_read(visit: Visit, films: dict[str, Path], weights: Path) -> None:
    visitor = visit()
    drop(visitor, films["png"])
    visitor.wait_for_film()
    expect(visitor.page.get_by_role("button", name=ASSESS)).to_be_disabled()
    expect(visitor.page.get_by_text("1 without a sex")).to_be_visible()
    visitor.choose("Male")
    assert visitor.read() == assessed(weights, films["png"], "--sex", "male")
    visitor.wait_for_pictures()
    assert visitor.outside == []


def test_a_folder_is_dropped(visit: Visit, tmp_path: Path, films: dict[str, Path]) -> None:
    folder = tmp_path / "CD"
    (folder / "PAT1" / "ST2").mkdir(parents=True)
    shutil.copy(films["dicom"], folder / "PAT1" / "ST2" / "IM0001")
    shutil.copy(films["png"], folder / "PAT1" / "hand.png")
    (folder / "DICOMDIR").write_bytes(films["dicom"].read_bytes())
    (folder / ".DS_Store").write_bytes(b"Bud1")
    visitor = visit()
    visitor.drop(folder)
    visitor.wait_for_film(2)
    names = [visitor.rows.nth(place).inner_text() for place in range(2)]
    assert visitor.rows.count() == 2
    assert any("IM0001" in name for name in names), names
    assert any("hand.png" in name for name in names), names


def test_a_dicom_film_brings_its_sex(visit: Visit, films: dict[str, Path], weights: Path) -> None:
    visitor = visit()
    visitor.add(films["dicom"])
    visitor.wait_for_film()
    assert visitor.read() == assessed(weights, films["dicom"])
    expect(visitor.page.locator(".bone-age-months")).to_contain_text("female standard")
    expect(visitor.page.locator(".bone-age-conclusion")).to_contain_text(
        "chronological age 10 years 0 months"
    )


def test_a_morning_of_thirty(visit: Visit, morning: Path, weights: Path, tmp_path: Path) -> None:
    visitor = visit(width=1440)
    page = visitor.page
    visitor.add(*sorted(morning.iterdir()))
    visitor.wait_for_film(30)
    expect(page.get_by_text("2 cannot be read")).to_be_visible()
    assert page.locator(".frame").evaluate("e => e.clientHeight") < 900, "it takes no more page"
    visitor.read()
    expect(page.get_by_text("28 assessed")).to_be_visible()
    with page.expect_download() as waited:
        page.get_by_role("button", name="Table (CSV)").click()
    rows = list(csv.DictReader(io.StringIO(waited.value.path().read_text("utf-8"))))
    assert len(rows) == 28
    by_name = {row.pop("film"): row for row in rows}
    for film, expected in by_the_command_line(weights, morning, tmp_path / "cli.csv"):
        name = Path(film).name
        found = by_name[name]
        assert float(found.pop("seconds")) > 0 < float(expected.pop("seconds"))
        assert found == expected
        bone_age = EN.short_age(float(expected["age_months"]))
        expect(visitor.row(name).locator(".strong")).to_have_text(bone_age)
    page.get_by_placeholder("Filter by name").fill("IM0004")
    expect(visitor.rows).to_have_count(1)
    page.get_by_placeholder("Filter by name").fill("")
    page.locator("th", has_text="Bone age").get_by_role("button").click()
    shown = [int(text.split(" y")[0]) for text in page.locator("tr.row .strong").all_inner_texts()]
    assert shown == sorted(shown)
    page.evaluate(
        "document.addEventListener('boneage-open', () => { window.t = performance.now(); })"
    )
    row = visitor.row("IM0010")
    row.locator(".name").click()
    key = row.get_attribute("data-key")
    pane = page.locator(f'.viewer .pane[data-shown="{key}"]')
    pane.wait_for()
    switched = float(pane.get_attribute("data-at") or 0) - page.evaluate("window.t")
    assert switched < 5000 * SWITCHED_SECONDS
    expect(row).to_have_attribute("aria-selected", "true")


def test_the_morning_by_keyboard_alone(visit: Visit, films: dict[str, Path]) -> None:
    visitor = visit()
    page = visitor.page
    visitor.add(films["png"], films["dicom"])
    visitor.wait_for_film(2)
    visitor.row("hand.png").focus()
    page.keyboard.press("m")
    expect(visitor.row("hand.png").locator("select")).to_have_value("male")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(visitor.row("hand.dcm")).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("button", name="Analyse 2 radiographs")).to_be_enabled()
    page.get_by_role("button", name="Analyse 2 radiographs").focus()
    page.keyboard.press("Enter")
    visitor.wait_for_answers()
    visitor.row("hand.dcm").focus()
    for key, state in (("h", "data-heat"), ("b", "")):
        page.keyboard.press(key)
        if state:
            page.locator(f".viewer .pane[{state}]").wait_for()
    expect(page.locator(".viewer .region")).to_have_count(3)
    page.keyboard.press("o")
    expect(page.locator(".viewer .caption")).to_contain_text("as decoded")


def test_the_viewer_zooms_moves_and_compares(visit: Visit, films: dict[str, Path]) -> None:
    visitor = visit(width=1440)
    page = visitor.page
    visitor.add(films["png"], films["dicom"])
    visitor.wait_for_film(2)
    visitor.wait_for_pictures()
    zoom = """() => OpenSeadragon.getViewer(document.querySelector('.viewer .pane > div'))
        .viewport.getZoom(false)"""
    before = page.evaluate(zoom)
    canvas = page.locator(".viewer .openseadragon-canvas").first
    canvas.hover()
    page.mouse.wheel(0, -400)
    page.wait_for_timeout(600)
    after = page.evaluate(zoom)
    assert after > before
    page.keyboard.press("0")
    page.get_by_role("button", name=re.compile("^Invert")).click()
    filtered = "document.querySelector('.viewer canvas').style.filter"
    page.wait_for_function(f"{filtered}.includes('invert')")
    page.get_by_label("Window").fill("180")
    page.wait_for_function(f"{filtered}.includes('contrast(1.8)')")
    page.get_by_label("Side by side with").select_option(index=1)
    expect(page.locator(".viewer .pane")).to_have_count(2)
    page.locator(".viewer .pane[data-full]").first.wait_for()
    assert visitor.outside == []


def test_many_films_and_their_downloads(
    visit: Visit, films: dict[str, Path], tmp_path: Path
) -> None:
    visitor = visit()
    visitor.add(films["png"], films["dicom"])
    visitor.wait_for_film(2)
    page = visitor.page
    visitor.choose("Female", "hand.png")
    visitor.read()
    saved = {}
    for label in ("Table (CSV)", "JSON", "Pictures (ZIP)"):
        with page.expect_download() as waited:
            page.get_by_role("button", name=label).click()
        saved[label] = tmp_path / waited.value.suggested_filename
        waited.value.save_as(saved[label])
    saved_record = json.loads(saved["JSON"].read_text("utf-8"))
    assert [film["film"] for film in saved_record["films"]] == ["hand.png", "hand.dcm"]
    assert saved["Table (CSV)"].read_text("utf-8").count("\n") == 3
    with zipfile.ZipFile(saved["Pictures (ZIP)"]) as archive:
        assert len(archive.namelist()) == 2


def test_images_and_answers_stay_over_pages_and_leaving_asks(
    visit: Visit, films: dict[str, Path]
) -> None:
    visitor = visit()
    page = visitor.page
    visitor.add(films["dicom"])
    visitor.wait_for_film()
    months = visitor.read()
    page.get_by_role("link", name="Dataset check").click()
    page.get_by_label("Folder on this computer").wait_for()
    page.get_by_role("link", name="Assess bone age").click()
    visitor.wait_for_film()
    assert visitor.months() == months
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    page.evaluate("setTimeout(() => location.reload(), 0)")
    page.wait_for_timeout(1500)
    assert asked == ["beforeunload"]
    assert visitor.months() == months


def test_two_visitors_see_only_their_own(visit: Visit, films: dict[str, Path]) -> None:
    one, other = visit(), visit()
    one.add(films["png"])
    one.wait_for_film()
    other.page.reload()
    other.page.wait_for_selector("h1")
    expect(other.page.get_by_text("How it works")).to_be_visible()
    expect(other.page.get_by_text("hand.png")).to_have_count(0)


def test_a_stopped_server_says_so(
    visit: Visit, _built_weights: Path, films: dict[str, Path], tmp_path: Path
) -> None:
    with serving(_built_weights, tmp_path / "log.txt") as server:
        visitor = visit()
        visitor.address = server.address
        visitor.open()
        visitor.add(films["dicom"])
        visitor.wait_for_film()
        server.process.kill()
        expect(visitor.page.get_by_role("alert").filter(has_text="has stopped")).to_be_visible()
    assert "hand.dcm" in visitor.row("hand.dcm").inner_text(), "what was seen stays"
    visitor.page.close(run_before_unload=False)


def test_the_reader_reads_first(visit: Visit, films: dict[str, Path]) -> None:
    visitor = visit()
    page = visitor.page
    page.get_by_role("button", name="Settings").click()
    page.get_by_text("Read first: my own reading").click()
    page.keyboard.press("Escape")
    visitor.wait_until_idle()
    visitor.add(films["dicom"])
    visitor.wait_for_film()
    page.get_by_role("button", name=ASSESS).click()
    own = page.get_by_role("textbox", name="Your reading of the bone age")
    own.wait_for()
    expect(page.locator(".bone-age-months")).to_have_count(0)
    expect(page.locator("tr.row .strong")).to_have_count(0)
    own.fill("9y6m")
    page.get_by_role("button", name="Read", exact=True).click()
    page.locator(".bone-age-months").wait_for()
    visitor.tab("Reader")
    page.get_by_role("button", name="State this one").click()
    expect(page.get_by_text("Stated by the reader: 9 years 6 months")).to_be_visible()
    with page.expect_download() as waited:
        page.get_by_role("button", name="JSON").click()
    (film,) = json.loads(waited.value.path().read_text("utf-8"))["films"]
    assert film["age_months"] == 114
    assert film["reading"]["own_months"] == 114


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
