"""Images assessed on a cluster by Ray Data.

The unfinished cases are written as Parquet files beside the results; Ray Data streams them to
actors on all machines, with backpressure, and the rows back to the command, which writes them
as for one machine. Ray repeats the work of a machine that is lost.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import pyarrow as pa  # an extra
import ray  # an extra
import ray.data  # slow to load
from pyarrow import parquet
from ray.exceptions import RayError

from boneage.batch.cases import Item
from boneage.batch.results import ItemRow
from boneage.batch.run import BatchAssessor, BatchSettings
from boneage.errors import BoneageError, DataError, WeightsError

UNFINISHED = ".to-read"
FILE_FILMS = 20_000
"""Unfinished cases in one file: ten million make 500 files."""
STOP = b""
"""The key of a row that stops the whole batch with an error."""
TASK_FILMS = 16
"""Images in a task of an actor."""


class RayEngine:
    """Assesses images by actors on a Ray cluster, or on this machine where none is found.

    Images, and the folder of the results, must have the same path on every machine. ``workers``
    are the most actors, one processor core each; default: all cores of the cluster.
    """

    def __init__(self, settings: BatchSettings, folder: Path, workers: int | None = None) -> None:
        self.settings, self.folder, self.workers = settings, folder.resolve(), workers

    def rows(self, items: Iterable[Item]) -> Iterator[ItemRow]:
        """Assess images as they stream in; rows come as they are finished, in any order.

        Raises a `WeightsError` when the weights turn out unusable, or differ on a machine, and a
        `DataError` when no cluster can be joined, or it is lost.
        """
        with _unfinished_files(items, self.folder / UNFINISHED) as files:
            if not files:
                return
            try:
                with _cluster():
                    yield from self._rows(files)
            except (RayError, ConnectionError) as error:  # Ray's messages fill pages
                raise DataError(
                    f"the Ray cluster stopped with {type(error).__name__}; see its logs. Give the "
                    "same command again to resume"
                ) from error

    def _rows(self, files: list[str]) -> Iterator[ItemRow]:
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
                yield ItemRow(key, read, json.loads(cells))


class _Actor:
    """One process of the cluster, with weights of its own."""

    def __init__(self, settings: BatchSettings) -> None:
        self._assessor = BatchAssessor(settings)

    def __call__(self, batch: pa.Table) -> pa.Table:
        try:
            rows = [self._assessor.row(Item.from_json(text)) for text in batch["item"].to_pylist()]
        except BoneageError as error:  # as a row: Ray's own errors do not keep their cause
            rows = [ItemRow(STOP, read=False, row={"message": str(error)})]
        return pa.table(
            {
                "key": pa.array([one.key for one in rows], pa.binary()),
                "read": pa.array([one.read for one in rows], pa.bool_()),
                "cells": pa.array([json.dumps(one.row) for one in rows], pa.string()),
            }
        )


@contextmanager
def _cluster() -> Iterator[None]:
    """Connect to the cluster of $RAY_ADDRESS or of this machine, else start one."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    started = not ray.is_initialized()
    if started:
        ray.init(log_to_driver=False, logging_level=logging.ERROR, configure_logging=True)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield
    finally:
        if started:
            ray.shutdown()


@contextmanager
def _unfinished_files(items: Iterable[Item], folder: Path) -> Iterator[list[str]]:
    """Write the unfinished cases, readable by this user only, and remove them afterwards."""
    shutil.rmtree(folder, ignore_errors=True)  # of a run that was killed
    folder.mkdir(mode=0o700)
    try:
        stream, files = map(Item.to_json, items), list[str]()
        while texts := list(islice(stream, FILE_FILMS)):
            path = folder / f"{len(files):06d}.parquet"
            parquet.write_table(pa.table({"item": texts}), path, row_group_size=TASK_FILMS * 64)
            files.append(str(path))
        yield files
    finally:
        shutil.rmtree(folder, ignore_errors=True)
