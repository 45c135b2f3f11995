"""Which extra of the package installs a missing library."""

from __future__ import annotations

from collections.abc import Mapping

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
    """How to install the missing library."""
    extra = EXTRA_OF.get((error.name or "").partition(".")[0])
    if extra is None:
        return f"{error}; install boneage again"
    return f'{error.name} is not installed: pip install "boneage[{extra}]"'
