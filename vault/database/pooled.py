"""PostgreSQL behind a pooler (PgBouncer): connections whose session is somebody else's a moment later.

A pooler refuses or ignores the settings that a connection begins with, and what one transaction prepares is not there
in the next. So it is asked once for each connection whether they took hold. Where not, they are set in each
transaction, which costs a round trip more, and nothing is prepared.
"""

from typing import Any, Final

import psycopg
from sqlalchemy import Connection, Engine, event

SETTINGS: Final = {"statement_timeout": "10000", "lock_timeout": "5000", "timezone": "UTC"}
OPTIONS: Final = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
TOOK: Final = "10s"
LOCALLY: Final = "; ".join(f"SET LOCAL {name} = '{value}'" for name, value in SETTINGS.items())
REFUSED: Final = "unsupported startup parameter"
MARK: Final = "behind a pooler"


def refused(error: BaseException) -> bool:
    """Whether a pooler does not take the settings that a connection begins with."""
    return REFUSED in str(error)


def listen(engine: Engine) -> None:
    """Find out on connecting, and act on it in each transaction."""
    event.listen(engine, "do_connect", connect)
    event.listen(engine, "begin", begin_explicitly if engine.dialect.is_async else begin)


def connect(dialect: Any, record: Any, arguments: Any, options: dict[str, Any]) -> Any:
    """A connection, with the settings if they are taken; else it is remembered that they are not."""
    record.info.pop(MARK, None)
    try:
        connection = dialect.connect(*arguments, **options)
    except psycopg.OperationalError as error:
        if not refused(error):
            raise
        connection = dialect.connect(*arguments, **{name: one for name, one in options.items() if name != "options"})
    cursor = connection.cursor()
    cursor.execute("SHOW statement_timeout")
    (found,) = cursor.fetchone()
    cursor.close()
    connection.rollback()
    if found != TOOK:
        record.info[MARK] = True
        getattr(connection, "driver_connection", connection).prepare_threshold = None
    return connection


def begin(connection: Connection) -> None:
    """The settings for this transaction, where the connection has none."""
    if connection.info.get(MARK):
        connection.exec_driver_sql(LOCALLY)


def begin_explicitly(connection: Connection) -> None:
    """The same for a driver that begins nothing by itself. A single statement needs no more than those settings."""
    if connection.info.get(MARK):
        connection.exec_driver_sql(f"BEGIN; {LOCALLY}")
    elif not connection.get_execution_options().get("outside_transaction"):
        connection.exec_driver_sql("BEGIN")
