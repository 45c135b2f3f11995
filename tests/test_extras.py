"""What is said where an extra is missing."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError

import pytest

from boneage import extras
from boneage.apps.service.problems import problem_of

MISSING = ModuleNotFoundError("No module named 'reportlab.pdfgen'", name="reportlab.pdfgen")
CHECKOUT = {"url": "file:///home/ann/my%20code/boneage", "dir_info": {}}
WHEEL = {"url": "file:///mnt/boneage-0.1.0-py3-none-any.whl", "archive_info": {}}
REPOSITORY = {"url": "https://git.example/boneage", "vcs_info": {"vcs": "git"}}


class Installed:
    def __init__(self, origin: dict[str, object] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (CHECKOUT, 'pip install "/home/ann/my code/boneage[report]"'),
        (
            CHECKOUT | {"dir_info": {"editable": True}},
            'pip install -e "/home/ann/my code/boneage[report]"',
        ),
        (WHEEL, f'pip install "boneage[report] @ {WHEEL["url"]}"'),
        (REPOSITORY, 'pip install "boneage[report] @ git+https://git.example/boneage"'),
        (None, 'pip install "boneage[report]"'),
    ],
)
def test_an_extra_is_installed_from_where_boneage_came(
    monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, command: str
) -> None:
    monkeypatch.setattr(extras, "distribution", lambda _: Installed(origin))
    assert extras.what_to_install(MISSING) == f"reportlab.pdfgen is not installed: {command}"


def test_boneage_may_run_without_being_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: str) -> None:
        raise PackageNotFoundError

    monkeypatch.setattr(extras, "distribution", none)
    assert extras.install_command("big") == 'pip install "boneage[big]"'


def test_a_library_of_no_extra_is_named() -> None:
    error = ModuleNotFoundError("No module named 'cv2'", name="cv2")
    assert extras.what_to_install(error) == "No module named 'cv2'; install boneage again"


def test_clients_of_the_service_see_no_path_of_the_server() -> None:
    problem = problem_of(MISSING)
    assert (problem.status, problem.code) == (501, "not_installed")
    expected = (
        'reportlab.pdfgen is not installed on the server: it needs the extra "report" of boneage'
    )
    assert problem.detail == expected
