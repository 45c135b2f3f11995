"""Orthanc, an archive that other people wrote, as a process."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.apps.dicom_node.peers import HOST, program, wait_until

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
ROUTE = """
function OnStoredInstance(instanceId, tags, metadata, origin)
    if origin['RequestOrigin'] ~= 'Lua' and tags['Modality'] == 'DX' then
        SendToModality(instanceId, 'boneage')
    end
end
"""


@dataclass
class Orthanc:
    """A running archive."""

    url: str
    dicom_port: int
    client: httpx.Client

    def put(self, content: bytes) -> None:
        """Store an object over its own interface."""
        self.client.post("/instances", content=content).raise_for_status()

    def ask(self, path: str) -> Any:
        """What it says."""
        return self.client.get(path).raise_for_status().json()

    def modalities(self) -> list[str]:
        """Of every series, sorted."""
        return sorted(series["MainDicomTags"]["Modality"] for series in self.ask("/series?expand"))


@contextmanager
def orthanc(folder: Path, port: int, dicom_port: int, **settings: Any) -> Iterator[Orthanc]:
    """Run Orthanc on this machine alone."""
    path = program("Orthanc", "orthanc")
    (folder / "route.lua").write_text(ROUTE)
    table = {
        "Name": "archive",
        "HttpPort": port,
        "DicomPort": dicom_port,
        "DicomAet": "PACS",
        "DicomAlwaysAllowStore": True,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "Plugins": [],
        **settings,
    }
    (folder / "orthanc.json").write_text(json.dumps(table))
    log = folder / "log"
    with log.open("wb") as opened:
        process = subprocess.Popen(
            [path, str(folder / "orthanc.json")], stdout=opened, stderr=opened
        )
    client = httpx.Client(base_url=f"http://{HOST}:{port}", trust_env=False, timeout=60)
    try:
        wait_until(lambda: _answers(client, process, log), "Orthanc answers", 60)
        yield Orthanc(f"http://{HOST}:{port}", dicom_port, client)
    finally:
        client.close()
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:  # it waits for connections that others keep open
            process.kill()
            process.wait(20)


def _answers(client: httpx.Client, process: subprocess.Popen[bytes], log: Path) -> bool:
    assert process.poll() is None, log.read_text("utf-8", "replace")
    try:
        client.get("/system")  # whatever it answers, it listens
        return True
    except httpx.TransportError:
        return False
