"""People under a pseudonym, and their entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
NUMBERS = (
    "chronological_age_months",
    "interval_low_months",
    "interval_high_months",
    "interval_level",
    "height_cm",
    "adult_height_cm",
    "sds",
)


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "person",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("pseudonym", sa.String(64), nullable=False, unique=True),
        sa.Column("sex", sa.String(8), nullable=False),
    )
    op.create_table(
        "entry",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "person_id",
            sa.Integer(),
            sa.ForeignKey("person.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("kept_at", sa.DateTime(), nullable=False),
        sa.Column("bone_age_months", sa.Float(), nullable=False),
        *(sa.Column(name, sa.Float()) for name in NUMBERS),
        sa.Column("sds_centre", sa.String(32)),
        sa.Column("determination", sa.String(16)),
        sa.Column("weights", sa.String(128), nullable=False),
        sa.Column("weights_sha256", sa.String(64), nullable=False),
    )


def downgrade() -> None:
    """Remove both."""
    op.drop_table("entry")
    op.drop_table("person")
