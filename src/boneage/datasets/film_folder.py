"""Folders of labelled films: the official layout of the RSNA challenge, and a richer one.

The official one is ``boneage-training-dataset.csv`` with ``id,boneage,male``
and a folder of films named by id. The richer one adds ``films.csv`` with the
true shape of each film and a split; beside the better copies that it lists lie squeezed
ones of many more films, in whatever folder and format.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from boneage.datasets.labels import (
    Film,
    LabelledFilms,
    films_of_rows,
    hash_split,
    is_there,
    parse_age,
    parse_pixels,
    parse_sex,
    parse_split,
    read_labels,
)
from boneage.datasets.problems import Kind, LabelError, ProblemList
from boneage.reading.folders import may_be_film
from boneage.storage.delimited import Row

LABELS = "boneage-training-dataset.csv"
FACTS = "films.csv"
FILM_FOLDERS = ("boneage-training-dataset", "images", "films", ".")
FILM_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp", ".dcm", "")
FACT_COLUMNS = ("id", "original_width", "original_height", "film", "split")


def films_of_folder(folder: Path, problems: ProblemList) -> LabelledFilms:
    """List the labelled films of a folder, and note what is wrong.

    Raises
    ------
    DataError
        When a table is not one; when the problems are strict, at the first.
    """
    labels = read_labels(folder / LABELS, ("id", "boneage", "male"), ragged=True)
    rich = (folder / FACTS).is_file()
    metadata = _facts(folder / FACTS, problems) if rich else {}
    squeezed = squeezed_copies(folder, metadata)

    def films_of(name: str, row: Row) -> list[Film]:
        age, sex = parse_age(row.cells["boneage"]), parse_sex(row.cells["male"])
        if not rich:
            return [Film(name, _find(folder, name), age, sex, hash_split(name))]
        if name not in metadata:
            raise LabelError(Kind.UNLISTED, f"{FACTS} does not know this id")
        label = Film(name, folder, age, sex, "train")
        return list(_copies(folder, label, metadata[name], squeezed.get(name)))

    films, ids = films_of_rows(labels.rows, lambda row: row.cells["id"], films_of, problems)
    if rich:
        listed = {name: row["film"] for name, row in metadata.items() if row["film"]}
        places = _inside(listed.values(), (path.parent.name for path in squeezed.values()))
        used = {folder / film for name, film in listed.items() if name in ids}
    else:
        used = {film.path for film in films}
        here = any(path.parent == folder for path in used)
        places = FILM_FOLDERS if here else FILM_FOLDERS[:-1]
    for path in _without_label(folder, places, ids, used):
        place = _shown(path.relative_to(folder).as_posix())
        problems.add(Kind.NO_LABEL, id_of_file(_shown(path.name)), f"film {place!r} has no label")
    where = f"films are looked for in {list(places if rich else FILM_FOLDERS)}"
    return LabelledFilms(tuple(films), frozenset(ids), where)


def id_of_file(name: str) -> str:
    """The id that a film's file is named by: its name without a suffix that films have.

    Only such a suffix is taken off: UIDs of DICOM files have dots of their own.
    """
    suffix = Path(name).suffix
    return name.removesuffix(suffix) if suffix.lower() in FILM_SUFFIXES else name


def _facts(path: Path, problems: ProblemList) -> dict[str, Mapping[str, str]]:
    metadata: dict[str, Mapping[str, str]] = {}
    for row in read_labels(path, FACT_COLUMNS).rows:
        name = row.cells["id"]
        if name in metadata:
            message = f"id {name!r} is twice in {path.name}; the first row counts"
            problems.add(Kind.DUPLICATE, name, message)
        metadata.setdefault(name, row.cells)
    return metadata


def squeezed_copies(folder: Path, metadata: Mapping[str, Mapping[str, str]]) -> dict[str, Path]:
    """Find, by id, the squeezed copies of films: those that the rows of ``films.csv`` do not list.

    Of several folders that hold copies, the one with most of them counts.
    """
    listed = {Path(row["film"]).parts[0] for row in metadata.values() if row["film"]}
    found: list[dict[str, Path]] = [{}]
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if metadata and place.name not in listed and place.name not in FILM_FOLDERS:
            films = (p for p in sorted(place.iterdir()) if p.suffix.lower() in FILM_SUFFIXES[:-1])
            copies = {path.stem: path for path in films if path.stem in metadata and is_there(path)}
            found.append(copies)
    return max(found, key=len)


def _copies(
    folder: Path, label: Film, metadata: Mapping[str, str], squeezed: Path | None
) -> Iterator[Film]:
    """The copies of a labelled film that are there: a squeezed one, or a better one, or both."""
    split = parse_split(metadata["split"], FACTS)
    sizes = [parse_pixels(metadata[side], FACTS) for side in ("original_height", "original_width")]
    if squeezed:
        yield Film(label.id, squeezed, label.age_months, label.sex, split, (sizes[0], sizes[1]))
    if metadata["film"]:
        film = folder / metadata["film"]
        if not is_there(film):
            raise LabelError(Kind.NO_FILM, f"film {metadata['film']!r} is missing")
        yield Film(label.id, film, label.age_months, label.sex, split)
    elif not squeezed:
        raise LabelError(Kind.NO_FILM, "no film of this id is there")


def _find(folder: Path, name: str) -> Path:
    for sub in FILM_FOLDERS:
        for suffix in FILM_SUFFIXES:
            for written in (suffix, suffix.upper()):
                path = folder / sub / f"{name}{written}"
                if is_there(path):
                    return path
    raise LabelError(Kind.NO_FILM, "no film of this id is there")


def _shown(name: str) -> str:
    """A name on disk as text; bytes that are no text become marks."""
    return os.fsencode(name).decode("utf-8", "replace")


def _inside(films: Iterable[str], squeezed: Iterable[str]) -> tuple[str, ...]:
    """The folders that hold films, those outside the data set left out."""
    parents = {Path(film).parent for film in films}
    inside = (p for p in parents if not p.is_absolute() and ".." not in p.parts)
    return tuple(sorted({*squeezed, *(parent.as_posix() for parent in inside)}))


def _without_label(
    folder: Path, places: Iterable[str], ids: set[str], used: set[Path]
) -> Iterator[Path]:
    """Films that no label names, one copy each."""
    named: set[str] = set()
    for place in places:
        here = folder / place
        for path in sorted(here.iterdir()) if here.is_dir() else ():
            name = id_of_file(path.name)
            if name in ids or name in named or path.name in ids or path in used:
                continue
            # Beside the tables lie other things: a LICENSE is no film.
            sure = here != folder or path.suffix.lower() in FILM_SUFFIXES[:-1]
            if sure and may_be_film(path.name) and path.is_file():
                named.add(name)
                yield path
