"""Films read on a cluster, by Ray Data.

The films that are left are written as Parquet files beside the results, which Ray Data
streams to actors on all machines, with its own backpressure; the rows stream back to the
command, which writes them as it does for one machine. A machine that is lost costs what it
had begun; Ray reads that again.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from boneage.batch.cases import Item
from boneage.batch.results import Answered
from boneage.batch.run import Reader, Settings
from boneage.domain.assessment import Case, Failure
from boneage.domain.child import Child
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import BoneageError, DataError, WeightsError

if TYPE_CHECKING:
    import pyarrow as pa

TO_READ = ".to-read"
FILE_FILMS = 20_000
"""Films a file of what is to be read: ten million make 500 files."""
STOP = b""
"""The key of what stops the whole batch instead of answering a film."""
TASK_FILMS = 16
"""Films that an actor takes at a time."""


class RayData:
    """Reads films by actors on a Ray cluster, or on this machine where none is found.

    Parameters
    ----------
    settings : Settings
    folder : Path
        Of the results; films and folder must have the same path on every machine.
    workers : int, optional
        Actors at most, one processor core each. Default: all cores of the cluster.

    Raises
    ------
    ModuleNotFoundError
        Without the extra ``ray``.
    """

    def __init__(self, settings: Settings, folder: Path, workers: int | None = None) -> None:
        import ray.data  # noqa: F401, PLC0415  an extra, and slow to load

        self.settings, self.folder, self.workers = settings, folder.resolve(), workers

    def answers(self, items: Iterable[Item]) -> Iterator[Answered]:
        """Read films as they stream in; rows come as they are finished, in any order.

        Raises
        ------
        WeightsError
            When the weights turn out unusable, or differ on a machine.
        DataError
            When no cluster can be joined, or it is lost.
        """
        with _written(items, self.folder / TO_READ) as files:
            if files:
                with _told(), _connected():
                    yield from self._read(files)

    def _read(self, files: list[str]) -> Iterator[Answered]:
        import ray.data  # noqa: PLC0415

        most = self.workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
        rows = (
            ray.data.read_parquet(files)
            .repartition(target_num_rows_per_block=TASK_FILMS)
            .map_batches(
                _Actor,
                fn_constructor_args=(self.settings,),
                batch_size=None,
                batch_format="pyarrow",
                zero_copy_batch=True,
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most),
                num_cpus=1,
            )
        )
        for batch in rows.iter_batches(batch_size=None, batch_format="pyarrow"):
            for key, read, cells in zip(*(column.to_pylist() for column in batch), strict=True):
                if key == STOP:
                    raise WeightsError(json.loads(cells)["message"])
                yield Answered(key, read, json.loads(cells))


class _Actor:
    """One process of the cluster, with weights of its own."""

    def __init__(self, settings: Settings) -> None:
        import cv2  # noqa: PLC0415

        cv2.setNumThreads(1)
        logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)
        logging.getLogger("boneage").addHandler(logging.NullHandler())
        self._settings = settings
        self._reader: Reader | None = None  # opened with the first film, whose error is told

    def __call__(self, batch: pa.Table) -> pa.Table:
        import pyarrow as pa  # noqa: PLC0415

        try:
            if self._reader is None:
                self._reader = Reader(self._settings)
            answers = [self._reader.read(_item(text)) for text in batch["item"].to_pylist()]
        except BoneageError as error:  # as a row: Ray's own errors do not keep their cause
            answers = [Answered(STOP, read=False, row={"message": str(error)})]
        return pa.table(
            {
                "key": pa.array([a.key for a in answers], pa.binary()),
                "read": pa.array([a.read for a in answers], pa.bool_()),
                "cells": pa.array([json.dumps(a.row) for a in answers], pa.string()),
            }
        )


@contextmanager
def _told() -> Iterator[None]:
    """Say in one sentence what went wrong on the cluster, of which Ray says pages."""
    from ray.exceptions import RayError  # noqa: PLC0415

    try:
        yield
    except (RayError, ConnectionError) as error:
        raise DataError(
            f"the Ray cluster stopped with {type(error).__name__}; its logs say more. The same "
            "command goes on from what is finished"
        ) from error


@contextmanager
def _connected() -> Iterator[None]:
    """Join the cluster of $RAY_ADDRESS, or of this machine; else begin one here."""
    import ray  # noqa: PLC0415

    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    begun = not ray.is_initialized()
    if begun:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        if begun:
            ray.shutdown()


@contextmanager
def _written(items: Iterable[Item], folder: Path) -> Iterator[list[str]]:
    """Write what is to be read, for this user alone, and remove it afterwards."""
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(mode=0o700)
    try:
        stream, files = map(_text, items), list[str]()
        while texts := list(islice(stream, FILE_FILMS)):
            path = folder / f"{len(files):06d}.parquet"
            parquet.write_table(pa.table({"item": texts}), path, row_group_size=TASK_FILMS * 64)
            files.append(str(path))
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _text(item: Item) -> str:
    """Write an item as JSON: plain values, nothing that runs when it is read."""
    table: dict[str, Any] = {
        "key": item.key.hex(),
        "film": item.film,
        "source_row": item.source_row,
    }
    if isinstance(item.case, Failure):
        table["failure"] = [item.case.film, item.case.code, item.case.message]
    else:
        table["case"] = _case_table(item.case)
    return json.dumps(table)


def _case_table(case: Case) -> dict[str, Any]:
    child = case.child
    return {
        # Escaped as the file system has it: JSON keeps a lone surrogate.
        "path": os.path.abspath(os.fsdecode(case.film)),  # noqa: PTH100  no link is followed
        "sex": case.sex.value if case.sex else None,
        "age": case.chronological_age_months,
        "child": child
        and {
            "age": child.chronological_age_months,
            "birth": child.birth_date.isoformat() if child.birth_date else None,
            "study": child.study_date.isoformat() if child.study_date else None,
            "height": child.height_cm,
            "centre": child.centre.value,
        },
    }


def _item(text: str) -> Item:
    table = json.loads(text)
    case: Case | Failure
    if "failure" in table:
        case = Failure(*table["failure"])
    else:
        found = table["case"]
        sex = Sex(found["sex"]) if found["sex"] else None
        case = Case(found["path"], sex, found["age"], _child(found["child"]))
    return Item(bytes.fromhex(table["key"]), table["film"], case, table["source_row"])


def _child(table: dict[str, Any] | None) -> Child | None:
    if table is None:
        return None
    birth, study = (date.fromisoformat(d) if d else None for d in (table["birth"], table["study"]))
    return Child(table["age"], birth, study, table["height"], Centre(table["centre"]))
