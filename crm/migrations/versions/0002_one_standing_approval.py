"""one standing approval a draft

Should an older program have left two, the newest one stands and the others count as taken back at the same moment.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

STANDING = sa.text("revoked_at IS NULL")


def upgrade() -> None:
    op.execute(
        "UPDATE approval SET revoked_at = approved_at, revoked_by = 'system' WHERE revoked_at IS NULL AND id NOT IN "
        "(SELECT MAX(id) FROM approval WHERE revoked_at IS NULL GROUP BY draft_id)"
    )
    op.create_index(
        "uq_approval_standing", "approval", ["draft_id"], unique=True, sqlite_where=STANDING, postgresql_where=STANDING
    )


def downgrade() -> None:
    op.drop_index("uq_approval_standing", table_name="approval")
