"""Names of output files that no other film's output loses its place to."""

from __future__ import annotations

from pathlib import Path


def free_path(folder: Path, film: str, suffix: str, mark: str) -> Path:
    """Name an output for its film.

    The same film written again replaces its file. Another film of the same
    name, from this run or an earlier one, gets a number after its name.

    Parameters
    ----------
    folder : Path
    film : str
        The film's name.
    suffix : str
        Of the output, such as ``".boneage.pdf"``.
    mark : str
        Letters of ASCII that stand in every such output of this film, and in no other film's.
    """
    stem = Path(film).stem or "film"
    path = folder / f"{stem}{suffix}"
    number = 1
    while path.exists() and not _is_marked(path, mark):
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _is_marked(path: Path, mark: str) -> bool:
    try:
        return mark.encode("ascii") in path.read_bytes()
    except OSError:
        return False
