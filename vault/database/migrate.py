"""Brings the database to the schema of this code, under a lock, before anything else; one step back when asked."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import URL, Connection, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from vault.database.database import Database, listen, options
from vault.errors import StartRefused
from vault.faults import reason
from vault.keys.files import private_file
from vault.lock import waited_for

if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import Script, ScriptDirectory

# Alembic, and all steps with it, is imported where a step is taken: most starts find that there is none.
STEPS: Final = Path(__file__).parent / "migrations"
STEP: Final = re.compile(r'^revision = "(?P<name>\w+)"\ndown_revision = (?:None|"(?P<before>\w+)")$', re.MULTILINE)
MIGRATION_LOCK = 0x5370_7265_656B  # PostgreSQL advisory lock
LEAVING_LOOKS = 30
PATIENCE = ("SET LOCAL statement_timeout = 0", "SET LOCAL lock_timeout = '10min'")
"""Another node's migration may take longer than any statement of ours."""


@dataclass(frozen=True)
class Revisions:
    """Where a database is (None: empty) and where this code wants it; ``pending`` says what the steps between do."""

    current: str | None
    newest: str
    pending: tuple[str, ...]
    known: bool

    @property
    def behind(self) -> str | None:
        """What is wrong, as one sentence for the operator."""
        if not self.known:
            return "The database was used by a newer version of this program."
        return "The database has an older schema; run `spreekkamer db upgrade`." if self.pending else None


def migrate(url: URL) -> None:
    """Upgrade to the newest revision: all steps or none, one process at a time. Blocks; run it in a thread.

    Errors: StartRefused when the database cannot be reached or was used by a newer program.
    """
    with _alone(url) as connection:
        upgrade(connection)
    newest()  # reads files, which nobody has to wait for later


def downgrade(url: URL) -> str:
    """Undo the last step, all of it or nothing; what it was. Blocks.

    Errors: StartRefused also when there is no step to undo, or while others use a PostgreSQL database.
    """
    from alembic import command

    with _alone(url) as connection:
        refuse_company(connection)
        config, script, current = _read(connection)
        last = _known(script, current)
        if last is None or last.down_revision is None:
            raise StartRefused("There is no step to go back: the database is at its first revision.")
        command.downgrade(config, "-1")
        return f"{last.revision}: {last.doc}"


def revisions(url: URL) -> Revisions:
    """Where the database is. Changes nothing, and makes no file. Blocks. Errors: StartRefused."""
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
        raise StartRefused("There is no database yet; `spreekkamer db upgrade` or the first start makes it.")
    with connected(url) as connection, connection.begin():
        _, script, current = _read(connection)
        newest = script.get_current_head() or ""
        if current is not None and _find(script, current) is None:
            return Revisions(current, newest, (), known=False)
        to_take = [one for one in script.iterate_revisions(newest, current or "base") if one.revision != current]
        pending = tuple(f"{one.revision}: {one.doc}" for one in reversed(to_take))
        return Revisions(current, newest, pending, known=True)


@cache
def steps() -> Mapping[str, str | None]:
    """Each revision that this code knows, and the one before it: their names say nothing of their order. Reads files
    the first time.
    """
    found = [STEP.search(path.read_text("utf-8")) for path in sorted((STEPS / "versions").glob("[0-9]*.py"))]
    return {one["name"]: one["before"] for one in found if one is not None}


@cache
def newest() -> str:
    """The revision that this code works with: that of the step before which no other is."""
    (last,) = steps().keys() - set(steps().values())
    return last


async def trouble(database: Database) -> str | None:
    """What is wrong with a running server's schema, as one sentence. Errors: DomainError.

    A newer one is in order: it only adds, and servers of both versions run side by side during a rolling update. If it
    were not, all servers would be unready from the moment at which the first new one starts until it is up.
    """
    known, wanted = await asyncio.to_thread(steps), await asyncio.to_thread(newest)
    rows = await database.ask(text("SELECT version_num FROM alembic_version"))
    if rows and (rows[0].version_num == wanted or rows[0].version_num not in known):
        return None
    return "The database was taken a step back; stop this server, or run `spreekkamer db upgrade`."


def upgrade(connection: Connection) -> None:
    """Take the steps that are to be taken on this connection, inside its transaction."""
    if current_revision(connection) == newest():
        return
    from alembic import command

    config, script, current = _read(connection)
    _known(script, current)
    command.upgrade(config, "head")


def current_revision(connection: Connection) -> str | None:
    """Where the database is; None when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def configuration() -> Config:
    """Alembic's, without an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    return config


@contextmanager
def connected(url: URL) -> Iterator[Connection]:
    """A connection for a moment, beside a running server. Blocks. Errors: StartRefused."""
    sqlite = url.get_backend_name() == "sqlite"
    engine = create_engine(url.set(drivername="sqlite") if sqlite else url, hide_parameters=True, **options(url))
    listen(engine)
    try:
        with engine.connect() as connection:
            yield connection
    except (DBAPIError, OSError) as error:
        raise StartRefused(reason(error, "The database of rooms.database_url")) from None
    finally:
        engine.dispose()


@contextmanager
def _alone(url: URL) -> Iterator[Connection]:
    """A transaction that no other migration runs beside: whoever comes second waits."""
    sqlite = url.get_backend_name() == "sqlite"
    if sqlite:
        try:
            private_file(Path(url.database or ""))
        except OSError as error:
            raise StartRefused(reason(error, "The database of rooms.database_url")) from None
    with waited_for(Path(f"{url.database}.lock")) if sqlite else nullcontext(), connected(url) as connection:
        connection.execution_options(writes=True)
        with connection.begin():
            if not sqlite:
                _lock(connection)
            yield connection


def _read(connection: Connection) -> tuple[Config, ScriptDirectory, str | None]:
    from alembic.script import ScriptDirectory

    config = configuration()
    config.attributes["connection"] = connection
    return config, ScriptDirectory.from_config(config), current_revision(connection)


def _find(script: ScriptDirectory, revision: str) -> Script | None:
    return next((one for one in script.walk_revisions() if one.revision == revision), None)


def _known(script: ScriptDirectory, current: str | None) -> Script | None:
    """The revision of the database, None when it is empty. StartRefused when this code does not know it."""
    if current is None:
        return None
    found = _find(script, current)
    if found is None:
        raise StartRefused("The database was used by a newer version of this program.")
    return found


def alone_in(connection: Connection) -> None:
    """Until this transaction ends no server starts on the PostgreSQL database; StartRefused while others use it."""
    _lock(connection)
    refuse_company(connection)


def _lock(connection: Connection) -> None:
    for statement in PATIENCE:
        connection.execute(text(statement))
    connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": MIGRATION_LOCK})


def refuse_company(connection: Connection) -> None:
    """StartRefused while others use the database. On SQLite the data folder's lock tells."""
    if connection.dialect.name == "sqlite":
        return
    company = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid != pg_backend_pid() AND usename IS NOT NULL"
        " AND coalesce(backend_type, 'client backend') = 'client backend'"
    )
    # The sessions of a server that has just ended are there for a moment more.
    for _ in range(LEAVING_LOOKS):
        connection.execute(text("SELECT pg_stat_clear_snapshot()"))
        if not connection.execute(company).scalar_one():
            return
        connection.execute(text("SELECT pg_sleep(0.1)"))
    raise StartRefused("Other programs use the database; stop every server first.")
