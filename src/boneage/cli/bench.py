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
@weights_option
def bench(film: Path, install: bool, run: Path | None, out: Path, weights: Path | None) -> None:
    """Measure how long a film takes, how much memory, and how big the package is.

    Exit status: 0 when all was measured, 2 when something could not be.
    """
    table = _measure(film, run, weights, install=install)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
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
    click.echo(f"written: {out}")


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
