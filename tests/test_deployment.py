"""The files of deploy/ against what they start."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from boneage.apps.cli import main
from boneage.apps.dicom_node.settings import read_settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
UNITS = ("boneage.service", "boneage-node.service")


def test_the_image_installs_extras_that_exist() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = re.search(r"/source\[([a-z,]+)\]", (DEPLOY / "Dockerfile").read_text("utf-8"))
    assert named is not None
    assert set(named[1].split(",")) <= set(project["optional-dependencies"])


def test_the_image_gets_what_it_copies() -> None:
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    for name in (line[1:] for line in lines if line.startswith("!")):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    ("name", "command"),
    [("Dockerfile", "serve"), ("boneage.service", "serve"), ("boneage-node.service", "node")],
)
def test_the_options_of_what_is_started_exist(name: str, command: str) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    known = CliRunner().invoke(main, [command, "--help"]).output
    pattern = rf"^(?:CMD \[|ExecStart=).*\b{command}\b.*$"
    (line,) = re.findall(pattern, text, re.MULTILINE)
    options = re.findall(r"--[a-z-]+", line)
    assert options
    assert not [option for option in options if option not in known]


def test_compose_can_be_read() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not here")
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"]
    assert set(services) == {"service", "node", "orthanc"}
    for name in ("service", "node"):
        assert services[name]["read_only"] and services[name]["cap_drop"] == ["ALL"]


@pytest.mark.parametrize("name", ["node.toml", "node.compose.toml"])
def test_the_node_takes_its_settings(name: str) -> None:
    settings = read_settings(DEPLOY / name)
    assert settings.node.ae_title == "BONEAGE"
    assert settings.spool.folder.is_absolute()


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_units(name: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not here (apt-get install systemd)")
    there = tmp_path / name
    text = (DEPLOY / name).read_text("utf-8")
    assert "/opt/boneage/bin/boneage" in text
    there.write_text(text.replace("/opt/boneage/bin/boneage", sys.executable))
    for command in (["verify"], ["security", "--offline=true", "--threshold=20"]):
        done = subprocess.run(
            ["systemd-analyze", *command, str(there)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
