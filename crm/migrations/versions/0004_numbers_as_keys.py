"""Identity keys are numbers: they stand closer together, and an import finds and writes them in half the time.

They are derived from the rows of lists and are made again with the next import (``matching.adopt_strays``).

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty the table and let it hold numbers."""
    op.drop_table("identity_key")
    op.create_table(
        "identity_key",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("firm", AutoString(length=500), nullable=False),
        sa.PrimaryKeyConstraint("key", "contact_id", name=op.f("pk_identity_key")),
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Empty the table and let it hold texts."""
    op.drop_table("identity_key")
    op.create_table(
        "identity_key",
        sa.Column("key", AutoString(length=600), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("firm", AutoString(length=500), nullable=False),
        sa.PrimaryKeyConstraint("key", "contact_id", name=op.f("pk_identity_key")),
        sqlite_with_rowid=False,
    )
