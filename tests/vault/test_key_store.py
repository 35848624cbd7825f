"""The key store, wherever it is kept: keys for their owners, receipts for ever, epochs that end."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from tests.people import START
from vault.errors import DomainError, Tampered
from vault.keys import epochs, opening
from vault.keys.backends import backend
from vault.keys.connection import FAULTS, Connection, snapshot, transaction
from vault.keys.places import NOBODY
from vault.keys.wrapped import WrappedKeys
from vault.settings import VaultSettings

ROWS = "SELECT id, owner, wrapped FROM data_keys ORDER BY id"


def raw(keys: WrappedKeys, query: str) -> list[tuple[object, ...]]:
    return keys._db.execute(query).fetchall()


def test_a_data_key_comes_back_to_its_owner_only(keys: WrappedKeys) -> None:
    keys.add_practitioner("charlie", START)
    key = keys.add("alice", "row", START)
    assert keys.get("alice", "row") == (key, True)
    assert keys.get_many([("alice", "row"), ("charlie", "row"), ("alice", "other")]) == {"row": key}
    for owner, row in (("charlie", "row"), ("alice", "other"), (NOBODY, NOBODY), ("", "")):
        other, known = keys.get(owner, row)
        assert not known
        assert other != key
    assert keys.missing(["row", "other"]) == ["other"]


def test_a_data_key_comes_with_that_of_its_owners_own_row(keys: WrappedKeys) -> None:
    own, key = keys.add_practitioner("charlie", START), keys.add("charlie", "row", START)
    assert keys.get_with_owner("charlie", "row") == (key, own, True)
    assert keys.get_with_owner("charlie", "charlie") == (own, own, True)
    nobody, _ = keys.get(NOBODY, NOBODY)
    for owner, row in (("alice", "row"), ("charlie", "other"), (NOBODY, NOBODY)):
        assert keys.get_with_owner(owner, row) == (nobody, nobody, False)
    keys._db.execute(
        "UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE id = 'row') WHERE id = 'charlie'"
    )
    assert keys.get_with_owner("charlie", "row") == (key, None, True), "it is damaged"
    keys._db.execute("DELETE FROM data_keys WHERE id = 'charlie'")
    assert keys.get_with_owner("charlie", "row") == (key, None, True)


@pytest.mark.parametrize("number", [1, 2, 3, 20])
def test_many_keys_at_once_are_those_of_their_owners(
    keys: WrappedKeys, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "FEW", 2)
    keys.add_practitioner("charlie", START)
    made: dict[tuple[str, str], bytes] = {}
    for owner in ("alice", "charlie"):
        made |= {(owner, f"{owner}{n}"): keys.add(owner, f"{owner}{n}", START) for n in range(number)}
    foreign = [("alice", row) for owner, row in made if owner == "charlie"]
    assert keys.get_many([*made, *foreign, ("alice", "unknown"), ("unknown", "alice0")]) == {
        row: key for (_, row), key in made.items()
    }
    part = list(made)[: number // 2]
    assert keys.get_many(part) == {row: made[owner, row] for owner, row in part}
    assert keys.get_many(foreign) == {}


def test_whoever_reads_does_not_wait_for_another_process_that_writes(
    keys: WrappedKeys, keystore_settings: VaultSettings
) -> None:
    key = keys.add("alice", "row", START)
    other = backend(keystore_settings).open(tidy=False)
    try:
        with transaction(other._db):
            assert keys.get("alice", "row") == (key, True)
            assert keys.get_many([("alice", "row")]) == {"row": key}
            assert keys.missing(["row", "other"]) == ["other"]
            assert key in keys.every()
            assert keys.inspect(START).findings == ()
    finally:
        other.close()


def test_no_two_rows_share_a_key(keys: WrappedKeys) -> None:
    assert len({keys.add("alice", f"row{n}", START) for n in range(50)}) == 50


def test_an_unknown_owner_gets_no_key(keys: WrappedKeys) -> None:
    with pytest.raises(DomainError, check=lambda error: error.code == "not_found"):
        keys.add("nobody-we-know", "row", START)


@pytest.mark.parametrize("content", ["second", "theirs", bytes(60), b"", None])
def test_a_wrapped_data_key_in_another_place_fails_closed(keys: WrappedKeys, content: str | bytes | None) -> None:
    keys.add_practitioner("charlie", START)
    for owner, row in (("alice", "first"), ("alice", "second"), ("charlie", "theirs")):
        keys.add(owner, row, START)
    statement = "UPDATE data_keys SET wrapped = ? WHERE id = 'first'"
    if isinstance(content, bytes):
        keys._db.execute(statement, (content,))
    else:
        (wrapped,) = keys._db.execute("SELECT wrapped FROM data_keys WHERE id = ?", (content or "alice",)).fetchone()
        keys._db.execute(statement, (wrapped,))
    with pytest.raises(Tampered):
        keys.get("alice", "first")
    assert set(keys.get_many([("alice", "first"), ("alice", "second"), ("charlie", "theirs")])) == {"second", "theirs"}


def test_a_wrapped_practitioner_key_in_another_place_fails_closed(keys: WrappedKeys) -> None:
    keys.add_practitioner("charlie", START)
    keys.add("alice", "first", START)
    keys._db.execute(
        "UPDATE practitioner_keys SET wrapped = (SELECT wrapped FROM practitioner_keys WHERE id = 'charlie')"
    )
    keys.add("charlie", "theirs", START)
    for attempt in (lambda: keys.get("alice", "first"), lambda: keys.add("alice", "second", START)):
        with pytest.raises(Tampered):
            attempt()
    assert set(keys.get_many([("alice", "first"), ("charlie", "theirs")])) == {"theirs"}


def test_a_row_moved_to_another_owner_fails_closed(keys: WrappedKeys) -> None:
    keys.add_practitioner("charlie", START)
    keys.add("charlie", "theirs", START)
    keys._db.execute("UPDATE data_keys SET owner = 'alice' WHERE id = 'theirs'")
    with pytest.raises(Tampered):
        keys.get("alice", "theirs")


def test_destroying_gives_a_receipt_and_again_the_same(keys: WrappedKeys) -> None:
    keys.add("alice", "row", START)
    (receipt,) = keys.destroy([("alice", "row")], START)
    assert keys.destroy([("alice", "row")], START.replace(hour=20)) == [receipt]
    assert keys.get("alice", "row")[1] is False
    assert keys.ledger.find("alice", "row") == receipt
    assert keys.ledger.find("charlie", "row") is None
    assert keys.ledger.of("alice") == [receipt]
    assert keys.ledger.generation() == receipt.generation == 1
    assert "row" not in receipt.receipt


def test_the_ledger_only_grows(keys: WrappedKeys) -> None:
    keys.destroy([("alice", "row")], START)
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET generation = 9", "UPDATE ledger SET destroyed_at = 0"):
        with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError), match="append only"):
            keys._db.execute(statement)


def test_the_ledger_names_nobody(keys: WrappedKeys) -> None:
    keys.destroy([("alice", "row")], START)
    (line,) = raw(keys, "SELECT * FROM ledger")
    assert not [value for value in line if "alice" in str(value) or value == "row"]


def test_an_epoch_replaces_every_wrapping_and_nothing_is_lost(keys: WrappedKeys) -> None:
    keys.add_practitioner("bob", START)
    kept, bobs = keys.add("alice", "kept", START), keys.add("bob", "bobs", START)
    keys.add("alice", "gone", START)
    index, first = keys.mail_index("a@b.nl"), keys._epochs.number()
    practitioner_keys = [keys._practitioner_key(name) for name in ("alice", "bob")]
    tables = ("group_keys", "practitioner_keys", "service_keys")
    before = {table: raw(keys, f"SELECT wrapped FROM {table}") for table in tables}
    assert keys.rotate() is False, "nothing was destroyed"
    assert keys._epochs.number() == first
    keys.destroy([("alice", "gone")], START)
    assert keys.rotate() is True
    assert keys.rotate() is False
    assert keys._epochs.number() > first
    assert keys._practitioner_key("alice") != practitioner_keys[0], "something of hers was destroyed"
    assert keys._practitioner_key("bob") == practitioner_keys[1]
    for table, rows in before.items():
        assert not set(rows) & set(raw(keys, f"SELECT wrapped FROM {table}")), table
    assert (keys.get("alice", "kept"), keys.get("bob", "bobs")) == ((kept, True), (bobs, True))
    assert keys.mail_index("a@b.nl") == index


def test_an_epoch_after_many_destructions_at_once(keys: WrappedKeys) -> None:
    kept = {f"kept{n}": keys.add("alice", f"kept{n}", START) for n in range(20)}
    gone = [("alice", f"gone{n}") for n in range(20)]
    for owner, row in gone:
        keys.add(owner, row, START)
    receipts = keys.destroy(gone, START)
    assert [receipt.generation for receipt in receipts] == list(range(1, 21))
    assert keys.rotate()
    assert keys.get_many([*gone, *(("alice", row) for row in kept)]) == kept
    assert keys.missing([row for _, row in gone]) == [row for _, row in gone]
    assert [receipt.generation for receipt in keys.ledger.of("alice")] == list(range(20, 0, -1))


def test_everything_can_be_wrapped_anew_although_nothing_was_destroyed(keys: WrappedKeys) -> None:
    kept, key = keys.add("alice", "kept", START), keys._practitioner_key("alice")
    before = {table: raw(keys, f"SELECT wrapped FROM {table}") for table in ("group_keys", "service_keys")}
    assert keys.rotate(everything=True) is False, "nothing was destroyed"
    for table, rows in before.items():
        assert not set(rows) & set(raw(keys, f"SELECT wrapped FROM {table}")), table
    assert keys._practitioner_key("alice") == key
    assert keys.get("alice", "kept") == (kept, True)


def test_one_who_opens_it_later_and_one_who_had_it_open_see_the_new_epoch(
    keys: WrappedKeys, keystore_settings: VaultSettings
) -> None:
    key = keys.add("alice", "row", START)
    beside = backend(keystore_settings).open()
    assert beside.get("alice", "row") == (key, True)
    own, _ = keys.get("alice", "alice")
    reads: tuple[Callable[[WrappedKeys], bool], ...] = (
        lambda one: one.get("alice", "row") == (key, True),
        lambda one: one.get_with_owner("alice", "row") == (key, own, True),
        lambda one: one.get_many([("alice", "row"), ("alice", "alice")]) == {"row": key, "alice": own},
    )
    for read in reads:
        keys.rotate(everything=True)
        assert read(beside)
        later = backend(keystore_settings).open()
        assert read(later)
        later.close()
    beside.close()


def test_a_key_store_without_an_epoch_opens_nothing(keys: WrappedKeys) -> None:
    keys.add("alice", "row", START)
    keys._db.execute("DELETE FROM meta WHERE name IN ('epoch', 'trunk')")
    for read in (lambda: keys.get("alice", "row"), lambda: keys.get_many([("alice", "row")])):
        with pytest.raises(FAULTS):
            read()


def test_an_epoch_that_ends_while_the_one_before_it_is_looked_for(
    keys: WrappedKeys, keystore_settings: VaultSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = keys.add("alice", "row", START)
    beside = backend(keystore_settings).open()

    @contextmanager
    def meanwhile(connection: Connection) -> Iterator[None]:
        with snapshot(connection):
            yield
        if connection is keys._db:
            beside.rotate(everything=True)

    beside.rotate(everything=True)
    monkeypatch.setattr(epochs, "snapshot", meanwhile)
    assert keys.get("alice", "row") == (key, True)
    assert keys.get_many([("alice", "row")]) == {"row": key}
    monkeypatch.undo()
    beside.close()


def test_keys_without_a_row_are_confirmed_suspected_or_discarded(keys: WrappedKeys) -> None:
    keys.add("alice", "row", START)
    assert {row for row, _ in keys.unconfirmed()} == {"alice", "row"}
    keys.confirm(["alice"])
    assert keys.confirmed("", 9) == ["alice"]
    assert keys.confirmed("alice", 9) == []
    keys.discard(["alice", "row"])
    assert keys.unconfirmed() == []
    assert keys.missing(["alice", "row"]) == ["row"], "a confirmed key is not discarded"
    keys.suspect(["alice"], START)
    keys.discard(["alice"])
    keys.rotate()
    assert (keys.missing(["alice"]), keys.practitioners()) == (["alice"], 0)


def test_only_those_are_forgotten_of_whom_the_last_thing_went(keys: WrappedKeys) -> None:
    for name in ("bob", "charlie"):
        keys.add_practitioner(name, START)
        keys._db.execute("DELETE FROM data_keys WHERE id = ?", (name,))
    keys.add("alice", "row", START)
    keys.discard([])
    keys.discard(["row", "unknown"])
    keys.rotate()
    assert keys.practitioners() == 3
    keys.destroy([("alice", "alice")], START)
    assert keys.practitioners() == 3, "not before the epoch ends under which its key can be read"
    keys.rotate()
    assert [row for (row,) in raw(keys, "SELECT id FROM practitioner_keys ORDER BY id")] == ["bob", "charlie", NOBODY]
    assert keys.inspect(START).findings == ()
