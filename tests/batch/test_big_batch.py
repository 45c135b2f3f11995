"""``boneage assess --out``: every film has one row, whatever happens."""

from __future__ import annotations

import builtins
import multiprocessing
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from boneage.batch.cases import Item, items_of
from boneage.batch.processes import ProcessEngine
from boneage.batch.results import RESULT_COLUMNS, Counts, ItemRow, Results
from boneage.batch.run import BatchSettings, run_batch
from boneage.domain.assessment import Case, Failure
from boneage.domain.radiograph import Sex
from boneage.errors import DataError
from tests.apps.cli.conftest import Run, run
from tests.batch.conftest import EXPECTED, FILMS, Command, names_of, rows_of

__all__ = ["run"]


def test_a_folder_into_rows_and_failures(run: Run, films: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    result = run("assess", films, "--sex", "m", "--out", out, "--workers", 2)
    assert result.exit_code == 1
    assert "31 images: 30 assessed, 1 failed" in result.stdout
    assert "31 of 31 images" in result.stderr
    rows, (failure,) = rows_of(out, "ages"), rows_of(out, "failures")
    assert names_of(rows) == EXPECTED
    assert {row["status"] for row in rows} == {"read"}
    assert failure["film"] == str(films / "bad.png")
    assert failure["code"] == "not_an_image"
    assert "is text" in failure["message"]


def test_the_rows_are_those_of_the_plain_command(run: Run, films: Path, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(
        "path,sex,age,height_cm\n"
        + "".join(f"films/a/{n:02d}.png,m,{100 + n},140\n" for n in range(0, 8, 2))
        + "films/none.png,f,100,\nfilms/a/00.png,x,,\n,,9,\n"
    )
    run("assess", "--table", table, "--csv", tmp_path / "plain.csv")
    run("assess", "--table", table, "--out", tmp_path / "out", "--workers", 1)
    both = rows_of(tmp_path / "out", "ages") + rows_of(tmp_path / "out", "failures")
    (tmp_path / "ages").mkdir()
    (tmp_path / "plain.csv").rename(tmp_path / "ages" / "part-0.csv")
    plain = rows_of(tmp_path, "ages")
    by_line = {int(row["source_row"]): row for row in both}
    assert sorted(by_line) == list(range(2, 9))
    for line, expected in enumerate(plain, 2):
        found = by_line[line]
        columns = RESULT_COLUMNS["ages" if found["status"] == "read" else "failures"]
        for column in set(columns) - {"seconds", "source_row"}:
            assert found[column] == expected[column], (line, column)


def test_parquet_holds_what_csv_holds(run: Run, films: Path, tmp_path: Path) -> None:
    dataset = pytest.importorskip("pyarrow.dataset", reason="the extra 'big' is not installed")
    table = tmp_path / "cases.csv"
    table.write_text("path,sex,age,height_cm\nfilms/a/00.png,m,100,140\nfilms/bad.png,f,,\n")
    run("assess", "--table", table, "--out", tmp_path / "c", "--workers", 1)
    run("assess", "--table", table, "--out", tmp_path / "p", "--workers", 1, "--format", "parquet")
    for name in ("ages", "failures"):
        (expected,) = rows_of(tmp_path / "c", name)
        (found,) = dataset.dataset(tmp_path / "p" / name).to_table().to_pylist()
        assert list(found) == list(expected)
        for column, text in expected.items():
            value = found[column]
            if column == "seconds":
                assert value > 0
            elif text == "":
                assert value is None
            elif isinstance(value, str):
                assert value == text
            else:
                assert value == float(text)
    ages = dataset.dataset(tmp_path / "p" / "ages").schema
    assert str(ages.field("age_months").type) == "double"
    assert str(ages.field("carpal_min_row").type) == "int64"


def test_both_tables_can_be_read_when_one_is_empty(run: Run, film: Path, tmp_path: Path) -> None:
    assert run("assess", film, "--sex", "f", "--out", tmp_path / "out").exit_code == 0
    assert rows_of(tmp_path / "out", "failures") == []
    (header,) = (tmp_path / "out" / "failures").glob("*.csv")
    assert header.read_text().startswith("film,source_row,status")


@pytest.mark.slow
def test_killed_again_and_again_each_film_has_one_row(
    start: Command, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    kills = 0
    for wait_s in (0.3, 1.5, 2.0, 2.5, 3.0):
        process = start(films, "--sex", "m", "--out", out, "--workers", 2)
        time.sleep(wait_s)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            kills += 1
        process.communicate()
    log, _ = start(films, "--sex", "m", "--out", out, "--workers", 2).communicate()
    assert kills
    assert "31 images: 30 assessed, 1 failed" in log
    assert names_of(rows_of(out, "ages")) == EXPECTED
    assert len(rows_of(out, "failures")) == 1


class _Killed(BaseException):
    """Ends a run at an exact moment, as SIGKILL would: nothing more is written."""


@pytest.mark.parametrize("moment", ["INSERT INTO films", "COMMIT"])
def test_a_part_the_journal_does_not_know_is_read_again(
    films: Path, tmp_path: Path, moment: str
) -> None:
    """A kill between the part and the journal, statement by statement."""
    items = list(items_of([films]))

    class Engine:
        def rows(self, left: Any) -> Iterator[ItemRow]:
            for item in left:
                yield ItemRow(item.key, read=True, row={"film": item.film, "status": "read"})

    class Journal:
        def __init__(self, real: sqlite3.Connection) -> None:
            self.real = real

        def __getattr__(self, name: str) -> Any:
            def call(statement: str, *rest: Any) -> Any:
                if statement.startswith(moment):
                    raise _Killed
                return getattr(self.real, name)(statement, *rest)

            return call

    results = Results(tmp_path, {}, ".csv")
    with pytest.raises(_Killed), results:
        real, results._journal = results._journal, Journal(real=results._journal)  # type: ignore[assignment]
        try:
            run_batch(items[:10], Engine(), results, lambda _: None)
        finally:
            results._journal = real
            real.close()
    assert len(rows_of(tmp_path, "ages")) == 10  # written, and not known
    with Results(tmp_path, {}, ".csv") as again:
        assert rows_of(tmp_path, "ages") == []
        run_batch(items, Engine(), again, lambda _: None)
        assert again.counts() == Counts(read=FILMS + 1)
    assert len(rows_of(tmp_path, "ages")) == FILMS + 1


def test_films_that_came_later_are_read_by_the_same_command(
    run: Run, films: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (films / "bad.png").unlink()
    run("assess", films / "a", films / "b", "--sex", "m", "--out", out)
    (films / "a" / "00.png").rename(films / "a" / "new.png")
    result = run("assess", films / "a", films / "b", films / "a", "--sex", "m", "--out", out)
    assert "other settings (films:" in result.stderr
    result = run("assess", films / "a", films / "b", "--sex", "m", "--out", out)
    assert result.exit_code == 0
    assert names_of(rows_of(out, "ages")) == sorted([*EXPECTED, "new.png"])


def test_a_film_named_twice_has_one_row(run: Run, film: Path, tmp_path: Path) -> None:
    run("assess", film, film, film.parent / "." / film.name, "--sex", "f", "--out", tmp_path / "o")
    assert len(rows_of(tmp_path / "o", "ages")) == 1


@pytest.mark.parametrize(
    ("change", "log"),
    [
        (("--sex", "f"), 'sex: "male" then, "female" now'),
        (("--sex", "m", "--force"), "force: false then, true now"),
        (("--sex", "m", "--brush-mean"), "SDS centre"),
        (("--sex", "m", "--format", "parquet"), "format"),
    ],
)
def test_other_settings_are_refused(
    run: Run, film: Path, tmp_path: Path, change: tuple[str, ...], log: str
) -> None:
    out = tmp_path / "out"
    run("assess", film, "--sex", "m", "--out", out)
    result = run("assess", film, "--out", out, *change)
    assert result.exit_code == 2
    assert log in result.stderr
    assert len(rows_of(out, "ages")) == 1


def test_other_weights_are_refused(
    run: Run, film: Path, tmp_path: Path, weights_copy: Path
) -> None:
    out = tmp_path / "out"
    run("assess", film, "--sex", "m", "--out", out)
    manifest = weights_copy / "manifest.json"
    manifest.write_text(manifest.read_text().replace("tiny-1", "tiny-2"))
    result = run("assess", film, "--sex", "m", "--out", out, "--weights", weights_copy)
    assert result.exit_code == 2
    assert 'weights: "tiny-1" then, "tiny-2" now' in result.stderr


def test_a_changed_table_is_refused(run: Run, film: Path, tmp_path: Path) -> None:
    table = tmp_path / "cases.csv"
    table.write_text(f"path,sex\n{film},m\n")
    run("assess", "--table", table, "--out", tmp_path / "out")
    table.write_text(f"path,sex\n{film},f\n")
    result = run("assess", "--table", table, "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "table sha256" in result.stderr


def test_parts_that_are_gone_are_missed(run: Run, film: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("assess", film, "--sex", "m", "--out", out)
    (out / "ages" / "part-00000001.csv").unlink()
    result = run("assess", film, "--sex", "m", "--out", out)
    assert result.exit_code == 2
    assert "part-00000001.csv' is missing" in result.stderr


def test_two_commands_never_write_into_one_folder(tmp_path: Path) -> None:
    with (
        Results(tmp_path, {}, ".csv"),
        pytest.raises(DataError, match="another command is writing"),
        Results(tmp_path, {}, ".csv"),
    ):
        pass


def test_without_pyarrow_the_extra_is_named(
    run: Run, film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError("No module named 'pyarrow'", name="pyarrow")
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    result = run("assess", film, "--sex", "m", "--out", tmp_path / "out", "--format", "parquet")
    assert result.exit_code == 2
    assert '[big]"' in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_empty_folder_is_reported(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    result = run("assess", tmp_path / "empty", "--sex", "m", "--out", tmp_path / "out")
    assert result.exit_code == 2
    assert "no images in the folder" in result.stderr
    assert not (tmp_path / "out").exists()


def test_an_output_that_cannot_be_made(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "m", "--out", "/proc/boneage")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


def test_a_full_disk_loses_nothing(start: Command, films: Path, tmp_path: Path) -> None:
    """No file may grow beyond 20 kB: the rows do not fit, as on a full disk."""
    out = tmp_path / "out"
    process = start(films, "--sex", "m", "--out", out, "--workers", 1, shell="ulimit -f 20")
    _, log = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "cannot be written" in log
    assert "give the same command again to resume" in log
    assert "Traceback" not in log
    log, _ = start(films, "--sex", "m", "--out", out, "--workers", 1).communicate(timeout=120)
    assert "31 images: 30 assessed, 1 failed" in log
    assert names_of(rows_of(out, "ages")) == EXPECTED


@pytest.mark.parametrize("option", ["--json", "--csv=x.csv", "--picture=p", "--age=10y"])
def test_what_does_not_go_with_a_folder_of_rows(
    run: Run, film: Path, tmp_path: Path, option: str
) -> None:
    result = run("assess", film, "--sex", "m", "--out", tmp_path / "out", option)
    assert result.exit_code == 2
    assert "--out" in result.stderr
    assert not (tmp_path / "out").exists()


def test_workers_without_a_folder_are_wrong_usage(run: Run, film: Path) -> None:
    result = run("assess", film, "--sex", "m", "--workers", 2)
    assert result.exit_code == 2
    assert "--out" in result.stderr


def test_damaged_weights_stop_the_whole_command(
    run: Run, film: Path, tmp_path: Path, weights_copy: Path
) -> None:
    (weights_copy / "carpal.onnx").write_bytes(b"spoilt")
    result = run("assess", film, "--sex", "m", "--out", tmp_path / "o", "--weights", weights_copy)
    assert result.exit_code == 2
    assert "carpal.onnx" in result.stderr


def _children(parent: int) -> list[int]:
    text = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(number) for number in text.split()]


def _is_reader(pid: int) -> bool:
    try:
        return b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="needs Linux's /proc")
def test_a_process_that_dies_takes_no_film_along(weights: Path, films: Path) -> None:
    engine = ProcessEngine(BatchSettings(weights=str(weights), sex=Sex.MALE), workers=2)
    answers = engine.rows(items_of([films]))
    first = next(answers)
    victim = next(pid for pid in _children(os.getpid()) if _is_reader(pid))
    os.kill(victim, signal.SIGKILL)
    rows = [first.row, *(answered.row for answered in answers)]
    found = [str(row["film"]) for row in rows]
    assert len(found) == len(set(found)) == FILMS + 1
    assert not [row for row in rows if row.get("code") == "crashed"]


class _Crash(os.PathLike[str]):
    """A film that ends the worker process which opens it."""

    def __fspath__(self) -> str:
        if multiprocessing.parent_process() is not None:
            os._exit(9)
        return "crash.dcm"


def test_a_film_that_kills_its_reader_fails_alone(weights: Path, films: Path) -> None:
    items = list(items_of([films]))
    items.insert(5, Item(b"crash", "crash.dcm", Case(_Crash())))
    engine = ProcessEngine(BatchSettings(weights=str(weights), sex=Sex.MALE), workers=2)
    rows = [answered.row for answered in engine.rows(items)]
    assert len(rows) == FILMS + 2
    (crashed,) = [row for row in rows if row.get("code") == "crashed"]
    assert crashed["film"] == "crash.dcm"


def test_workers_end_with_a_killed_command(start: Command, films: Path, tmp_path: Path) -> None:
    process = start(films, "--sex", "m", "--out", tmp_path / "out", "--workers", 2)
    workers: list[int] = []
    until = time.monotonic() + 60
    while not workers and time.monotonic() < until and process.poll() is None:
        workers = [pid for pid in _children(process.pid) if _is_reader(pid)]
    process.kill()
    process.communicate()
    while any(map(_is_reader, workers)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(map(_is_reader, workers))


def test_memory_holds_no_list_of_films(weights: Path) -> None:
    """An endless stream is read from only as far as the processes have come."""
    taken = 0

    def endless() -> Iterator[Item]:
        nonlocal taken
        while True:
            taken += 1
            yield Item(str(taken).encode(), "x", Failure("x", "table", "none"))

    answers = ProcessEngine(BatchSettings(weights=str(weights)), workers=1).rows(endless())
    for _ in range(20):
        next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert taken < 100
