"""The step from a flat key store (version 1) to a tree (version 2), and the step back.

Each is one transaction while nobody else has the key store open, and is committed only after every key that opened
before was seen to open as it stands now. No epoch begins or ends here: what the old wrappings on the disk could be
opened with goes with the next epoch, as it would have without the step.
"""

import logging

from vault.errors import StartRefused, Tampered
from vault.keys import schema
from vault.keys.connection import Connection
from vault.keys.envelope import Random, seal
from vault.keys.epochs import Epochs
from vault.keys.many import change_each
from vault.keys.places import practitioner_place
from vault.keys.schema import read_value, write_value
from vault.keys.tree import JOIN, PRACTITIONERS, Tree, opened, room

logger = logging.getLogger(__name__)

NO_WAY_BACK = (
    "The key store cannot go back: an epoch key was erased since its keys stand in a tree. Stay with this version."
)


def to_tree(connection: Connection, epochs: Epochs, random: Random) -> None:
    """Make groups and hang everybody in one, inside the caller's transaction. Tampered when that went wrong."""
    epoch, tree = epochs.current(), Tree(connection, random)
    keys = whole(tree, epoch)
    people = [hung.id for hung in tree.everybody()]
    rows: list[tuple[bytes, str]] = []
    members: list[tuple[str, str]] = []
    space = room(len(people))
    for start in range(0, len(people), space):
        part = people[start : start + space]
        branch = tree.new_branch(epoch, len(part))
        members += [(branch.id, row_id) for row_id in part]
        opening = (row_id for row_id in part if row_id in keys)  # the others open nothing, wherever they hang
        rows += [(seal(branch.key, keys[one], practitioner_place(one), random), one) for one in opening]
    change_each(connection, JOIN, members)
    change_each(connection, PRACTITIONERS, rows)
    schema.set_version(connection, schema.TREE)
    write_value(connection, schema.SINCE, str(epochs.number()).encode())
    if any(hung.group is None for hung in tree.everybody()):
        raise Tampered
    compare(keys, whole(tree, epochs.current()))


def to_flat(connection: Connection, epochs: Epochs, random: Random) -> None:
    """Hang everybody under the epoch, inside the caller's transaction.

    StartRefused when an epoch key was erased since the tree was made, Tampered when it went wrong.
    """
    if not can_go_back(connection, epochs):
        raise StartRefused(NO_WAY_BACK)
    epoch, tree = epochs.current(), Tree(connection, random)
    keys = whole(tree, epoch)
    rows = [(seal(epoch, key, practitioner_place(row_id), random), row_id) for row_id, key in keys.items()]
    change_each(connection, PRACTITIONERS, rows)
    connection.execute("DELETE FROM members")
    connection.execute("DELETE FROM group_keys")
    connection.execute("DELETE FROM meta WHERE name = ?", (schema.SINCE,))
    schema.set_version(connection, schema.FLAT)
    compare(keys, whole(tree, epochs.current()))


def can_go_back(connection: Connection, epochs: Epochs) -> bool:
    """Whether the epoch is still the one in which the tree was made."""
    return int(read_value(connection, schema.SINCE)) == epochs.number()


def whole(tree: Tree, epoch: bytes) -> dict[str, bytes]:
    """Practitioners' keys that open."""
    found = {}
    for hung in tree.everybody():
        try:
            found[hung.id] = opened(epoch, hung)
        except Tampered:
            logger.exception("a practitioner's wrapped key does not open")
    return found


def compare(before: dict[str, bytes], after: dict[str, bytes]) -> None:
    """Tampered unless the same keys open as before."""
    if before != after:
        logger.error("the key store stays as it was: not every key would open after the step")
        raise Tampered
