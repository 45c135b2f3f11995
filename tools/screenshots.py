"""The pictures of the dashboard in the documents; only synthetic films are on them.

Run ``make dashbench``, or this module with the folder for them.
"""

from __future__ import annotations

import argparse
import io
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.sync_api import sync_playwright

from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom
from tests.browser.chromium import Visitor, find_chromium, launch, serving

AGES = {"girl_11y.dcm": (132, Sex.FEMALE), "boy_13y.dcm": (156, Sex.MALE)}
"""Old enough for the weights that ship to take them for hands."""


LIMIT_BYTES = 400_000
"""Of a picture in the repository."""


@dataclass(frozen=True)
class Shot:
    """One picture."""

    width: int
    height: int
    scheme: Literal["light", "dark"]
    prepare: Callable[[Visitor, Path], None]


def answer(visitor: Visitor, _: Path) -> None:
    visitor.add_example()
    visitor.read()
    visitor.wait_for_pictures()
    visitor.page.mouse.move(0, 0)


def many(visitor: Visitor, folder: Path) -> None:
    visitor.add(*sorted(folder.glob("*.dcm")))
    visitor.wait_for_film(2)
    visitor.read()
    visitor.wait_for_pictures()
    visitor.page.mouse.move(0, 0)


def phone(visitor: Visitor, folder: Path) -> None:
    answer(visitor, folder)
    visitor.page.locator(".bone-age-label").evaluate("e => e.scrollIntoView()")
    visitor.page.get_by_test_id("stMain").evaluate("e => e.scrollBy(0, -72)")  # the top bar


def empty(_visitor: Visitor, _folder: Path) -> None:
    """As a visitor opens it."""


def film(visitor: Visitor, _: Path) -> None:
    visitor.add_example()
    visitor.page.mouse.move(0, 0)


def refused(visitor: Visitor, folder: Path) -> None:
    notes = folder / "notes.png"
    notes.write_text("The hand was fine.\n", "utf-8")
    with (folder / "huge.png").open("wb") as file:
        file.truncate(200 * 2**20)
    visitor.add(notes, folder / "huge.png", *sorted(folder.glob("*girl*.dcm")))
    visitor.page.locator("tr.reason", has_text="is text").wait_for()


def data(visitor: Visitor, folder: Path) -> None:
    """A training folder of two synthetic films and a label without one."""
    films = folder / "boneage-training-dataset"
    films.mkdir(exist_ok=True)
    rows = ["id,boneage,male"]
    for number in range(24):
        shutil.copy(next(folder.glob("*girl*.dcm")), films / f"{number}.dcm")
        rows.append(f"{number},{24 + 8 * number},{number % 3 > 0}")
    table = folder / "boneage-training-dataset.csv"
    table.write_text("\n".join([*rows, "24,,False"]), "utf-8")
    visitor.open("data")
    visitor.page.get_by_label("Folder on this computer").fill(str(folder))
    visitor.page.get_by_role("button", name="Analyse").click()
    visitor.page.locator("canvas, svg.marks").first.wait_for()


SIZES: tuple[tuple[int, int, Literal["light", "dark"]], ...] = (
    (390, 1688, "light"),
    (1280, 1400, "light"),
    (1920, 1400, "dark"),
)
STATES = {
    "empty": empty,
    "film": film,
    "answer": answer,
    "many": many,
    "refused": refused,
    "data": data,
}
EVERY_STATE: Mapping[str, Shot] = {
    f"{state}-{width}.png": Shot(width, height, scheme, prepare)
    for state, prepare in STATES.items()
    for width, height, scheme in SIZES
}
SHOTS: Mapping[str, Shot] = {
    "dashboard.png": Shot(1280, 900, "light", answer),
    "dashboard-many.png": Shot(1280, 900, "dark", many),
    "dashboard-phone.png": Shot(390, 844, "light", phone),
}


def take(shots: Mapping[str, Shot], folder: Path, weights: Path | None) -> None:
    with tempfile.TemporaryDirectory() as temporary, sync_playwright() as playwright:
        films = Path(temporary)
        for name, (age_months, sex) in AGES.items():
            with (films / f"synthetic_{name}").open("wb") as file:
                write_dicom(draw(age_months, sex), file)
        browser = launch(playwright)
        with serving(weights, films / "log.txt") as server:
            for name, shot in shots.items():
                context = browser.new_context(
                    viewport={"width": shot.width, "height": shot.height}, color_scheme=shot.scheme
                )
                visitor = Visitor(context.new_page(), server.address)
                visitor.open()
                shot.prepare(visitor, films)
                visitor.page.wait_for_timeout(1500)
                save(visitor.page.screenshot(), folder / name)
                print(f"written: {folder / name}")
                context.close()
        browser.close()


def save(screenshot: bytes, path: Path) -> None:
    """Write a picture that stays below the limit, in fewer colours where it must."""
    with Image.open(io.BytesIO(screenshot)) as picture:
        picture.convert("RGB").save(path, optimize=True)
        if path.stat().st_size > LIMIT_BYTES:
            picture.convert("RGB").quantize().save(path, optimize=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Take the pictures of the dashboard.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--weights", type=Path, help="a folder of weights; default: the bundled")
    parser.add_argument("--every-state", action="store_true", help="at three widths each")
    given = parser.parse_args()
    if find_chromium() is None:
        parser.exit(2, "no Chromium is installed (apt-get install chromium)\n")
    given.folder.mkdir(parents=True, exist_ok=True)
    take(EVERY_STATE if given.every_state else SHOTS, given.folder, given.weights)


if __name__ == "__main__":
    main()
