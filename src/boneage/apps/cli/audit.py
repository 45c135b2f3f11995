"""``boneage audit``: the integrity of an audit log."""

from __future__ import annotations

from pathlib import Path

import click

from boneage.apps.audit_log import check_audit_log
from boneage.apps.cli import Failed
from boneage.apps.cli.options import IN_FILE
from boneage.apps.cli.output import echo


@click.command()
@click.argument("file", type=IN_FILE)
def audit(file: Path) -> None:
    """Check that no line of the audit log FILE was changed or removed.

    A truncated end shows only when the last hash is compared with one that was
    stored elsewhere.

    Exit status: 0 when all are intact; 1 when a line is not; 2 for a file that
    cannot be read.
    """
    checked = check_audit_log(file)
    if checked.invalid_line is not None:
        raise Failed(f"line {checked.invalid_line} is not intact: {checked.reason}")
    echo(f"{checked.intact_lines} lines, all intact; the last hash is {checked.last_hash}")
