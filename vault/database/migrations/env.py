"""Alembic's environment: the connection and its transaction are the caller's (``vault.database.migrate``)."""

from alembic import context

from vault.database.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, compare_type=True)
context.run_migrations()
