"""drafts that are held until their facts are known; which file wrote a letter, and which of its wordings"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("draft") as table:
        table.add_column(sa.Column("variant", AutoString(length=16), nullable=False, server_default=""))
        table.add_column(sa.Column("turn", sa.Integer(), nullable=False, server_default="0"))
        table.add_column(sa.Column("held_for", sa.JSON(), nullable=False, server_default="[]"))
        table.add_column(sa.Column("looked_at", UTCDateTime(), nullable=True))
    # A letter that was written before this was written by its language's own file.
    op.execute("UPDATE draft SET variant = language")
    with op.batch_alter_table("draft") as table:
        for name in ("variant", "turn", "held_for"):
            table.alter_column(name, server_default=None)


def downgrade() -> None:
    # An older program knows no held drafts: it writes these letters, or makes tasks of them, when their steps wait.
    op.execute("UPDATE step SET status = 'waiting' WHERE id IN (SELECT step_id FROM draft WHERE status = 'held')")
    op.execute("DELETE FROM draft WHERE status = 'held'")
    with op.batch_alter_table("draft") as table:
        for name in ("looked_at", "held_for", "turn", "variant"):
            table.drop_column(name)
