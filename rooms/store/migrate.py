"""Brings the database to the schema of this code, under a lock, before anything else."""

from contextlib import nullcontext
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError

from rooms.errors import StartRefused
from rooms.keys.files import private_folder
from rooms.lock import waited_for
from rooms.store.database import listen, options

MIGRATION_LOCK = 0x5370_7265_656B  # PostgreSQL advisory lock


def migrate(url: URL) -> None:
    """Upgrade to the newest revision: all steps or none, one process at a time. Blocks; run it in a thread.

    Errors: StartRefused when the database can not be reached or was used by a newer program.
    """
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        private_folder(Path(url.database or "").parent)
    engine = create_engine(url.set(drivername="sqlite") if sqlite else url, hide_parameters=True, **options(url))
    listen(engine)
    try:
        with waited_for(Path(f"{url.database}.lock")) if sqlite else nullcontext(), engine.connect() as connection:
            connection.execution_options(writes=True)
            with connection.begin():
                if not sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})
                upgrade(connection)
    except (DBAPIError, OSError):
        raise StartRefused("The database can not be opened; check database_url and that it runs.") from None
    finally:
        engine.dispose()


def upgrade(connection: Connection) -> None:
    """Run Alembic on this connection, inside its transaction."""
    config = configuration()
    config.attributes["connection"] = connection
    script = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in {revision.revision for revision in script.walk_revisions()}:
        raise StartRefused("The database was used by a newer version of this program.")
    if current != script.get_current_head():
        command.upgrade(config, "head")


def configuration() -> Config:
    """Alembic's, without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
