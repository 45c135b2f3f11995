"""``make encodings``: from images to the evidence."""

from __future__ import annotations

import json
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from boneage.inference.manifest import FOLDER_VARIABLE
from tools.encodings import WAYS
from tools.encodings import report as assessing
from tools.encodings.__main__ import main
from tools.encodings.report import (
    CRASHED,
    PLAIN,
    FileAnswer,
    Tally,
    assess_files,
    limit_of,
    lines,
    summarise,
)
from tools.encodings.ways import Way, held_out, synthetic

EXACT, LOSSY = WAYS["png_16"], WAYS["jpeg_95"]
UNREADABLE = WAYS["tiff_float64"]
PLAIN_ANSWER = FileAnswer("read", 100.0, None, ["low_contrast"])


def counted(way: Way, answer: FileAnswer) -> dict[str, object]:
    tally = Tally()
    tally.count(way, PLAIN_ANSWER, answer)
    return {key: value for key, value in tally.table().items() if value}


def test_a_pair_that_moves_in_silence_is_counted() -> None:
    moved = counted(EXACT, FileAnswer("read", 101.25, None, ["low_contrast"]))
    assert moved["moved"] == moved["silent"] == moved["pairs"] == 1
    assert moved["max_difference_months"] == 1.25
    assert "silent" not in counted(LOSSY, FileAnswer("read", 101.25))


def test_only_a_new_warning_is_one() -> None:
    warned = counted(EXACT, FileAnswer("read", 105.0, None, ["unsure_hand"]))
    assert "silent" not in warned
    assert warned["codes"] == {"unsure_hand": 1}
    assert counted(EXACT, FileAnswer("read", 100.5, None, ["unsure_hand"]))["warned_unmoved"] == 1
    assert "warned_unmoved" not in counted(EXACT, FileAnswer("read", 100.5, None, ["low_contrast"]))


def test_a_refusal_counts_unless_it_is_listed() -> None:
    assert counted(EXACT, FileAnswer("failed", None, "damaged"))["refused"] == 1
    assert counted(UNREADABLE, FileAnswer("failed", None, "damaged")) == {"refused_as_listed": 1}
    assert counted(UNREADABLE, FileAnswer("read", 150.0))["silent"] == 1


def test_the_rules_are_those_of_the_issue() -> None:
    assert (limit_of(EXACT), limit_of(LOSSY)) == (1.0, 1.5)
    same = {PLAIN: PLAIN_ANSWER, EXACT.name: PLAIN_ANSWER}
    off = {PLAIN: PLAIN_ANSWER, EXACT.name: FileAnswer("read", 90.0)}
    unread = {PLAIN: FileAnswer("refused", None, "not_a_hand"), EXACT.name: PLAIN_ANSWER}
    kept = summarise([EXACT], [same] * 199 + [off] + [unread])
    assert kept.passed
    assert (kept.images, kept.plain_refused) == (200, 1)
    broken = summarise([EXACT], [same] * 198 + [off] * 2)
    assert not broken.passed
    assert broken.rates()["silent"] == {
        "count": 2,
        "of": 200,
        "rate": 0.01,
        "limit": 0.005,
        "passed": False,
    }
    assert any(line.startswith(EXACT.name) for line in lines(broken))


def test_the_evidence_is_written_and_a_second_run_assesses_nothing(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, str(weights))
    names = "png_16,dicom_12_of_16,tiff_float64,jpeg_turned_6"
    work, out = tmp_path / "work", tmp_path / "evidence" / "encodings.json"
    command = ["--images", "2", "--ways", names, "--work", str(work), "--out", str(out)]
    main(["--data", str(tmp_path / "missing"), *command])
    evidence = json.loads(out.read_text())
    assert (evidence["images"], evidence["ways"], evidence["source"]) == (2, 4, "synthetic")
    assert evidence["weights"]["name"] == "tiny-1"
    assert evidence["by_way"]["png_16"]["max_difference_months"] == 0
    assert evidence["by_way"]["tiff_float64"]["listed_as_unreadable"]
    assert not list(work.glob("files-*"))
    monkeypatch.setattr(assessing, "COMMAND", ("false",))
    main(command)
    assert json.loads(out.read_text()) == evidence


def test_a_file_that_kills_the_program_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = (
        "import json, sys, pathlib; table = pathlib.Path(sys.argv[1]).read_text().split();"
        "names = [line.split(',')[0] for line in table[1:]];"
        "'b.png' in names and sys.exit(3);"
        "print(json.dumps({'films': [{'film': n, 'status': 'read', 'age_months': 9.0,"
        " 'findings': []} for n in names]}))"
    )
    monkeypatch.setattr(assessing, "COMMAND", (sys.executable, "-c", script))
    files = [tmp_path / f"{name}.png" for name in "abcd"]
    answers = assess_files(tmp_path, files, synthetic(1)[0])
    assert Counter(answer.status for answer in answers.values()) == {"read": 3, CRASHED: 1}
    assert answers["b"].status == CRASHED


def test_a_program_that_cannot_work_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assessing, "COMMAND", (sys.executable, "-m", "boneage", "assess", "--jsn"))
    with pytest.raises(RuntimeError, match="--jsn"):
        assess_files(tmp_path, [tmp_path / "a.png", tmp_path / "b.png"], synthetic(1)[0])


def test_the_ways_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list", "--ways", "tiff_float,png_16"]) == 0
    shown = capsys.readouterr().out
    assert "tiff_float64" in shown
    assert "64 bits a sample are rare" in shown
    with pytest.raises(SystemExit):
        main(["--ways", "tif_float"])


def test_drawn_hands_are_of_all_ages_and_both_sexes() -> None:
    sources = synthetic(5)
    assert [source.age_months for source in sources] == [24, 72, 120, 168, 216]
    assert len({source.sex for source in sources}) == 2
    grey = sources[1].load()
    assert grey.dtype == np.uint8


@pytest.mark.films
def test_held_out_images_are_spread_over_the_ages(real_films: Path) -> None:
    sources = held_out(real_films, 24, seed=1)
    assert sources == held_out(real_films, 24, seed=1) != held_out(real_films, 24, seed=2)
    assert len({source.name for source in sources}) == 24
    assert max(Counter(int(source.age_months // 12) for source in sources).values()) <= 2
    assert isinstance(sources[0].load(), np.ndarray)
