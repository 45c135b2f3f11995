"""Time, memory and size, from ``bench.json`` and the files of its other measurements."""

from __future__ import annotations

import statistics

from tools.documents.evidence import Evidence, Table
from tools.documents.forms import (
    joined,
    markdown,
    of_other_weights,
    stage,
    unmeasured,
    where,
)

WAITS = (
    ("first page, server just started", "first_page"),
    ("click to answer, the first film", "cold_answer"),
    ("click to answer, a further film", "warm_answer"),
    ("click to all pictures, a further film", "warm_pictures"),
)


def speed(evidence: Evidence) -> str:
    """Tabulate seconds, memory and size."""
    bench = evidence.bench
    if bench is None:
        return unmeasured(evidence, "bench")
    rows = [["what", "measured"]]
    cold = bench["cold"]
    rows.append(["one film, from nothing (`boneage assess`)", f"{cold['seconds']:.1f} s"])
    rows.append(["peak memory of that", f"{cold['peak_memory_mb']:.0f} MB"])
    for warm in bench["warm"]:
        size = f"{warm['width']} × {warm['height']}"
        timing = f"{warm['median_seconds']:.2f} s (95th percentile {warm['p95_seconds']:.2f} s)"
        rows.append([f"one more film of {size} pixels", timing])
    if report := bench.get("report"):  # measurements of before have none
        size = f"{report['width']} × {report['height']}"
        timing = f"{report['median_seconds']:.2f} s (95th percentile {report['p95_seconds']:.2f} s)"
        rows.append([f"from a film of {size} pixels to its report (PDF), warm", timing])
    if judging := bench.get("judging"):
        added = f"{1000 * judging['added_seconds']:.0f} ms of that"
        rows.append(["judging a film before it is read", added])
    rows.append(["`import boneage`", f"{bench['import_seconds']:.2f} s"])
    if bench["install"]:
        install = bench["install"]
        size = f"{install['seconds']:.0f} s, {install['size_mb']:.0f} MB"
        rows.append(["installing the base package", size])
    for entry in bench["training"]:
        pace = f"{entry['films_per_second']:.1f} films a second"
        rows.append([f"training, {stage(entry['stage'])}", pace])
    warning = of_other_weights(evidence, bench)
    steps = _steps(bench["steps"]) if "steps" in bench else ""
    return joined(warning, markdown(rows), f"On {where(bench)}.", steps)


def _steps(found: Table) -> str:
    """Tabulate where the time of one film goes."""
    rows = [["step of one more film", "ms", "of that in networks"]]
    for step in found["steps"]:
        inside = step["networks_seconds"]
        rows.append([step["name"], _ms(step["seconds"]), _ms(inside) if inside else "–"])
    whole, networks, decoding = (
        found[part] for part in ("whole", "networks_alone", "decoding_alone")
    )
    note = (
        f"A film of {found['width']} × {found['height']} pixels takes {_ms(whole['seconds'])} ms "
        f"and {_ms(whole['processor_seconds'])} ms of processor time, without writing; the "
        f"networks alone {_ms(networks['seconds'])} and {_ms(networks['processor_seconds'])} ms, "
        f"decoding the file alone {_ms(decoding['seconds'])} and "
        f"{_ms(decoding['processor_seconds'])} ms: {found['ratio']:.2f} times the processor time "
        "of the two."
    )
    return joined(markdown(rows), note)


def _ms(seconds: float) -> str:
    return f"{1000 * seconds:.0f}"


def training_loop(evidence: Evidence) -> str:
    """Tabulate what training costs around its network."""
    found = evidence.training_loop
    if found is None:
        return unmeasured(evidence, "trainbench")
    header = ["phase", "input", "batch", "films a second", "the bare network", "time"]
    rows = [[*header, "processor time"]]
    for phase in found["phases"]:
        paces = (f"{phase[key]:.1f}" for key in ("films_per_second", "bare_films_per_second"))
        ratios = (_ratio(phase, key) for key in ("seconds_ratio", "processor_ratio"))
        size = f"{phase['rows']} × {phase['columns']}"
        rows.append([stage(phase["stage"]), size, str(phase["batch"]), *paces, *ratios])
    with_library = f", with {' and '.join(found['preloaded'])}" if found["preloaded"] else ""
    note = (
        f"Of the profile `{found['profile']}`: the whole loop (batches, augmentation, price of "
        "looking everywhere, average of the weights, callbacks, checkpoints; validation left out) "
        "beside the same network's `train_on_batch` on one batch in memory. Both take turns in "
        f"one process, {len(found['phases'][0]['rounds'])} rounds; time and processor time are "
        "the medians of the rounds' ratios, in brackets the middle half of them. Films a second "
        f"are medians of each alone. On {where(found)}{with_library}."
    )
    return joined(markdown(rows), note)


def _ratio(phase: Table, key: str) -> str:
    """Write the median of the rounds' ratios, and between what their middle half lies."""
    low, _, high = statistics.quantiles(phase[f"{key}s"], n=4, method="inclusive")
    return f"{phase[key]:.2f} × ({low:.2f} to {high:.2f})"


def dashboard(evidence: Evidence) -> str:
    """Tabulate what a person at the dashboard waits for."""
    found = evidence.dashboard
    if found is None:
        return unmeasured(evidence, "dashbench")
    rows = [["what", "median", "95th percentile"]]
    for label, key in WAITS:
        times = found["seconds"][key]
        rows.append([label, f"{times['median']:.2f} s", f"{times['p95']:.2f} s"])
    warning = of_other_weights(evidence, found)
    return joined(warning, markdown(rows), _dashboard_note(found))


def _dashboard_note(found: Table) -> str:
    memory, film = found["memory_mb"], found["film"]
    counts = found["axe"]["violations"]
    worst = counts["critical"] + counts["serious"]
    return (
        f"A synthetic film of {film['width']} × {film['height']} pixels, "
        f"{found['seconds']['warm_answer']['runs']} clicks each, in {found['browser']}, on "
        f"{where(found)}. The server "
        f"takes {memory['started']:.0f} MB when it has started, and "
        f"{memory['with_sessions']:.0f} MB with {memory['sessions']} visitors who have each read "
        f"such a film. axe-core finds {worst or 'no'} serious violation{'s' * (worst != 1)} in "
        f"{found['axe']['states']} states of the pages, light and dark."
    )


def service(evidence: Evidence) -> str:
    """Tabulate what programs that ask ``boneage serve`` meet."""
    found = evidence.service
    if found is None:
        return unmeasured(evidence, "servicebench")
    rows = [["clients at a time", "films a second", "median", "95th percentile", "99th percentile"]]
    for load in found["service"][0]["loads"]:
        times = (f"{load[f'p{share}_seconds']:.2f} s" for share in (50, 95, 99))
        rows.append([str(load["clients"]), f"{load['per_second']:.1f}", *times])
    warning = of_other_weights(evidence, found)
    return joined(warning, markdown(rows), _service_note(found), _service_choices(found))


def _service_note(found: Table) -> str:
    loads, memory = found["service"][0]["loads"], found["memory"]
    best = max(load["per_second"] for load in loads)
    alone = _alone(found, found["service"][0], batch=1)
    return (
        f"The example film over HTTP, {loads[0]['requests']} requests by each number of clients, "
        f"the audit log written, on {where(found)}. The networks alone, with nothing around them, "
        f"read {alone['films_per_second']:.1f} films a second there, "
        f"{100 * (alone['films_per_second'] / best - 1):.0f} % more than the service at its best; "
        f"a request takes {loads[-1]['processor_seconds']:.2f} s of processor time, the same "
        f"reading without a server {found['assessing'][0]['processor_seconds']:.2f} s, and its "
        f"networks alone {alone['processor_seconds']:.2f} s. "
        f"The server takes {memory['megabytes'][0]:.0f} MB when it has begun, "
        f"{memory['megabytes'][1]:.0f} MB after {memory['requests'][1]} requests and "
        f"{memory['megabytes'][-1]:.0f} MB after {memory['requests'][-1]}."
    )


def _service_choices(found: Table) -> str:
    """Say why the server is set as it is."""
    shapes = [
        f"{shape['workers']} × {shape['threads']}: "
        f"{max(load['per_second'] for load in shape['loads']):.1f}"
        for shape in found["service"]
    ]
    largest = max(networks["batch"] for networks in found["networks"])
    alone = [
        f"{shape['workers']} × {shape['threads']}: "
        f"{_alone(found, shape, batch=1)['films_per_second']:.1f} and "
        f"{_alone(found, shape, batch=largest)['films_per_second']:.1f}"
        for shape in found["service"]
    ]
    return (
        f"Films a second by workers × threads: {', '.join(shapes)}. The networks alone, by one "
        f"film and by {largest} films a call: {', '.join(alone)}."
    )


def _alone(found: Table, shape: Table, *, batch: int) -> Table:
    """Find what the networks alone did, set up like a server."""
    wanted = shape["workers"], shape["threads"], batch
    measured: dict[tuple[int, int, int], Table] = {
        (networks["at_a_time"], networks["threads"], networks["batch"]): networks
        for networks in found["networks"]
    }
    return measured[wanted]
