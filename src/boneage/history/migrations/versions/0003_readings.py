"""A reader's own reading before the program's, the time it took, and the decision."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
NEW: dict[str, Any] = {
    "own_reading_months": sa.Float(),
    "reading_seconds": sa.Float(),
    "decision": sa.String(16),
}


def upgrade() -> None:
    """Add the columns."""
    for name, kind in NEW.items():
        op.add_column("entry", sa.Column(name, kind))


def downgrade() -> None:
    """Remove the columns."""
    with op.batch_alter_table("entry") as table:
        for name in NEW:
            table.drop_column(name)
