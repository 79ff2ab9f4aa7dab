"""workflows that wait for what happens outside

What happened to a lead while it was followed up gets a table of its own, a campaign keeps the days its workflow asks
for, and an enrolment knows when it is over at the latest. Those that an older program enrolled go on without an end.
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

FOLLOWED = sa.text("status = 'active'")
MADE = sa.text("status = 'taken' AND kind = 'task'")


def upgrade() -> None:
    with op.batch_alter_table("campaign") as table:
        table.add_column(sa.Column("dates", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("campaign") as table:
        table.alter_column("dates", existing_type=sa.JSON(), server_default=None)
    with op.batch_alter_table("enrolment") as table:
        table.add_column(sa.Column("ends_at", UTCDateTime(), nullable=True))
    op.create_index("ix_enrolment_ends", "enrolment", ["ends_at"], sqlite_where=FOLLOWED, postgresql_where=FOLLOWED)
    op.create_index("ix_step_made", "step", ["id"], sqlite_where=MADE, postgresql_where=MADE)
    op.create_table(
        "enrolment_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("enrolment_id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enrolment_id"], ["enrolment.id"], name=op.f("fk_enrolment_event_enrolment_id_enrolment")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enrolment_event")),
        sa.UniqueConstraint("enrolment_id", "name", name=op.f("uq_enrolment_event_enrolment_id_name")),
    )


def downgrade() -> None:
    op.drop_table("enrolment_event")
    op.drop_index("ix_step_made", table_name="step")
    op.drop_index("ix_enrolment_ends", table_name="enrolment")
    with op.batch_alter_table("enrolment") as table:
        table.drop_column("ends_at")
    with op.batch_alter_table("campaign") as table:
        table.drop_column("dates")
