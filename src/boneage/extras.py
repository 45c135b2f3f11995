"""Which extra of the package brings a library that is not installed, and how to install it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname

EXTRA_OF: Mapping[str, str] = {
    "alembic": "history",
    "fastapi": "server",
    "h5py": "train",
    "highdicom": "dicom",
    "jax": "distributed",
    "keras": "train",
    "jinja2": "evaluate",
    "matplotlib": "evaluate",
    "onnx": "train",
    "prometheus_client": "server",
    "python_multipart": "server",
    "pynetdicom": "node",
    "pyarrow": "big",
    "ray": "ray",
    "reportlab": "report",
    "requests": "node",
    "scipy": "evaluate",
    "sklearn": "evaluate",
    "sqlalchemy": "history",
    "streamlit": "dashboard",
    "starlette": "server",
    "tensorflow": "train",
    "tf2onnx": "train",
    "uvicorn": "server",
}
"""The extra of each imported module."""


def what_to_install(error: ModuleNotFoundError) -> str:
    """Name the command that installs the missing library."""
    extra = extra_of(error)
    if extra is None:
        return f"{error}; install boneage again"
    return f"{error.name} is not installed: {install_command(extra)}"


def extra_of(error: ModuleNotFoundError) -> str | None:
    """Name the extra that brings the library that is missing; None for any other library."""
    return EXTRA_OF.get((error.name or "").partition(".")[0])


def install_command(extra: str) -> str:
    """Give the command that adds an extra, from where this boneage was installed.

    A checkout is named by its folder and stays editable where it is; a file or repository is
    named by its address (PEP 610). Only what came from an index is fetched by its name.
    """
    try:
        origin = json.loads(distribution("boneage").read_text("direct_url.json") or "{}")
    except PackageNotFoundError:
        origin = {}
    if "dir_info" in origin:
        folder = url2pathname(urlsplit(origin["url"]).path)
        editable = "-e " if origin["dir_info"].get("editable") else ""
        return f'pip install {editable}"{folder}[{extra}]"'
    if "vcs_info" in origin:
        address = f" @ {origin['vcs_info']['vcs']}+{origin['url']}"
    else:
        address = f" @ {origin['url']}" if origin else ""
    return f'pip install "boneage[{extra}]{address}"'
