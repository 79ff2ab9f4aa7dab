"""workflows saved in the browser, and the plan that a campaign was started with"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workflow_save",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("file_sha256", AutoString(length=64), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.Column("saved_by", AutoString(length=254), nullable=False),
        sa.Column("why", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["workflow_version.sha256"], name=op.f("fk_workflow_save_sha256_workflow_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_workflow_save")),
        sa.UniqueConstraint("name", "number", name=op.f("uq_workflow_save_name_number")),
    )
    op.create_table(
        "campaign_plan",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("made_at", UTCDateTime(), nullable=False),
        sa.Column("made_by", AutoString(length=254), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_plan_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("campaign_id", name=op.f("pk_campaign_plan")),
    )


def downgrade() -> None:
    op.drop_table("campaign_plan")
    op.drop_table("workflow_save")
