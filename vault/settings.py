"""Settings of what is stored (``rooms.…``): where things are kept and how long at most.

SQLAlchemy is imported where an address is taken apart: most commands never do, and it takes a fifth of a second.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from vault.errors import StartRefused

if TYPE_CHECKING:
    from sqlalchemy.engine import URL


FORMS: Final = "sqlite:///<path> or postgresql://USER:PASSWORD@HOST/DATABASE"


def _with_a_port(text: str | None) -> str | None:
    """An address whose host can be told from its port."""
    try:
        good = text is None or (urlsplit(text).hostname and urlsplit(text).port != 0)
    except ValueError:
        good = False
    if not good:
        raise ValueError("must have a host, and a port from 1 to 65535 or none, as https://openbao.example:8200")
    return text


class TransitSettings(BaseModel):
    """A Transit key of OpenBao or Vault that holds the epoch keys; needed when the key store is in PostgreSQL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    address: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[^/?#@]+/?$",
            description="OpenBao, as https://openbao.example:8200; empty: epoch keys are files.",
        ),
        AfterValidator(_with_a_port),
    ] = None
    token_file: Annotated[
        Path | None, Field(description="File with OpenBao's token; read at each call, so that an agent may renew it.")
    ] = None
    mount: Annotated[str, Field(pattern=r"^[A-Za-z0-9/_-]+$", description="Where the Transit engine is mounted.")] = (
        "transit"
    )
    key: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9_-]+$", description="Name of the Transit key; this key store alone may use it.")
    ] = "spreekkamer"
    ca_file: Annotated[
        Path | None, Field(description="PEM file of the authority of OpenBao's certificate; empty: the system's.")
    ] = None


class VaultSettings(BaseModel):
    """Storage. Left empty, everything lives below ``data``, each kind in a folder of its own.

    The key store and the root key must never be in a backup of the database.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    data: Annotated[Path, Field(description="Folder of this server; one running server per folder.")] = Path("var/data")
    database_url: Annotated[
        SecretStr | None, Field(description="sqlite:///… or postgresql://…; default <data>/database/rooms.sqlite.")
    ] = None
    keystore_url: Annotated[
        SecretStr | None,
        Field(
            description="sqlite:///…, or postgresql://… of a database of its own for several nodes; "
            "default <data>/keys/keystore.sqlite."
        ),
    ] = None
    transit: TransitSettings = TransitSettings()
    keystore_wait: Annotated[
        float, Field(ge=0, le=600, description="Seconds that a start waits for a key store that does not answer yet.")
    ] = 0.0
    root_key_file: Annotated[
        Path | None,
        Field(description="Root key, 32 bytes in base64; default <data>/secrets/root.key, made at first start."),
    ] = None
    backups: Annotated[
        Path | None, Field(description="Where `spreekkamer backup` writes and `prove-destroyed` looks.")
    ] = None
    snapshot_keys: Annotated[
        Path | None,
        Field(description="Where keys of key store snapshots live for 24 hours, on a volume apart; empty: none."),
    ] = None
    retention_cap: Annotated[
        int | None, Field(ge=0, le=3650, description="Longest retention in days, also for `manual`; null is no limit.")
    ] = 365
    audit_days: Annotated[
        int, Field(ge=30, le=7300, description="How long the audit trail is kept; five years is what NEN 7513 asks.")
    ] = 1827
    sweep_interval: Annotated[float, Field(gt=0, le=60, description="Seconds between two sweeps.")] = 20.0
    trust_clock: Annotated[
        bool, Field(description="Believe the clock at start without proof (a sandbox); jumps still pause destruction.")
    ] = False

    def database(self) -> URL:
        """The database's address with its asynchronous driver."""
        if self.database_url and (text := self.database_url.get_secret_value()):
            return database_url(text)
        return sqlite_url(self.data / "database" / "rooms.sqlite")

    def keystore_address(self) -> URL:
        """The key store's address; StartRefused when it cannot be one."""
        if not self.keystore_url:
            return sqlite_file(self.data / "keys" / "keystore.sqlite")
        url = parse("rooms.keystore_url", self.keystore_url.get_secret_value())
        match url.get_backend_name():
            case "sqlite" if url.database and url.database != ":memory:":
                return sqlite_file(Path(url.database))
            case "postgresql" if not same_database(url, self.database()):
                return url.set(drivername="postgresql")
            case "postgresql":
                raise StartRefused("The key store must have a database of its own; change rooms.keystore_url.")
        raise StartRefused(f"rooms.keystore_url must be {FORMS}.")

    def keystore(self) -> Path:
        """The key store's SQLite file; epoch keys lie beside it. StartRefused when it is not on SQLite."""
        url = self.keystore_address()
        if url.get_backend_name() != "sqlite":
            raise StartRefused("This needs a key store on SQLite.")
        return Path(url.database or "")

    def root_key(self) -> Path:
        """The file with the root key."""
        return (self.root_key_file or self.data / "secrets" / "root.key").absolute()


def database_url(text: str) -> URL:
    """A database address with the driver we use for it; StartRefused for any other database."""
    url = parse("rooms.database_url", text)
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return sqlite_url(Path(url.database))
        case "postgresql":
            return url.set(drivername="postgresql+psycopg")
    raise StartRefused(f"rooms.database_url must be {FORMS}.")


def sqlite_url(path: Path) -> URL:
    """The address of a database in a file, whatever its name."""
    return sqlite_file(path).set(drivername="sqlite+aiosqlite")


def sqlite_file(path: Path) -> URL:
    """The address of a file, whatever its name: what is special in an address is not in a path."""
    from sqlalchemy.engine import URL

    return URL.create("sqlite", database=str(path.absolute()))


def same_database(one: URL, other: URL) -> bool:
    """Whether both are the same database of the same server, as far as their addresses tell."""
    places = [
        (url.get_backend_name(), url.host or url.query.get("host"), url.port or 5432, url.database)
        for url in (one, other)
    ]
    return places[0] == places[1]


def parse(setting: str, text: str) -> URL:
    """A parsed address; the refusal never repeats it, for it may hold a password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    scheme, there, rest = text.strip().partition("://")
    if not there:
        raise StartRefused(f"{setting} must be {FORMS}.")
    if re.match(r"sqlite(\+\w+)?$", scheme, re.IGNORECASE):
        if not rest.startswith("/"):
            raise StartRefused(
                f"{setting} must have three slashes before its path, and a fourth before an absolute one."
            )
        if rest.lstrip("/").startswith("~"):
            raise StartRefused(f"{setting} has a ~ in its path, which only a shell replaces; write the whole path.")
        return sqlite_file(Path(rest[1:])) if rest[1:] not in ("", ":memory:") else make_url("sqlite://")
    if rest.partition("?")[0].count("@") > 1:
        raise StartRefused(f"{setting} has an @ in its password: write %40 for it, and %25 for a %.")
    try:
        url = make_url(f"{'postgresql' if scheme.lower() == 'postgres' else scheme.lower()}://{rest}")
    except ArgumentError:
        raise StartRefused(f"{setting} must be {FORMS}.") from None
    except ValueError:
        raise StartRefused(f"{setting} must have a number as its port, as 5432.") from None
    if url.port is not None and not 1 <= url.port <= 65_535:
        raise StartRefused(f"{setting} must have a port from 1 to 65535.")
    return url
