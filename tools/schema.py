"""``python -m tools.schema``: publish the JSON Schema of what goes out."""

from __future__ import annotations

from pathlib import Path

from boneage.reports.record import json_schema
from boneage.storage.files import as_json

SCHEMA = Path(__file__).parents[1] / "docs" / "assessment.schema.json"


def main() -> None:
    SCHEMA.write_text(as_json(json_schema()), "utf-8")
    print(SCHEMA)


if __name__ == "__main__":
    main()
