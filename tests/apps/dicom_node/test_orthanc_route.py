"""Orthanc sends what comes to it to the node, and finds the answers in the study."""

from __future__ import annotations

from pathlib import Path

from tests.apps.dicom_node.conftest import Build
from tests.apps.dicom_node.drawn import film
from tests.apps.dicom_node.orthanc import orthanc
from tests.apps.dicom_node.peers import HOST, free_port, wait_until


def test_answers_come_back_into_the_study(build: Build, tmp_path: Path) -> None:
    site = build(archive=False)
    folder = tmp_path / "orthanc"
    folder.mkdir()
    with orthanc(
        folder,
        free_port(),
        site.archive.port,
        DicomModalities={"boneage": ["BONEAGE", HOST, site.node.port]},
        LuaScripts=["route.lua"],
    ) as archive:
        archive.put(film(1))
        archive.put(film(2))
        wait_until(lambda: len(archive.modalities()) == 6, "both answers of both films")
        assert archive.modalities() == ["DX", "DX", "OT", "OT", "SR", "SR"]
        assert [len(study["Series"]) for study in archive.ask("/studies?expand")] == [3, 3]
        # Somebody sends the whole study to the node: nothing more follows.
        study = archive.ask("/studies")[0]
        sent = archive.client.post("/modalities/boneage/store", content=study)
        sent.raise_for_status()
        assert site.node.end() == 0
        assert len(archive.modalities()) == 6
