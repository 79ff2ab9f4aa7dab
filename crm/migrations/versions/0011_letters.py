"""letters kept as versions: saved on the desk, decided about, kept by campaigns"""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letter_version",
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("files", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_letter_version")),
    )
    op.create_index(op.f("ix_letter_version_name"), "letter_version", ["name"])
    op.create_table(
        "letter_save",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", AutoString(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("folder_sha256", AutoString(length=64), nullable=False),
        sa.Column("saved_at", UTCDateTime(), nullable=False),
        sa.Column("saved_by", AutoString(length=254), nullable=False),
        sa.Column("why", AutoString(), nullable=False),
        sa.ForeignKeyConstraint(
            ["sha256"], ["letter_version.sha256"], name=op.f("fk_letter_save_sha256_letter_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_save")),
        sa.UniqueConstraint("name", "number", name=op.f("uq_letter_save_name_number")),
    )
    op.create_table(
        "letter_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("letter", AutoString(length=64), nullable=False),
        sa.Column("language", AutoString(length=16), nullable=False),
        sa.Column("text_sha256", AutoString(length=64), nullable=False),
        sa.Column("korean_sha256", AutoString(length=64), nullable=False),
        sa.Column("kind", AutoString(length=16), nullable=False),
        sa.Column("decided_at", UTCDateTime(), nullable=False),
        sa.Column("decided_by", AutoString(length=254), nullable=False),
        sa.Column("note", AutoString(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_decision")),
    )
    op.create_index(op.f("ix_letter_decision_letter"), "letter_decision", ["letter"])
    op.create_table(
        "campaign_letter",
        sa.Column("campaign_id", sa.Integer(), nullable=False),
        sa.Column("letter", AutoString(length=64), nullable=False),
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"],
            ["campaign.id"],
            name=op.f("fk_campaign_letter_campaign_id_campaign"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["sha256"], ["letter_version.sha256"], name=op.f("fk_campaign_letter_sha256_letter_version")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "letter", name=op.f("pk_campaign_letter")),
    )


def downgrade() -> None:
    for table in ("campaign_letter", "letter_decision", "letter_save", "letter_version"):
        op.drop_table(table)
