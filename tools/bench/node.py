"""What a node loses and doubles when it is killed again and again: nothing, one hopes.

Run ``make nodebench``: films are sent by dcmtk's storescu to a node that is ended by
SIGKILL at random moments and started again, while its archive, dcmtk's storescp, goes
away once. Every film has to have its picture and its report in the archive, once.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from boneage import __version__
from boneage.inference.weights import Weights
from tests.apps.dicom_node.drawn import film, uid_of
from tests.apps.dicom_node.peers import Receiver, ask_node, free_port, start_node, storescu
from tools.bench.measuring import this_machine

FORMAT = 1
BATCH = 5
"""Films that storescu sends over one association."""
AHEAD = 5
"""Films that may wait when the next batch is sent."""
BATCH_SECONDS = 20.0
MOST_DELAY_SECONDS, RECEIVING_SECONDS = 3.0, 0.5
"""Before a kill; storescu takes about the latter to send a batch."""
OUTAGE_SECONDS = 5.0
MODALITIES = ("OT", "SR")
PAUSE_SECONDS = 0.2
STUCK_SECONDS = 60.0


@dataclass(frozen=True)
class Outcome:
    """What was found at the end."""

    films: int
    kills: int
    outages: int
    """Of the archive."""
    lost: int
    """Films without both of their answers."""
    doubled: int
    """Films with more than one of an answer."""
    dead: int
    """Films that the node gave up."""
    resends: int
    """Batches that had to be sent again, because the node was killed meanwhile."""
    minutes: float
    """From the first film sent to the last answer, restarts included."""


class Sending(threading.Thread):
    """Sends films as a modality does: again, until it is told that they arrived.

    It does not run far ahead of the answers, so that films come as long as the node is killed.
    """

    def __init__(self, files: Sequence[Path], port: int, answers: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self.files, self.port, self.answers, self.resends = files, port, answers, 0
        self.begun = threading.Event()

    def run(self) -> None:
        """Send them all."""
        for start in range(0, len(self.files), BATCH):
            while self.answers() < 2 * (start - AHEAD):
                time.sleep(PAUSE_SECONDS)
            self.begun.set()
            while storescu(self.port, self.files[start : start + BATCH]).returncode != 0:
                self.resends += 1
                time.sleep(PAUSE_SECONDS)

    def wait_for_batch(self) -> bool:
        """Wait until a batch is being sent, and say whether one is."""
        self.begun.clear()
        return self.begun.wait(BATCH_SECONDS)


def measure(
    folder: Path, films: int, kills: int, *, options: Sequence[str] = (), seed: int = 0
) -> Outcome:
    """Send films to a node, and kill it.

    Parameters
    ----------
    folder : Path
        An empty one.
    films, kills : int
    options : sequence of str
        Of the node, such as ``--config``.
    seed : int
        Of the moments at which it is killed.
    """
    files, uids = _dicom_files(folder / "films", films)
    chance = random.Random(seed)
    moments = sorted(chance.uniform(0, 2 * films) for _ in range(kills))
    outage = films  # half of the answers
    archive = Receiver(free_port(), folder / "archive")
    options = (
        *("--port", str(free_port()), "--spool", str(folder / "spool")),
        *("--destination", f"PACS@127.0.0.1:{archive.port}"),
        *options,
    )
    with ExitStack() as stack:
        stack.callback(archive.stop)
        archive.start()
        node = start_node(folder / "node", *options)
        stack.callback(lambda: node.kill())  # noqa: PLW0108  the last one
        began = time.monotonic()
        sending = Sending(files, node.port, lambda: len(archive.names()))
        sending.start()
        watch = Watch(options)
        killed = outages = 0
        while (sent := len(archive.names())) < 2 * films or killed < kills:
            if killed < kills and (sent >= moments[killed] or sent == 2 * films):
                # Every other time while films come in.
                coming = killed % 2 == 0 and sending.wait_for_batch()
                time.sleep(chance.uniform(0, RECEIVING_SECONDS if coming else MOST_DELAY_SECONDS))
                node.kill()
                killed += 1
                node = start_node(folder / "node", *options)
            if not outages and sent >= outage:
                archive.stop()
                time.sleep(OUTAGE_SECONDS)
                archive.start()
                outages += 1
            if watch.over(sent):
                break
            time.sleep(PAUSE_SECONDS)
        minutes = (time.monotonic() - began) / 60
        node.end()
        answers = archive.answers()
        dead = json.loads(ask_node(*options, "list", "--state", "dead", "--json"))
    return Outcome(
        films=films,
        kills=killed,
        outages=outages,
        lost=sum(any(not answers[uid, kind] for kind in MODALITIES) for uid in uids),
        doubled=sum(any(answers[uid, kind] > 1 for kind in MODALITIES) for uid in uids),
        dead=len(dead),
        resends=sending.resends,
        minutes=minutes,
    )


class Watch:
    """Tells when nothing more will come, though not all came."""

    def __init__(self, options: Sequence[str]) -> None:
        self.options = options
        self.sent, self.since = -1, 0.0

    def over(self, sent: int) -> bool:
        """Look, when nothing came for long, whether the spool has anything that could."""
        now = time.monotonic()
        if sent != self.sent:
            self.sent, self.since = sent, now
        if now - self.since < STUCK_SECONDS:
            return False
        self.since = now
        entries = json.loads(ask_node(*self.options, "list", "--json"))
        return all(entry["state"] in {"sent", "dead"} for entry in entries)


def _dicom_files(folder: Path, films: int) -> tuple[list[Path], list[str]]:
    folder.mkdir()
    paths, uids = [], []
    for number in range(films):
        content = film(number)
        path = folder / f"{number:05}.dcm"
        path.write_bytes(content)
        paths.append(path)
        uids.append(uid_of(content))
    return paths, uids


def main() -> None:
    """Measure, and write what was found."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = measure(Path(folder), given.films, given.kills, seed=given.seed)
    table = {
        "format": FORMAT,
        "boneage": __version__,
        "date": date.today().isoformat(),
        "machine": asdict(this_machine()),
        "weights": asdict(Weights().name),
        **asdict(outcome),
        "films_a_minute": outcome.films / outcome.minutes,
    }
    given.out.write_text(json.dumps(table, indent=2) + "\n")
    print(json.dumps(table, indent=2))
    if outcome.lost or outcome.doubled or outcome.dead:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
