"""``boneage bench``: seconds, memory and size on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from boneage.cli.options import weights_option

WORKERS = (1, 2)
"""Processes that a big batch is timed with."""
PACE_FILMS = 2_000
"""Films that each of them is timed on, at most."""
EXAMPLE = Path("examples/synthetic_hand_girl_10y.png")


@click.command()
@click.option(
    "--film",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=EXAMPLE,
    show_default=True,
    help="The film to read, as an image; copies of fixed sizes are made of it.",
)
@click.option(
    "--install",
    is_flag=True,
    help="Also install the package in this folder into a clean environment (a minute or two).",
)
@click.option(
    "--run",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A training run, to read from its logs how fast it went.",
)
@click.option(
    "--out",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The JSON file to write.",
)
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Instead, measure how a big batch goes: pictures of this folder, named again and again.",
)
@click.option(
    "--films",
    type=click.IntRange(min=50),
    default=100_000,
    show_default=True,
    help="With --folder: how many films.",
)
@click.option(
    "--kills",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="With --folder: how often the command is killed on the way.",
)
@weights_option
def bench(
    film: Path,
    install: bool,
    run: Path | None,
    out: Path,
    folder: Path | None,
    films: int,
    kills: int,
    weights: Path | None,
) -> None:
    """Measure how long a film takes, how much memory, and how big the package is.

    With --folder: films a second by one and by two processes, the memory every 1,000 films,
    and whether a command that is killed and given again has one row for each film.

    Exit status: 0 when all was measured, 2 when something could not be.
    """
    if folder is not None:
        _write(_measure_folder(folder, films, kills, weights), out)
        return
    table = _measure(film, run, weights, install=install)
    _write(table, out)
    cold = table["cold"]
    click.echo(f"one film from nothing: {cold['seconds']:.2f} s, {cold['peak_memory_mb']:.0f} MB")
    for warm in table["warm"]:
        click.echo(
            f"one more of {warm['width']} x {warm['height']}: {warm['median_seconds']:.3f} s"
        )
    report = table["report"]
    click.echo(
        f"from film to report, {report['width']} x {report['height']}: "
        f"{report['median_seconds']:.3f} s"
    )


def _write(table: dict[str, Any], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    click.echo(f"written: {out}")


def _measure_folder(folder: Path, films: int, kills: int, weights: Path | None) -> dict[str, Any]:
    from boneage import __version__  # noqa: PLC0415
    from boneage.evaluation.bench import this_machine  # noqa: PLC0415
    from boneage.evaluation.big_bench import (  # noqa: PLC0415
        enlarged,
        measure_kills,
        measure_pace,
    )
    from boneage.weights import Weights  # noqa: PLC0415

    machine = this_machine()
    timed = min(films, PACE_FILMS)
    with TemporaryDirectory() as temporary:
        paths = enlarged(folder, Path(temporary))
        size = sum(path.stat().st_size for path in paths) / len(paths)
        paces = []
        for workers in WORKERS:
            pace = measure_pace(paths, timed, workers, weights)
            paces.append(pace)
            click.echo(f"{workers} at work: {pace.films_per_second:.2f} films/s")
        killed = measure_kills(paths, films, kills, paces[-1], weights, click.echo)
    click.echo(
        f"{killed.rows} rows for {killed.films} films: {killed.twice} twice, "
        f"{killed.missing} missing, after {killed.kills} kills"
    )
    return {
        "format": 1,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(machine),
        "weights": asdict(Weights(weights).name),
        "bytes_per_film": size,
        "paces": [asdict(pace) for pace in paces],
        "ratio": paces[-1].films_per_second / paces[0].films_per_second,
        "killed": asdict(killed),
    }


def _measure(
    film: Path, run: Path | None, weights: Path | None, *, install: bool
) -> dict[str, Any]:
    from boneage import __version__  # noqa: PLC0415  the command line opens fast
    from boneage.assessor import Assessor  # noqa: PLC0415
    from boneage.evaluation.bench import (  # noqa: PLC0415
        at_sizes,
        measure_cold,
        measure_import,
        measure_install,
        measure_report,
        measure_warm,
        this_machine,
        training_pace,
    )
    from boneage.radiograph import Sex  # noqa: PLC0415

    sex = Sex.FEMALE
    machine = this_machine()
    with TemporaryDirectory() as folder:
        films = at_sizes(film, Path(folder))
        cold = measure_cold(films[0], sex, weights)  # first: see measure_cold
        import_seconds = measure_import()
        assessor = Assessor(weights, calibration="")
        warm = [measure_warm(assessor, copy, sex) for copy in films]
        report = measure_report(assessor, films[0], sex)
    return {
        "format": 1,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(machine),
        "weights": asdict(assessor.weights.name),
        "cold": asdict(cold),
        "warm": [asdict(timing) for timing in warm],
        "report": asdict(report),
        "import_seconds": import_seconds,
        "install": asdict(measure_install(Path.cwd())) if install else None,
        "training": [asdict(stage) for stage in training_pace(run)] if run else [],
    }
