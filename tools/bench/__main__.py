"""``python -m tools.bench``: seconds, memory and size on this machine."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from boneage.apps.cli.options import weights_option
from boneage.apps.cli.output import echo

if TYPE_CHECKING:
    from boneage.domain.assessment import WeightsName
    from tools.bench.single import Machine

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
    "--service",
    is_flag=True,
    help="Measure 'boneage serve' instead: films a second, seconds, memory.",
)
@click.option(
    "--requests",
    type=click.IntRange(min=10),
    default=10_000,
    show_default=True,
    help="With --service: so many, while the memory is watched.",
)
@click.option(
    "--load-requests",
    type=click.IntRange(min=1),
    default=200,
    show_default=True,
    help="With --service: so many by each number of clients.",
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
@click.option(
    "--training",
    type=click.Path(exists=True, path_type=Path),
    help="Instead, measure what training costs beside the bare network, on these labelled films.",
)
@weights_option
def bench(
    film: Path,
    install: bool,
    run: Path | None,
    service: bool,
    requests: int,
    load_requests: int,
    out: Path,
    folder: Path | None,
    films: int,
    kills: int,
    training: Path | None,
    weights: Path | None,
) -> None:
    """Measure how long a film takes, how much memory, and how big the package is.

    With --folder: films a second by one and by two processes, the memory every 1,000 films,
    and whether a command that is killed and given again has one row for each film.

    With --training: films a second of the compact profile's training, whole, and of the same
    networks by train_on_batch alone; processor time, too. Takes the labelled films that
    'boneage train --data' takes.

    Exit status: 0 when all was measured, 2 when something could not be.
    """
    if training is not None:
        _write(_measure_training(training), out)
    elif folder is not None:
        _write(_measure_folder(folder, films, kills, weights), out)
    elif service:
        table = _measure_service(film, weights, requests, load_requests)
        _say_service(table)
        _write(table, out)
    else:
        table = _measure(film, run, weights, install=install)
        _say(table)
        _write(table, out)


def _say(table: dict[str, Any]) -> None:
    cold = table["cold"]
    echo(f"one film from nothing: {cold['seconds']:.2f} s, {cold['peak_memory_mb']:.0f} MB")
    for warm in table["warm"]:
        echo(f"one more of {warm['width']} x {warm['height']}: {warm['median_seconds']:.3f} s")
    report = table["report"]
    echo(
        f"from film to report, {report['width']} x {report['height']}: "
        f"{report['median_seconds']:.3f} s"
    )
    steps = table["steps"]
    for step in steps["steps"]:
        inside = f", {step['networks_seconds']:.3f} s of it in networks"
        told = inside if step["networks_seconds"] else ""
        echo(f"  {step['name']}: {step['seconds']:.3f} s{told}")
    echo(f"a reading over networks and decoding alone: {steps['ratio']:.2f} times")


def _say_service(table: dict[str, Any]) -> None:
    for shape in table["service"]:
        for load in shape["loads"]:
            echo(
                f"{shape['workers']} workers x {shape['threads']} threads, {load['clients']} "
                f"clients: {load['per_second']:.2f} films a second, "
                f"p50 {load['p50_seconds']:.3f} s, "
                f"{load['processor_seconds']:.3f} s of processor time a film"
            )
    for networks in table["networks"]:
        echo(
            f"networks alone, {networks['at_a_time']} x {networks['threads']} threads, batches of "
            f"{networks['batch']}: {networks['films_per_second']:.2f} films a second, "
            f"{networks['processor_seconds']:.3f} s of processor time a film"
        )
    memory = table["memory"]
    echo(
        f"memory: {memory['megabytes'][0]:.0f} MB, {memory['megabytes'][-1]:.0f} MB after "
        f"{memory['requests'][-1]} requests"
    )


def _measure_service(
    film: Path, weights: Path | None, requests: int, load_requests: int
) -> dict[str, Any]:
    from boneage.inference.weights import Weights  # noqa: PLC0415
    from tools.bench import service as measuring  # noqa: PLC0415
    from tools.bench.single import this_machine  # noqa: PLC0415

    machine = this_machine()
    networks = [
        measuring.measure_networks(
            film, weights, at_a_time=workers, threads=threads, batch=batch, films=load_requests
        )
        for workers, threads in measuring.SHAPES
        for batch in measuring.BATCHES
    ]
    shapes = [
        measuring.measure_shape(
            film, weights, workers=workers, threads=threads, requests=load_requests
        )
        for workers, threads in measuring.SHAPES
    ]
    assessing = [
        measuring.measure_assessing(film, weights, threads=threads, films=load_requests)
        for _, threads in measuring.SHAPES
    ]
    memory = measuring.measure_memory(film, weights, requests=requests)
    return {
        **_head(Weights(weights).name, machine),
        "film_bytes": film.stat().st_size,
        "networks": [asdict(timing) for timing in networks],
        "assessing": [asdict(timing) for timing in assessing],
        "service": [asdict(shape) for shape in shapes],
        "memory": asdict(memory),
    }


def _head(weights: WeightsName, machine: Machine) -> dict[str, Any]:
    """What was measured, and on what machine, as it was before."""
    return {**_on(machine), "weights": asdict(weights)}


def _on(machine: Machine) -> dict[str, Any]:
    """By what version it was measured, when, and on what machine."""
    from boneage._version import __version__  # noqa: PLC0415  the command line opens fast

    return {
        "format": 1,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(machine),
    }


def _write(table: dict[str, Any], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(table, indent=2) + "\n", encoding="utf-8")
    echo(f"written: {out}")


def _measure_training(data: Path) -> dict[str, Any]:
    from boneage.training.profile import load_profile  # noqa: PLC0415
    from boneage.training.stages import DEFAULT_PROFILE  # noqa: PLC0415
    from tools.bench.single import this_machine  # noqa: PLC0415
    from tools.bench.training import measure_training, preloaded  # noqa: PLC0415

    machine = this_machine()
    profile = load_profile(DEFAULT_PROFILE)
    phases = []
    for cost in measure_training(profile, data):
        phases.append(cost.to_dict())
        echo(
            f"{cost.stage}, {cost.rows} x {cost.columns}, batches of {cost.batch}: "
            f"{cost.films_per_second:.1f} films/s, the bare network "
            f"{cost.bare_films_per_second:.1f}; {cost.seconds_ratio:.2f} times the time, "
            f"{cost.processor_ratio:.2f} times the processor time"
        )
    return {
        **_on(machine),
        "profile": profile.name,
        "preloaded": preloaded(),
        "phases": phases,
    }


def _measure_folder(folder: Path, films: int, kills: int, weights: Path | None) -> dict[str, Any]:
    from boneage.inference.weights import Weights  # noqa: PLC0415
    from tools.bench.folder import (  # noqa: PLC0415
        enlarged,
        measure_kills,
        measure_pace,
    )
    from tools.bench.single import this_machine  # noqa: PLC0415

    machine = this_machine()
    timed = min(films, PACE_FILMS)
    with TemporaryDirectory() as temporary:
        paths = enlarged(folder, Path(temporary))
        size = sum(path.stat().st_size for path in paths) / len(paths)
        paces = []
        for workers in WORKERS:
            pace = measure_pace(paths, timed, workers, weights)
            paces.append(pace)
            echo(f"{workers} at work: {pace.films_per_second:.2f} films/s")
        killed = measure_kills(paths, films, kills, paces[-1], weights, echo)
    echo(
        f"{killed.rows} rows for {killed.films} films: {killed.twice} twice, "
        f"{killed.missing} missing, after {killed.kills} kills"
    )
    return {
        **_head(Weights(weights).name, machine),
        "bytes_per_film": size,
        "paces": [asdict(pace) for pace in paces],
        "ratio": paces[-1].films_per_second / paces[0].films_per_second,
        "killed": asdict(killed),
    }


def _measure(
    film: Path, run: Path | None, weights: Path | None, *, install: bool
) -> dict[str, Any]:
    from boneage.domain.radiograph import Sex  # noqa: PLC0415
    from boneage.inference.assessor import Assessor  # noqa: PLC0415
    from tools.bench.single import (  # noqa: PLC0415
        at_sizes,
        measure_cold,
        measure_import,
        measure_install,
        measure_judging,
        measure_report,
        measure_warm,
        this_machine,
        training_pace,
    )
    from tools.bench.steps import measure_steps  # noqa: PLC0415

    sex = Sex.FEMALE
    machine = this_machine()
    with TemporaryDirectory() as folder:
        films = at_sizes(film, Path(folder))
        cold = measure_cold(films[0], sex, weights)  # first: see measure_cold
        import_seconds = measure_import()
        assessor = Assessor(weights, calibration="")
        warm = [measure_warm(assessor, copy, sex) for copy in films]
        report = measure_report(assessor, films[0], sex)
        judging = measure_judging(films[0], sex, weights)
        steps = measure_steps(films[0], sex, weights)
    return {
        **_head(assessor.weights.name, machine),
        "cold": asdict(cold),
        "warm": [asdict(timing) for timing in warm],
        "report": asdict(report),
        "judging": asdict(judging) if judging else None,
        "steps": {**asdict(steps), "ratio": steps.ratio},
        "import_seconds": import_seconds,
        "install": asdict(measure_install(Path.cwd())) if install else None,
        "training": [asdict(stage) for stage in training_pace(run)] if run else [],
    }


if __name__ == "__main__":
    bench()
