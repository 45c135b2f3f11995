"""A PostgreSQL server of the tests' own, on a socket in a folder of its own."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

DEBIAN = Path("/usr/lib/postgresql")
"""Debian keeps ``initdb`` off the PATH, in a folder of each version."""
SERVER_USER = "postgres"
"""Debian's; the server refuses to run as root."""


def find_tool(name: str) -> str | None:
    found = sorted(DEBIAN.glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(found[-1]) if found else None)


def as_server_user(command: list[str]) -> list[str]:
    if os.geteuid() != 0:
        return command
    return ["runuser", "-u", SERVER_USER, "--", *command]


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """Give the URL of an empty database of a real server, which ends with the tests."""
    initdb, pg_ctl = find_tool("initdb"), find_tool("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("PostgreSQL is not here (apt-get install postgresql)")
    user = SERVER_USER if os.geteuid() == 0 else getpass.getuser()
    # Not pytest's folder: its path is too long for a socket, and other users may not enter it.
    with tempfile.TemporaryDirectory(prefix="boneage-pg-") as name:
        shutil.chown(name, user)
        data = f"{name}/data"
        make = [initdb, "-D", data, "-U", "boneage", "-A", "trust", "-E", "UTF8", "--no-sync"]
        subprocess.run(as_server_user(make), check=True, capture_output=True, cwd=name)
        options = f"-c listen_addresses= -c unix_socket_directories={name} -c fsync=off"
        control = [pg_ctl, "-D", data, "-w", "-l", f"{name}/log"]
        subprocess.run(
            as_server_user([*control, "-o", options, "start"]),
            check=True,
            stdout=subprocess.DEVNULL,
            cwd=name,
        )
        try:
            yield f"postgresql://boneage@/postgres?host={name}"
        finally:
            stop = [*control, "-m", "immediate", "stop"]
            subprocess.run(as_server_user(stop), check=True, stdout=subprocess.DEVNULL, cwd=name)
