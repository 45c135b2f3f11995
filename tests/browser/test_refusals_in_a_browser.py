"""What a person is told about a file that is no film, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Visit

pytestmark = pytest.mark.slow


def test_a_text_file(visit: Visit, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("The hand was fine.\n")
    visitor = visit()
    visitor.add(tmp_path / "notes.txt")
    reason = visitor.page.locator("tr.reason")
    expect(reason).to_contain_text("'notes.txt' is text")
    expect(reason).to_contain_text("Upload the radiograph itself")
    expect(visitor.page.get_by_text("1 cannot be read")).to_be_visible()


def test_a_dicom_film_that_is_cut_off(visit: Visit, tmp_path: Path, films: dict[str, Path]) -> None:
    whole = films["dicom"].read_bytes()
    (tmp_path / "hand.dcm").write_bytes(whole[: len(whole) // 2])
    visitor = visit()
    visitor.add(tmp_path / "hand.dcm")
    reason = visitor.page.locator("tr.reason")
    expect(reason).to_contain_text("'hand.dcm'")
    expect(reason).to_contain_text("cut off")
    expect(reason).to_contain_text("Export the image from its source again")


def test_a_file_of_200_megabytes(visit: Visit, tmp_path: Path) -> None:
    with (tmp_path / "huge.png").open("wb") as file:
        file.truncate(200 * 2**20)
    visitor = visit()
    visitor.add(tmp_path / "huge.png")
    message = visitor.page.get_by_text("File must be 100.0MB or smaller.", exact=False).first
    expect(message).to_be_visible()
    box = message.bounding_box()
    assert box is not None
    assert box["height"] > 10, "seen by people too, not by screen readers alone"
    expect(visitor.page.get_by_text("Up to 100 MB each")).to_be_visible()


def test_a_photograph(visit: Visit, tmp_path: Path) -> None:
    rows, cols = np.mgrid[0:600, 0:800]
    colours = np.stack([rows % 256, cols % 256, (rows + cols) % 256], axis=2)
    Image.fromarray(colours.astype(np.uint8)).save(tmp_path / "holiday.jpg")
    visitor = visit()
    visitor.add(tmp_path / "holiday.jpg")
    mark = visitor.row("holiday.jpg").locator(".mark.finding")
    expect(mark).to_have_attribute("aria-label", re.compile("in colour. It may be a photograph"))
