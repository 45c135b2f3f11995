"""Automatic annotation: detects the regions of all images in a folder.

Into one folder go ``regions.csv`` (a row for each region),
``regions.json`` (COCO) and ``crops/<region>/`` (PNG, at full
resolution). An interrupted run resumes.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from boneage._version import __version__
from boneage.batch.cases import no_images_error
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Box, Failure, WeightsName
from boneage.domain.radiograph import Radiograph
from boneage.errors import DataError, OutputError
from boneage.inference.assessor import Assessor
from boneage.inference.session import failure_of
from boneage.reading import read
from boneage.reading.folders import LeftOut, films_in
from boneage.reports.table import Row, TableWriter, write_table
from boneage.storage.delimited import unescape_cell
from boneage.storage.files import DISK_FULL, atomically, locked, reason_of, shortened
from boneage.storage.printable import file_label

TABLE = "regions.csv"
COCO = "regions.json"
CROPS = "crops"
LONGEST_NAME, NAME_BYTES = 255, 200
"""Bytes that file systems allow, and bytes of an image's name in the name of a crop where that
would be too long."""
COLUMNS = (
    "film",
    "region",
    "min_row",
    "min_col",
    "max_row",
    "max_col",
    "film_height",
    "film_width",
    "attention_found",
    "crop",
    "weights_sha256",
)

CATEGORIES: Mapping[str, int] = {CARPAL: 1, METACARPAL: 2, PHALANX: 3}
"""Of COCO: https://cocodataset.org/#format-data, "object detection"."""


@dataclass(frozen=True)
class AnnotatedRegion:
    """One region of an image."""

    region: str
    box: Box
    attention_found: bool


@dataclass(frozen=True)
class AnnotatedFilm:
    """One image of a folder and its regions."""

    path: str
    """Below the folder, with forward slashes."""
    height: int
    width: int
    regions: tuple[AnnotatedRegion, ...]


class Annotation:
    """The resumable annotation of one folder and its subfolders, into ``out``.

    Only the assessor's attention network is opened. A `DataError` is raised when the folder
    holds no images.
    """

    def __init__(self, folder: Path, out: Path, assessor: Assessor) -> None:
        self.folder, self.out, self.assessor = folder, out, assessor
        self.left_out = LeftOut()
        paths = films_in(folder, without=[out / CROPS], left_out=self.left_out)
        if not paths:
            raise no_images_error(folder, self.left_out)
        self._paths = {file_label(path.relative_to(folder).as_posix()): path for path in paths}
        out.mkdir(parents=True, exist_ok=True)
        self.done = self._completed()

    @property
    def films(self) -> Collection[str]:
        """All images of the folder, by their name in the table."""
        return self._paths.keys()

    @property
    def missing(self) -> list[str]:
        """The images that are still to be annotated."""
        return [film for film in self.films if film not in self.done]

    def run(self) -> Generator[AnnotatedFilm | Failure, None, None]:
        """Annotate every missing image; a bad one becomes a Failure.

        The table grows by each image; the COCO file is written at the end, also when the caller
        stops early. Raises a `DataError` when another command is writing into the folder, an
        `OutputError` when a file cannot be written; the table holds the images so far.
        """
        with locked(self.out) as alone:
            if not alone:
                raise DataError(
                    f"another command is writing into {str(self.out)!r}; wait for it, or give "
                    "another folder"
                )
            self.done = self._completed()
            try:
                yield from self._run()
            except OSError as error:
                raise OutputError(
                    f"{str(self.out)!r} cannot be written: {reason_of(error)}; finished "
                    "images are saved; give the same command again to resume"
                ) from error

    def _run(self) -> Generator[AnnotatedFilm | Failure, None, None]:
        with atomically(self.out / TABLE) as file:  # drops the rows of an unfinished image
            earlier = (
                row
                for film in self.films
                if film in self.done
                for row in self._rows(self.done[film])
            )
            write_table(file, earlier, COLUMNS)
        try:
            with (self.out / TABLE).open("ab", buffering=0) as file:
                table = TableWriter(file, COLUMNS, begun=True)
                for film in self.missing:
                    try:
                        annotated = self._annotate(film)
                    except Exception as error:  # one bad image must not stop the others
                        yield _failure(film, error)
                        continue
                    for row in self._rows(annotated):
                        table.add(row)
                    self.done[film] = annotated
                    yield annotated
        finally:
            films = [self.done[film] for film in self.films if film in self.done]
            document = coco(films, self.assessor.weights.name)
            with atomically(self.out / COCO) as file:
                file.write(json.dumps(document, indent=1).encode())

    def _annotate(self, film: str) -> AnnotatedFilm:
        """Detect the regions of an image, and write their crops."""
        radiograph = read(self._paths[film])
        regions = []
        for found in self.assessor.find_regions(radiograph):
            path = self.out / _crop_path(film, found.region)
            path.parent.mkdir(parents=True, exist_ok=True)
            with atomically(path) as file:
                file.write(crop_png(radiograph, found.box))
            regions.append(AnnotatedRegion(found.region, found.box, found.attention_found))
        return AnnotatedFilm(film, radiograph.height, radiograph.width, tuple(regions))

    def _rows(self, film: AnnotatedFilm) -> Iterator[Row]:
        for found in film.regions:
            yield {
                "film": film.path,
                "region": found.region,
                **asdict(found.box),
                "film_height": film.height,
                "film_width": film.width,
                "attention_found": int(found.attention_found),
                "crop": _crop_path(film.path, found.region),
                "weights_sha256": self.assessor.weights.name.sha256,
            }

    def _completed(self) -> dict[str, AnnotatedFilm]:
        """The images of an earlier run: same weights, every region and every crop there."""
        path = self.out / TABLE
        if not path.is_file():
            return {}
        films: dict[str, AnnotatedFilm] = {}
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.DictReader(file):
                if self._is_valid(row):
                    name = unescape_cell(row["film"])
                    height, width = int(row["film_height"]), int(row["film_width"])
                    box = Box(*(int(row[c]) for c in ("min_row", "min_col", "max_row", "max_col")))
                    found = AnnotatedRegion(row["region"], box, row["attention_found"] == "1")
                    film = films.get(name) or AnnotatedFilm(name, height, width, ())
                    films[name] = replace(film, regions=(*film.regions, found))
        wanted = list(self.assessor.weights.manifest.plan.names)
        return {
            name: film
            for name, film in films.items()
            if name in self._paths and [found.region for found in film.regions] == wanted
        }

    def _is_valid(self, row: Mapping[str, str | None]) -> bool:
        return (
            all(row.get(column) for column in COLUMNS)
            and row["weights_sha256"] == self.assessor.weights.name.sha256
            and (self.out / unescape_cell(str(row["crop"]))).is_file()
        )


def _failure(film: str, error: Exception) -> Failure:
    """Why an image was not annotated; an error that would meet every image is raised."""
    if isinstance(error, OSError):  # of its crops: its name may be too long
        if error.errno in DISK_FULL:
            raise error
        return Failure(film, "output", f"its crops cannot be written: {reason_of(error)}")
    return failure_of(film, error)


def _crop_path(film: str, region: str) -> str:
    """Where a crop goes: under its image's whole name, so that hand.png and hand.jpg differ.

    A name that would be too long is cut, with a hash.
    """
    folder, name = os.path.split(film)
    if len(os.fsencode(f"{name}.png")) > LONGEST_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:16]
        name = f"{shortened(name, NAME_BYTES)}-{digest}"
    return "/".join(filter(None, (CROPS, region, folder, f"{name}.png")))


def crop_png(radiograph: Radiograph, box: Box) -> bytes:
    """Cut a box out as a PNG of 8 bits, or 16 where the image has more; not stretched, no CLAHE."""
    deep = radiograph.metadata.bits > 8
    highest, kind = (65535, np.uint16) if deep else (255, np.uint8)
    values = np.rint(np.clip(radiograph.pixels[box.slices], 0.0, 1.0) * np.float32(highest))
    _, encoded = cv2.imencode(".png", values.astype(kind))
    return bytes(encoded)


def coco(films: Iterable[AnnotatedFilm], weights: WeightsName) -> dict[str, Any]:
    """Describe images and their boxes as COCO does, for ``json.dumps``.

    A ``bbox`` is x, y, width, height in pixels of the original image. An annotation whose
    ``attributes`` state ``attention_found: false`` is an expected position, not a detection.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image_id, film in enumerate(films, start=1):
        images.append(
            {"id": image_id, "file_name": film.path, "width": film.width, "height": film.height}
        )
        for found in film.regions:
            box = found.box
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image_id,
                    "category_id": CATEGORIES[found.region],
                    "bbox": [box.min_col, box.min_row, box.width, box.height],
                    "area": box.area,
                    "segmentation": [],
                    "iscrowd": 0,
                    "attributes": {"attention_found": found.attention_found},
                }
            )
    return {
        "info": {
            "description": "Regions of hand radiographs, detected automatically",
            "version": f"boneage {__version__}, weights {weights.name} {weights.sha256}",
        },
        "images": images,
        "annotations": annotations,
        "categories": [
            {"id": number, "name": name, "supercategory": "hand"}
            for name, number in CATEGORIES.items()
        ],
    }
