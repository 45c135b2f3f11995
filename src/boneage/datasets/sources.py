"""Where labelled films come from: a folder in the layout of the RSNA challenge, or a table.

The official layout is ``boneage-training-dataset.csv`` with ``id,boneage,male`` and a folder of
films named by id. The extended one adds ``films.csv`` with the true shape of each film and a
split; another folder, of any name and format, holds squeezed copies of many more films. A table
is any CSV file of paths, sexes and bone ages.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from boneage.datasets.labels import (
    Film,
    Kind,
    LabelError,
    LabelledFilms,
    ProblemList,
    file_exists,
    films_of_rows,
    hash_split,
    parse_age,
    parse_pixels,
    parse_sex,
    parse_split,
    read_labels,
)
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from boneage.reading.folders import may_be_film
from boneage.storage.delimited import Delimited, Row, one_column

LABELS = "boneage-training-dataset.csv"
METADATA = "films.csv"
FILM_FOLDERS = ("boneage-training-dataset", "images", "films", ".")
FILM_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", "")
METADATA_COLUMNS = ("id", "original_width", "original_height", "film", "split")
SEX_COLUMNS = ("sex", "male")
AGE_COLUMNS = ("boneage", "bone_age_months")


def films_of_folder(folder: Path, problems: ProblemList) -> LabelledFilms:
    """List the labelled films of a folder, and its problems."""
    labels = read_labels(folder / LABELS, ("id", "boneage", "male"), ragged=True)
    extended = (folder / METADATA).is_file()
    metadata = _read_metadata(folder / METADATA, problems) if extended else {}
    squeezed = squeezed_copies(folder, metadata)

    def films_of(name: str, row: Row) -> list[Film]:
        age, sex = parse_age(row.cells["boneage"]), parse_sex(row.cells["male"])
        if not extended:
            return [Film(name, _find(folder, name), age, sex, hash_split(name))]
        if name not in metadata:
            raise LabelError(Kind.UNLISTED, f"{METADATA} does not list this id")
        label = Film(name, folder, age, sex, "train")
        return list(_copies(folder, label, metadata[name], squeezed.get(name)))

    films, ids = films_of_rows(labels.rows, lambda row: row.cells["id"], films_of, problems)
    if extended:
        listed = {name: row["film"] for name, row in metadata.items() if row["film"]}
        places = _folders_inside(listed.values(), (path.parent.name for path in squeezed.values()))
        used = {folder / film for name, film in listed.items() if name in ids}
    else:
        used = {film.path for film in films}
        here = any(path.parent == folder for path in used)
        places = FILM_FOLDERS if here else FILM_FOLDERS[:-1]
    for path in _without_label(folder, places, ids, used):
        message = f"image {_as_text(path.relative_to(folder).as_posix())!r} has no label"
        problems.add(Kind.NO_LABEL, id_of_file(_as_text(path.name)), message)
    where = f"images are expected in {list(places if extended else FILM_FOLDERS)}"
    return LabelledFilms(tuple(films), frozenset(ids), where)


def id_of_file(name: str) -> str:
    """The id in the name of a film's file: without a suffix of images; DICOM UIDs contain dots."""
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in FILM_SUFFIXES else name


def _read_metadata(path: Path, problems: ProblemList) -> dict[str, Mapping[str, str]]:
    metadata: dict[str, Mapping[str, str]] = {}
    for row in read_labels(path, METADATA_COLUMNS).rows:
        name = row.cells["id"]
        if name in metadata:
            message = f"id {name!r} is listed twice in {path.name}; the first row counts"
            problems.add(Kind.DUPLICATE, name, message)
        metadata.setdefault(name, row.cells)
    return metadata


def squeezed_copies(folder: Path, metadata: Mapping[str, Mapping[str, str]]) -> dict[str, Path]:
    """Find, by id, the squeezed copies of films, which ``films.csv`` does not list.

    Of several folders with copies, the one with the most is used.
    """
    listed = {Path(row["film"]).parts[0] for row in metadata.values() if row["film"]}
    found: list[dict[str, Path]] = [{}]
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if metadata and place.name not in listed and place.name not in FILM_FOLDERS:
            films = (p for p in sorted(place.iterdir()) if p.suffix.lower() in FILM_SUFFIXES[:-1])
            found.append({p.stem: p for p in films if p.stem in metadata and file_exists(p)})
    return max(found, key=len)


def _copies(
    folder: Path, label: Film, metadata: Mapping[str, str], squeezed: Path | None
) -> Iterator[Film]:
    """The existing copies of a labelled film: the squeezed one, the better one, or both."""
    split = parse_split(metadata["split"], METADATA)
    sizes = [
        parse_pixels(metadata[side], METADATA) for side in ("original_height", "original_width")
    ]
    if squeezed:
        yield Film(label.id, squeezed, label.age_months, label.sex, split, (sizes[0], sizes[1]))
    if metadata["film"]:
        film = folder / metadata["film"]
        if not file_exists(film):
            raise LabelError(Kind.NO_FILM, f"image {metadata['film']!r} is missing")
        yield Film(label.id, film, label.age_months, label.sex, split)
    elif not squeezed:
        raise LabelError(Kind.NO_FILM, "there is no image of this id")


def _find(folder: Path, name: str) -> Path:
    for sub, suffix in product(FILM_FOLDERS, FILM_SUFFIXES):
        for written in (suffix, suffix.upper()):
            path = folder / sub / f"{name}{written}"
            if file_exists(path):
                return path
    raise LabelError(Kind.NO_FILM, "there is no image of this id")


def _as_text(name: str) -> str:
    """A file name as text; bytes that are not UTF-8 are replaced."""
    return os.fsencode(name).decode("utf-8", "replace")


def _folders_inside(films: Iterable[str], squeezed: Iterable[str]) -> tuple[str, ...]:
    """The folders that hold films, without those outside the data set."""
    parents = {Path(film).parent for film in films}
    inside = (p for p in parents if not p.is_absolute() and ".." not in p.parts)
    return tuple(sorted({*squeezed, *(parent.as_posix() for parent in inside)}))


def _without_label(
    folder: Path, places: Iterable[str], ids: set[str], used: set[Path]
) -> Iterator[Path]:
    """Films without a label, one copy each."""
    named: set[str] = set()
    for place in places:
        here = folder / place
        for path in sorted(here.iterdir()) if here.is_dir() else ():
            name = id_of_file(path.name)
            if name in ids or name in named or path.name in ids or path in used:
                continue
            # Other files are beside the tables, such as a LICENSE.
            is_image = here != folder or path.suffix.lower() in FILM_SUFFIXES[:-1]
            if is_image and may_be_film(path.name) and path.is_file():
                named.add(name)
                yield path


def films_of_table(table: Path, problems: ProblemList) -> LabelledFilms:
    """List the labelled films of a table, and its problems.

    It is CSV (comma, semicolon or tab) with the columns ``path``, relative to the table; ``sex``,
    or ``male``; ``boneage`` or ``bone_age_months``. It may have ``id`` (else the film's file name
    without suffix) and ``split``, ``train`` or ``validation`` (else by a hash of the id). A
    DataError when it lacks a column.
    """
    labels = read_labels(table, (), ragged=True)
    sex_columns = [name for name in SEX_COLUMNS if name in labels.columns]
    if not sex_columns:
        raise _missing_column(table, labels, SEX_COLUMNS)
    age_column = _column(table, labels, AGE_COLUMNS)
    _column(table, labels, ("path",))

    def films_of(name: str, row: Row) -> list[Film]:
        cells = row.cells
        age, sex = parse_age(cells[age_column]), _sex(row, sex_columns)
        split = parse_split(cells["split"], table.name) if "split" in cells else hash_split(name)
        # Normalised, so that two spellings of one path are recognised.
        film = Path(os.path.normpath(table.parent / cells["path"]))
        if not cells["path"] or not file_exists(film):
            raise LabelError(Kind.NO_FILM, f"image {cells['path']!r} is missing")
        return [Film(name, film, age, sex, split)]

    films, ids = films_of_rows(labels.rows, _id_of, films_of, problems)
    where = f"paths are relative to the table's folder, {str(table.parent)!r}"
    return LabelledFilms(tuple(films), frozenset(ids), where)


def _id_of(row: Row) -> str:
    return row.cells["id"] if "id" in row.cells else id_of_file(Path(row.cells["path"]).name)


def _sex(row: Row, columns: Sequence[str]) -> Sex:
    """Parse the sex; where two columns state it they must agree."""
    found = {parse_sex(row.cells[column]) for column in columns if row.cells[column]}
    if len(found) > 1:
        message = f"the columns {' and '.join(map(repr, columns))} contradict each other"
        raise LabelError(Kind.SEX, message)
    return found.pop() if found else parse_sex("")


def _column(table: Path, labels: Delimited, names: tuple[str, ...]) -> str:
    found = one_column(labels.columns, names, table)
    if found is None:
        raise _missing_column(table, labels, names)
    return found


def _missing_column(table: Path, labels: Delimited, names: tuple[str, ...]) -> DataError:
    hint = f"; for {LABELS} give the folder it is in" if table.name == LABELS else ""
    return DataError(
        f"the table {str(table)!r} has no column {' or '.join(map(repr, names))}, only "
        f"{list(labels.columns)}; it needs path, sex (or male) and boneage (or "
        f"bone_age_months), and may have id and split{hint}"
    )
