"""The key store in a PostgreSQL database of its own, for more than one node."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep
from typing import Self

import psycopg

from vault.errors import Away
from vault.keys import schema
from vault.keys.connection import CLUSTER, COMPANY, Cluster, PostgresConnection, transaction
from vault.keys.envelope import Random
from vault.keys.epoch_secrets import EpochSecrets
from vault.keys.epochs import Epochs
from vault.keys.roots import RootKeys
from vault.keys.wrapped import WrappedKeys, fill

LEAVING_LOOKS, LEAVING_SECONDS = 20, 0.1


class PostgresKeys(WrappedKeys):
    """Deleted rows stay in its heap and its log for a while; the epoch that could open them does not."""

    @classmethod
    def create(cls, address: str, root: RootKeys, pair: str, random: Random, secrets: EpochSecrets) -> None:
        """A new key store for the database with this pair id, unless another node was quicker."""
        connection = PostgresConnection(address)
        try:
            with transaction(connection):
                if not has_tables(connection):
                    connection.execute(schema.POSTGRES)
                    fill(connection, Epochs(connection, secrets, root, random), pair, random)
        finally:
            connection.close()

    @classmethod
    def open(cls, address: str, root: RootKeys, random: Random, secrets: EpochSecrets, *, tidy: bool = True) -> Self:
        """An existing key store; Locked when anything about it is not as it was left."""
        connection = reached(address)
        epochs = Epochs(connection, secrets, root, random)
        return cls.verified(connection, epochs, random, proof="UPDATE meta SET value = value", tidy=tidy)

    def cluster(self) -> Cluster | None:
        """Only a role that may read all settings is told."""
        try:
            return Cluster(*self._db.execute(CLUSTER).fetchone())
        except psycopg.Error:
            return None

    def present(self) -> None:
        """No file of ours can go away under it."""

    def flush(self) -> None:
        """PostgreSQL leaves dead cells; what is in them was wrapped under an epoch that ends (S-31)."""

    @contextmanager
    def _alone(self) -> Iterator[bool]:
        """Who comes meanwhile waits for the lock of writers before it looks at the version."""
        if not self._left_alone():
            yield False
            return
        with transaction(self._db):
            yield self._left_alone()

    def _left_alone(self) -> bool:
        """The sessions of a server that has just ended are there for a moment more."""
        for look in range(LEAVING_LOOKS):
            if look:
                sleep(LEAVING_SECONDS)
            self._db.execute("SELECT pg_stat_clear_snapshot()")
            if not self._db.execute(COMPANY).fetchone()[0]:
                return True
        return False


def holds(address: str) -> bool:
    """Whether there is a key store in this database; Locked when that cannot be seen."""
    connection = reached(address)
    try:
        return has_tables(connection)
    finally:
        connection.close()


def reached(address: str) -> PostgresConnection:
    """A connection; Locked when there is none to be had."""
    try:
        return PostgresConnection(address)
    except psycopg.Error:
        raise Away("The key store's database cannot be reached; see to it and start again.") from None


def has_tables(connection: PostgresConnection) -> bool:
    """Whether somebody made them."""
    row = connection.execute("SELECT to_regclass('meta') IS NOT NULL").fetchone()
    return bool(row[0])
