"""The code blocks of README.md and docs/ run as written; what cannot is listed with its reason."""

from __future__ import annotations

import csv
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from PIL import Image

from boneage.apps.cli import main as program
from boneage.domain.radiograph import Sex
from boneage.synthetic import draw

ROOT = Path(__file__).parents[1]
DOCUMENTS = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"][
    "optional-dependencies"
]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SHELL = ("sh", "bash")
SEPARATORS = frozenset(("|", "||", "&&", "&", ";", ">", ">>", "<"))
NOT_RUN = {
    r"make .*": "sets up an environment, or measures for hours; its target is checked",
    r"pip install .*": "needs a package index; its extras are checked",
    r"boneage (dashboard|serve)\b.*": "runs until it is stopped",
    r"boneage node --config node.toml": "runs until it is stopped",
    r"boneage node .* requeue .*": "needs an image that was given up",
    r"boneage dicomweb .*": "needs an archive",
    r"curl .*": "needs a running service",
    r"boneage audit .*": "needs the log of a service",
    r"boneage (train|ablate|fit|ruler|stress) .*": "takes minutes to hours",
    r"boneage calibrate .*": "needs 30 labelled images",
    r"boneage assess .*--calibration .*": "needs the file of a calibration",
    r"boneage assess .*--weights .*": "needs weights of a training",
    r"boneage evaluate .*clinic/.*": "needs the images and weights of an experiment",
    r"python -m tools\.shifted_clinic .*": "needs the data set",
    r"python -m tools\.documents card --weights .*": "needs weights of a training",
    r".*--engine ray.*": "needs a Ray cluster",
    r"ray start .*": "needs a cluster",
    r"(export BONEAGE_COORDINATOR|srun|torchrun)\b.*": "needs a cluster",
    r"(python3 -m venv )?/opt/boneage\b.*": "needs root",
    r"(install -|systemctl ).*": "needs root",
}
"""Commands of shell blocks that the tests cannot run, and why."""
OTHER_LANGUAGES = {"": "a drawing", "lua": "Orthanc runs it in tests/apps/dicom_node"}
"""Blocks in other languages, and who checks them."""


@dataclass(frozen=True)
class Block:
    document: Path
    line: int
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"

    def commands(self) -> list[str]:
        """Logical lines, without comments."""
        joined = re.sub(r"\\\n\s*", " ", self.text)
        lines = (re.sub(r"(^|\s+)#.*$", "", line).strip() for line in joined.splitlines())
        return [line for line in lines if line]


def blocks(*languages: str) -> list[Block]:
    found = []
    for document in DOCUMENTS:
        text = document.read_text("utf-8")
        for match in BLOCK.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(document, line, match[1], match[2]))
    return [block for block in found if not languages or block.language in languages]


def reason_not_run(command: str) -> str | None:
    return next((why for form, why in NOT_RUN.items() if re.fullmatch(form, command)), None)


def test_every_block_is_of_a_language_that_is_checked() -> None:
    checked = {*SHELL, "python", "toml", "json", *OTHER_LANGUAGES}
    assert {block.language for block in blocks()} <= checked


def test_every_reason_is_needed() -> None:
    commands = [command for block in blocks(*SHELL) for command in block.commands()]
    assert [
        form for form in NOT_RUN if not any(re.fullmatch(form, command) for command in commands)
    ] == []


@pytest.mark.parametrize("block", blocks(*SHELL), ids=str)
def test_shell_blocks_parse(block: Block) -> None:
    checked = subprocess.run(
        ["bash", "-n"], check=False, input=block.text, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr


def boneage_commands(text: str) -> Iterator[list[str]]:
    """The arguments of every ``boneage`` in a shell command, quoted ones too."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    found: list[str] | None = None
    for token in lexer:
        if token in SEPARATORS:
            if found is not None:
                yield found
            found = None
        elif found is not None:
            found.append(token)
        elif token == "boneage" or token.endswith("/boneage"):
            found = []
        elif " boneage " in token:  # of "sh -c"
            yield from boneage_commands(token)
    if found is not None:
        yield found


def check(command: click.Command, arguments: list[str]) -> None:
    """Let click parse, without running anything.

    Raises
    ------
    click.UsageError
        When the command has no such option, or lacks one.
    """
    context = click.Context(command)
    options, rest, _ = command.make_parser(context).parse_args(list(arguments))
    if isinstance(command, click.Group):
        if not rest:
            return
        below = command.get_command(context, rest[0])
        assert below is not None, f"no command {rest[0]!r}"
        check(below, rest[1:])
        return
    if options.get("help"):
        return
    required = {one.name for one in command.params if one.required}
    assert required <= {name for name, value in options.items() if value}, command.name


@pytest.mark.parametrize("block", blocks(*SHELL), ids=str)
def test_commands_and_options_exist(block: Block) -> None:
    for command in block.commands():
        for arguments in boneage_commands(command):
            check(program, arguments)


def test_inline_commands_and_options_exist() -> None:
    for document in DOCUMENTS:
        text = BLOCK.sub("", document.read_text("utf-8"))
        for command in re.findall(r"`(boneage [a-z]+[^`]*)`", text):
            (arguments,) = boneage_commands(" ".join(command.split()))
            with click.Context(program):
                below = program.get_command(click.Context(program), arguments[0])
            assert below is not None, f"{document.name}: no command {arguments[0]!r}"
            known = {option for one in below.params for option in one.opts}
            given = {one for one in arguments if one.startswith("--")}
            assert isinstance(below, click.Group) or given <= known, f"{document.name}: {command}"


def test_pip_installs_extras_that_exist() -> None:
    for document in DOCUMENTS:
        for form in re.findall(r"pip install ([^`\n#]*)", document.read_text("utf-8")):
            assert re.search(r"(^|\s)\.(\s|$)|\"\.\[[a-z,]+\]\"", form), f"{document.name}: {form}"
            for extras in re.findall(r"\.\[([a-z,]+)\]", form):
                assert set(extras.split(",")) <= set(EXTRAS), f"{document.name}: {form}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that the documents name, and the commands on its path."""
    folder = tmp_path_factory.mktemp("documents")
    example = ROOT / "examples" / "synthetic_hand_girl.png"
    for name in ("hand.png", "a.png", "b.png", "images/a.png", "images/b.png"):
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(example, folder / name)
    noise = np.random.default_rng(2017).integers(0, 256, (600, 450), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "odd.png")
    rows = [("path", "sex", "age", "height_cm"), ("a.png", "female", "11y4m", "142.5")]
    write_csv(folder / "cases.csv", [*rows, ("b.png", "male", "9y", "131")])
    visits = [("pseudonym", "sex", "age", "height_cm"), ("B7", "male", "9y6m", "135")]
    write_csv(folder / "visits.csv", visits)
    write_data_set(folder)
    shutil.copy(ROOT / "deploy" / "node.toml", folder)
    (folder / "spool").mkdir()
    commands = folder / ".bin"
    commands.mkdir()
    for name, arguments in (("boneage", "-m boneage"), ("python", "")):
        command = commands / name
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        command.chmod(0o755)
    run(folder, "boneage synthetic --out hand.dcm --sex female --age-years 10")
    return folder


def write_data_set(folder: Path) -> None:
    """Labelled synthetic images: a folder of the challenge's layout, a table, another reader."""
    images = folder / "rsna" / "boneage-training-dataset"
    images.mkdir(parents=True)
    labels = [(n, 60 + 24 * n, n % 2 == 1) for n in range(1, 5)]
    for number, months, male in labels:
        film = draw(months, Sex.MALE if male else Sex.FEMALE, height=600, width=460)
        pixels = np.rint(film.radiograph.pixels * 255).astype(np.uint8)
        Image.fromarray(pixels).save(images / f"{number}.png")
    write_csv(
        folder / "rsna" / "boneage-training-dataset.csv", [("id", "boneage", "male"), *labels]
    )
    table: list[tuple[Any, ...]] = [("path", "sex", "boneage", "split")]
    for number, months, male in labels:
        sex = "male" if male else "female"
        table.append((f"rsna/{images.name}/{number}.png", sex, months, "validation"))
    write_csv(folder / "images.csv", table)
    reader = [(f"{number}", months + 3) for number, months, _ in labels]
    write_csv(folder / "reader.csv", [("case", "predicted_months"), *reader])


def write_csv(path: Path, rows: list[tuple[Any, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def run(folder: Path, script: str) -> None:
    path = f"{folder / '.bin'}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-e"],
        check=False,
        cwd=folder,
        input=script,
        env={**os.environ, "PATH": path, "HOME": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


SLOW = re.compile(r"boneage evaluate|--out ages|--dicom-out|boneage regions|pyarrow")
"""In blocks that take more than a few seconds, or need what such blocks wrote."""
DONE: set[str] = set()
"""Commands that ran already: the README repeats some of the pages."""


def runnable() -> Iterator[Any]:
    for block in blocks(*SHELL, "python"):
        slow = [pytest.mark.slow] if SLOW.search(block.text) else []
        if block.language == "python" or not all(map(reason_not_run, block.commands())):
            yield pytest.param(block, id=str(block), marks=slow)


@pytest.mark.parametrize("block", list(runnable()))
def test_blocks_run(block: Block, place: Path) -> None:
    if block.language == "python":
        (place / "block.py").write_text(block.text, encoding="utf-8")
        run(place, "python block.py")
        return
    if "openssl" in block.text and shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    left = [line for line in block.commands() if line not in DONE and not reason_not_run(line)]
    run(place, "\n".join(left))
    DONE.update(left)


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_settings_are_read(block: Block, tmp_path: Path) -> None:
    settings = tmp_path / "node.toml"
    settings.write_text(block.text, encoding="utf-8")
    (tmp_path / "spool").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "boneage", "node", "--config", str(settings), "list"],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_json_is_valid(block: Block) -> None:
    assert json.loads(block.text)
