"""Keys for rows that are handed over: made once, forgotten by nobody meanwhile, and never somebody else's."""

from datetime import timedelta

import pytest

from tests.people import START
from vault.errors import DomainError
from vault.keys.unseen import minute
from vault.keys.wrapped import GRACE, WrappedKeys

IDS = ["A" * 22, "B" * 22]


def test_a_try_before_left_the_keys_that_the_next_takes(keys: WrappedKeys) -> None:
    first = keys.take("alice", IDS, START)
    assert first.keys() == set(IDS)
    assert keys.take("alice", [*IDS, "C" * 22], START).items() > first.items()
    assert keys.get("alice", IDS[0]) == (first[IDS[0]], True)


def test_one_that_is_taken_again_is_forgotten_by_nobody_who_looked_before(keys: WrappedKeys) -> None:
    keys.take("alice", IDS, START)
    later = START + GRACE + timedelta(minutes=1)
    seen = [one for one, after in keys.unconfirmed() if one in IDS and after < minute(later)]
    assert sorted(seen) == IDS
    keys.take("alice", IDS[:1], later)
    keys.discard(seen, minute(later))
    assert keys.missing(IDS) == IDS[1:]
    keys.discard(IDS)
    assert keys.missing(IDS) == IDS


def test_one_with_its_row_stays_confirmed(keys: WrappedKeys) -> None:
    made = keys.add("alice", IDS[0], START)
    keys.confirm(IDS[:1])
    assert keys.take("alice", IDS[:1], START) == {IDS[0]: made}
    assert IDS[0] not in dict(keys.unconfirmed())
    keys.discard(IDS[:1])
    assert keys.missing(IDS) == IDS[1:]


def test_somebody_elses_is_left_to_them(keys: WrappedKeys) -> None:
    keys.add_practitioner("bob", START)
    mine = keys.take("alice", IDS[:1], START)
    with pytest.raises(DomainError, match="try_again"):
        keys.take("bob", IDS, START)
    assert keys.missing(IDS) == IDS[1:]
    assert keys.get("alice", IDS[0]) == (mine[IDS[0]], True)
    with pytest.raises(DomainError, match="not_found"):
        keys.take("nobody here", IDS[1:], START)


def test_ids_follow_from_each_other_one_way(keys: WrappedKeys) -> None:
    line = [IDS[0]]
    for _ in range(20):
        line.append(keys.heir(line[-1]))
    assert len(set(line)) == 21
    assert {len(one) for one in line} == {22}
    assert keys.heir(IDS[0]) == line[1]
    assert keys.handing_mark("alice", "x") != keys.handing_mark("bob", "x")
