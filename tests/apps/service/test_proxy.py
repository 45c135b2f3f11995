"""The nginx of deploy/nginx.conf, a real one, before a real server."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.apps.service.conftest import Server
from tests.apps.service.test_service import send

RECIPE = Path(__file__).parents[3] / "deploy/nginx.conf"
MAIN = """
daemon off;
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/boneage.conf;
}}
"""


def openssl(folder: Path, command: str) -> None:
    subprocess.run(["openssl", *command.split()], cwd=folder, check=True, capture_output=True)


def make_certificates(folder: Path) -> None:
    """A CA, and certificates by it for a server and for a client."""
    new = "req -newkey rsa:2048 -nodes"
    openssl(folder, f"{new} -x509 -days 1 -subj /CN=ca -keyout ca.key -out ca.crt")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1")
    for name in ("server", "client"):
        openssl(folder, f"{new} -subj /CN={name} -keyout {name}.key -out {name}.csr")
        signed = f"x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 1"
        openssl(folder, f"{signed} -extfile names -out {name}.crt")


@pytest.fixture
def proxy(server: Server, tmp_path: Path) -> Iterator[str]:
    nginx = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if nginx is None or shutil.which("openssl") is None:
        pytest.skip("nginx or openssl is not here (apt-get install nginx-light openssl)")
    make_certificates(tmp_path)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    changes = {
        "listen 8443": f"listen 127.0.0.1:{port}",
        "http://127.0.0.1:8080": server.url,
        "/etc/boneage/tls/server": f"{tmp_path}/server",
        "/etc/boneage/tls/clients-ca.crt": f"{tmp_path}/ca.crt",
    }
    text = RECIPE.read_text("utf-8")
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "boneage.conf").write_text(text)
    (tmp_path / "nginx.conf").write_text(MAIN.format(folder=tmp_path))
    command = [nginx, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    try:
        wait_for(port, process)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.communicate(timeout=30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, process.communicate()[1].decode()
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_only_clients_with_a_certificate_get_through(
    proxy: str, tmp_path: Path, png: bytes
) -> None:
    trusted = ssl.create_default_context(cafile=str(tmp_path / "ca.crt"))
    with httpx.Client(base_url=proxy, verify=trusted, trust_env=False) as unknown_caller:
        got = unknown_caller.get("/healthz")
        assert got.status_code == 400 and "certificate" in got.text
    trusted.load_cert_chain(tmp_path / "client.crt", tmp_path / "client.key")
    with httpx.Client(base_url=proxy, verify=trusted, trust_env=False, timeout=120) as known:
        got = send(known, png)
        assert got.status_code == 201, got.text
        assert len(got.headers["x-request-id"]) == 32
        assert known.get(got.json()["links"]["report"]).content.startswith(b"%PDF-")
