"""papers: quotations, proposed meetings, negotiation points, minimum purchases in figures, documents with versions

Nothing that stands is changed: a contract keeps what was said about its minimum in words, a composed letter its bytes,
of which the size is now also told.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

from crm.mail.compose import filled

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

CURRENT = sa.text("current")


def _key(table: str, column: str, target: str, *, ondelete: str | None = None) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target.partition('.')[0]}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete=ondelete)


def _index(table: str, *columns: str) -> None:
    for column in columns:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def upgrade() -> None:
    _documents()
    _quotations()
    _meetings()
    _points()
    _uses()
    for name, kind in (("minimum_quantity", sa.Integer()), ("minimum_amount", sa.Numeric(precision=14, scale=2))):
        op.add_column("exclusive_contract", sa.Column(name, kind, nullable=True))
    _widen("exclusive_contract", "minimum_unit", AutoString(length=32), "")
    _widen("exclusive_contract", "minimum_currency", AutoString(length=3), "")
    _widen("message", "size", sa.Integer(), "0")
    _widen("draft", "enclosed", sa.JSON(), "[]")
    op.execute("UPDATE message SET size = LENGTH(raw)")


def _documents() -> None:
    op.create_table(
        "stored_file",
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_stored_file")),
    )
    op.create_table(
        "document",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exporter_id", sa.Integer(), nullable=False),
        sa.Column("product_line_id", sa.Integer(), nullable=True),
        sa.Column("kind", AutoString(length=16), nullable=False),
        sa.Column("language", AutoString(length=8), nullable=False),
        sa.Column("title", AutoString(length=200), nullable=False),
        sa.Column("filename", AutoString(length=200), nullable=False),
        sa.Column("media_type", AutoString(length=100), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", AutoString(length=64), nullable=False),
        sa.Column("series", AutoString(length=300), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("current", sa.Boolean(), nullable=False),
        sa.Column("withdrawn_at", UTCDateTime(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", AutoString(length=254), nullable=False),
        _key("document", "exporter_id", "exporter.id"),
        _key("document", "product_line_id", "product_line.id"),
        _key("document", "sha256", "stored_file.sha256"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_document")),
        sa.UniqueConstraint("exporter_id", "series", "number", name=op.f("uq_document_exporter_id_series_number")),
    )
    _index("document", "exporter_id", "product_line_id", "sha256")
    op.create_index(
        "uq_document_current", "document", ["exporter_id", "series"], unique=True,
        sqlite_where=CURRENT, postgresql_where=CURRENT,
    )  # fmt: skip


def _quotations() -> None:
    op.create_table(
        "quotation",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("exporter_id", sa.Integer(), nullable=False),
        sa.Column("number", AutoString(length=40), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("currency", AutoString(length=3), nullable=False),
        sa.Column("incoterm", AutoString(length=3), nullable=False),
        sa.Column("incoterm_place", AutoString(length=64), nullable=False),
        sa.Column("lead_time_days", sa.Integer(), nullable=True),
        sa.Column("payment", AutoString(length=16), nullable=False),
        sa.Column("packing", sa.JSON(), nullable=False),
        sa.Column("lines", sa.JSON(), nullable=False),
        sa.Column("state", AutoString(length=16), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("created_by", AutoString(length=254), nullable=False),
        _key("quotation", "deal_id", "deal.id"),
        _key("quotation", "exporter_id", "exporter.id"),
        _key("quotation", "document_id", "document.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quotation")),
        sa.UniqueConstraint("exporter_id", "number", name=op.f("uq_quotation_exporter_id_number")),
    )
    _index("quotation", "deal_id", "exporter_id")


def _meetings() -> None:
    op.create_table(
        "meeting_proposal",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("exporter_id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=True),
        sa.Column("lead_id", sa.Integer(), nullable=True),
        sa.Column("slots", sa.JSON(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", AutoString(length=300), nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("chosen_at", UTCDateTime(), nullable=True),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("changed_by", AutoString(length=254), nullable=False),
        _key("meeting_proposal", "exporter_id", "exporter.id"),
        _key("meeting_proposal", "deal_id", "deal.id"),
        _key("meeting_proposal", "lead_id", "lead.id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meeting_proposal")),
    )
    _index("meeting_proposal", "exporter_id", "deal_id", "lead_id")


def _points() -> None:
    op.create_table(
        "negotiation_point",
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("deal_id", sa.Integer(), nullable=False),
        sa.Column("exporter_id", sa.Integer(), nullable=False),
        sa.Column("kind", AutoString(length=16), nullable=False),
        sa.Column("texts", sa.JSON(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.Column("changed_by", AutoString(length=254), nullable=False),
        _key("negotiation_point", "deal_id", "deal.id"),
        _key("negotiation_point", "exporter_id", "exporter.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_negotiation_point")),
    )
    _index("negotiation_point", "deal_id", "exporter_id")


def _uses() -> None:
    op.create_table(
        "letter_document",
        sa.Column("approval_id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("how", AutoString(length=8), nullable=False),
        _key("letter_document", "approval_id", "approval.id"),
        _key("letter_document", "document_id", "document.id"),
        sa.PrimaryKeyConstraint("approval_id", "document_id", name=op.f("pk_letter_document")),
    )
    _index("letter_document", "document_id")


def _widen(table: str, column: str, kind: sa.types.TypeEngine[Any], default: str) -> None:
    """Add a column that is never empty: rows that are there get ``default``, later ones say what stands in it."""
    with op.batch_alter_table(table) as change:
        change.add_column(sa.Column(column, kind, nullable=False, server_default=default))
    with op.batch_alter_table(table) as change:
        change.alter_column(column, existing_type=kind, server_default=None)


def downgrade() -> None:
    _fill_in()
    for table, names in (
        ("draft", ("enclosed",)),
        ("message", ("size",)),
        ("exclusive_contract", ("minimum_currency", "minimum_amount", "minimum_unit", "minimum_quantity")),
    ):
        with op.batch_alter_table(table) as change:
            for name in names:
                change.drop_column(name)
    for name in ("letter_document", "negotiation_point", "meeting_proposal", "quotation", "document", "stored_file"):
        op.drop_table(name)


def _fill_in() -> None:
    """An older program sends the bytes as they stand, so each letter gets its files back before they go."""
    connection = op.get_bind()
    letters = sa.table("message", sa.column("approval_id", sa.Integer), sa.column("raw", sa.LargeBinary))
    files = sa.table("stored_file", sa.column("sha256", AutoString), sa.column("content", sa.LargeBinary))

    def content(sha256: str) -> bytes:
        return bytes(connection.execute(sa.select(files.c.content).where(files.c.sha256 == sha256)).scalar_one())

    carrying = sa.text("SELECT DISTINCT approval_id FROM letter_document WHERE how = 'file'")
    for (number,) in connection.execute(carrying).all():
        raw = connection.execute(sa.select(letters.c.raw).where(letters.c.approval_id == number)).scalar_one()
        whole = filled(bytes(raw), content)
        connection.execute(sa.update(letters).where(letters.c.approval_id == number).values(raw=whole))
