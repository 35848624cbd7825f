"""Practitioners' keys in groups: what a destruction wraps anew, how groups come and go, what a damaged one means."""

import logging
import secrets
from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.people import START
from tests.vault.test_key_steps import contents
from vault.errors import Tampered
from vault.keys import tree
from vault.keys.backends import backend
from vault.keys.connection import transaction
from vault.keys.envelope import NONCE_BYTES, unseal
from vault.keys.places import NOBODY, data_place, group_place, practitioner_place
from vault.keys.tree import gathered, room
from vault.keys.wrapped import WrappedKeys

PLACES = ["sqlite_settings", "nodes"]
GROUP_OF = "SELECT parent FROM members WHERE practitioner = ?"


class Counting:
    """Random bytes; each wrapping takes one nonce."""

    def __init__(self) -> None:
        self.wraps = 0

    def __call__(self, length: int) -> bytes:
        self.wraps += length == NONCE_BYTES
        return secrets.token_bytes(length)


@pytest.fixture
def counting() -> Counting:
    return Counting()


@pytest.fixture(params=PLACES, ids=["sqlite", "postgres"])
def counted(request: pytest.FixtureRequest, counting: Counting) -> Iterator[WrappedKeys]:
    """An empty key store that counts what it wraps."""
    place = backend(request.getfixturevalue(request.param), counting)
    place.create("pair")
    with closing(place.open()) as opened:
        yield opened


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups that are small already for few people."""
    monkeypatch.setattr(tree, "LEAST", 4)


def crowd(keys: WrappedKeys, number: int) -> list[str]:
    """Practitioners with a data key each, made at once: one by one they take most of a test's time."""
    names = [f"p{n:05}" for n in range(number)]
    with transaction(keys._db):
        for name in names:
            keys._tree.add(keys._epochs.current(), name)
            keys._add(name, name, START)
    return names


def sizes(keys: WrappedKeys) -> list[int]:
    """Of the groups, as they are written down, and as they are."""
    noted = dict(keys._db.execute("SELECT id, size FROM group_keys").fetchall())
    counted = dict(keys._db.execute("SELECT parent, count(*) FROM members GROUP BY parent").fetchall())
    assert {group: size for group, size in noted.items() if size} == counted
    return sorted(noted.values())


def group_of(keys: WrappedKeys, name: str) -> str:
    (group,) = keys._db.execute(GROUP_OF, (name,)).fetchone()
    assert isinstance(group, str)
    return group


def whole(keys: WrappedKeys, living: dict[str, bytes]) -> None:
    assert keys.get_many([(name, name) for name in living]) == living
    assert keys.inspect(START).findings == ()


@pytest.mark.parametrize(("people", "most"), [(40, 60), (1_000, 90)])
def test_a_destruction_wraps_groups_and_members_of_one_group(
    counted: WrappedKeys, counting: Counting, people: int, most: int
) -> None:
    names = crowd(counted, people)
    living = counted.get_many([(name, name) for name in names])
    counted.add(names[0], "gone", START)
    counted.destroy([(names[0], "gone")], START)
    counting.wraps = 0
    assert counted.rotate()
    groups, members = len(sizes(counted)), max(sizes(counted))
    services, check, own = 2, 1, 1
    assert counting.wraps <= groups + members + services + check + own <= most
    whole(counted, living)


def test_groups_grow_with_the_square_root(counted: WrappedKeys, small: None) -> None:
    crowd(counted, 99)
    assert room(100) == 10
    found = sizes(counted)
    assert sum(found) == 100
    assert 10 <= len(found) <= 12
    assert max(found) <= 10


def test_what_an_old_copy_holds_opens_with_no_key_that_is_left(counted: WrappedKeys, small: None) -> None:
    """Whatever wrapped what was destroyed, and whatever wrapped that, is no more."""
    names = crowd(counted, 30)
    counted.add(names[7], "gone", START)
    old = {
        table: dict(counted._db.execute(f"SELECT id, wrapped FROM {table}").fetchall())
        for table in ("group_keys", "practitioner_keys", "data_keys")
    }
    group = group_of(counted, names[7])
    counted.destroy([(names[7], "gone")], START)
    counted.rotate()
    for key in counted.every():
        for wrapped, place in (
            (old["data_keys"]["gone"], data_place("gone", names[7])),
            (old["practitioner_keys"][names[7]], practitioner_place(names[7])),
            (old["group_keys"][group], group_place(group)),
        ):
            with pytest.raises(Tampered):
                unseal(key, wrapped, place)


def test_who_is_moved_to_another_group_leaves_no_way_through_the_one_before(counted: WrappedKeys, small: None) -> None:
    names = crowd(counted, 60)
    living = counted.get_many([(name, name) for name in names])
    assert max(sizes(counted)) == room(61)
    old = dict(counted._db.execute("SELECT id, wrapped FROM practitioner_keys").fetchall())
    before = {name: group_of(counted, name) for name in names}
    staying = list({group: name for name, group in before.items()}.values())
    leaving = [name for name in names if name not in staying]
    counted.destroy([(name, name) for name in leaving], START)
    for _ in range(12):
        counted.destroy([(staying[0], "unknown")], START)
        counted.rotate(everything=True)
        whole(counted, {name: living[name] for name in staying})
    people = len(staying) + 1
    assert len(sizes(counted)) <= 2 * (people // room(people) + 1)
    moved = [name for name in staying if group_of(counted, name) != before[name]]
    assert moved
    keys = counted.every()
    for name in moved:
        for key in keys:
            with pytest.raises(Tampered):
                unseal(key, old[name], practitioner_place(name))


def test_a_group_that_is_too_large_is_split_when_it_is_renewed(counted: WrappedKeys, small: None) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tree, "LEAST", 40)
        names = crowd(counted, 30)
    assert sizes(counted) == [31]
    living = counted.get_many([(name, name) for name in names])
    counted.destroy([(names[0], names[0])], START)
    counted.rotate()
    del living[names[0]]
    assert max(sizes(counted)) <= room(30)
    assert sum(sizes(counted)) == 30
    whole(counted, living)


def test_small_groups_are_put_together_but_not_all_at_once() -> None:
    assert gathered({"a": 16, "b": 3}, set()) == []
    many = {f"g{n:02}": 2 for n in range(20)} | {"large": 16}
    chosen = gathered(many, {"g00"})
    assert "g00" not in chosen
    assert 1 < len(chosen) <= 8
    assert sum(many[one] for one in chosen) <= room(sum(many.values()))
    assert gathered({f"g{n}": 0 for n in range(5)} | {"a": 1}, set()), "empty ones go"


def test_a_damaged_group_is_named_and_keeps_nobody_else_back(
    counted: WrappedKeys, small: None, caplog: pytest.LogCaptureFixture
) -> None:
    names = crowd(counted, 20)
    living = counted.get_many([(name, name) for name in names])
    mine, group = names[3], group_of(counted, names[3])
    theirs = [name for name in names if group_of(counted, name) == group]
    wrapped, size = counted._db.execute("SELECT wrapped, size FROM group_keys WHERE id = ?", (group,)).fetchone()
    counted._db.execute("UPDATE group_keys SET wrapped = ? WHERE id = ?", (wrapped[::-1], group))
    for name in (mine, names[-1] if names[-1] not in theirs else names[0]):
        counted.add_practitioner(f"new-{name}", START)
    number = counted._epochs.number()
    others = [name for name in names if name not in theirs]
    counted.destroy([(mine, mine), (others[0], others[0])], START)
    with caplog.at_level(logging.ERROR):
        assert counted.rotate()
        assert not counted.rotate(), "nothing is left to be renewed"
    assert "a group's wrapped key does not open" in caplog.text
    assert counted._epochs.number() > number
    with pytest.raises(Tampered):
        counted.get(theirs[0] if theirs[0] != mine else theirs[1], theirs[0] if theirs[0] != mine else theirs[1])
    assert counted.get_many([(name, name) for name in others[1:]]) == {name: living[name] for name in others[1:]}
    found = counted.inspect(START).findings
    assert "Keys of groups that do not open under the epoch key: 1." in found
    assert any(text.startswith("Keys of practitioners that do not open") for text in found)
    assert size


def test_a_damaged_practitioner_stays_so_and_moves_with_the_group(counted: WrappedKeys, small: None) -> None:
    names = crowd(counted, 12)
    group = group_of(counted, names[0])
    other = next(name for name in names[1:] if group_of(counted, name) == group)
    counted._db.execute("UPDATE practitioner_keys SET wrapped = ? WHERE id = ?", (bytes(60), names[0]))
    counted.add(other, "gone", START)
    counted.destroy([(other, "gone"), (names[0], "unknown")], START)
    assert counted.rotate()
    with pytest.raises(Tampered):
        counted.get(names[0], names[0])
    assert counted.get(other, other)[1]
    assert [text[:40] for text in counted.inspect(START).findings] == [
        "Keys of practitioners that do not open u",
        "Data keys that do not open under their p",
    ]


def test_a_practitioner_outside_of_every_group_is_named(counted: WrappedKeys) -> None:
    """Such a one would be lost with the next epoch."""
    crowd(counted, 2)
    counted._db.execute("DELETE FROM members WHERE practitioner = 'p00000'")
    assert "Keys of practitioners that are in no group: 1." in counted.inspect(START).findings


def test_one_who_is_unknown_costs_what_one_who_is_known_does(counted: WrappedKeys) -> None:
    """As many keys are opened: the one that stands for unknown people is in a group too."""
    crowd(counted, 2)
    assert counted._tree.hung(NOBODY).group is not None
    assert counted._tree.hung("p00001").group is not None


def test_a_group_key_in_another_groups_place_opens_nothing(counted: WrappedKeys, small: None) -> None:
    names = crowd(counted, 12)
    first = group_of(counted, names[0])
    other = next(group_of(counted, name) for name in names if group_of(counted, name) != first)
    counted._db.execute(
        "UPDATE group_keys SET wrapped = (SELECT wrapped FROM group_keys WHERE id = ?) WHERE id = ?", (other, first)
    )
    with pytest.raises(Tampered):
        counted.get(names[0], names[0])


def test_a_step_that_was_taken_is_not_taken_again(keys: WrappedKeys) -> None:
    for step in (keys.grow, keys.shrink, keys.grow):
        assert step()
        before = contents(keys)
        assert step()
        assert contents(keys) == before
    assert not keys.flat
