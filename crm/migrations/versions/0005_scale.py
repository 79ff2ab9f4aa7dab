"""What is due is found by campaign, and nothing else is looked at

A step knows its campaign, and the index of what is due holds waiting steps only. Indexes that repeated the beginning of
a unique constraint, or told states apart that most rows share, are gone. A campaign remembers up to where it has looked
for leads.
"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WAITS = sa.text("status = 'waiting'")


def upgrade() -> None:
    op.drop_index("ix_step_due", table_name="step")
    op.drop_index("ix_step_enrolment_id", table_name="step")
    with op.batch_alter_table("step") as table:
        table.add_column(sa.Column("campaign_id", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE step SET campaign_id = (SELECT campaign_id FROM enrolment WHERE enrolment.id = step.enrolment_id)"
    )
    with op.batch_alter_table("step") as table:
        table.alter_column("campaign_id", existing_type=sa.Integer(), nullable=False)
        table.create_foreign_key(op.f("fk_step_campaign_id_campaign"), "campaign", ["campaign_id"], ["id"])
    op.create_index("ix_step_due", "step", ["campaign_id", "due_at", "id"], sqlite_where=WAITS, postgresql_where=WAITS)
    op.drop_index("ix_enrolment_campaign_id", table_name="enrolment")
    op.drop_index("ix_enrolment_status", table_name="enrolment")
    op.create_table(
        "campaign_look",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("lead_id", sa.Integer(), nullable=False),
        sa.Column("all_seen_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_campaign_look_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_look")),
    )


def downgrade() -> None:
    op.drop_table("campaign_look")
    op.create_index("ix_enrolment_status", "enrolment", ["status"])
    op.create_index("ix_enrolment_campaign_id", "enrolment", ["campaign_id"])
    op.drop_index("ix_step_due", table_name="step")
    with op.batch_alter_table("step") as table:
        table.drop_constraint(op.f("fk_step_campaign_id_campaign"), type_="foreignkey")
        table.drop_column("campaign_id")
    op.create_index("ix_step_enrolment_id", "step", ["enrolment_id"])
    op.create_index("ix_step_due", "step", ["status", "due_at"])
