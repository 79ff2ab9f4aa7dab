"""people computed from immutable records

Until now an import kept a ledger of the values it had changed. From now on each row keeps what was read out of it, and
a contact is what its rows add up to. The facts of rows imported by an older program are put together from the ledger,
so that their batches can still be undone and their values still be traced; then the ledger goes.
"""

import json
from collections import defaultdict
from datetime import datetime, timedelta, timezone
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RATINGS = {5: "hot", 3: "warm", 1: "cold"}
CONTACT_FACTS = (
    "full_name", "family_name", "given_name", "name_alt", "name_reading", "gender", "department", "title", "mobile",
    "phone", "fax", "other_phones", "website", "country", "city", "address", "postal_code", "language", "messengers",
    "tags",
)  # fmt: skip
LEAD_FACTS = ("interests", "captured_by", "external_id", "notes")


def upgrade() -> None:
    with op.batch_alter_table("organisation") as table:
        table.add_column(sa.Column("imported", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("contact") as table:
        table.add_column(sa.Column("merged_into_id", sa.Integer(), nullable=True))
        table.create_foreign_key(op.f("fk_contact_merged_into_id_contact"), "contact", ["merged_into_id"], ["id"])
    few = sa.text("merged_into_id IS NOT NULL")
    op.create_index("ix_contact_merged", "contact", ["merged_into_id"], sqlite_where=few, postgresql_where=few)
    with op.batch_alter_table("consent") as table:
        table.add_column(sa.Column("derived", sa.Boolean(), nullable=False, server_default=sa.false()))
    with op.batch_alter_table("import_batch") as table:
        table.add_column(sa.Column("kind", AutoString(length=16), nullable=False, server_default="list"))
    with op.batch_alter_table("import_row") as table:
        table.add_column(sa.Column("stands", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("facts", sa.JSON(), nullable=False, server_default="{}"))
        table.alter_column("batch_id", existing_type=sa.Integer(), nullable=True)
        table.drop_index(op.f("ix_import_row_batch_id"))  # the unique constraint begins with the same column
    connection = op.get_bind()
    _rebuild(connection)
    with op.batch_alter_table("import_row") as table:
        table.create_foreign_key(
            op.f("fk_import_row_contact_id_contact"), "contact", ["contact_id"], ["id"], ondelete="SET NULL"
        )
    for name, column in (
        ("organisation", "imported"),
        ("consent", "derived"),
        ("import_batch", "kind"),
        ("import_row", "stands"),
        ("import_row", "facts"),
    ):
        with op.batch_alter_table(name) as table:
            table.alter_column(column, server_default=None)
    _new_tables()
    with op.batch_alter_table("import_change") as table:
        table.drop_index("ix_import_change_target")
        table.drop_index(op.f("ix_import_change_row_id"))
        table.drop_index(op.f("ix_import_change_batch_id"))
    op.drop_table("import_change")


def _new_tables() -> None:
    op.create_table(
        "identity_key",
        sa.Column("key", AutoString(length=600), nullable=False),
        sa.Column("contact_id", sa.Integer(), nullable=False),
        sa.Column("firm", AutoString(length=500), nullable=False),
        sa.PrimaryKeyConstraint("key", "contact_id", name=op.f("pk_identity_key")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "duplicate_pair",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("one_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("why", AutoString(length=16), nullable=False),
        sa.Column("status", AutoString(length=16), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", UTCDateTime(), nullable=True),
        sa.Column("decided_by", AutoString(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["one_id"], ["contact.id"], name=op.f("fk_duplicate_pair_one_id_contact"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["other_id"], ["contact.id"], name=op.f("fk_duplicate_pair_other_id_contact"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_duplicate_pair_batch_id_import_batch"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_duplicate_pair")),
        sa.UniqueConstraint("one_id", "other_id", name=op.f("uq_duplicate_pair_one_id_other_id")),
    )
    op.create_table(
        "contact_merge",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("gone_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("at", UTCDateTime(), nullable=False),
        sa.Column("by", AutoString(length=254), nullable=False),
        sa.Column("undone_at", UTCDateTime(), nullable=True),
        sa.Column("undone_by", AutoString(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["kept_id"], ["contact.id"], name=op.f("fk_contact_merge_kept_id_contact"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["gone_id"], ["contact.id"], name=op.f("fk_contact_merge_gone_id_contact"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_contact_merge_batch_id_import_batch"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contact_merge")),
    )
    op.create_table(
        "saved_mapping",
        sa.Column("fingerprint", AutoString(length=64), nullable=False),
        sa.Column("columns", sa.JSON(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=False),
        sa.Column("used_by", AutoString(length=254), nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_saved_mapping")),
    )
    for table, columns in (
        ("duplicate_pair", ("other_id", "status", "batch_id")),
        ("contact_merge", ("kept_id", "gone_id", "batch_id")),
    ):
        for column in columns:
            op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


# From the ledger to facts


def _rebuild(connection: sa.Connection) -> None:
    tables = sa.MetaData()
    for name in ("import_row", "import_change", "import_batch", "email_address", "organisation", "consent", "contact"):
        sa.Table(name, tables, autoload_with=connection)
    rows, changes = tables.tables["import_row"], tables.tables["import_change"]
    batches = tables.tables["import_batch"]
    kinds = _kinds(connection, batches)
    standing = sa.select(rows.c.id, rows.c.contact_id, rows.c.batch_id).where(
        rows.c.batch_id.in_(sa.select(batches.c.id).where(batches.c.status != "undone")),
        rows.c.contact_id.in_(sa.select(tables.tables["contact"].c.id)),
    )
    gone = rows.c.contact_id.not_in(sa.select(tables.tables["contact"].c.id))
    told = {row_id: batch_id for row_id, _contact, batch_id in connection.execute(standing).all()}
    lines: dict[int, list[Any]] = defaultdict(list)
    names = ("row_id", "target", "target_id", "field", "before", "after")
    columns = [changes.c[name] for name in names]
    for row_id, target, target_id, field, before, after in connection.execute(
        sa.select(*columns).order_by(changes.c.id)
    ):
        if row_id not in told:
            continue
        value = _plain(after)
        if field == "notes":  # notes were added to; the row itself said only what was new
            value = str(value).removeprefix(str(_plain(before) or "")).strip("\n")
        lines[row_id].append((target, target_id, {field: value} if field else value or {}))
    known = _known(connection, tables)
    for row_id, batch_id in told.items():
        facts = _facts(lines[row_id], known, kinds[batch_id])
        connection.execute(rows.update().where(rows.c.id == row_id).values(facts=facts, stands=True))
    connection.execute(rows.update().where(gone).values(contact_id=None))
    for batch_id, kind in kinds.items():
        connection.execute(batches.update().where(batches.c.id == batch_id).values(kind=kind))
    made = changes.c.created & (changes.c.target == "organisation")
    firms, consents = tables.tables["organisation"], tables.tables["consent"]
    named = sa.select(changes.c.target_id).where(made)
    connection.execute(firms.update().where(firms.c.id.in_(named)).values(imported=True))
    listed = ("registration", "badge_scan", "card", "list")
    connection.execute(consents.update().where(consents.c.source.in_(listed)).values(derived=True))
    _raw_by_position(connection, rows, batches)


def _plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value[:1] in "{[" else value


def _kinds(connection: sa.Connection, batches: sa.Table) -> dict[int, str]:
    """The kind of a list was not stored; it is told by its columns, as the program does."""
    found = {}
    for batch_id, profile in connection.execute(sa.select(batches.c.id, batches.c.profile)):
        sheets = (_plain(profile) or {}).get("sheets", [])
        columns = [column for sheet in sheets for column in sheet.get("columns", [])]
        fields = {column.get("field") for column in columns}
        headers = " ".join(str(column.get("header", "")) for column in columns).casefold()
        if "registered_at" in fields or "consent_privacy" in fields:
            found[batch_id] = "registration"
        elif "scan" in headers or "스캔" in headers or {"external_id", "captured_by", "met_at"} <= fields:
            found[batch_id] = "badge_scan"
        else:
            found[batch_id] = "card" if "명함" in headers or "名刺" in headers else "list"
    return found


def _known(connection: sa.Connection, tables: sa.MetaData) -> dict[str, dict[int, Any]]:
    emails, firms, consents = (tables.tables[name] for name in ("email_address", "organisation", "consent"))
    lead = sa.Table("lead", tables, autoload_with=connection)
    return {
        "email_address": {row[0]: row[1] for row in connection.execute(sa.select(emails.c.id, emails.c.address))},
        "organisation": {
            one: (name, alt)
            for one, name, alt in connection.execute(sa.select(firms.c.id, firms.c.name, firms.c.name_alt))
        },
        "lead": {row[0]: row[1] for row in connection.execute(sa.select(lead.c.id, lead.c.exporter_id))},
        "consent": {
            one: (basis, _plain(evidence))
            for one, basis, evidence in connection.execute(
                sa.select(consents.c.id, consents.c.basis, consents.c.evidence)
            )
        },
    }


def _facts(lines: list[Any], known: dict[str, dict[int, Any]], kind: str) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    for target, target_id, values in lines:
        if target == "contact":
            _take_contact(facts, values)
        elif target == "organisation" and target_id in known["organisation"]:
            facts["company"], facts["company_alt"] = known["organisation"][target_id]
        elif target == "email_address" and target_id in known["email_address"]:
            facts.setdefault("emails", []).append(known["email_address"][target_id])
        elif target == "lead" and target_id in known["lead"]:
            _take_lead(facts, values, known["lead"][target_id])
        elif target == "consent" and target_id in known["consent"]:
            basis, evidence = known["consent"][target_id]
            _take_consent(facts, basis, evidence, kind)
    facts["emails"] = list(dict.fromkeys(facts.get("emails", [])))
    return {name: value for name, value in facts.items() if value not in ("", None, [], {})}


def _take_contact(facts: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if name in CONTACT_FACTS:
            facts[name] = value
        elif name in ("extra.extra", "extra.more") and isinstance(value, dict):
            facts[name.removeprefix("extra.")] = value
        elif name == "extra.seen_at":
            facts.setdefault("met_at", value)
        elif name == "extra.marketing" and value:
            facts["consent_marketing"] = bool(value[-1]["given"])


def _take_lead(facts: dict[str, Any], values: dict[str, Any], exporter_id: int) -> None:
    facts.setdefault("exporter_ids", []).append(exporter_id)
    facts |= {name: values[name] for name in LEAD_FACTS if values.get(name)}
    if values.get("rating") in RATINGS:
        facts["rating"] = RATINGS[values["rating"]]
    if values.get("met_at"):
        facts["met_at"] = _korean(values["met_at"], timed=bool(values.get("met_time_known")))
    if values.get("requests"):
        facts["follow_up"] = ", ".join(word.replace("_", " ") for word in values["requests"])


def _korean(moment: str, *, timed: bool) -> str:
    at = datetime.fromisoformat(moment).astimezone(timezone(timedelta(hours=9)))
    return at.strftime("%Y-%m-%dT%H:%M") if timed else at.strftime("%Y-%m-%d")


def _take_consent(facts: dict[str, Any], basis: str, evidence: dict[str, Any], kind: str) -> None:
    if basis != "express_optin":
        return
    facts["consent_marketing"] = True
    if kind == "registration":
        facts["consent_third_party"] = True
        if evidence.get("day"):
            facts["registered_at"] = evidence["day"]
    facts["consents"] = [
        {"kind": "marketing", "given": True, "wording": said["column"], "cell": said["cell"]}
        for said in evidence.get("statements", [])
    ]


def _raw_by_position(connection: sa.Connection, rows: sa.Table, batches: sa.Table) -> None:
    """Raw cells stood beside their headers; from now on they stand by position, and the headers in the profile only."""
    profiles = {row[0]: _plain(row[1]) for row in connection.execute(sa.select(batches.c.id, batches.c.profile))}
    for row_id, batch_id, sheet, raw in connection.execute(
        sa.select(rows.c.id, rows.c.batch_id, rows.c.sheet, rows.c.raw)
    ).all():
        cells = _placed(_plain(raw) or [], _headers(profiles[batch_id] or {}, sheet))
        connection.execute(rows.update().where(rows.c.id == row_id).values(raw=cells))


def _headers(profile: dict[str, Any], sheet: str) -> dict[str, int]:
    sheets = profile.get("sheets", [])
    mine = [one for one in sheets if (one.get("name") or "") == sheet] or sheets
    return {column["header"]: column["index"] for one in mine[:1] for column in one.get("columns", [])}


def _placed(pairs: list[Any], places: dict[str, int]) -> list[str]:
    cells = [""] * (max(places.values(), default=-1) + 1)
    for header, text in pairs:
        if header in places:
            cells[places[header]] = text
        else:
            cells.append(f"{header}: {text}")
    return cells


def downgrade() -> None:
    """An older program finds its tables again, but not the ledger: what was imported before cannot be undone there."""
    for name in ("saved_mapping", "contact_merge", "duplicate_pair", "identity_key"):
        op.drop_table(name)
    op.create_table(
        "import_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("row_id", sa.Integer(), nullable=False),
        sa.Column("target", AutoString(length=32), nullable=False),
        sa.Column("target_id", sa.Integer(), nullable=False),
        sa.Column("field", AutoString(length=64), nullable=False),
        sa.Column("created", sa.Boolean(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["import_batch.id"], name=op.f("fk_import_change_batch_id_import_batch"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["row_id"], ["import_row.id"], name=op.f("fk_import_change_row_id_import_row"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_change")),
    )
    for name, column in (("batch_id", ["batch_id"]), ("row_id", ["row_id"])):
        op.create_index(op.f(f"ix_import_change_{name}"), "import_change", column)
    op.create_index("ix_import_change_target", "import_change", ["target", "target_id"])
    connection = op.get_bind()
    connection.execute(sa.text("DELETE FROM import_row WHERE batch_id IS NULL"))
    with op.batch_alter_table("import_row") as table:
        table.drop_constraint(op.f("fk_import_row_contact_id_contact"), type_="foreignkey")
        table.alter_column("batch_id", existing_type=sa.Integer(), nullable=False)
        table.drop_column("facts")
        table.drop_column("stands")
        table.create_index(op.f("ix_import_row_batch_id"), ["batch_id"])
    with op.batch_alter_table("import_batch") as table:
        table.drop_column("kind")
    with op.batch_alter_table("consent") as table:
        table.drop_column("derived")
    with op.batch_alter_table("contact") as table:
        table.drop_constraint(op.f("fk_contact_merged_into_id_contact"), type_="foreignkey")
        table.drop_index("ix_contact_merged")
        table.drop_column("merged_into_id")
    with op.batch_alter_table("organisation") as table:
        table.drop_column("imported")
