"""What a settings file may say, and the sentence for what it may not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from boneage.apps.dicom_node.settings import NodeError, read_settings

ROOT = Path(__file__).parents[3]
LEAST = """
[destination]
ae_title = "PACS"
host = "10.0.0.1"
port = 104
[spool]
folder = "spool"
"""


def test_the_example_is_good() -> None:
    settings = read_settings(ROOT / "deploy" / "node.toml")
    assert settings.spool.folder == ROOT / "deploy" / "spool"
    assert settings.node.calling_ae_titles == ("PACS",)


def test_options_are_stronger(tmp_path: Path) -> None:
    path = tmp_path / "node.toml"
    path.write_text(LEAST)
    settings = read_settings(path, {"node": {"port": 0}, "spool": {"folder": Path("/x")}})
    assert settings.node.port == 0
    assert settings.spool.folder == Path("/x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "destination.ae_title is missing"),
        ("[node", "is not valid TOML"),
        ("port = 1\n" + LEAST, "unknown key 'port' (= 1); valid keys: destination"),
        (LEAST + "[nodes]\n", "unknown key 'nodes' (= {})"),
        (
            LEAST + "[node]\nporte = 1\n",
            "unknown key 'node.porte' (= 1); valid keys: ae_title, host",
        ),
        (LEAST + "[node]\nport = '1'\n", "a whole number"),
        (LEAST + "[node]\nport = true\n", "a whole number"),
        (
            LEAST + "[node]\nport = 70000\n",
            "node.port is 70000; it must be a whole number of at most 65535",
        ),
        (LEAST + "[node]\nae_title = 'A TITLE THAT IS TOO LONG'\n", "must be an AE title"),
        (LEAST + "[node]\nae_title = ''\n", "must be an AE title"),
        (LEAST + "[node]\nae_title = 'A\\\\B'\n", "must be an AE title"),
        (LEAST + "[node]\ncalling_ae_titles = 'A'\n", "must be a list"),
        (LEAST + "[node]\ncalling_addresses = ['x']\n", "calling_addresses"),
        (
            LEAST + "[node]\nmax_object_mib = nan\n",
            "is nan; it must be a number of at least 0.01",
        ),
        (LEAST + "[node]\nhost = '0.0.0.0'\n", "every computer"),
        (LEAST + "[node]\nmatch_called_ae_title = 1\n", "true or false"),
        (
            LEAST + "[retry]\nfirst_seconds = 9\nlongest_seconds = 8\n",
            "longest_seconds (8) is shorter",
        ),
        (LEAST + "[node]\ncalling_ae_titles = ['A', '']\n", "calling_ae_titles is '';"),
        (LEAST + "[tls]\ncertificate = 'c'\nkey = 'k'\nmutual = true\n", "need ca"),
        (LEAST + "[tls]\ncertificate = 'c'\n", "tls.key is missing"),
    ],
)
def test_what_makes_no_sense_is_reported(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "node.toml"
    path.write_text(text)
    with pytest.raises(NodeError, match=re.escape(expected)) as raised:
        read_settings(path)
    assert str(path) in str(raised.value)
