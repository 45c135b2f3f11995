"""Automatic annotation: the regions of a whole folder of films, as the attention finds them.

Into one folder go ``regions.csv`` (a line a region, written film by film),
``regions.json`` (COCO) and ``crops/<region>/`` (PNG, the film's own pixels at
full resolution). A second run goes on where the first one stopped.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Generator, Iterable, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from boneage.assessment import Box, Failure, Look
from boneage.assessor import Assessor
from boneage.cases import films_in
from boneage.errors import BoneageError, DataError, WeightsError
from boneage.radiograph import Radiograph
from boneage.reading import read
from boneage.writing.coco import AnnotatedFilm, AnnotatedRegion, coco
from boneage.writing.files import atomically

TABLE = "regions.csv"
COCO = "regions.json"
CROPS = "crops"
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


class Annotation:
    """The annotation of one folder, as far as it has come.

    Parameters
    ----------
    folder : Path
        Of films, with its subfolders.
    out : Path
        Made when missing.
    assessor : Assessor
        Only its attention network is opened.

    Raises
    ------
    DataError
        When the folder holds no films.
    """

    def __init__(self, folder: Path, out: Path, assessor: Assessor) -> None:
        self.folder, self.out, self.assessor = folder, out, assessor
        paths = films_in(folder, without=[out / CROPS])
        if not paths:
            raise DataError(f"no films in the folder {str(folder)!r}")
        self.films = [path.relative_to(folder).as_posix() for path in paths]
        out.mkdir(parents=True, exist_ok=True)
        self.done = self._finished()

    @property
    def missing(self) -> list[str]:
        """The films that are still to be looked at."""
        return [film for film in self.films if film not in self.done]

    def run(self) -> Generator[AnnotatedFilm | Failure, None, None]:
        """Look at every missing film; a bad one becomes a Failure.

        The table grows film by film. The COCO file is written at the end,
        also when the caller stops early.
        """
        earlier = [row for film in self.films if film in self.done for row in self.done[film]]
        with atomically(self.out / TABLE) as file:  # without what was cut off in a line
            file.write(_lines([dict(zip(COLUMNS, COLUMNS, strict=True)), *earlier]))
        try:
            with (self.out / TABLE).open("ab") as file:
                for film in self.missing:
                    try:
                        rows = self._annotate(film)
                    except WeightsError:
                        raise  # not this film's fault: every film would fail
                    except BoneageError as error:
                        yield Failure(film, getattr(error, "code", "film"), str(error))
                        continue
                    file.write(_lines(rows))
                    file.flush()
                    self.done[film] = rows
                    yield _annotated(film, rows)
        finally:
            self._write_coco()

    def _annotate(self, film: str) -> list[dict[str, str]]:
        radiograph = read(self.folder / film)
        looks = self.assessor.find_regions(radiograph)
        return [self._row(film, look, radiograph) for look in looks]

    def _row(self, film: str, look: Look, radiograph: Radiograph) -> dict[str, str]:
        # The whole name and one suffix more: hand.png and hand.jpg are two films.
        crop = f"{CROPS}/{look.region}/{film}.png"
        path = self.out / crop
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomically(path) as file:
            file.write(crop_png(radiograph, look.box))
        box = look.box
        cells = (
            *(film, look.region),
            *(box.min_row, box.min_col, box.max_row, box.max_col),
            *(radiograph.height, radiograph.width),
            *(int(look.attention_found), crop, self.assessor.weights.name.sha256),
        )
        return dict(zip(COLUMNS, map(str, cells), strict=True))

    def _finished(self) -> dict[str, list[dict[str, str]]]:
        """Find what an earlier run finished: the same weights, every region, every crop there."""
        path = self.out / TABLE
        if not path.is_file():
            return {}
        by_film: dict[str, list[dict[str, str]]] = {}
        with path.open(newline="", encoding="utf-8", errors="replace") as file:
            for row in csv.DictReader(file):
                if self._is_good(row):
                    by_film.setdefault(row["film"], []).append(row)
        wanted = list(self.assessor.weights.manifest.plan.names)
        here = set(self.films)
        return {
            film: rows
            for film, rows in by_film.items()
            if film in here and [row["region"] for row in rows] == wanted
        }

    def _is_good(self, row: Mapping[str, str | None]) -> bool:
        return (
            all(row.get(column) for column in COLUMNS)
            and row["weights_sha256"] == self.assessor.weights.name.sha256
            and (self.out / str(row["crop"])).is_file()
        )

    def _write_coco(self) -> None:
        films = [_annotated(film, self.done[film]) for film in self.films if film in self.done]
        document = coco(films, self.assessor.weights.name)
        with atomically(self.out / COCO) as file:
            file.write(json.dumps(document, indent=1).encode())


def crop_png(radiograph: Radiograph, box: Box) -> bytes:
    """Cut a box from a film, as a PNG of the film's own depth.

    8 bits a pixel, or 16 where the film has more than 8; no stretch, no CLAHE.
    """
    deep = radiograph.facts.bits > 8
    highest, kind = (65535, np.uint16) if deep else (255, np.uint8)
    pixels = radiograph.pixels[box.min_row : box.max_row, box.min_col : box.max_col]
    values = np.rint(np.clip(pixels, 0.0, 1.0) * np.float32(highest)).astype(kind)
    _, encoded = cv2.imencode(".png", values)
    return bytes(encoded)


def _annotated(film: str, rows: Sequence[Mapping[str, str]]) -> AnnotatedFilm:
    regions = tuple(
        AnnotatedRegion(
            row["region"],
            Box(*(int(row[c]) for c in ("min_row", "min_col", "max_row", "max_col"))),
            row["attention_found"] == "1",
        )
        for row in rows
    )
    return AnnotatedFilm(film, int(rows[0]["film_height"]), int(rows[0]["film_width"]), regions)


def _lines(rows: Iterable[Mapping[str, str]]) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS).writerows(rows)
    return text.getvalue().encode()
