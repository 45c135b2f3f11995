"""Names of outputs."""

from __future__ import annotations

from pathlib import Path

from boneage.writing.naming import free_path


def test_the_same_film_replaces_its_output_and_no_other(tmp_path: Path) -> None:
    first = free_path(tmp_path, "ä/hand.dcm", ".boneage.pdf", "aa11")
    assert first == tmp_path / "hand.boneage.pdf"
    first.write_text("of film aa11")
    assert free_path(tmp_path, "hand.png", ".boneage.pdf", "aa11") == first
    second = free_path(tmp_path, "hand.png", ".boneage.pdf", "bb22")
    assert second == tmp_path / "hand-2.boneage.pdf"
    second.write_text("of film bb22")
    assert free_path(tmp_path, "hand.dcm", ".boneage.pdf", "cc33").name == "hand-3.boneage.pdf"


def test_what_cannot_be_read_is_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "hand.boneage.pdf").mkdir()
    assert free_path(tmp_path, "hand", ".boneage.pdf", "aa").name == "hand-2.boneage.pdf"


def test_a_film_without_a_name_has_one(tmp_path: Path) -> None:
    assert free_path(tmp_path, "", ".boneage.pdf", "aa").name == "film.boneage.pdf"
