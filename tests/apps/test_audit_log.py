"""The audit log: every event once, and nothing changed unseen."""

from __future__ import annotations

import json
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from boneage.apps.audit_log import AuditError, AuditEvent, AuditLog, check_audit_log
from boneage.apps.cli import main


def append_many(path: Path, who: str, count: int) -> None:
    log = AuditLog(path)
    for number in range(count):
        log.append(AuditEvent(who, "assess", answer_months=float(number)))


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "audit.jsonl"
    append_many(path, "ward", 5)
    return path


def test_only_the_owner_may_read_it(written: Path) -> None:
    assert written.stat().st_mode & 0o777 == 0o600


def test_a_whole_log_is_whole(written: Path) -> None:
    assert (check_audit_log(written).intact_lines, check_audit_log(written).invalid_line) == (
        5,
        None,
    )


def test_a_changed_line_is_found_by_the_next(written: Path) -> None:
    lines = written.read_text().splitlines()
    lines[2] = lines[2].replace("ward", "word")
    written.write_text("\n".join([*lines, ""]))
    assert check_audit_log(written).invalid_line == 4


@pytest.mark.parametrize("gone", [0, 1, 3])
def test_a_removed_line_is_found(written: Path, gone: int) -> None:
    lines = written.read_text().splitlines()
    del lines[gone]
    written.write_text("\n".join([*lines, ""]))
    assert check_audit_log(written).invalid_line == gone + 1


def test_a_half_line_is_found_and_the_log_continues(written: Path) -> None:
    written.write_bytes(written.read_bytes()[:-20])
    append_many(written, "ward", 1)
    assert check_audit_log(written).invalid_line == 5
    assert json.loads(written.read_text().splitlines()[-1])["action"] == "assess"


def test_threads_and_processes_keep_the_chain(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=append_many, args=(path, f"p{n}", 50)) for n in range(2)]
    for other in others:
        other.start()
    log = AuditLog(path)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: log.append(AuditEvent("thread", "assess")), range(100)))
    for other in others:
        other.join()
        assert other.exitcode == 0
    checked = check_audit_log(path)
    assert (checked.intact_lines, checked.invalid_line) == (200, None)


def test_nothing_breaks_out_of_its_line(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    AuditLog(path).append(AuditEvent('a"\n{"who": "b"}', "assess", request="x\r\ny" * 1000))
    (line,) = path.read_text().splitlines()
    assert len(line) < 1000
    assert check_audit_log(path).intact_lines == 1


def test_a_log_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="cannot be written"):
        AuditLog(tmp_path / "none" / "audit.jsonl")


def test_the_command_names_the_line_that_is_not_intact(written: Path) -> None:
    good = CliRunner().invoke(main, ["audit", str(written)])
    assert (good.exit_code, good.stdout.split(",")[0]) == (0, "5 lines")
    written.write_text("\n".join(written.read_text().splitlines()[1:]) + "\n")
    bad = CliRunner().invoke(main, ["audit", str(written)])
    assert bad.exit_code == 1
    assert "line 1 is not intact" in bad.stderr
