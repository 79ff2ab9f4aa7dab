"""Alembic's entry point. The connection is handed in by ``crm.migrations``; nothing is read from files."""

from alembic import context

from crm.tables import metadata

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
