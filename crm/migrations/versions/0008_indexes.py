"""indexes that nothing reads are gone: each new row had to be entered in them

Nobody looks people up by how their name begins, or leads by the number of a badge; firms of a country are only looked
for among deals; and the leads of a contact are found by the unique constraint that begins with it.
"""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

GONE = (
    ("ix_contact_name", "contact", ["full_name"]),
    ("ix_organisation_country", "organisation", ["country"]),
    ("ix_lead_contact_id", "lead", ["contact_id"]),
    ("ix_lead_external_id", "lead", ["external_id"]),
)


def upgrade() -> None:
    for name, table, _columns in GONE:
        op.drop_index(name, table_name=table)


def downgrade() -> None:
    for name, table, columns in GONE:
        op.create_index(name, table, columns)
