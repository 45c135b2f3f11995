"""Visits without an image, the reader's own bone age, puberty, treatment; the parents' heights."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
ESTIMATE: dict[str, Any] = {
    "bone_age_months": sa.Float(),
    "weights": sa.String(128),
    "weights_sha256": sa.String(64),
}
"""Not known of a visit without an image."""
NEW: dict[str, Any] = {
    "reader_months": sa.Float(),
    "pubertal_stage": sa.String(16),
    "treatment": sa.String(64),
    "image_sha256": sa.String(64),
}
PARENTS = ("father_cm", "mother_cm")


def upgrade() -> None:
    """Add the columns; what was needed before may be empty."""
    with op.batch_alter_table("entry") as table:
        for name, kind in ESTIMATE.items():
            table.alter_column(name, existing_type=kind, nullable=True)
        for name, kind in NEW.items():
            table.add_column(sa.Column(name, kind))
    for name in PARENTS:
        op.add_column("person", sa.Column(name, sa.Float()))


def downgrade() -> None:
    """Remove the columns, and the visits without an image."""
    for name in PARENTS:
        op.drop_column("person", name)
    op.execute(sa.text("delete from entry where bone_age_months is null"))
    with op.batch_alter_table("entry") as table:
        for name in NEW:
            table.drop_column(name)
        for name, kind in ESTIMATE.items():
            table.alter_column(name, existing_type=kind, nullable=False)
